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
_OTHERS = ""
"""Stands for the names that were cut off."""
_REQUIRED = Path("/run/reboot-required")
_FOR = Path("/run/reboot-required.pkgs")


@dataclass(eq=False, repr=False)
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
        updated = set(_names(context.tallies(report, _UPDATED)))
        facts = []
        if updated:
            facts.append(self._updated(updated))
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

    def _updated(self, names: set[str]) -> str:
        others = _OTHERS in names
        known = sorted(names - {_OTHERS})
        listed = ", ".join(cell(name) for name in known[: self.names])
        number = f"More than {len(known)} packages" if others else counted(len(known), "package")
        more = f" and {len(known) - self.names} more" if len(known) > self.names else ""
        return f"{number} updated: {listed}{more}."

    @hookimpl
    def on_day_end(self, report: Report, context: Context) -> None:
        self._restart.keep(report, context)


def _names(tallies: Iterable[Tally]) -> Iterable[str]:
    """Each package; apt names all of a run in one line, of which the end may be cut off."""
    for one in tallies:
        text, is_cut, _ = one.fields.get("package", "").partition("…")
        names = text.replace(",", " ").split()
        yield from names[:-1] if is_cut else names
        if is_cut:
            yield _OTHERS


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
