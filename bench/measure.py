"""Measuring whole processes side by side: the machine's noise is in both."""

from __future__ import annotations

import os
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Command = Sequence[str]


@dataclass(frozen=True)
class Figure:
    """A value with its spread."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        """The figure of several measurements."""
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{_rounded(self.median)} ({_rounded(self.low)} – {_rounded(self.high)})"


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    what: str
    figure: str
    target: str = ""


def cpu_seconds(command: Command) -> float:
    """User and system time of a process and of those that it waited for.

    :raises RuntimeError: it failed.
    """
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.stderr.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {said.decode(errors='replace').strip()}")
    return usage.ru_utime + usage.ru_stime


def side_by_side(commands: Mapping[str, Command], rounds: int) -> dict[str, list[float]]:
    """CPU seconds of each command, one after the other in each round."""
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            taken[name].append(cpu_seconds(command))
    return taken


def ratio(dividends: Sequence[float], divisors: Sequence[float]) -> Figure:
    """How many times as much, round by round."""
    return Figure.of([a / b for a, b in zip(dividends, divisors, strict=True)])


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"
