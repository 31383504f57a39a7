"""Who was banned how often: what escalation goes by, for as long as it is told to remember."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

from pyruse.bans.targets import Place, bits_of, target_of_json, target_to_json

#: How long an offender is remembered unless told otherwise: 90 days.
FORGET_US = 90 * 86_400_000_000

_CLEAN_UP_US = 3_600_000_000


class _Offender(NamedTuple):
    bans: int
    ended: int | None
    """When the last ban ended, or will end; None: never."""
    forget: int
    """So long after that, in microseconds, all is forgotten."""

    def forgotten(self, now: int) -> bool:
        return self.ended is not None and self.ended + self.forget <= now


class Offenders:
    """How many bans each network has had from each target.

    Not a part of the history of bans: that one is for reading, and is kept as long as
    ``[state] keep`` says; this is kept until the offender has been quiet for long enough.
    """

    SCHEMA: ClassVar[str] = """
        CREATE TABLE IF NOT EXISTS offenders (
            network TEXT NOT NULL, target BLOB NOT NULL, bans INTEGER NOT NULL, ended INTEGER,
            forget INTEGER NOT NULL, PRIMARY KEY (network, target)
        ) WITHOUT ROWID;
    """

    def __init__(self) -> None:
        self._offenders: dict[Place, _Offender] = {}
        self._changed: set[Place] = set()
        self._cleaned_up = 0

    def bans(self, place: Place, now: int) -> int:
        """How many bans there were that are not forgotten."""
        known = self._offenders.get(place)
        return 0 if known is None or known.forgotten(now) else known.bans

    def banned(self, place: Place, bans: int, until: int | None, forget: int) -> None:
        """There is a ban, or it lasts longer now.

        :param bans: how many there were, with this one.
        :param forget: how long after its end it is remembered, in microseconds. Of several steps
            that ban from one target, the longest counts.
        """
        known = self._offenders.get(place)
        if known is not None and bans > 1:
            forget = max(forget, known.forget)
        self._offenders[place] = _Offender(bans, until, forget)
        self._changed.add(place)

    def lifted(self, place: Place, now: int) -> None:
        """The ban was lifted before its end."""
        known = self._offenders.get(place)
        if known is not None:
            self._offenders[place] = known._replace(ended=now)
            self._changed.add(place)

    def expire(self, now: int) -> None:
        """Forget those who have been quiet for long enough; looked for once an hour."""
        if now < self._cleaned_up + _CLEAN_UP_US:
            return
        self._cleaned_up = now
        for place in [place for place, one in self._offenders.items() if one.forgotten(now)]:
            del self._offenders[place]
            self._changed.add(place)

    def load(self, db: sqlite3.Connection, known: Mapping[tuple[str, bytes], Place]) -> None:
        """Read them all.

        :param known: the places of bans, by their columns: most offenders are banned.
        """
        offenders = self._offenders
        for network, target, *rest in db.execute(
            "SELECT network, target, bans, ended, forget FROM offenders"
        ):
            place = known.get((network, target))
            if place is None:
                bits_of(network)
                place = Place(network, target_of_json(target))
            offenders[place] = _Offender(*rest)

    def save(self, db: sqlite3.Connection) -> None:
        """Write what changed."""
        gone, known = [], []
        for place in self._changed:
            key = (place.address, target_to_json(place.target))
            one = self._offenders.get(place)
            if one is None:
                gone.append(key)
            else:
                known.append((*key, *one))
        db.executemany("DELETE FROM offenders WHERE network = ? AND target = ?", gone)
        db.executemany("INSERT OR REPLACE INTO offenders VALUES (?, ?, ?, ?, ?)", known)

    def saved(self) -> None:
        """The changes are committed."""
        self._changed.clear()
