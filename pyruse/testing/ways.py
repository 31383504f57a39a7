"""Keeps the ways of the entries that a test has fed, to show them when it fails."""

from __future__ import annotations

from collections import deque

from pyruse.chains.link import Node
from pyruse.chains.travel import OnFault, Travel, journey
from pyruse.chains.way import brief, in_words
from pyruse.entry.entry import Entry

_KEPT = 20  # entries: a failing test is about the last ones


class Ways:
    """Leads entries through the chains, by the same short cuts as a daemon, and notes the ways."""

    def __init__(self) -> None:
        self._told: deque[str] = deque(maxlen=_KEPT)
        self._entries = 0

    def travel(self, entrance: Node | None, on_fault: OnFault) -> Travel:
        """The same as `pyruse.chains.travel.travel`, with a note of each station."""

        def lead(entry: Entry) -> None:
            message = brief(entry.text("MESSAGE"))
            stops = []
            for stop in journey(entrance, entry):
                if stop.fault is not None:
                    on_fault(stop.node, entry, stop.fault)
                stops.append(stop)
            self._entries += 1
            way = "\n".join(in_words(stops))
            self._told.append(f"entry {self._entries}, {entry.time:%F %T}: {message}\n{way}")

        return Travel(lead, at_work=lambda _: None)

    def told(self) -> list[str]:
        """The ways of the last entries, in words."""
        return list(self._told)
