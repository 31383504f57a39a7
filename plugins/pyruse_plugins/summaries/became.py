"""The report's table of those who acted as others: sudo, su, pkexec, doas."""

from __future__ import annotations

from dataclasses import dataclass

from pyruse import Column, Context, Report, hookimpl
from pyruse_plugins.summaries._sums import (
    add_table,
    cell,
    check_positive,
    compare,
    grouped,
    total,
)

_DENIED, _DONE = "denied", "became"


@dataclass(eq=False, repr=False)
class BecameSummary:
    """Tell in each report who acted as another user, and before that, who was denied something.

    ```toml
    [plugins.became_summary]
    denied_only = true
    ```
    """

    top: int = 15
    """How many rows the table has; the others are only counted."""
    collapse: int = 2
    """How many commands a row names; the others are only counted."""
    denied_only: bool = False
    """Tell only of what was denied."""

    def __post_init__(self) -> None:
        check_positive(top=self.top, collapse=self.collapse)

    @hookimpl
    def contribute_to_report(self, report: Report, context: Context) -> None:
        told = (_DENIED,) if self.denied_only else (_DENIED, _DONE)
        tallies = list(context.tallies(report, *told))
        denied = total(one for one in tallies if one.event == _DENIED)
        compare(report, context, "Denied", [[_DENIED]], [denied])
        groups = grouped(
            tallies,
            lambda one: (
                one.event,
                one.fields.get("user") or one.fields.get("ip", ""),
                one.fields.get("target", ""),
                one.fields.get("service", ""),
            ),
        )
        groups.sort(key=lambda one: one.event != _DENIED)
        columns = [
            Column("What"), Column("User"), Column("As"), Column("By"),
            Column("Command or reason"), Column("Times", "number"), Column("Last", "time"),
        ]  # fmt: skip
        add_table(
            report, "became", "Acting as others", columns, groups,
            lambda one: [
                one.event, cell(one.key[1] or "unknown"), cell(one.key[2]), cell(one.key[3]),
                one.named("command", self.collapse) or one.named("reason", self.collapse),
                one.count, one.last(report),
            ],
            self.top, stands_out=lambda one: one.event == _DENIED,
        )  # fmt: skip
