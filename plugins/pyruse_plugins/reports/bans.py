"""The report's table of bans."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from pyruse import Context, Report, datetime_of, hookimpl, time_us_of


@dataclass
class BanSummary:
    """Tell in each report who was banned in its period: the addresses with most bans first.

    ```toml
    [plugins.ban_summary]
    limit = 100
    ```
    """

    limit: int = 100
    """How many addresses are listed; the others are only counted."""

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise ValueError(f"limit = {self.limit} would show nothing (expected 1 or more)")

    @hookimpl
    def contribute_to_report(self, report: Report, context: Context) -> None:
        lines: dict[tuple[str, str], _Line] = {}
        since, until = time_us_of(report.begin), time_us_of(report.end)
        for ban in context.ban_history(since, until):
            label = f"{ban.label} (simulated)" if ban.simulated else ban.label
            line = lines.setdefault((ban.network, label), _Line(ban.network, label))
            line.bans.add(ban.since)  # a ban that was made longer began when it did
            line.until = ban.until
        ordered = sorted(lines.values(), key=lambda line: -len(line.bans))
        rows = [line.cells(report.begin.tzinfo) for line in ordered[: self.limit]]
        others = sum(len(line.bans) for line in ordered[self.limit :])
        if others:
            rows.append([f"and {len(ordered) - self.limit} more", "", str(others), ""])
        report.add_table("Bans", ["Address", "Label", "Bans", "Until"], rows)


@dataclass
class _Line:
    address: str
    label: str
    bans: set[int] = field(default_factory=set)
    until: int | None = None

    def cells(self, zone: tzinfo | None) -> list[str]:
        until = "for ever"
        if self.until is not None:
            until = f"{datetime_of(self.until, zone or UTC):%Y-%m-%d %H:%M:%S}"
        return [self.address, self.label, str(len(self.bans)), until]
