"""The report's table of jobs: those that failed, are new, or did not run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyruse import Column, Context, Report, Tally, hookimpl
from pyruse_plugins.summaries._daily import is_over
from pyruse_plugins.summaries._sums import (
    Group,
    by_fields,
    cell,
    check_positive,
    compare,
    counted,
    grouped,
    quoted,
    total,
)

_RAN, _FAILED = "job ran", "job failed"
_LOOKED_AT = 50_000  # tallies of earlier days
_Job = tuple[str, str, str]
"""Machine, user and name."""


@dataclass(eq=False, repr=False)
class JobSummary:
    """Tell in each report which jobs of cron and the like failed, are new, or did not run.

    A job that ran on each of the `days` before, and not on this one, needs attention.

    ```toml
    [plugins.job_summary]
    failed_only = true
    ```
    """

    top: int = 15
    """How many rows the table has; the others are only counted."""
    days: int = 7
    """For so many days, a job must have run each day to be missed; and so many days must be known
    before a job is called new."""
    failed_only: bool = False
    """Tell only of jobs that failed."""

    def __post_init__(self) -> None:
        check_positive(top=self.top, days=self.days)

    @hookimpl
    def contribute_to_report(self, report: Report, context: Context) -> None:
        failed, ran = (list(context.tallies(report, event)) for event in (_FAILED, _RAN))
        compare(report, context, "Jobs failed", [[_FAILED]], [total(failed)])
        rows: list[list[object]] = []
        several = len({one.host for one in (*ran, *failed) if one.host}) > 1
        for group in grouped(failed, by_fields("user", "name")):
            why = group.named("reason", 1)
            rows.append(self._row(several, (group.host, *group.key), "failed", group, why, report))
        number = len(rows)
        if not self.failed_only:
            new, absent = self._unlike(report, context, ran)
            for job, last in absent[: self.top]:
                name = quoted(job[2])
                report.attend(
                    f"job {name} of {quoted(job[1] or 'unknown')} did not run; it had run on each "
                    f"of the {self.days} days before",
                    40, cause=f"job ran {job[2]}",
                )  # fmt: skip
                rows.append(self._row(several, job, "absent", None, f"last on {last}", report))
            number = len(rows)
            groups = grouped([one for one in ran if _job(one) in new], by_fields("user", "name"))
            for group in groups:
                rows.append(self._row(several, (group.host, *group.key), "new", group, "", report))
        facts = []
        if ran and not self.failed_only:
            jobs = len({_job(one) for one in ran})
            facts.append(f"{counted(total(ran), 'run')} of {counted(jobs, 'job')}.")
        columns = [
            *[Column("Machine")] * several, Column("Job"), Column("User"), Column("What"),
            Column("Why"), Column("Times", "number"), Column("Last", "time"),
        ]  # fmt: skip
        report.add_summary(
            "jobs", "Jobs", columns, rows[: self.top], facts=facts,
            left_out=max(0, len(rows) - self.top), emphasis=range(min(number, self.top)),
        )  # fmt: skip

    def _row(  # noqa: PLR0913 -- the cells of a row
        self, several: bool, job: tuple[str, ...], what: str, group: Group | None, why: str,
        report: Report,
    ) -> list[object]:  # fmt: skip
        host, user, name = job
        return [
            *([cell(host)] if several else []), cell(name or "unknown"), cell(user), what, why,
            None if group is None else group.count, None if group is None else group.last(report),
        ]  # fmt: skip

    def _unlike(
        self, report: Report, context: Context, ran: Sequence[Tally]
    ) -> tuple[set[_Job], list[tuple[_Job, str]]]:
        """The new jobs, and the absent ones with the day on which they ran last."""
        known = list(context.tallied_before(report, _RAN))
        if len(known) < self.days:
            return set(), []
        today = {_job(one) for one in ran}
        new = set(today)
        on_days: dict[_Job, set[str]] = {}
        for number, one in enumerate(context.tallies_before(report, _RAN)):
            job = _job(one)
            new.discard(job)
            if not one.is_rest and one.day >= known[-self.days]:
                on_days.setdefault(job, set()).add(one.day)
            if number >= _LOOKED_AT or (not new and one.day < known[-self.days]):
                break
        if not is_over(report):
            return new, []
        absent = [
            (job, max(days))
            for job, days in on_days.items()
            if len(days) == self.days and job not in today
        ]
        return new, sorted(absent)


def _job(tally: Tally) -> _Job:
    return tally.host, tally.fields.get("user", ""), tally.fields.get("name", "")
