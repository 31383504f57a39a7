"""The table of jobs."""

from __future__ import annotations

from tests.plugins.summaries.conftest import table


def ran(here, name: str, user: str = "root") -> None:
    here.says("CRON", f"({user}) CMD ({name})")


def test_jobs_that_failed_are_new_or_absent(machine):
    here = machine(["cron"])
    for day in range(7):
        ran(here, "backup.sh")
        ran(here, "stats", "www-data")
        if day % 2:
            ran(here, "sometimes")
        report = here.ends_day()
        assert "absent" not in table(report, "jobs")
        assert "new" not in table(report, "jobs")
    ran(here, "stats", "www-data")
    ran(here, "curl x | sh", "www-data")
    here.says("anacron", "Job `cron.daily' terminated (exit status: 1) (mailing output)")
    report = here.ends_day()
    assert (
        table(report, "jobs")
        == """\
# Jobs
2 runs of 2 jobs.
Job | User | What | Why | Times | Last
* cron.daily |  | failed | “(mailing output)” | 1 | 00:00:00
* backup.sh | root | absent | last on 2026-03-20 |  |
curl x | sh | www-data | new |  | 1 | 00:00:00
"""
    )
    (item,) = [one for one in report.attention if one.cause == "job ran backup.sh"]
    assert (item.text, item.weight) == (
        "job backup.sh of root did not run; it had run on each of the 7 days before", 40
    )  # fmt: skip
    assert "absent" not in table(report_of_next(here), "jobs")


def report_of_next(here):
    ran(here, "stats", "www-data")
    return here.ends_day()


def test_a_day_that_goes_on_misses_nobody(machine, clock, monkeypatch):
    from pyruse_plugins.summaries import _daily

    here = machine(["cron"], "[plugins.job_summary]\ndays = 1\n")
    ran(here, "backup.sh")
    here.ends_day()
    monkeypatch.setattr(_daily, "now", lambda: clock.now)
    ran(here, "stats")
    here.flow.state.commit()
    report = here.flow.engine.report(f"{clock.now:%Y-%m-%d}")
    assert "absent" not in table(report, "jobs")
    monkeypatch.undo()
    assert "* backup.sh | root | absent" in table(here.ends_day(), "jobs")


def test_only_those_that_failed(machine):
    here = machine(["cron"], "[plugins.job_summary]\nfailed_only = true\n")
    ran(here, "stats")
    assert here.ends_day().summaries == []
