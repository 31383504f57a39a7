"""The report's tables of logins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

from pyruse import Address, Column, Context, Networks, Report, Tally, hookimpl, network_around
from pyruse_plugins.summaries._sums import (
    Group,
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

_FAILED, _DONE = "login failed", "login"
_LOOKED_AT = 50_000  # tallies of earlier days


@dataclass(eq=False, repr=False)
class LoginSummary:
    """Tell in each report who has logged in, and who has failed to: root first.

    A login of a user from an address that none of the kept days before had is marked as new.

    ```toml
    [plugins.login_summary]
    safe = ["192.0.2.0/24", "2001:db8::/48"]
    top = 20
    ```
    """

    top: int = 10
    """How many rows each table has; the others are only counted."""
    collapse: int = 3
    """How many addresses a row names; the others are only counted."""
    safe: Networks = field(default_factory=lambda: Networks([]))
    """Logins from anywhere else stand out, where networks are given."""
    privileged: list[str] = field(default_factory=lambda: ["root"])
    """The users that have tables of their own."""
    failed_totals: bool = False
    """Of failed logins, tell only how many there were for each service."""
    roaming: list[str] = field(
        default_factory=lambda: [
            "imap", "pop3", "smtp", "submission", "sieve", "web", "ftp",
        ]
    )  # fmt: skip
    """Services that people use from anywhere: their addresses are not marked as new."""

    def __post_init__(self) -> None:
        check_positive(top=self.top, collapse=self.collapse)

    @hookimpl
    def contribute_to_report(self, report: Report, context: Context) -> None:
        failed = list(context.tallies(report, _FAILED))
        done = list(context.tallies(report, _DONE))
        compare(report, context, "Failed logins", [[_FAILED]], [total(failed)])
        if failed:
            self._failures(report, failed)
        if done:
            self._logins(report, context, done)

    def _failures(self, report: Report, failed: Sequence[Tally]) -> None:
        by = ("service",) if self.failed_totals else ("user", "service")
        columns = [
            *[Column(name.capitalize()) for name in by], Column("Tries", "number"), Column("From"),
            Column("Last", "time"),
        ]  # fmt: skip
        for tallies, id_, whose in self._divided(failed, "root-failures", "login-failures"):
            names, addresses = values_of(tallies, "user"), values_of(tallies, "ip")
            facts = [
                f"{counted(total(tallies), 'failed login')}: {counted(len(names), 'name')}, "
                f"{counted(len(addresses), 'address')}."
            ]
            facts += _not_kept(tallies)
            listed = [one for one in tallies if self.failed_totals or not one.is_rest]
            add_table(
                report, id_, f"Failed logins: {whose}", columns, grouped(listed, by_fields(*by)),
                lambda one: [
                    *[cell(value or "unknown") for value in one.key], one.count,
                    one.named("ip", self.collapse), one.last(report),
                ],
                self.top, facts=facts,
            )  # fmt: skip

    def _logins(self, report: Report, context: Context, done: Sequence[Tally]) -> None:
        new = self._new_pairs(report, context, done)
        columns = [
            Column("User"), Column("Service"), Column("By"), Column("Times", "number"),
            Column("From"), Column("First", "time"), Column("Last", "time"), Column("Address"),
        ]  # fmt: skip

        def is_new(one: Group) -> bool:
            return any(_pair(tally) in new for tally in one.tallies)

        def stands_out(one: Group) -> bool:
            return is_new(one) or self._are_outside(one)

        for tallies, id_, whose in self._divided(done, "root-logins", "logins"):
            groups = grouped(
                [one for one in tallies if not one.is_rest], by_fields("user", "service", "method")
            )
            # What is new or from elsewhere is never among the rows that are left out.
            groups.sort(key=lambda one: (not stands_out(one), one.key[1] in self.roaming))
            add_table(
                report, id_, f"Logins: {whose}", columns, groups,
                lambda one: [
                    *[cell(value or "unknown") for value in one.key[:2]], cell(one.key[2]),
                    one.count, one.named("ip", self.collapse), one.first(report), one.last(report),
                    "new" if is_new(one) else "",
                ],
                self.top, facts=_not_kept(tallies), stands_out=stands_out,
            )  # fmt: skip

    def _divided(
        self, tallies: Sequence[Tally], of_privileged: str, of_others: str
    ) -> Iterator[tuple[list[Tally], str, str]]:
        """The tallies of the privileged and of the others, with the ids and titles of tables."""
        for is_privileged, id_, whose in (
            (True, of_privileged, ", ".join(self.privileged)),
            (False, of_others, "users"),
        ):
            of_table = [
                one
                for one in tallies
                if (one.fields.get("user") in self.privileged) is is_privileged
            ]
            if of_table:
                yield of_table, id_, whose

    def _are_outside(self, group: Group) -> bool:
        return bool(self.safe.items) and any(
            self._is_outside(one.fields.get("ip", "")) for one in group.tallies
        )

    def _is_outside(self, text: str) -> bool:
        address = _address(text)
        return address is not None and address not in self.safe

    def _new_pairs(
        self, report: Report, context: Context, done: Sequence[Tally]
    ) -> set[tuple[str, str]]:
        """Those of users and networks that no kept day before had; none on the first day."""
        wanted = {
            _pair(one)
            for one in done
            if one.fields.get("service") not in self.roaming and one.fields.get("ip")
        }
        history = False
        if wanted:
            for number, one in enumerate(context.tallies_before(report, _DONE)):
                history = True
                wanted.discard(_pair(one))
                if not wanted or number >= _LOOKED_AT:
                    break
        return wanted if history else set()


def _not_kept(tallies: Sequence[Tally]) -> list[str]:
    number = total(one for one in tallies if one.is_rest)
    return [f"Of {number:,} of them, neither names nor addresses are kept."] if number else []


def _pair(tally: Tally) -> tuple[str, str]:
    """Who, and from where: in IPv6, the network, since its machines change their addresses."""
    text = tally.fields.get("ip", "")
    if ":" in text:
        address = _address(text)
        if address is not None:
            text = str(network_around(address, 32, 64))
    return tally.fields.get("user", ""), text


def _address(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
