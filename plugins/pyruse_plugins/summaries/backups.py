"""The report's table of backups: made, or not."""

from __future__ import annotations

from dataclasses import dataclass

from pyruse import Column, Context, Report, hookimpl
from pyruse_plugins.summaries._outcomes import attend, named, outcomes
from pyruse_plugins.summaries._sums import Group, add_table, cell, check_positive


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
        for one in groups:
            if one.event == failed:
                attend(report, one, f"backup {named(one)}failed{_before(report, context, one)}")
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


def _before(report: Report, context: Context, group: Group) -> str:
    """How long it had gone well, where it had."""
    days: dict[str, bool] = {}
    for one in context.tallies_before(report, "backup done", "backup failed"):
        if (one.fields.get("name", ""), one.fields.get("service", "")) == group.key[1:]:
            days[one.day] = days.get(one.day, True) and one.event == "backup done"
    well = 0
    for day in sorted(days, reverse=True):
        if not days[day]:
            break
        well += 1
    return f"; it had succeeded on each of the {well} days before" if well > 1 else ""
