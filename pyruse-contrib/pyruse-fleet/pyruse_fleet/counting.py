"""What this host has counted and others do not know yet: in a table of the state, added up.

So the number of raises costs nothing, while the database is away or not: there is a value for each
key and minute, and it is forgotten when it counts no more.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Collection, Sequence
from threading import Event
from typing import Any

from pyruse import Context, Raised

_TABLE = "fleet counts"
_MINUTE_US = 60_000_000
_EVERY_S = 1.0
_AT_ONCE = 1_000
_MOST = 20_000
"""So many keys and minutes wait at most; more are counted here alone."""
_UNSURE_S = 3600.0
"""So long after a start, it is not known what the last run has counted."""
_LONGEST_KEY = 500
"""Characters; a longer one is counted here alone."""


class Counting:
    """Adds up in the main thread; the link's thread says when it may leave."""

    def __init__(self, counters: Collection[str]) -> None:
        """Begin with what the last run has left.

        :param counters: the names of those that are shared.
        """
        self.counters = frozenset(counters)
        """The names of those that are shared."""
        self._waits = Event()
        self._waits.set()
        self._next = 0.0
        self._sent: dict[tuple[str, str], None] = {}
        self._sure_at = time.monotonic() + _UNSURE_S

    def add(self, raised: Sequence[Raised], context: Context, now: int) -> bool:
        """Add up what the entries have raised.

        :return: whether anything of it is shared.
        """
        table = context.table(_TABLE)
        room = _MOST - len(table)
        shared = False
        for one in raised:
            if one.counter not in self.counters or not _may_leave(one.key):
                continue
            minute = -(-one.until // _MINUTE_US)
            key = json.dumps([one.counter, one.key, minute], ensure_ascii=False)
            held = table.get(key, at=now)
            if held is None and room <= 0:
                continue
            room -= held is None
            table.put(key, (held or 0) + one.by, until=minute * _MINUTE_US)
            shared = True
        if shared:
            self._waits.set()
        return shared

    def due_in(self) -> float | None:
        """After how many seconds something is to leave; None: nothing waits. In any thread."""
        return max(0.0, self._next - time.monotonic()) if self._waits.is_set() else None

    def put_off(self, seconds: float) -> None:
        """Let nothing leave for so long: the database has failed to take it."""
        self._next = time.monotonic() + seconds
        self._waits.set()

    def take(self, context: Context, now: int) -> dict[str, Any] | None:
        """What is to leave now, out of the table; with a number, by which it counts once."""
        if self.due_in() != 0.0:
            return None
        self._next = time.monotonic() + _EVERY_S
        table = context.table(_TABLE)
        rows: list[tuple[str, str, int, int]] = []
        for key in list(table):
            if len(rows) >= _AT_ONCE:
                break
            number = table.get(key, at=now)
            table.remove(key)
            if isinstance(number, int):
                counter, whom, minute = json.loads(key)
                rows.append((counter, whom, minute * _MINUTE_US, number))
                self._note(counter, whom)
        if len(rows) < _AT_ONCE:
            self._waits.clear()
        return {"id": uuid.uuid4().hex, "counts": sorted(rows)} if rows else None

    def has_counted(self, counter: str, key: str) -> bool:
        """Whether others may not know all that this host has counted of a key. In any thread."""
        if counter not in self.counters:
            return False
        return (counter, key) in self._sent or time.monotonic() < self._sure_at

    def _note(self, counter: str, key: str) -> None:
        self._sent.pop((counter, key), None)  # the latest one comes last
        self._sent[counter, key] = None
        while len(self._sent) > _MOST:
            del self._sent[next(iter(self._sent))]


def _may_leave(key: str) -> bool:
    """Whether the database can hold a key: strangers may have made it up."""
    return len(key) <= _LONGEST_KEY and "\0" not in key and key.isprintable()
