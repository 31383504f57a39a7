"""The outbox: mails, programs, log lines and parcels, kept until they have left."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator
from enum import IntEnum
from typing import ClassVar, NamedTuple

import msgspec

from pyruse.state.outbox_backlog import Backlog
from pyruse.state.outbox_item import REPORTS, OutboxItem
from pyruse.state.outbox_queue import Queue, QueueSlot
from pyruse.state.part import Part

_QUOTED = 50
"""Of repeats gathered into one mail, so many are quoted; the rest is counted."""
_QUOTED_CHARACTERS = 100_000
"""And no further ones once they have so many characters: they are written with each repeat."""
AT_ONCE = "at once "
"""So begin the groups that are named after causes: there are ever more of them."""
KEPT_ASIDE = 1_000
"""The number of items that are kept though they can never be sent: the newest ones."""


class _Fate(IntEnum):
    """What the database has of an item in the column `refused`."""

    WAITS = 0
    SET_ASIDE = 1
    SET_ASIDE_AND_TOLD = 2

    @classmethod
    def of(cls, item: OutboxItem) -> _Fate:
        if not item.refused:
            return cls.WAITS
        return cls.SET_ASIDE_AND_TOLD if item.told else cls.SET_ASIDE


class ReportSent(NamedTuple):
    """A report was handed over to a mail server, or to sendmail."""

    title: str
    """Of the report, such as ``2026-03-14``."""
    receiver: str
    at: int
    """When, in microseconds since the epoch."""
    answer: str
    """What the server said, with its code."""


class Outbox(Part):
    """The items in the order in which they were put in."""

    SCHEMA: ClassVar[str] = """
        CREATE TABLE IF NOT EXISTS outbox (
            id TEXT PRIMARY KEY, number INTEGER NOT NULL, kind TEXT NOT NULL,
            payload BLOB NOT NULL, created INTEGER NOT NULL, due INTEGER NOT NULL,
            gather TEXT, attempts INTEGER NOT NULL, error TEXT, refused INTEGER NOT NULL,
            tried INTEGER
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS gatherings (name TEXT PRIMARY KEY, due INTEGER NOT NULL)
            WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS reports_sent (
            title TEXT NOT NULL, receiver TEXT NOT NULL, at INTEGER NOT NULL, answer TEXT NOT NULL,
            PRIMARY KEY (title, receiver)
        ) WITHOUT ROWID;
    """

    def __init__(self) -> None:
        self._items: dict[str, OutboxItem] = {}
        self._next_number = 0
        self._queues: dict[str, Queue] = {}
        self._backlogs: dict[str, Backlog] = {}
        """Of each lane that is bounded, what waits."""
        self._aside: dict[str, OutboxItem] = {}
        """What can never be sent, in the order in which that was found out."""
        self._gathering: dict[str, OutboxItem] = {}
        self._last_due: dict[str, int] = {}
        """When the last mail of each group was due: the next one comes an interval later."""
        self._changed: set[str] = set()
        self._changed_groups: set[str] = set()
        self._reports_sent: list[ReportSent] = []

    def put(self, item: OutboxItem) -> None:
        """Take an item in."""
        self._items[item.id] = item
        item.number = self._next_number
        self._next_number += 1
        self._changed.add(item.id)
        self._weigh(item)
        self._queue(item)

    def take_in(self, item: OutboxItem, every: int | None) -> None:
        """`put`, or, where repeats are gathered for so long (µs), `put_gathered`."""
        if every is None:
            self.put(item)
        else:
            self.put_gathered(item, every)

    def put_gathered(self, item: OutboxItem, every: int) -> None:
        """Take an item in, at most one of its group in ``every`` µs: repeats wait for the next one.

        The payload has the number ``count``, and maybe the list ``parts`` (what is quoted). Without
        it, the newest payload is the one that leaves.
        """
        assert item.group is not None
        waiting = self._gathering.get(item.group)
        if waiting is not None and self._still_gathers(waiting, item.created):
            self._gather(waiting, item)
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

    def gathers(self, group: str, at: int) -> bool:
        """Whether something of a group, created at an instant, would join what waits already."""
        waiting = self._gathering.get(group)
        return waiting is not None and self._still_gathers(waiting, at)

    def _gather(self, waiting: OutboxItem, item: OutboxItem) -> None:
        payload = waiting.payload
        parts = payload.get("parts")
        if parts is None:
            waiting.payload = {**item.payload, "count": payload["count"] + 1}
        else:
            payload["count"] += 1
            if len(parts) < _QUOTED and sum(map(len, parts)) < _QUOTED_CHARACTERS:
                parts += item.payload["parts"]
        self._weigh(waiting)
        self._changed.add(waiting.id)

    def _still_gathers(self, waiting: OutboxItem, at: int) -> bool:
        # After a first attempt the mail may have arrived, so its text must not change any more.
        fresh = not waiting.leaving and waiting.attempts == 0
        return fresh and at < waiting.due and waiting.id in self._items

    def items(self, kind: str | None = None) -> list[OutboxItem]:
        """What is in the outbox, in order."""
        return [item for item in self._items.values() if kind is None or item.kind == kind]

    def set_aside(self) -> list[OutboxItem]:
        """What can never be sent, in the order in which that was found out."""
        return list(self._aside.values())

    def tell_set_aside(self) -> list[OutboxItem]:
        """What no report has told of yet; from now on, one has."""
        untold = [item for item in self._aside.values() if not item.told]
        for item in untold:
            item.told = True
            self._changed.add(item.id)
        return untold

    def take(self, lane: str, now: int) -> OutboxItem | None:
        """The first that may leave now; it is `leaving` until `sent`, `failed` or `give_back`."""
        item_id = self._queues[lane].take(now) if lane in self._queues else None
        if item_id is None:
            return None
        item = self._items[item_id]
        item.leaving = True
        return item

    def give_back(self, item_id: str) -> None:
        """An item taken was not even tried: it waits again."""
        item = self._items.get(item_id)
        if item is not None:
            item.leaving = False
            self._queue(item)

    def next_due(self, lane: str | None = None) -> int | None:
        """When the next item may leave (0: at once), or None when none waits."""
        if lane is None:
            moments = [due for each in self._queues if (due := self.next_due(each)) is not None]
            return min(moments, default=None)
        return self._queues[lane].next() if lane in self._queues else None

    def program_lanes(self) -> list[str]:
        """The lanes of the programs that wait."""
        return [lane for lane in self._backlogs if lane.startswith("command ")]

    def _weigh(self, item: OutboxItem) -> None:
        """Count a mail, a program, or a parcel, among those that wait."""
        if item.is_bounded:
            self._backlogs.setdefault(item.lane, Backlog()).put(item.id, item.size)

    def _unweigh(self, item: OutboxItem) -> None:
        if item.lane in self._backlogs:
            self._backlogs[item.lane].remove(item.id)

    def give_up_oldest(self, lane: str, *, number: int, size: int) -> int:
        """Forget the oldest items of a lane that is bounded, until no more than so many wait.

        What is leaving right now stays.

        :param lane: of mails, of parcels, or of programs.
        :param number: the number of items that may wait.
        :param size: the number of characters that they may have together.
        :return: the number of items that are forgotten.
        """
        backlog = self._backlogs.get(lane, Backlog())
        old = [each for each in backlog.beyond(number, size) if not self._items[each].leaving]
        for item_id in old:
            self._forget(item_id)
        return len(old)

    def parcel_kinds(self) -> list[str]:
        """The kinds of the parcels that wait."""
        others = {"mail", REPORTS, *self.program_lanes()}
        return [
            lane for lane, backlog in self._backlogs.items() if len(backlog) and lane not in others
        ]

    def readdress(self, kind: str, heir: Callable[[OutboxItem], str | None]) -> None:
        """Let the waiting parcels of a kind be delivered by others.

        :param kind: the kind of parcels.
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

    def retry(self, item_ids: Collection[str]) -> None:
        """Let items be tried again at once, those that were set aside, too."""
        for item in filter(None, map(self._items.get, item_ids)):
            if item.leaving:
                continue
            if item.refused:
                item.refused = item.told = False
                item.tried = None
                del self._aside[item.id]
                self._weigh(item)
            item.due = 0
            self._changed.add(item.id)
            self._queue(item)

    def drop(self, item_ids: Collection[str]) -> list[str]:
        """Forget items that nobody wants to leave any more.

        :return: those that are being sent just now, and stay.
        """
        leaving = [one for one in item_ids if one in self._items and self._items[one].leaving]
        for item_id in item_ids:
            if item_id not in leaving:
                self._forget(item_id)
        return leaving

    def let_go(self) -> None:
        """Let everything that waits leave at once: the clock was set back."""
        for item in self._items.values():
            if not item.refused and not item.leaving:
                item.due = 0
                self._queue(item)

    def _queue(self, item: OutboxItem) -> None:
        queue = self._queues.setdefault(item.lane, Queue())
        queue.add(QueueSlot(item.turn, item.id), item.leaves_at)

    def _unqueue(self, item: OutboxItem) -> None:
        if item.lane in self._queues:
            self._queues[item.lane].remove(QueueSlot(item.turn, item.id))

    def note_sent(self, item: OutboxItem, now: int, answer: str, but: Collection[str]) -> None:
        """Keep, of a report, that it was handed over.

        :param item: a mail.
        :param now: by the machine's clock, in microseconds since the epoch.
        :param answer: what the server said.
        :param but: the recipients for whom it was refused.
        """
        if item.report is not None:
            self._reports_sent += [
                ReportSent(item.report, to, now, answer) for to in _reached(item, but)
            ]

    def note_sent_past(self, item: OutboxItem, now: int, answer: str, but: Collection[str]) -> None:
        """`note_sent`, of a mail that was in no outbox; a copy that waits leaves for others only.

        What is being sent just now stays.
        """
        self.note_sent(item, now, answer, but)
        reached = _reached(item, but)
        if len(reached) + len(but) != len(item.payload["to"]):
            return  # one was refused by another name: better twice than not at all
        for copy in [one for one in self.items("mail") if one.tells_as(item) and not one.leaving]:
            left = [to for to in copy.payload["to"] if to not in reached]
            if not left:
                self._forget(copy.id)
            elif len(left) < len(copy.payload["to"]):
                self.narrow(copy.id, left)

    def sent(self, item_id: str) -> None:
        """An item has left: forget it."""
        self._forget(item_id)

    def _forget(self, item_id: str) -> None:
        item = self._items.pop(item_id, None)
        if item is not None:
            self._aside.pop(item_id, None)
            self._unweigh(item)
            self._unqueue(item)
            self._changed.add(item_id)

    def failed(self, item_id: str, error: str, *, now: int, retry_at: int) -> None:
        """An attempt failed: try again at an instant."""
        item = self._attempted(item_id, error, now, retry_at)
        if item is not None:
            self._queue(item)

    def refuse(self, item_id: str, error: str, *, now: int) -> None:
        """Set an item aside: it can never be sent."""
        item = self._attempted(item_id, error, now, now)
        if item is not None:
            item.refused = True
            self._unweigh(item)
            self._unqueue(item)
            self._aside[item_id] = item
            # By family: a plugin whose service takes nothing must not push out the mails.
            alike = [one.id for one in self._aside.values() if one.family == item.family]
            if len(alike) > KEPT_ASIDE:
                self._forget(alike[0])

    def _attempted(self, item_id: str, error: str, now: int, due: int) -> OutboxItem | None:
        item = self._items.get(item_id)
        if item is not None:
            item.attempts += 1
            item.tried = now if item.tried is None else item.tried
            item.error = error
            item.leaving = False
            item.due = due
            self._changed.add(item_id)
        return item

    def remove_before(self, db: sqlite3.Connection, time_us: int, day: str) -> Iterator[None]:
        """Forget what was set aside, or sent, before an instant."""
        for item in self.set_aside():
            if item.due < time_us:
                self._forget(item.id)
        for group, due in list(self._last_due.items()):
            if due < time_us and group.startswith(AT_ONCE) and group not in self._changed_groups:
                del self._last_due[group]
                self._gathering.pop(group, None)
                db.execute("DELETE FROM gatherings WHERE name = ?", (group,))
        db.execute("DELETE FROM reports_sent WHERE at < ?", (time_us,))
        yield

    def narrow(self, item_id: str, to: list[str]) -> None:
        """A mail has reached some of its recipients: only these are left."""
        item = self._items.get(item_id)
        if item is not None:
            item.payload["to"] = to
            self._changed.add(item_id)

    def load(self, db: sqlite3.Connection) -> None:
        """Read what has not left yet."""
        query = """SELECT id, number, kind, payload, created, due, gather, attempts, error, refused,
                          tried
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
            fate,
            tried,
        ) in db.execute(query):
            item = OutboxItem(
                kind, msgspec.json.decode(payload), created, due, group, attempts, tried, error,
                refused=fate != _Fate.WAITS, told=fate == _Fate.SET_ASIDE_AND_TOLD,
                id=item_id, number=number,
            )  # fmt: skip
            self._items[item_id] = item
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
        gone = self._changed - self._items.keys()
        db.executemany("DELETE FROM outbox WHERE id = ?", [(item_id,) for item_id in gone])
        db.executemany(
            "INSERT OR REPLACE INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (_row(self._items[item_id]) for item_id in self._changed - gone),
        )
        db.executemany(
            "INSERT OR REPLACE INTO gatherings VALUES (?, ?)",
            [(group, self._last_due[group]) for group in self._changed_groups],
        )
        db.executemany(
            "INSERT OR REPLACE INTO reports_sent VALUES (?, ?, ?, ?)", self._reports_sent
        )

    def saved(self) -> None:
        """The changes are committed."""
        self._changed.clear()
        self._changed_groups.clear()
        self._reports_sent.clear()


def _row(item: OutboxItem) -> tuple[object, ...]:
    return (
        item.id, item.number, item.kind, msgspec.json.encode(item.payload), item.created, item.due,
        item.group, item.attempts, item.error, _Fate.of(item), item.tried,
    )  # fmt: skip


def _reached(item: OutboxItem, but: Collection[str]) -> list[str]:
    """Who has got a mail that was refused for these."""
    # A local user may have been refused by the name of the machine: "root" as root@vm1.
    refused = {*but, *(one.partition("@")[0] for one in but)}
    return [to for to in item.payload["to"] if to not in refused]


def reports_sent(db: sqlite3.Connection) -> list[ReportSent]:
    """The reports that were handed over to a mail server, or to sendmail, the newest last."""
    query = "SELECT title, receiver, at, answer FROM reports_sent ORDER BY at, title, receiver"
    return [ReportSent(*row) for row in db.execute(query)]
