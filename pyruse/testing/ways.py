"""The ways of the entries that a test has fed: what is shown when it fails."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from pyruse.chains.link import Node
from pyruse.chains.travel import Stop
from pyruse.chains.way import brief, in_words
from pyruse.entry.entry import Entry

_KEPT = 20  # entries: a failing test is about the last ones


class Ways:
    """Looks on while entries travel, and notes each station.

    Where short cuts are taken, the filters that they leave out are asked here: those do nothing but
    test (see `pyruse.chains.switch`), so it is the same way.
    """

    def __init__(self, entrance: Node | None) -> None:
        """Look on at a graph, from its first node on."""
        self._entrance = entrance
        self._calls: dict[Node, Callable[[Entry], Any]] = {}
        self._at: Node | None = None
        self._stops: list[Stop] = []
        self._told: deque[str] = deque(maxlen=_KEPT)
        self._entries = 0
        waiting = [entrance]
        while waiting:
            node = waiting.pop()
            if node is not None and node not in self._calls:
                self._calls[node] = node.call
                node.call = partial(self._called, node)
                waiting += [node.failed, node.passed, node.faulty]

    @contextmanager
    def of(self, entry: Entry) -> Iterator[None]:
        """Note the way of an entry that travels inside of this block."""
        self._stops, self._at = [], self._entrance
        message = brief(entry.text("MESSAGE"))
        yield
        self._walk_to(None, entry)
        self._entries += 1
        way = "\n".join(in_words(self._stops))
        self._told.append(f"entry {self._entries}, {entry.time:%F %T}: {message}\n{way}")

    def told(self) -> list[str]:
        """The ways of the last entries, in words."""
        return list(self._told)

    def _called(self, node: Node, entry: Entry) -> Any:
        self._walk_to(node, entry)
        before = dict(entry)
        try:
            result = self._calls[node](entry)
        except Exception as fault:
            self._note(node, False, entry, before, fault)
            self._at = node.faulty
            raise
        self._note(node, bool(result), entry, before)
        self._at = node.passed if result else node.failed
        return result

    def _walk_to(self, node: Node | None, entry: Entry) -> None:
        """Ask the filters that a short cut has left out on the way to a node."""
        at = self._at
        while at is not None and at is not node and at.switch is not None:
            passed = bool(self._calls[at](entry))
            self._note(at, passed, entry, dict(entry))
            at = at.passed if passed else at.failed

    def _note(
        self, node: Node, passed: bool, entry: Entry, before: dict[str, Any],
        fault: Exception | None = None,
    ) -> None:  # fmt: skip
        now = dict(entry)
        changed = {
            name: value
            for name, value in now.items()
            if name not in before or before[name] != value
        }
        passed = fault is None and passed != node.step.invert
        self._stops.append(Stop(node, passed, fault, changed))
