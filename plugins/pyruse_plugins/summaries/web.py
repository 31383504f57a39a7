"""The report's tables of requests to web servers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyruse import Column, Context, Report, Tally, hookimpl
from pyruse_plugins.summaries._sums import (
    add_table,
    by_fields,
    cell,
    check_positive,
    compare,
    grouped,
    total,
)

_ANSWERED, _FAILED = "request", "request failed"
_NAMES = {
    "1": "1xx, preliminary",
    "2": "2xx, answered",
    "3": "3xx, elsewhere",
    "4": "4xx, faulty requests",
    "5": "5xx, errors of the server",
}
_PAGES = {
    "5": ("web-errors", "Web: pages with errors of the server"),
    "404": ("web-missing", "Web: pages that are not there"),
}
"""The ids and titles of tables of pages, by what their statuses begin with."""


@dataclass(eq=False, repr=False)
class WebSummary:
    """Tell in each report of the requests: how they were answered, and which pages had errors.

    ```toml
    [plugins.web_summary]
    missing = 20
    ```
    """

    errors: int = 30
    """How many pages are listed where the server failed (5xx); the others are only counted."""
    missing: int = 5
    """How many pages are listed that are not there (404); the others are only counted."""
    sites: int = 10
    """How many sites are listed; the others are only counted."""
    collapse: int = 2
    """How many addresses a row names; the others are only counted."""

    def __post_init__(self) -> None:
        check_positive(
            errors=self.errors, missing=self.missing, sites=self.sites, collapse=self.collapse
        )

    @hookimpl
    def contribute_to_report(self, report: Report, context: Context) -> None:
        answered = list(context.tallies(report, _ANSWERED))
        failed = list(context.tallies(report, _FAILED))
        compare(
            report, context, "Web requests answered / failed", [[_ANSWERED], [_FAILED]],
            [total(answered), total(failed)],
        )  # fmt: skip
        self._add_classes(report, [*answered, *failed])
        self._add_sites(report, [*answered, *failed])
        self._add_pages(report, failed, "5", self.errors)
        self._add_pages(report, failed, "404", self.missing)

    def _add_classes(self, report: Report, tallies: Sequence[Tally]) -> None:
        groups = grouped(tallies, lambda one: (one.fields.get("status", "")[:1],))
        groups.sort(key=lambda one: one.key)
        columns = [Column("Status"), Column("Requests", "number"), Column("Size", "bytes")]
        add_table(
            report, "web", "Web", columns, groups,
            lambda one: [_NAMES.get(one.key[0], "unknown"), one.count, one.amount],
            len(groups), stands_out=lambda one: one.key == ("5",),
        )  # fmt: skip

    def _add_sites(self, report: Report, tallies: Sequence[Tally]) -> None:
        groups = grouped([one for one in tallies if one.fields.get("site")], by_fields("site"))
        groups.sort(key=lambda one: -one.amount)
        columns = [
            Column("Site"), Column("Requests", "number"), Column("Failed", "number"),
            Column("Size", "bytes"),
        ]  # fmt: skip
        add_table(
            report, "web-sites", "Web: sites", columns, groups,
            lambda one: [
                cell(one.key[0]), one.count,
                total(part for part in one.tallies if part.event == _FAILED), one.amount,
            ],
            self.sites,
        )  # fmt: skip

    def _add_pages(self, report: Report, failed: Sequence[Tally], begin: str, top: int) -> None:
        """List the pages whose status begins with something."""
        tallies = [one for one in failed if one.fields.get("status", "").startswith(begin)]
        id_, title = _PAGES[begin]
        facts = []
        if not_kept := total(one for one in tallies if one.is_rest):
            facts.append(f"Of {not_kept:,} such requests, the page is not kept.")
        columns = [
            Column("Page"), Column("Site"), Column("Status"), Column("Times", "number"),
            Column("From"), Column("Last", "time"),
        ]  # fmt: skip
        known = [one for one in tallies if not one.is_rest]
        add_table(
            report, id_, title, columns, grouped(known, by_fields("path", "site", "status")),
            lambda one: [
                *[cell(value) for value in one.key], one.count, one.named("ip", self.collapse),
                one.last(report),
            ],
            top, facts=facts, stands_out=lambda _: begin == "5",
        )  # fmt: skip
