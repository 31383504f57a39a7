"""What is to leave Pyruse: mails, programs, log lines, parcels. Kept until it has left."""

from __future__ import annotations

import hashlib
import heapq
import json
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import msgspec

from pyruse.state.backlog import Backlog

#: Of repeats gathered into one mail, so many are quoted; the rest is counted.
_QUOTED = 50
#: And no further ones once they have so many characters: they are written with each repeat.
_QUOTED_CHARACTERS = 100_000
#: The number of items that are kept though they can never be sent: the newest ones.
KEPT_ASIDE = 1_000


def parcel_kind(plugin: str, options: Mapping[str, Any]) -> str:
    """The kind of what a step, or an extension, sends for itself to deliver.

    Steps with the same options are the same receiver. Another step of the same plugin is another
    one, so that neither waits for the other.

    :param plugin: such as ``action webhook``.
    :param options: as the configuration has them.
    """
    text = json.dumps(options, sort_keys=True, default=str)
    return f"{plugin}#{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:16]}"


@dataclass
class Item:
    """One thing to send, run or log. Instants are microseconds since the epoch."""

    kind: str
    """``mail``, ``command`` or ``log``; of a parcel, what `parcel_kind` gives."""
    payload: dict[str, Any]
    """What to send: JSON types only."""
    created: int
    due: int
    """Not before this instant: for retries, and while repeats are gathered; else as `created`.
    Of an item that is set aside: when it was."""
    group: str | None = None
    """Repeats of one group are gathered into one item until it is due."""
    attempts: int = 0
    error: str | None = None
    """Why the last attempt failed."""
    refused: bool = False
    """It can never be sent: set aside, for the administrator to see."""
    told: bool = False
    """A report has told that it is set aside."""
    leaving: bool = False
    """It is being sent right now: too late to gather more into it. Not kept over a restart."""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Stays the same over restarts and retries: the Message-ID of a mail is made of it."""

    @property
    def plugin(self) -> str | None:
        """Of a parcel: the plugin that sent it, and delivers it. None: it is no parcel."""
        plugin, mark, _ = self.kind.rpartition("#")
        return plugin if mark else None

    @property
    def family(self) -> str:
        """The kind as people read it; of a parcel, its plugin, such as ``action webhook``."""
        return self.plugin or self.kind


class _Place(NamedTuple):
    """An item in one of the queues. It is out of date once the item leaves at another instant."""

    number: int
    leaves_at: int
    item_id: str


class _Queue:
    """The items of one kind that wait: heaps, so that no call costs more for a long outbox."""

    def __init__(self) -> None:
        self.ripe: list[_Place] = []
        """Those that may leave, the oldest first."""
        self.later: list[tuple[int, _Place]] = []
        """The others, by the instant from which on they may leave."""

    def add(self, place: _Place) -> None:
        heapq.heappush(self.later, (place.leaves_at, place))

    def ripen(self, now: int) -> None:
        while self.later and self.later[0][0] <= now:
            heapq.heappush(self.ripe, heapq.heappop(self.later)[1])


class Outbox:
    """The items in the order in which they were put in."""

    SCHEMA: ClassVar[str] = """
        CREATE TABLE IF NOT EXISTS outbox (
            id TEXT PRIMARY KEY, number INTEGER NOT NULL, kind TEXT NOT NULL,
            payload BLOB NOT NULL, created INTEGER NOT NULL, due INTEGER NOT NULL,
            gather TEXT, attempts INTEGER NOT NULL, error TEXT, refused INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS gatherings (name TEXT PRIMARY KEY, due INTEGER NOT NULL)
            WITHOUT ROWID;
    """

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}
        self._numbers: dict[str, int] = {}
        self._next_number = 0
        self._queues: dict[str, _Queue] = {}
        self._backlogs: dict[str, Backlog] = {}
        """Of each kind of parcels, what waits."""
        self._aside: dict[str, Item] = {}
        """What can never be sent, in the order in which that was found out."""
        self._gathering: dict[str, Item] = {}
        self._last_due: dict[str, int] = {}
        """When the last mail of each group was due: the next one comes an interval later."""
        self._changed: set[str] = set()
        self._changed_groups: set[str] = set()

    def put(self, item: Item) -> None:
        """Take an item in."""
        self._items[item.id] = item
        self._numbers[item.id] = self._next_number
        self._next_number += 1
        self._changed.add(item.id)
        self._weigh(item)
        self._queue(item)

    def put_gathered(self, item: Item, every: int) -> None:
        """Take a mail in, at most one of its group in ``every`` µs: repeats wait for the next one.

        The payload has the lists ``parts`` (what is quoted) and the number ``count``.
        """
        assert item.group is not None
        waiting = self._gathering.get(item.group)
        if waiting is not None and self._still_gathers(waiting, item.created):
            waiting.payload["count"] += 1
            parts = waiting.payload["parts"]
            if len(parts) < _QUOTED and sum(map(len, parts)) < _QUOTED_CHARACTERS:
                parts += item.payload["parts"]
                self._weigh(waiting)
            self._changed.add(waiting.id)
            return
        last = self._last_due.get(item.group)
        if last is not None and item.created < last + every:
            # While catching up, a mail may leave before the entries of its interval are all read,
            # and the next ones are due ever later; but nothing ever waits longer than an interval.
            item.due = min(last, item.created) + every
            self._gathering[item.group] = item
        else:
            item.due = item.created
        self._last_due[item.group] = item.due
        self._changed_groups.add(item.group)
        self.put(item)

    def _still_gathers(self, waiting: Item, at: int) -> bool:
        # After a first attempt the mail may have arrived, whatever was answered: it stays as it is.
        fresh = not waiting.leaving and waiting.attempts == 0
        return fresh and at < waiting.due and waiting.id in self._items

    def items(self, kind: str | None = None) -> list[Item]:
        """What is in the outbox, in order."""
        return [item for item in self._items.values() if kind is None or item.kind == kind]

    def set_aside(self) -> list[Item]:
        """What can never be sent, in the order in which that was found out."""
        return list(self._aside.values())

    def tell_set_aside(self) -> list[Item]:
        """What no report has told of yet; from now on, one has."""
        untold = [item for item in self._aside.values() if not item.told]
        for item in untold:
            item.told = True
            self._changed.add(item.id)
        return untold

    def due(self, kind: str, now: int) -> list[Item]:
        """What may leave now, in order."""
        queue = self._queues.get(kind, _Queue())
        queue.ripen(now)
        found = {place.item_id: place for place in sorted(queue.ripe) if self._waits(place)}
        return [self._items[item_id] for item_id in found]

    def take(self, kind: str, now: int) -> Item | None:
        """The first that may leave now; it is `leaving` until `sent`, `failed` or `give_back`."""
        queue = self._queues.get(kind, _Queue())
        queue.ripen(now)
        while queue.ripe:
            place = heapq.heappop(queue.ripe)
            if self._waits(place):
                item = self._items[place.item_id]
                item.leaving = True
                return item
        return None

    def give_back(self, item_id: str) -> None:
        """An item taken was not even tried: it waits again."""
        item = self._items.get(item_id)
        if item is not None:
            item.leaving = False
            self._queue(item)

    def next_due(self, kind: str | None = None) -> int | None:
        """When the next item may leave (0: at once), or None when none waits."""
        if kind is None:
            moments = [due for each in self._queues if (due := self.next_due(each)) is not None]
            return min(moments, default=None)
        queue = self._queues.get(kind, _Queue())
        while queue.ripe and not self._waits(queue.ripe[0]):
            heapq.heappop(queue.ripe)
        while queue.later and not self._waits(queue.later[0][1]):
            heapq.heappop(queue.later)
        if queue.ripe:
            return 0
        return queue.later[0][0] if queue.later else None

    def _weigh(self, item: Item) -> None:
        """Count a parcel among those that wait."""
        if item.plugin is not None:
            backlog = self._backlogs.setdefault(item.kind, Backlog())
            backlog.put(item.id, sum(map(len, item.payload["parts"])))

    def _unweigh(self, item: Item) -> None:
        if item.kind in self._backlogs:
            self._backlogs[item.kind].remove(item.id)

    def give_up_oldest(self, kind: str, *, number: int, size: int) -> int:
        """Forget the oldest parcels of a kind, until no more than so many wait.

        What is leaving right now stays.

        :param size: so many characters they may have together.
        :return: how many were forgotten.
        """
        backlog = self._backlogs.get(kind, Backlog())
        old = [each for each in backlog.beyond(number, size) if not self._items[each].leaving]
        for item_id in old:
            self._forget(item_id)
        return len(old)

    def parcel_kinds(self) -> list[str]:
        """The kinds of the parcels that wait."""
        return [kind for kind, backlog in self._backlogs.items() if len(backlog)]

    def readdress(self, kind: str, heir: Callable[[Item], str | None]) -> None:
        """Let the waiting parcels of a kind be delivered by others.

        :param heir: gives the new kind of an item; None: it keeps its own.
        """
        self._queues.pop(kind, None)
        for item in self.items(kind):
            if item.refused:
                continue
            self._unweigh(item)
            item.kind = heir(item) or kind
            self._weigh(item)
            self._changed.add(item.id)
            if not item.leaving:
                self._queue(item)

    def retry_now(self) -> None:
        """Let everything that failed, but was not set aside, be tried again at once."""
        for item in self._items.values():
            if item.attempts and not item.refused and not item.leaving:
                item.due = 0
                self._queue(item)

    def let_go(self) -> None:
        """Let everything that waits leave at once: no clock tells any more until when it should."""
        for item in self._items.values():
            if not item.refused and not item.leaving:
                item.due = 0
                self._queue(item)

    def _queue(self, item: Item) -> None:
        place = _Place(self._numbers[item.id], _leaves_at(item), item.id)
        self._queues.setdefault(item.kind, _Queue()).add(place)

    def _waits(self, place: _Place) -> bool:
        item = self._items.get(place.item_id)
        if item is None or item.leaving or item.refused:
            return False
        return _leaves_at(item) == place.leaves_at

    def sent(self, item_id: str) -> None:
        """An item has left: forget it."""
        self._forget(item_id)

    def _forget(self, item_id: str) -> None:
        item = self._items.pop(item_id, None)
        if item is not None:
            self._aside.pop(item_id, None)
            self._unweigh(item)
            self._changed.add(item_id)

    def failed(self, item_id: str, error: str, *, retry_at: int) -> None:
        """An attempt failed: try again at an instant."""
        item = self._attempted(item_id, error, retry_at)
        if item is not None:
            self._queue(item)

    def refuse(self, item_id: str, error: str, *, now: int) -> None:
        """Set an item aside: it can never be sent."""
        item = self._attempted(item_id, error, now)
        if item is not None:
            item.refused = True
            self._unweigh(item)
            self._aside[item_id] = item
            if len(self._aside) > KEPT_ASIDE:
                self._forget(next(iter(self._aside)))

    def _attempted(self, item_id: str, error: str, due: int) -> Item | None:
        item = self._items.get(item_id)
        if item is not None:
            item.attempts += 1
            item.error = error
            item.leaving = False
            item.due = due
            self._changed.add(item_id)
        return item

    def remove_set_aside(self, before: int) -> None:
        """Forget what was set aside before an instant."""
        for item in self.set_aside():
            if item.due < before:
                self._forget(item.id)

    def narrow(self, item_id: str, to: list[str]) -> None:
        """A mail has reached some of its recipients: only these are left."""
        item = self._items.get(item_id)
        if item is not None:
            item.payload["to"] = to
            self._changed.add(item_id)

    def load(self, db: sqlite3.Connection) -> None:
        """Read what has not left yet."""
        query = """SELECT id, number, kind, payload, created, due, gather, attempts, error, refused
                   FROM outbox ORDER BY number"""
        for (
            item_id,
            number,
            kind,
            payload,
            created,
            due,
            group,
            attempts,
            error,
            refused,
        ) in db.execute(query):
            item = Item(
                kind, msgspec.json.decode(payload), created, due, group, attempts, error,
                refused=refused > 0, told=refused > 1, id=item_id,
            )  # fmt: skip
            self._items[item_id] = item
            self._numbers[item_id] = number
            self._next_number = number + 1
            if item.refused:
                self._aside[item_id] = item
            else:
                self._weigh(item)
                self._queue(item)
            if group is not None and due > created:
                self._gathering[group] = item
        self._aside = dict(sorted(self._aside.items(), key=lambda each: each[1].due))
        self._last_due.update(db.execute("SELECT name, due FROM gatherings"))

    def save(self, db: sqlite3.Connection) -> None:
        """Write what changed."""
        for item_id in self._changed:
            item = self._items.get(item_id)
            if item is None:
                db.execute("DELETE FROM outbox WHERE id = ?", (item_id,))
                continue
            db.execute(
                "INSERT OR REPLACE INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    item.id, self._numbers[item.id], item.kind, msgspec.json.encode(item.payload),
                    item.created, item.due, item.group, item.attempts, item.error,
                    item.refused + item.told,
                ),
            )  # fmt: skip
        db.executemany(
            "INSERT OR REPLACE INTO gatherings VALUES (?, ?)",
            [(group, self._last_due[group]) for group in self._changed_groups],
        )

    def saved(self) -> None:
        """The changes are committed."""
        for item_id in self._changed:
            if item_id not in self._items:
                self._numbers.pop(item_id, None)
        self._changed.clear()
        self._changed_groups.clear()


def _leaves_at(item: Item) -> int:
    """The instant from which on an item may leave, or 0: at once.

    What was never to wait does not, even if its entry comes from the future: a machine's clock
    may have been wrong, and may have been set back since.
    """
    return 0 if item.attempts == 0 and item.due <= item.created else item.due
