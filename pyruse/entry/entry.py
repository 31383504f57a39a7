"""One journal entry, as the steps see it: fields are read when they are asked for."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from pyruse.addresses import Address, logged_address
from pyruse.entry.native import in_c
from pyruse.text import encodable, shown
from pyruse.times import datetime_of


class Source(Protocol):
    """Where the fields of the current entry come from (the journal's reader)."""

    position: int
    """Rises with each entry: an entry whose position is past can no longer be read."""

    def read(self, field: str) -> Any | None:
        """The converted value of one field of the current entry, or None."""

    def read_all(self) -> dict[str, Any]:
        """All the fields of the current entry, converted; a multi-valued field is a list."""

    def stored(self, field: str) -> bytes:
        """The bytes of one field of the current entry, of which `read` always makes the same value.

        :raises KeyError: the entry has no such field.
        :raises OSError: or ValueError, MemoryError: `read` is to be asked.
        """
        raise OSError


_GONE = "this entry is no longer the current one: keep its values instead"
UNREAD: Any = object()
"""Stands for the value of a field that no step has asked for yet."""


class Entry(MutableMapping[str, Any]):
    """One entry of the journal, with the fields that steps compute on top.

    A field is read from libsystemd, converted and remembered when a step first asks for it.
    Values have the types of ``systemd.journal``: ``PRIORITY``, ``_PID``, … are ``int``,
    ``MESSAGE_ID`` and the like are ``uuid.UUID``, ``__REALTIME_TIMESTAMP`` is an aware
    ``datetime``, everything else is ``str``. What is not valid UTF-8 is decoded with
    ``[journal] legacy_encoding``. Of a field that occurs several times in one entry, libsystemd's
    first value is given; :meth:`values_of` gives all of them.

    Keep values, not entries: once the next entry is read, all other fields are gone.
    """

    __slots__ = ("_known", "_position", "_source", "time_us")

    def __init__(
        self, time_us: int, source: Source | None = None, values: dict[str, Any] | None = None
    ) -> None:
        self.time_us: int = time_us
        """When the journal received the entry, in microseconds since the epoch."""
        self._source = source
        self._position = 0 if source is None else source.position
        self._known: dict[str, Any] = {} if values is None else values
        """The fields that were asked for, or set by a step; None: there is no such field."""

    @property
    def time(self) -> datetime:
        """When the journal received the entry (aware, UTC)."""
        return datetime_of(self.time_us, UTC)

    def get(self, field: str, default: Any = None) -> Any:
        """The value of a field, or ``default`` where the entry has no such field.

        :param field: the name of the field.
        :param default: what is given instead.
        """
        known = self._known  # to look twice takes less time than to call its method `get`
        value = known[field] if field in known else self._read(field)
        return default if value is None else value

    def text(self, field: str) -> str | None:
        """The value of a field as text, or None where the entry has no such field."""
        known = self._known
        value = known[field] if field in known else self._read(field)
        if value.__class__ is str:  # most are, and this is where the time goes
            return value
        if value.__class__ is int:  # such as the priority, which many messages have
            return str(value)
        return None if value is None else encodable(as_text(value))

    def texts(self, fields: Iterable[str]) -> dict[str, str]:
        """Those of some fields that the entry has, and that are not empty, as text: by name.

        What has a name in small letters is no field of a journal's, so the journal is not asked: it
        is there where a step has set it.
        """
        known = self._known
        found = {}
        for field in fields:
            if field in known:
                value = known[field]
            else:
                value = self._read(field) if field.isupper() else None
            if value.__class__ is str:
                if value:
                    found[field] = value
            elif value is not None and (text := encodable(as_text(value))):
                found[field] = text
        return found

    def values_of(self, field: str) -> list[Any]:
        """Every value of a field: a journal field may occur several times in one entry."""
        value = self.get(field)
        if self._source is not None:
            every = self._current_source().read_all().get(field)
            if isinstance(every, list) and every[0] == value:  # else a step has set it
                return every
        if value is None:
            return []
        return value if isinstance(value, list) else [value]

    def _read(self, field: str) -> Any | None:
        """The value of a field that is not among the known ones."""
        source = self._source
        if source is None:
            return None
        if source.position != self._position:
            raise RuntimeError(_GONE)
        value = self._known[field] = source.read(field)  # None, too: it is asked for once
        return value

    def _current_source(self) -> Source:
        assert self._source is not None
        if self._source.position != self._position:
            raise RuntimeError(_GONE)
        return self._source

    def _read_all(self) -> dict[str, Any]:
        """The fields as they are now: the journal's, with what steps have set or removed."""
        if self._source is not None:
            for name, value in self._current_source().read_all().items():
                self._known.setdefault(name, value[0] if isinstance(value, list) else value)
        return {name: value for name, value in self._known.items() if value is not None}

    def __getitem__(self, field: str) -> Any:
        value = self.get(field)
        if value is None:
            raise KeyError(field)
        return value

    def set_many(self, fields: Mapping[str, Any]) -> None:
        """Set several fields for the steps after this one, faster than one by one.

        :param fields: values by the names of the fields; None leaves a field as it is.
        :raises ValueError: a name begins with an underscore: that field is the journal's own.
        """
        try:
            # Filters with patterns come here for each entry: so all is looked at as one text.
            text = "\0".join(("", *fields, *fields.values()))
            plain = text.isascii() and "\0_" not in text
        except TypeError:  # one of the values is no text, or None
            plain = False
        if plain:
            known = self._known
            known |= fields
            return
        for name in fields:
            _refuse_own(name)
        for name, value in fields.items():
            if value is not None:
                self[name] = value

    def __setitem__(self, field: str, value: Any) -> None:
        _refuse_own(field)
        self._known[field] = encodable(value) if isinstance(value, str) else value

    def __delitem__(self, field: str) -> None:
        _refuse_own(field)
        self[field]
        self._known[field] = None

    def __contains__(self, field: object) -> bool:
        return isinstance(field, str) and self.get(field) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._read_all())

    def __len__(self) -> int:
        return len(self._read_all())

    def __repr__(self) -> str:
        return f"Entry({self.time_us}, {self._known!r})"


def _refuse_own(field: str) -> None:
    """Refuse to change a field that journald vouches for."""
    if field[:1] == "_":
        raise ValueError(
            f"{shown(field)} is the journal's own (expected a field without an underscore in front)"
        )


def computed(entry: Entry, field: str) -> Any | None:
    """The value of a field that no journal has: one that a step may have set.

    To ask libsystemd for it would cost as much as reading a field.
    """
    return entry._known.get(field)


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


if not TYPE_CHECKING:
    Entry = in_c(Entry, as_text, _GONE)


def address_of(entry: Entry, field: str) -> Address | None:
    """The address that a field of the entry holds, with or without a port; None: it holds none."""
    return logged_address(entry.get(field))
