"""The report's table of software that was updated, or was not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyruse import Column, Context, Report, Tally, hookimpl
from pyruse_plugins.summaries._daily import Daily
from pyruse_plugins.summaries._sums import (
    add_table,
    cell,
    check_positive,
    counted,
    grouped,
    in_words,
)

_UPDATED, _HELD, _FAILED = "updated", "update held", "update failed"
_WORDS = {_FAILED: "failed", _HELD: "held back"}
_REQUIRED = Path("/run/reboot-required")
_FOR = Path("/run/reboot-required.pkgs")


@dataclass
class PackageSummary:
    """Tell in each report which packages were updated, which were not, and whether to restart.

    That the machine has to be restarted is known on Debian and Ubuntu, where packages leave a mark
    (`/run/reboot-required`).

    ```toml
    [plugins.package_summary]
    names = 20
    ```
    """

    names: int = 30
    """How many packages that were updated are named; the others are only counted."""
    top: int = 10
    """How many are listed that were not updated; the others are only counted."""

    def __post_init__(self) -> None:
        check_positive(names=self.names, top=self.top)
        self._restart = Daily("package_summary restart", _restart)

    @hookimpl
    def contribute_to_report(self, report: Report, context: Context) -> None:
        updated = Counter(_names(context.tallies(report, _UPDATED)))
        facts = []
        if updated:
            listed = ", ".join(cell(name) for name in sorted(updated)[: self.names])
            more = f" and {len(updated) - self.names} more" if len(updated) > self.names else ""
            facts.append(f"{counted(len(updated), 'package')} updated: {listed}{more}.")
        seen = self._restart.until(report, context)
        packages = seen.get(max(report.days, default=""))
        if packages is not None:
            by = f" ({in_words(Counter(packages), 5)})" if packages else ""
            facts.append(f"The machine has to be restarted{by}.")
        groups = grouped(
            list(context.tallies(report, _HELD, _FAILED)),
            lambda one: (
                one.event, one.fields.get("package", ""), one.fields.get("reason", "")
            ),
        )  # fmt: skip
        groups.sort(key=lambda one: list(_WORDS).index(one.event))
        columns = [
            Column("Package"), Column("What"), Column("Why"), Column("Times", "number"),
            Column("Last", "time"),
        ]  # fmt: skip
        add_table(
            report, "packages", "Software", columns, groups,
            lambda one: [
                cell(one.key[1]), _WORDS[one.event], cell(one.key[2]), one.count, one.last(report)
            ],
            self.top, facts=facts, stands_out=lambda one: one.event == _FAILED,
        )  # fmt: skip

    @hookimpl
    def on_day_end(self, report: Report, context: Context) -> None:
        self._restart.keep(report, context)


def _names(tallies: Iterable[Tally]) -> Iterable[str]:
    """Each package; apt names all of a run in one line."""
    for one in tallies:
        for name in one.fields.get("package", "").split():
            if not name.startswith("("):  # of a text that was cut
                yield name.rstrip(",…")


def _restart() -> Sequence[str] | None:
    """The packages for which the machine has to be restarted; None: it has not."""
    try:
        _REQUIRED.stat()
    except OSError:
        return None
    try:
        return sorted({line.strip() for line in _FOR.read_text().splitlines() if line.strip()})
    except (OSError, ValueError):
        return []
