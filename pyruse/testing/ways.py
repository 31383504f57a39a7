"""The ways of the entries that a test has fed: what is shown when it fails."""

from __future__ import annotations

from collections import deque

from pyruse.chains.link import Node
from pyruse.chains.travel import OnFault, journey
from pyruse.chains.way import brief, in_words
from pyruse.entry.entry import Entry

_KEPT = 20  # entries: a failing test is about the last ones


class Ways:
    """Leads entries through the chains, by the same short cuts as a daemon, and notes the ways."""

    def __init__(self) -> None:
        self._told: deque[str] = deque(maxlen=_KEPT)
        self._entries = 0

    def travel(self, node: Node | None, entry: Entry, on_fault: OnFault) -> None:
        """The same as `pyruse.chains.travel.travel`, with a note of each station."""
        message = brief(entry.text("MESSAGE"))
        stops = []
        for stop in journey(node, entry):
            if stop.fault is not None:
                on_fault(stop.node, entry, stop.fault)
            stops.append(stop)
        self._entries += 1
        way = "\n".join(in_words(stops))
        self._told.append(f"entry {self._entries}, {entry.time:%F %T}: {message}\n{way}")

    def told(self) -> list[str]:
        """The ways of the last entries, in words."""
        return list(self._told)
