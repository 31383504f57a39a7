"""The report's tables of mails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyruse import Column, Context, Report, Tally, hookimpl
from pyruse_plugins.summaries._sums import (
    Group,
    add_table,
    by_fields,
    cell,
    check_positive,
    compare,
    grouped,
    total,
)

_ACCEPTED, _SENT, _DEFERRED, _BOUNCED, _REFUSED = _WORDS = (
    "mail accepted", "mail sent", "mail deferred", "mail bounced", "mail refused",
)  # fmt: skip
_ACTIVE = (
    ("sender", _ACCEPTED, "from"),
    ("recipient", _SENT, "to"),
    ("client", _ACCEPTED, "ip"),
    ("refused client", _REFUSED, "ip"),
)
"""Who is active, and by which events and fields that is known."""


@dataclass(eq=False, repr=False)
class MailSummary:
    """Tell in each report of the mails: how many, why some were not delivered, and whose they were.

    ```toml
    [plugins.mail_summary]
    active = 10
    ```
    """

    top: int = 10
    """How many reasons are listed why mails were not delivered; the others are only counted."""
    active: int = 5
    """How many senders, recipients and clients are listed."""
    collapse: int = 2
    """How many recipients a row names; the others are only counted."""

    def __post_init__(self) -> None:
        check_positive(top=self.top, active=self.active, collapse=self.collapse)

    @hookimpl
    def contribute_to_report(self, report: Report, context: Context) -> None:
        tallies = {event: list(context.tallies(report, event)) for event in _WORDS}
        told = (_SENT, _DEFERRED, _BOUNCED)
        compare(
            report, context, "Mail sent / deferred / bounced", [[event] for event in told],
            [total(tallies[event]) for event in told],
        )  # fmt: skip
        self._add_numbers(report, [one for several in tallies.values() for one in several])
        failed = (_BOUNCED, _DEFERRED, _REFUSED)
        self._add_reasons(report, [one for event in failed for one in tallies[event]])
        self._add_active(report, tallies)

    def _add_numbers(self, report: Report, tallies: Sequence[Tally]) -> None:
        groups = grouped(tallies, lambda one: (one.event,))
        groups.sort(key=lambda one: _WORDS.index(one.event))
        columns = [Column("What"), Column("Mails", "number"), Column("Size", "bytes")]
        add_table(
            report, "mail", "Mail", columns, groups,
            lambda one: [one.event.removeprefix("mail "), one.count, one.amount or None],
            len(groups),
        )  # fmt: skip

    def _add_reasons(self, report: Report, tallies: Sequence[Tally]) -> None:
        groups = grouped(
            tallies,
            lambda one: (one.event, one.fields.get("reason") or one.fields.get("status", "")),
        )
        columns = [
            Column("What"), Column("Why"), Column("Mails", "number"), Column("To"),
            Column("Last", "time"),
        ]  # fmt: skip
        add_table(
            report, "mail-failures", "Mail that was not delivered", columns, groups,
            lambda one: [
                one.event.removeprefix("mail "), cell(one.key[1] or "unknown"), one.count,
                one.named("to", self.collapse), one.last(report),
            ],
            self.top, stands_out=lambda one: one.event == _BOUNCED,
        )  # fmt: skip

    def _add_active(self, report: Report, tallies: dict[str, list[Tally]]) -> None:
        listed: list[tuple[str, Group]] = []
        for role, event, field in _ACTIVE:
            known = [one for one in tallies[event] if one.fields.get(field)]
            listed += [(role, one) for one in grouped(known, by_fields(field))[: self.active]]
        roles = {id(one): role for role, one in listed}
        columns = [Column("As"), Column("Who"), Column("Mails", "number"), Column("Size", "bytes")]
        add_table(
            report, "mail-active", "Mail: the most active", columns, [one for _, one in listed],
            lambda one: [roles[id(one)], cell(one.key[0]), one.count, one.amount or None],
            len(listed),
        )  # fmt: skip
