"""The report's table of backups: made, or not."""

from __future__ import annotations

from dataclasses import dataclass

from pyruse import Column, Context, Report, hookimpl
from pyruse_plugins.summaries._outcomes import outcomes
from pyruse_plugins.summaries._sums import add_table, cell, check_positive


@dataclass(eq=False, repr=False)
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
