from __future__ import annotations

from datetime import date

import pytest

from pyruse.report.digests import Length, due, period_around, period_named


@pytest.mark.parametrize(
    ("day", "every", "title", "first", "last"),
    [
        ("2026-11-29", "week", "2026-W48", "2026-11-23", "2026-11-29"),
        ("2026-11-30", "week", "2026-W49", "2026-11-30", "2026-12-06"),
        ("2027-01-01", "week", "2026-W53", "2026-12-28", "2027-01-03"),  # ISO 8601
        ("2026-02-14", "month", "2026-02", "2026-02-01", "2026-02-28"),
        ("2028-02-29", "month", "2028-02", "2028-02-01", "2028-02-29"),
        ("2026-12-31", "month", "2026-12", "2026-12-01", "2026-12-31"),
    ],
)
def test_a_day_is_in_a_period(day: str, every: Length, title: str, first: str, last: str):
    period = period_around(date.fromisoformat(day), every)
    assert (period.title, f"{period.first}", f"{period.last}") == (title, first, last)
    assert (period.days[0], period.days[-1]) == (first, last)
    assert period_named(title) == period


@pytest.mark.parametrize("title", ["2026-11-29", "2026-W54", "2026-13", "today", "2026", "0000-01"])
def test_what_is_no_period(title: str):
    assert period_named(title) is None


@pytest.mark.parametrize(
    ("day", "reported", "titles"),
    [
        ("2026-11-27", ["2026-11-26"], []),
        ("2026-11-29", ["2026-11-27", "2026-11-28"], ["2026-W48"]),
        ("2026-11-30", ["2026-11-29"], ["2026-11"]),
        ("2026-05-31", ["2026-05-30"], ["2026-W22", "2026-05"]),
        # The machine was off from Friday until Wednesday of the next month.
        ("2026-12-02", ["2026-11-26", "2026-11-27"], ["2026-W48", "2026-11"]),
        ("2026-12-02", ["2026-11-29", "2026-11-30"], []),
        ("2026-11-29", [], ["2026-W48"]),
        ("2026-11-29", ["2026-11-28", "2026-11-30"], ["2026-W48"]),
    ],
)
def test_a_digest_is_due_with_the_last_day_or_after_it(
    day: str, reported: list[str], titles: list[str]
):
    assert [period.title for period in due(day, reported, ["week", "month", "week"])] == titles


CHAINS = """
[email]
to = ["hostmaster@example.org"]
[report]
timezone = "UTC"
archive = "{folder}"
digests = ["week"]
[[plugins.mail_report.mails]]
[[plugins.mail_report.mails]]
to = ["boss@example.org"]
every = "week"
[chains]
all = [ {{ action = "report", section = "important", message = "{{MESSAGE}}" }} ]
"""


def test_a_week_is_reported_with_its_last_day(pipeline, tmp_path):
    flow = pipeline(CHAINS.format(folder=tmp_path))
    flow.feed(MESSAGE="a fan stopped")  # on Saturday, 2026-03-14
    flow.end_day()
    assert not list(tmp_path.glob("*W*"))
    flow.feed(MESSAGE="a fan stopped")
    flow.end_day()
    assert sorted(file.name for file in tmp_path.glob("*W*")) == [
        "2026-W11.html", "2026-W11.json", "2026-W11.txt",
    ]  # fmt: skip
    (mail,) = (mail for mail in flow.emails if mail.to == ["boss@example.org"])
    assert "2026-W11" in mail.subject
    assert "2 × a fan stopped" in mail.body
    assert "nothing is kept of 5 of these 7 days: 2026-03-09" in mail.body
    daily = [mail for mail in flow.emails if mail.to == ["hostmaster@example.org"]]
    assert len(daily) == 2
    assert "1 × a fan stopped" in daily[1].body
    assert flow.faults == []
