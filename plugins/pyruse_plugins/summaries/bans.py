"""The report's table of bans: each banned address once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address

from pyruse import (
    Column,
    Context,
    Report,
    Tally,
    hookimpl,
    network_text,
    parse_network,
    text_around,
    time_us_of,
)
from pyruse_plugins.summaries._sums import check_positive, moment

_TRIES = ("login failed", "scan", "mail refused")


@dataclass(eq=False, repr=False)
class BanSummary:
    """Tell in each report who was banned in its period, each address once: those who tried most.

    Tries are failed logins, scans and refused mails of the period. Those that are not listed are
    counted by the label of their ban.

    ```toml
    [plugins.ban_summary]
    limit = 100
    ```
    """

    limit: int = 10
    """How many addresses are listed; the others are only counted."""

    def __post_init__(self) -> None:
        check_positive(limit=self.limit)

    @hookimpl
    def contribute_to_report(self, report: Report, context: Context) -> None:
        banned: dict[str, _Banned] = {}
        since, until = time_us_of(report.begin), time_us_of(report.end)
        for ban in context.ban_history(since, until):
            one = banned.setdefault(ban.network, _Banned(ban.network))
            one.labels[f"{ban.label} (simulated)" if ban.simulated else ban.label] += 1
            one.bans.add((ban.label, ban.since))  # a ban that was made longer began when it did
            if ban.until is None or one.until is None:
                one.until = None
            else:
                one.until = max(one.until, ban.until)
        if not banned:
            return
        tries = _tries(context.tallies(report, *_TRIES), banned)
        ordered = sorted(
            banned.values(), key=lambda one: (-tries[one.network], -len(one.bans), one.network)
        )
        columns = [
            Column("Address"), Column("Tries", "number"), Column("Why"), Column("Bans", "number"),
            Column("Until", "time"),
        ]  # fmt: skip
        rows = [
            [
                one.network, tries[one.network], ", ".join(sorted(one.labels)), len(one.bans),
                "for ever" if one.until is None else moment(one.until, report),
            ]
            for one in ordered[: self.limit]
        ]  # fmt: skip
        report.add_summary("bans", "Bans", columns, rows, facts=_folded(ordered, self.limit))


@dataclass(eq=False, repr=False)
class _Banned:
    network: str
    labels: Counter[str] = field(default_factory=Counter)
    bans: set[tuple[str, int]] = field(default_factory=set)
    until: int | None = 0
    """None: for ever."""


def _folded(ordered: list[_Banned], limit: int) -> list[str]:
    """Those that are not listed: ``40 addresses. Not in the table: ssh 5, mail 4, web 3.``."""
    others = ordered[limit:]
    if not others:
        return []
    labels = Counter(min(one.labels) for one in others)
    most = sorted(labels.items(), key=lambda item: (-item[1], item[0]))
    parts = ", ".join(f"{label} {count:,}" for label, count in most)
    return [f"{len(ordered):,} addresses. Not in the table: {parts}."]


def _tries(tallies: Iterable[Tally], networks: Iterable[str]) -> Counter[str]:
    """How often those in each network have tried."""
    found: Counter[str] = Counter()
    wanted: dict[tuple[int, int], set[str]] = {}
    """By the version of IP and the prefix length, the networks."""
    for text in networks:
        network = parse_network(text)
        wanted.setdefault((network.version, network.prefixlen), set()).add(network_text(network))
    by_address: Counter[str] = Counter()
    for one in tallies:
        by_address[one.fields.get("ip", "")] += one.count
    for text, count in by_address.items():
        try:
            address = ip_address(text)
        except ValueError:
            continue
        for (version, prefix), texts in wanted.items():
            if version == address.version:
                around = text_around(address, prefix, prefix)
                if around in texts:
                    found[around] += count
    return found
