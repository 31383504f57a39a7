"""The report's tables that files of rules declare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyruse import CellType, Column, Context, DeclaredSummary, Report, hookimpl
from pyruse_plugins.summaries._sums import (
    Group,
    add_table,
    by_fields,
    cell,
    check_positive,
    grouped,
    total,
)

_NAMES = {"count": "Times", "amount": "Sum", "first": "First", "last": "Last"}
_TYPES: dict[str, CellType] = {
    "count": "number", "amount": "number", "first": "time", "last": "time",
}  # fmt: skip


@dataclass(eq=False, repr=False)
class RulesSummary:
    """Tell in each report what files of rules [declare](writing-rules.md#summaries).

    ```toml
    [plugins.rules_summary]
    collapse = 5
    ```
    """

    collapse: int = 3
    """How many values of a field a row names; the others are only counted."""

    def __post_init__(self) -> None:
        check_positive(collapse=self.collapse)

    @hookimpl
    def contribute_to_report(self, report: Report, context: Context) -> None:
        for declared in context.declared_summaries:
            self._add(report, context, declared)

    def _add(self, report: Report, context: Context, declared: DeclaredSummary) -> None:
        tallies = list(context.tallies(report, *declared.events))
        known = [one for one in tallies if not one.is_rest]
        facts = []
        if not_kept := total(tallies) - total(known):
            facts.append(f"Of {not_kept:,} more, only the number is kept.")
        columns = [
            *[Column(_title(field)) for field in declared.rows],
            *[_column(name, declared) for name in declared.columns],
        ]
        add_table(
            report, declared.id, declared.title, columns, grouped(known, by_fields(*declared.rows)),
            lambda one: [
                *[cell(value) for value in one.key],
                *[self._value(name, one, report) for name in declared.columns],
            ],
            declared.top, facts=facts,
        )  # fmt: skip

    def _value(self, name: str, group: Group, report: Report) -> Any:
        match name:
            case "count":
                return group.count
            case "amount":
                return group.amount
            case "first":
                return group.first(report)
            case "last":
                return group.last(report)
            case _:
                return group.named(name, self.collapse)


def _title(field: str) -> str:
    return field[:1].upper() + field[1:]


def _column(name: str, declared: DeclaredSummary) -> Column:
    if name == "amount" and declared.adds_bytes:
        return Column("Size", "bytes")
    return Column(_NAMES.get(name, _title(name)), _TYPES.get(name, "text"))
