"""The report's table of queries that the name server refused."""

from __future__ import annotations

from dataclasses import dataclass

from pyruse import Column, Context, Report, hookimpl
from pyruse_plugins.summaries._sums import (
    add_table,
    by_fields,
    cell,
    check_positive,
    compare,
    counted,
    grouped,
    total,
    values_of,
)

_REFUSED = "query refused"


@dataclass(eq=False, repr=False)
class DnsSummary:
    """Tell in each report which names were asked of the name server in vain, and by whom.

    ```toml
    [plugins.dns_summary]
    top = 20
    ```
    """

    top: int = 10
    """How many names are listed; the others are only counted."""
    collapse: int = 3
    """How many addresses a row names; the others are only counted."""

    def __post_init__(self) -> None:
        check_positive(top=self.top, collapse=self.collapse)

    @hookimpl
    def contribute_to_report(self, report: Report, context: Context) -> None:
        tallies = list(context.tallies(report, _REFUSED))
        compare(report, context, "Queries refused", [[_REFUSED]], [total(tallies)])
        if not tallies:
            return
        names, clients = values_of(tallies, "name"), values_of(tallies, "ip")
        facts = [
            f"{counted(total(tallies), 'query')} for {counted(len(names), 'name')} "
            f"from {counted(len(clients), 'address')}."
        ]
        if not_kept := total(one for one in tallies if one.is_rest):
            facts.append(f"Of {not_kept:,} of them, neither name nor address is kept.")
        columns = [
            Column("Name"), Column("Times", "number"), Column("From"), Column("Last", "time")
        ]  # fmt: skip
        known = [one for one in tallies if not one.is_rest]
        add_table(
            report, "dns", "Queries refused", columns, grouped(known, by_fields("name")),
            lambda one: [
                cell(one.key[0] or "unknown"), one.count, one.named("ip", self.collapse),
                one.last(report),
            ],
            self.top, facts=facts,
        )  # fmt: skip
