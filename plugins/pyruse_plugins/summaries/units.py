"""The report's table of services and programs that failed."""

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

_FAILED, _RESTARTED = "unit failed", "unit restarted"
_WORDS = {
    _FAILED: "failed",
    "killed for memory": "out of memory",
    "crashed": "crashed",
    _RESTARTED: "started again",
}
"""The gravest first."""


@dataclass(eq=False, repr=False)
class UnitSummary:
    """Tell in each report which services failed, crashed, or had to be started again and again.

    ```toml
    [plugins.unit_summary]
    restarts = 10
    ```
    """

    top: int = 20
    """How many rows the table has; the others are only counted."""
    restarts: int = 3
    """A service that systemd has started again is told of from so many times on."""
    collapse: int = 2
    """How many reasons a row names; the others are only counted."""

    def __post_init__(self) -> None:
        check_positive(top=self.top, restarts=self.restarts, collapse=self.collapse)

    @hookimpl
    def contribute_to_report(self, report: Report, context: Context) -> None:
        tallies = list(context.tallies(report, *_WORDS))
        failed = total(one for one in tallies if one.event == _FAILED)
        compare(report, context, "Failures of services", [[_FAILED]], [failed])
        found = grouped(
            tallies,
            lambda one: (one.event, one.fields.get("unit") or one.fields.get("program", "")),
        )
        groups = [one for one in found if one.event != _RESTARTED or one.count >= self.restarts]
        groups.sort(key=lambda one: list(_WORDS).index(one.event))
        columns = [
            Column("Service or program"), Column("What"), Column("Why"), Column("Times", "number"),
            Column("First", "time"), Column("Last", "time"),
        ]  # fmt: skip
        add_table(
            report, "units", "Services and programs", columns, groups,
            lambda one: [
                cell(one.key[1] or "unknown"), _WORDS[one.event],
                one.named("reason", self.collapse) or one.named("signal", self.collapse),
                one.count, one.first(report), one.last(report),
            ],
            self.top, stands_out=lambda one: one.event != _RESTARTED,
        )  # fmt: skip
