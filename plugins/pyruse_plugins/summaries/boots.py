"""The report's table of starts of the machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from pyruse import Column, Context, Report, Tally, hookimpl
from pyruse_plugins.summaries._sums import cell, check_positive, moment

_STARTED, _STOPPED = "booted", "shut down"
_LOOKED_AT = 1_000  # tallies of earlier days


@dataclass(eq=False, repr=False)
class BootSummary:
    """Tell in each report when the machine was started, and whether it had been shut down before.

    A start without a shutdown before it needs attention: the power was cut, or the machine had
    crashed. Starts are told apart by the boot ID of their entries.

    ```toml
    [plugins.boot_summary]
    top = 5
    ```
    """

    top: int = 10
    """How many starts are listed, the last ones; the others are only counted."""

    def __post_init__(self) -> None:
        check_positive(top=self.top)

    @hookimpl
    def contribute_to_report(self, report: Report, context: Context) -> None:
        of_day = _boots(context.tallies(report, _STARTED))
        if not of_day:
            return
        before = list(islice(context.tallies_before(report, _STARTED, _STOPPED), _LOOKED_AT))
        earlier = _boots(one for one in before if one.event == _STARTED)
        stops = [*context.tallies(report, _STOPPED), *before]
        ends = [(one.host, one.last) for one in stops if one.event == _STOPPED]
        starts = [(boot.host, boot.first) for boot in (*of_day.values(), *earlier.values())]
        boots = sorted(
            (boot for key, boot in of_day.items() if key not in earlier),
            key=lambda boot: boot.first,
        )
        for boot in boots[-self.top :]:
            boot.end = max((at for host, at in ends if boot.follows(host, at)), default=None)
            last = max((at for host, at in starts if boot.follows(host, at)), default=None)
            boot.crashed = last is not None and (boot.end is None or boot.end < last)
        self._tell(report, boots)

    def _tell(self, report: Report, boots: list[_Boot]) -> None:
        several = len({boot.host for boot in boots}) > 1
        shown = boots[-self.top :]
        crashed = Counter(boot.host for boot in shown if boot.crashed)
        for host, count in crashed.items():
            where = f" {cell(host)}" if several else ""
            last = max(boot.first for boot in shown if boot.host == host and boot.crashed)
            report.attend(
                f"the machine{where} was started again without having been shut down", 60,
                time=moment(last, report), cause=f"booted {host}", count=count,
            )  # fmt: skip
        columns = [
            *[Column("Machine")] * several, Column("Started", "time"), Column("Kernel"),
            Column("Before"), Column("Down for", "duration"),
        ]  # fmt: skip
        rows = [
            [
                *([cell(boot.host)] if several else []), moment(boot.first, report),
                cell(boot.version), boot.before, boot.down,
            ]
            for boot in shown
        ]  # fmt: skip
        report.add_summary(
            "boots", "Starts of the machine", columns, rows, left_out=len(boots) - len(shown),
            emphasis=[at for at, boot in enumerate(shown) if boot.crashed],
        )  # fmt: skip


@dataclass(eq=False, repr=False)
class _Boot:
    host: str
    id: str
    first: int
    version: str = ""
    end: int | None = None
    """When the machine was last shut down before."""
    crashed: bool = False
    """It was not shut down since its last start."""

    def follows(self, host: str, at: int) -> bool:
        """Whether something of this machine was before the start."""
        return host == self.host and at < self.first

    @property
    def before(self) -> str:
        """What the machine did before, in words."""
        if self.crashed:
            return "running"
        return "unknown" if self.end is None else "shut down"

    @property
    def down(self) -> float | None:
        """For how many seconds it was down."""
        return None if self.crashed or self.end is None else (self.first - self.end) / 1e6


def _boots(tallies: Iterable[Tally]) -> dict[tuple[str, str], _Boot]:
    """Starts by machine and boot ID."""
    found: dict[tuple[str, str], _Boot] = {}
    for one in tallies:
        key = one.host, one.fields.get("boot", "")
        boot = found.setdefault(key, _Boot(*key, one.first))
        boot.first = min(boot.first, one.first)
        boot.version = boot.version or one.fields.get("version", "")
    return found
