"""One journal entry, as the steps see it: fields are read when they are asked for."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, MutableMapping
from datetime import UTC, datetime
from typing import Any, Protocol

from pyruse.times import datetime_of


class Source(Protocol):
    """Where the fields of the current entry come from (the journal's reader)."""

    position: int
    """Rises with each entry: an entry whose position is past can no longer be read."""

    def read(self, field: str) -> Any | None:
        """The converted value of one field of the current entry, or None."""

    def read_all(self) -> dict[str, Any]:
        """All the fields of the current entry, converted; a multi-valued field is a list."""


class Entry(MutableMapping[str, Any]):
    """One entry of the journal, with the fields that steps compute on top.

    A field is read from libsystemd, converted and remembered when a step first asks for it.
    Values have the types of ``systemd.journal``: ``PRIORITY``, ``_PID``, … are ``int``,
    ``MESSAGE_ID`` and the like are ``uuid.UUID``, ``__REALTIME_TIMESTAMP`` is an aware
    ``datetime``, everything else is ``str``. What is not valid UTF-8 is decoded with
    ``[journal] legacy_encoding``. Of a field that occurs several times in one entry, libsystemd's
    first value is given; :meth:`values_of` gives all of them.

    Keep values, not entries: once the next entry is read, what was not asked for is gone.
    """

    __slots__ = ("_position", "_source", "_values", "time_us")

    def __init__(
        self, time_us: int, source: Source | None = None, values: dict[str, Any] | None = None
    ) -> None:
        self.time_us = time_us
        """When the journal received the entry, in microseconds since the epoch."""
        self._source = source
        self._position = source.position if source is not None else 0
        self._values: dict[str, Any] = {} if values is None else values

    @property
    def time(self) -> datetime:
        """When the journal received the entry (aware, UTC)."""
        return datetime_of(self.time_us, UTC)

    def get(self, field: str, default: Any = None) -> Any:
        """The value of a field, or ``default`` where the entry has no such field."""
        try:
            value = self._values[field]
        except KeyError:
            value = self._read(field)
        return default if value is None else value

    def text(self, field: str) -> str | None:
        """The value of a field as text, or None where the entry has no such field."""
        value = self.get(field)
        return value if value is None or type(value) is str else as_text(value)

    def values_of(self, field: str) -> list[Any]:
        """Every value of a field: a journal field may occur several times in one entry."""
        value = self.get(field)
        if self._source is not None:
            every = self._current_source().read_all().get(field)
            if isinstance(every, list) and every[0] == value:  # else, a step has set it anew
                return every
        if value is None:
            return []
        return value if isinstance(value, list) else [value]

    def _read(self, field: str) -> Any | None:
        if self._source is None:
            return None
        value = self._current_source().read(field)
        self._values[field] = value  # None is remembered too: an absent field is asked for once
        return value

    def _current_source(self) -> Source:
        assert self._source is not None
        if self._source.position != self._position:
            raise RuntimeError("this entry is no longer the current one: keep its values instead")
        return self._source

    def _read_all(self) -> dict[str, Any]:
        """The fields as they are now: the journal's, with what steps have set or removed."""
        if self._source is not None:
            for name, value in self._current_source().read_all().items():
                self._values.setdefault(name, value[0] if isinstance(value, list) else value)
        return {name: value for name, value in self._values.items() if value is not None}

    def __getitem__(self, field: str) -> Any:
        value = self.get(field)
        if value is None:
            raise KeyError(field)
        return value

    def __setitem__(self, field: str, value: Any) -> None:
        self._values[field] = value

    def __delitem__(self, field: str) -> None:
        self[field]
        self._values[field] = None

    def __contains__(self, field: object) -> bool:
        return isinstance(field, str) and self.get(field) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._read_all())

    def __len__(self) -> int:
        return len(self._read_all())

    def __repr__(self) -> str:
        return f"Entry({self.time_us}, {self._values!r})"


def as_text(value: Any) -> str:
    """A field's value as text.

    Times read ``YYYY-MM-DD hh:mm:ss:µµµµµµ``, several values are separated by commas, and bytes
    are decoded where they can be.
    """
    match value:
        case str():
            return value
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S:%f")
        case bytes():
            return value.decode(errors="replace")
        case list() | tuple():
            return ", ".join(as_text(item) for item in value)
        case uuid.UUID():
            return value.hex  # as journalctl and the journal itself write it
        case _:
            return str(value)
