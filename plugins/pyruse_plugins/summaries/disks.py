"""The report's table of disks, arrays and file systems with faults."""

from __future__ import annotations

from dataclasses import dataclass

from pyruse import Column, Context, Report, hookimpl
from pyruse_plugins.summaries._sums import add_table, cell, check_positive, grouped

_WORDS = {
    "disk fault": "disk",
    "raid fault": "array",
    "file system fault": "file system",
    "disk full": "full",
}


@dataclass(eq=False, repr=False)
class DiskSummary:
    """Tell in each report which disks, arrays and file systems have faults, and which were full.

    ```toml
    [plugins.disk_summary]
    top = 50
    ```
    """

    top: int = 20
    """How many rows the table has; the others are only counted."""

    def __post_init__(self) -> None:
        check_positive(top=self.top)

    @hookimpl
    def contribute_to_report(self, report: Report, context: Context) -> None:
        groups = grouped(
            list(context.tallies(report, *_WORDS)),
            lambda one: (
                one.event,
                one.fields.get("device") or one.fields.get("path", ""),
                one.fields.get("reason", ""),
            ),
        )
        columns = [
            Column("Device"), Column("What"), Column("Why"), Column("Times", "number"),
            Column("First", "time"), Column("Last", "time"),
        ]  # fmt: skip
        add_table(
            report, "disks", "Faults of disks", columns, groups,
            lambda one: [
                cell(one.key[1] or "unknown"), _WORDS[one.event], cell(one.key[2]), one.count,
                one.first(report), one.last(report),
            ],
            self.top, stands_out=lambda _: True,
        )  # fmt: skip
