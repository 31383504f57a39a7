"""Measuring whole processes side by side: the machine's noise is in both."""

from __future__ import annotations

import compileall
import os
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyruse
import pyruse_plugins

Command = Sequence[str]


class Unavailable(Exception):
    """Something cannot be measured on this machine; the text says why."""


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
        if self.low == self.high:
            return rounded(self.median)
        return f"{rounded(self.median)} ({rounded(self.low)} – {rounded(self.high)})"


@dataclass(frozen=True)
class Target:
    """What a figure should be: at most so much, or at least."""

    limit: float
    at_least: bool = False

    def met(self, figure: Figure) -> bool:
        """Whether the median is as it should be."""
        if self.at_least:
            return figure.median >= self.limit
        return figure.median <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    what: str
    figure: Figure
    target: Target | None = None
    unit: str = ""
    """Of a figure that is no ratio."""
    name: str = ""
    """By which a text takes it out of the table."""

    def __str__(self) -> str:
        met = "" if self.target is None else "yes" if self.target.met(self.figure) else "**no**"
        target = "" if self.target is None else f"{self.target}{self._unit}"
        return f"| {self.what} | {self.figure}{self._unit} | {target} | {met} |"

    @property
    def _unit(self) -> str:
        return f" {self.unit}" if self.unit else ""


def compile_modules() -> None:
    """Have Pyruse's modules compiled, as pip does it: else a third of a start is about that."""
    for package in (pyruse, pyruse_plugins):
        compileall.compile_dir(package.__path__[0], quiet=1)


def cpu_seconds(command: Command) -> float:
    """User and system time of a process and of those that it waited for.

    :raises RuntimeError: it failed.
    """
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read()
    taken = ended(process)
    process.stderr.close()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {said.decode(errors='replace').strip()}")
    return taken


def ended(process: subprocess.Popen[bytes]) -> float:
    """Wait for the end of a process; its CPU seconds, as in `cpu_seconds`."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
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


def rounded(value: float) -> str:
    """A number with three digits that count, or all those of an integer."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
