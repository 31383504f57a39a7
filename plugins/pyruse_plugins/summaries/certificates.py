"""The report's table of certificates: renewed, or not."""

from __future__ import annotations

from dataclasses import dataclass

from pyruse import Column, Context, Report, hookimpl
from pyruse_plugins.summaries._outcomes import outcomes
from pyruse_plugins.summaries._sums import add_table, cell, check_positive


@dataclass(eq=False, repr=False)
class CertificateSummary:
    """Tell in each report which certificates were renewed, and first, which could not be.

    ```toml
    [plugins.certificate_summary]
    failed_only = true
    ```
    """

    top: int = 15
    """How many rows the table has; the others are only counted."""
    failed_only: bool = False
    """Tell only of certificates that could not be renewed."""

    def __post_init__(self) -> None:
        check_positive(top=self.top)

    @hookimpl
    def contribute_to_report(self, report: Report, context: Context) -> None:
        failed, done = "certificate failed", "certificate renewed"
        events = (failed,) if self.failed_only else (failed, done)
        groups = outcomes(report, context, events)
        columns = [
            Column("Certificate"), Column("What"), Column("Why"), Column("Times", "number"),
            Column("Last", "time"),
        ]  # fmt: skip
        add_table(
            report, "certificates", "Certificates", columns, groups,
            lambda one: [
                cell(one.key[1] or "unknown"), one.event.removeprefix("certificate "),
                one.named("reason", 1) if one.event == failed else "", one.count, one.last(report),
            ],
            self.top, stands_out=lambda one: one.event == failed,
        )  # fmt: skip
