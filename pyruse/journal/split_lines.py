"""Lines that a container engine has split: their parts become one entry.

Docker splits a line at 16 KiB, podman at 8 KiB, and each part is an entry of its own. All but the
last one have ``CONTAINER_PARTIAL_MESSAGE=true``; Docker also numbers them, and marks the last one
(https://docs.docker.com/engine/logging/drivers/journald/). The entry that steps see is the last
part with the text of all. Parts whose last one does not come are an entry, too, some seconds later.

Whoever may log can claim to be part of a line. So only entries of one process, which journald
vouches for, are put together.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Protocol

from msgspec import Struct

from pyruse.entry.decoding import Decoder
from pyruse.entry.entry import Entry
from pyruse.entry.made import make_entry

MARK = "CONTAINER_PARTIAL_MESSAGE"
"""The field that parts have."""

PATIENCE_S = 10.0
"""So long the last part may be awaited."""
_MOST_PARTS = 1000
"""Of a line."""
_MOST_LINES = 256
_MOST_BYTES = 16 << 20
"""Of all lines that are not whole: parts for which there is no room are entries of their own."""

_MOST_FIELDS = 1 << 16
"""Characters of all other fields of a part: container engines write less than a tenth of it."""

_WRITER = ("_BOOT_ID", "_PID", "_UID")

Key = tuple[bytes | None, ...]


class Part(Struct, frozen=True):
    """A part of a line."""

    cursor: str
    time_us: int
    """Its instant, in microseconds since the epoch."""
    text: bytes


class Line(Struct, frozen=True):
    """A line of which some parts have come."""

    parts: tuple[Part, ...]
    fields: dict[str, Any]
    """All the other fields of the newest part."""
    size: int
    """Of its text so far, in bytes."""
    since: float
    """When its first part was read (time.monotonic)."""


class Current(Protocol):
    """The entry that was read just now."""

    def raw(self, field: str) -> bytes | None:
        """The bytes of a field."""

    def read_all(self) -> dict[str, Any]:
        """All fields, converted."""

    def cursor_at(self, time_us: int) -> str:
        """Its cursor."""


class SplitLines:
    """Holds the parts of one journal's lines until they are whole."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self.held: dict[Key, Line] = {}
        """The lines that are not whole, the oldest one first."""

    def take(self, current: Current, time_us: int) -> dict[str, Any] | None:
        """Look at an entry.

        :return: the fields that are other ones than the journal has; None: it is a part, and held.
        """
        is_part = current.raw(MARK) == b"true"
        if not is_part and not self.held:
            return {}
        key = self._key_of(current)
        line = self.held.get(key)
        if not is_part and line is None:
            return {}
        text = current.raw("MESSAGE") or b""
        known = self._too_long(line, len(text))
        if (is_part or known) and self._has_room_for(len(text)):
            fields = current.read_all()
            fields.pop("MESSAGE", None)
            if sum(len(str(value)) for value in fields.values()) <= _MOST_FIELDS:
                part = Part(current.cursor_at(time_us), time_us, text)
                self.held[key] = _longer(None if known else line, part, fields)
                return known
        if line is None:
            return {}
        del self.held[key]
        return {"MESSAGE": self._decoder("MESSAGE", _text(line) + text)}

    def _too_long(self, line: Line | None, size: int) -> dict[str, Any] | None:
        """What the line is so far, where one more part would be too much: that begins another."""
        if line is None:
            return None
        if line.size + size <= self._decoder.longest and len(line.parts) < _MOST_PARTS:
            return None
        return {"MESSAGE": self._decoder("MESSAGE", _text(line))}

    def _key_of(self, current: Current) -> Key:
        line = current.raw("CONTAINER_PARTIAL_ID")
        if line is None:  # podman, and Docker before 19.03: a line of each stream at a time
            which: tuple[bytes | None, ...] = (
                current.raw("CONTAINER_ID_FULL") or current.raw("CONTAINER_ID"),
                current.raw("PRIORITY"),
            )
        else:
            which = (line,)
        return *which, *map(current.raw, _WRITER)

    def _has_room_for(self, size: int) -> bool:
        lines = self.held.values()
        return len(lines) < _MOST_LINES and sum(line.size for line in lines) + size < _MOST_BYTES

    def overdue(self, time_us: int) -> Iterator[Entry]:
        """The lines whose last part does not come, as it seems.

        :param time_us: the instant of the newest entry that was read.
        """
        late = time.monotonic() - PATIENCE_S
        for key, line in list(self.held.items()):
            if line.since <= late or line.parts[0].time_us + PATIENCE_S * 1e6 < time_us:
                yield self._given_up(key, line)

    def rest(self) -> Iterator[Entry]:
        """All that is held: nothing comes after it."""
        for key, line in list(self.held.items()):
            yield self._given_up(key, line)

    def _given_up(self, key: Key, line: Line) -> Entry:
        del self.held[key]
        fields = {**line.fields, "MESSAGE": _text(line)}
        return make_entry(fields, self._decoder, time_us=line.parts[-1].time_us)

    def cursors(self) -> tuple[tuple[str, int], ...]:
        """The cursors and instants of all parts, the older ones of each line first."""
        return tuple(
            (part.cursor, part.time_us) for line in self.held.values() for part in line.parts
        )

    def wait_s(self) -> float | None:
        """In how many seconds the next line is overdue; None: no line is held."""
        first = min((line.since for line in self.held.values()), default=None)
        return None if first is None else max(0.0, first + PATIENCE_S - time.monotonic())


def _longer(line: Line | None, part: Part, fields: dict[str, Any]) -> Line:
    if line is None:
        return Line((part,), fields, len(part.text), time.monotonic())
    return Line((*line.parts, part), fields, line.size + len(part.text), line.since)


def _text(line: Line) -> bytes:
    return b"".join(part.text for part in line.parts)
