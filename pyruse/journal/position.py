"""The position in a machine's journal: up to which entry it is handled, and what a cursor says."""

from __future__ import annotations

from typing import NamedTuple


class Position(NamedTuple):
    """The last entry of a machine that was handled."""

    cursor: str
    """libsystemd's cursor of it; ``t=…``, where nothing but its instant is known."""
    time_us: int
    """Its instant, in microseconds since the epoch."""
    held: tuple[tuple[str, int], ...] = ()
    """The cursors and instants of entries before it that are not handled: parts of lines that are
    not whole yet (see `pyruse.journal.split_lines`)."""

    @classmethod
    def of(cls, cursor: str) -> Position:
        """The position of a whole cursor."""
        return cls(cursor, int(_parts(cursor).get("t", "0"), 16))

    @property
    def seqnum_id(self) -> str:
        """Whose sequence number it has; empty where that is not known."""
        return _parts(self.cursor).get("s", "")

    @property
    def seqnum(self) -> int:
        """Its sequence number; 0 where that is not known."""
        try:
            return int(_parts(self.cursor).get("i", "0"), 16)
        except ValueError:
            return 0

    def is_at(self, cursor: str) -> bool:
        """Whether a cursor is of the same entry, in whatever file.

        A copy of an entry in another file (``journalctl --flush``) has another sequence number, but
        the same boot, times, and hash of its fields.
        """
        mine, its = _parts(self.cursor), _parts(cursor)
        keys = _CONTENT if mine.keys() >= set(_CONTENT) else mine.keys()
        return bool(mine) and all(mine[key] == its.get(key) for key in keys)

    def is_behind(self, cursor: str, time_us: int) -> bool:
        """Whether it is behind an entry, or at it, in the order in which libsystemd gives entries.

        That is the order of their numbers, where these are of one writer; else of the boot's time,
        where it is the same boot; else of the machine's clock.

        :param cursor: of the entry.
        :param time_us: the entry's instant, in microseconds since the epoch.
        """
        mine, its = _parts(self.cursor), _parts(cursor)
        for key, number in (("s", "i"), ("b", "m")):
            if key in mine and mine[key] == its.get(key) and number in mine and number in its:
                before = int(its[number], 16) - int(mine[number], 16)
                return before < 0 or (before == 0 and self.is_at(cursor))
        return time_us < self.time_us or self.is_at(cursor)


class Content(NamedTuple):
    """What a cursor says of an entry, in whatever file it is. None: nothing."""

    boot: str | None
    monotonic: str | None
    realtime: str | None
    hash: str | None
    """Of its fields."""

    def time_alone(self) -> Content:
        """The same of an entry of which nothing but its instant is known (``t=…``)."""
        return Content(None, None, self.realtime, None)


def content(cursor: str) -> Content:
    """What a cursor says of an entry, in whatever file it is."""
    parts = _parts(cursor)
    return Content(*(parts.get(key) for key in _CONTENT))


_CONTENT = ("b", "m", "t", "x")


def _parts(cursor: str) -> dict[str, str]:
    """The parts of a cursor such as ``s=…;i=…;b=…;m=…;t=…;x=…``, by their letters."""
    return dict(part.split("=", 1) for part in cursor.split(";") if "=" in part)


class Gap(NamedTuple):
    """Entries that were not read: they were removed before, or are damaged."""

    machine: str
    since: int
    """After this instant they were logged (µs since the epoch) …"""
    until: int | None
    """… and before this one; None: nothing is there after them."""
    entries: int | None
    """How many there were, where the sequence numbers tell."""
    damaged: bool = False
    """They are there, but cannot be read."""
