"""Whether anything is reported at all, and how many reports there were."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from pyruse import Context, Entry, Report, Table, hookimpl, time_us_of

Outcome = Literal["Reported", "Over the daily limit", "Not switched on"]

_TABLE = "abuse outcomes"
_MINUTE = 60_000_000  # µs
_KEPT = 8 * 24 * 60 * _MINUTE


@dataclass
class Abuse:
    """Switch on reports to others, and tell in each of Pyruse's own reports how many there were.

    Installed, and in a chain, the actions `abuseipdb`, `blocklist_de` and `xarf_mail` still report
    nobody, before `enabled` says so: an address, with what it did and when, is somebody's data that
    is handed to others.

    ```toml
    [plugins.abuse]
    enabled = true
    hide = ["example.org", "Example Ltd"]
    ```
    """

    enabled: bool = False
    """Report offenders."""
    hide: list[str] = field(default_factory=list)
    """Words that never go out, such as the names of your machines, domains and customers."""

    def __post_init__(self) -> None:
        if not all(word.strip() for word in self.hide):
            raise ValueError("hide has an empty word (expected names)")

    @hookimpl
    def contribute_to_report(self, report: Report, context: Context) -> None:
        since, until = time_us_of(report.begin), time_us_of(report.end)
        table = context.table(_TABLE)
        sums: Counter[tuple[str, str]] = Counter()
        for key in table:
            service, outcome, minute = key.split("|")
            if since <= int(minute) * _MINUTE < until:
                sums[service, outcome] += table.get(key, at=0) or 0
        rows = [[*who, str(number)] for who, number in sorted(sums.items())]
        report.add_table("Reports to others", ["To", "What became of them", "Times"], rows)


def settings_of(context: Context) -> Abuse:
    """``[plugins.abuse]``; nobody is reported where the plugin is disabled."""
    options = context.options("abuse")
    return options if isinstance(options, Abuse) else Abuse()


def note(entry: Entry, context: Context, service: str, outcome: Outcome) -> None:
    """Count what became of an address, for the report; by the minute, as days begin with one."""
    table: Table = context.table(_TABLE)
    key = f"{service}|{outcome}|{entry.time_us // _MINUTE}"
    number = table.get(key, at=entry.time_us) or 0
    table.put(key, number + 1, until=entry.time_us + _KEPT)
