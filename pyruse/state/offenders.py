"""Offenders: who was banned how often. Escalation goes by them."""

from __future__ import annotations

import sqlite3
from operator import attrgetter
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from pyruse.api.firewall import Target
from pyruse.state import alike_rows
from pyruse.state.bans import target_to_json
from pyruse.state.part import Part
from pyruse.state.shared_bans import BanKey

_CLEAN_UP_US = 3_600_000_000


class _Offender(Struct, frozen=True, gc=False):
    bans: int
    ended: int | None
    """When the last ban ended, or will end; None: never."""
    forget: int
    """So long after that, in microseconds, all is forgotten."""

    def forgotten(self, at: int) -> bool:
        return self.ended is not None and self.ended + self.forget <= at


class Offenders(Part):
    """How many bans each network has had from each target.

    The history of bans is for reading, and is kept as long as ``[state] keep`` says. Offenders are
    kept until they have been quiet for long enough
    (docs/decisions/0022-escalation-has-its-own-memory.md).
    """

    SCHEMA: ClassVar[str] = """
        CREATE TABLE IF NOT EXISTS offenders (
            network TEXT NOT NULL, target BLOB NOT NULL, bans INTEGER NOT NULL, ended INTEGER,
            forget INTEGER NOT NULL, PRIMARY KEY (network, target)
        ) WITHOUT ROWID;
    """

    def __init__(self) -> None:
        self._db: sqlite3.Connection | None = None
        self._known: dict[BanKey, _Offender | None] = {}
        """Those that were looked up or changed since the last commit; None: there is none."""
        self._changed: dict[BanKey, None] = {}
        """In the order in which they changed: that of a list is that of the rows."""
        self._cleaned_up = self._forgotten_at = 0

    def bans(self, key: BanKey, at: int) -> int:
        """How many bans there were that are not forgotten."""
        known = self._look_up(key)
        return 0 if known is None or known.forgotten(at) else known.bans

    def banned(self, key: BanKey, bans: int, until: int | None, forget: int) -> None:
        """There is a ban, or it lasts longer now, or another program has told of it.

        :param key: who, and from where.
        :param bans: how many there were, with this one.
        :param until: when it ends, or ended; None: never.
        :param forget: how long after its end it is remembered, in microseconds. Of several steps
            that ban from one target, the longest counts.
        """
        known = self._look_up(key)
        if known is not None and bans > 1:
            forget = max(forget, known.forget)
        self._known[key] = _Offender(bans, until, forget)
        self._changed[key] = None

    def lifted(self, key: BanKey, at: int) -> None:
        """The ban was lifted before its end."""
        known = self._look_up(key)
        if known is not None:
            self._known[key] = replace(known, ended=at)
            self._changed[key] = None

    def look_up(self, keys: list[BanKey]) -> None:
        """Read many at once, which takes a tenth of the time; the next commit forgets them."""
        by_target: dict[Target, list[BanKey]] = {}
        for key in keys:
            if key not in self._known:
                by_target.setdefault(key.target, []).append(key)
        if self._db is None:
            return
        for target, wanted in by_target.items():
            networks = alike_rows.as_json([key.network for key in wanted])
            rows = self._db.execute(
                """SELECT network, CAST(bans AS INTEGER), CAST(ended AS INTEGER),
                          CAST(forget AS INTEGER)
                   FROM json_each(?) CROSS JOIN offenders
                   ON network = json_each.value AND target = ?""",
                (networks, target_to_json(target)),
            )
            found = {network: _Offender(*facts) for network, *facts in rows}
            self._known.update((key, found.get(key.network)) for key in wanted)

    def _look_up(self, key: BanKey) -> _Offender | None:
        if key in self._known:
            return self._known[key]
        row = None
        if self._db is not None:
            # A database may be damaged: then there is no harm in a number that is wrong.
            row = self._db.execute(
                """SELECT CAST(bans AS INTEGER), CAST(ended AS INTEGER), CAST(forget AS INTEGER)
                   FROM offenders WHERE network = ? AND target = ?""",
                (key.network, target_to_json(key.target)),
            ).fetchone()
        found = self._known[key] = None if row is None else _Offender(*row)
        return found

    def expire(self, at: int) -> None:
        """Forget those who have been quiet for long enough; looked for once an hour."""
        if at >= self._cleaned_up + _CLEAN_UP_US:
            self._cleaned_up = self._forgotten_at = at

    def load(self, db: sqlite3.Connection) -> None:
        """Nothing is read before it is asked for: most offenders never come again."""
        self._db = db

    def save(self, db: sqlite3.Connection) -> None:
        """Write what changed."""
        self._db = db
        if self._forgotten_at:
            db.execute("DELETE FROM offenders WHERE ended + forget <= ?", (self._forgotten_at,))
        # In the order of the rows, as many of them may be new.
        changed = sorted(self._changed, key=attrgetter("network"))
        rows = [
            (key.network, (key.target, one))
            for key in changed
            if (one := self._known[key]) is not None
        ]
        columns = "network, target, bans, ended, forget"
        alike_rows.insert(db, f"INSERT OR REPLACE INTO offenders ({columns})", rows, _values)

    def saved(self) -> None:
        """The changes are committed."""
        self._changed.clear()
        self._known.clear()
        self._forgotten_at = 0


def _values(alike: tuple[Target, _Offender]) -> tuple[object, ...]:
    """What the rows have in common that are alike but for their networks."""
    target, one = alike
    return target_to_json(target), one.bans, one.ended, one.forget
