"""The report's table of backups: made, or not."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, takewhile

from pyruse import Column, Context, Report, hookimpl
from pyruse_plugins.summaries._outcomes import attend, named, outcomes
from pyruse_plugins.summaries._sums import add_table, cell, check_positive

_LOOKED_AT = 10_000  # tallies of earlier days


@dataclass
class BackupSummary:
    """Tell in each report which backups were made, and first, which were not.

    ```toml
    [plugins.backup_summary]
    failed_only = true
    ```
    """

    top: int = 15
    """How many rows the table has; the others are only counted."""
    failed_only: bool = False
    """Tell only of backups that were not made."""

    def __post_init__(self) -> None:
        check_positive(top=self.top)

    @hookimpl
    def contribute_to_report(self, report: Report, context: Context) -> None:
        failed, done = "backup failed", "backup done"
        events = (failed,) if self.failed_only else (failed, done)
        groups = outcomes(report, context, events)
        told = [one for one in groups[: self.top] if one.event == failed]
        went_well = _went_well(report, context, {one.key[1:] for one in told})
        for one in told:
            days = went_well[one.key[1:]]
            before = f"; it had succeeded on each of the {days} days before" if days > 1 else ""
            attend(report, one, f"backup {named(one)}failed{before}")
        columns = [
            Column("Backup"), Column("By"), Column("What"), Column("Why"),
            Column("Times", "number"), Column("Size", "bytes"), Column("Last", "time"),
        ]  # fmt: skip
        add_table(
            report, "backups", "Backups", columns, groups,
            lambda one: [
                cell(one.key[1]), one.named("service", 1), one.event.removeprefix("backup "),
                one.named("reason", 1) if one.event == failed else "", one.count,
                one.amount or None, one.last(report),
            ],
            self.top, stands_out=lambda one: one.event == failed,
        )  # fmt: skip


def _went_well(
    report: Report, context: Context, backups: set[tuple[str, ...]]
) -> dict[tuple[str, ...], int]:
    """On how many of the last days on which there were backups, none of them had failed."""
    days: dict[tuple[str, ...], dict[str, bool]] = {key: {} for key in backups}
    if backups:
        before = context.tallies_before(report, "backup done", "backup failed")
        for one in islice(before, _LOOKED_AT):
            key = one.fields.get("name", ""), one.fields.get("service", "")
            if key in days:
                days[key][one.day] = days[key].get(one.day, True) and one.event == "backup done"
    return {key: _well_at_last(went) for key, went in days.items()}


def _well_at_last(days: dict[str, bool]) -> int:
    """How many of the last days went well."""
    return sum(1 for _ in takewhile(days.get, sorted(days, reverse=True)))
