"""Which share of the entries is recognised: taken by some rules or chains before the last one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from pyruse.api.traits import traits_of
from pyruse.chains.model import Step
from pyruse.engine.modes import Bind
from pyruse.entry.entry import Entry
from pyruse.rules.rules_file import chains_prefix
from pyruse.rules.use import LAST

_END = chains_prefix(LAST)
MEANING = "meaning"
"""The field in which the action `event` leaves the event's name."""


class Recognised:
    """Counts entries by program: how many there are, and how many come to "everything else"."""

    def __init__(self) -> None:
        self.entries: Counter[str] = Counter()
        """By SYSLOG_IDENTIFIER."""
        self.unknown: Counter[str] = Counter()
        """Those that nobody has recognised."""
        self.examples: dict[str, str] = {}
        """The newest line of each program that nobody has recognised."""
        self._last: Entry | None = None
        """The entry that was counted last."""

    @property
    def share(self) -> float:
        """Which part of the entries is recognised: 0 to 1; of no entries, all are."""
        total = self.entries.total()
        return 1 - self.unknown.total() / total if total else 1.0

    def counted(self, entries: Iterator[Entry]) -> Iterator[Entry]:
        """The entries, counted."""
        for entry in entries:
            self.entries[_program(entry)] += 1
            yield entry

    def steps(self, bind: Bind) -> Bind:
        """What gives the functions of steps: those of the last chain count, but the pure ones."""
        return lambda step: self._step(step, bind(step))

    def _step(self, step: Step, call: Callable[[Entry], Any]) -> Callable[[Entry], Any]:
        is_last = step.chain == _END or step.chain.startswith(f"{_END} ")
        if not is_last or traits_of(step.instance).pure:  # not each entry comes to these
            return call

        def count(entry: Entry) -> Any:
            if MEANING not in entry and entry is not self._last:
                self._last = entry
                program = _program(entry)
                self.unknown[program] += 1
                self.examples[program] = entry.text("MESSAGE") or ""
            return call(entry)

        return count


def _program(entry: Entry) -> str:
    return entry.text("SYSLOG_IDENTIFIER") or entry.text("_COMM") or ""
