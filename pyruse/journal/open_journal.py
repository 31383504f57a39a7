"""Journal files that are open: the fields of the entry that libsystemd is at."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pyruse.entry.decoding import Decoder
from pyruse.entry.entry import Entry
from pyruse.entry.terminal import ESCAPE
from pyruse.journal.matches import Group

if TYPE_CHECKING:
    from systemd import journal

DAMAGED = {errno.EBADMSG, errno.ENODATA, errno.EIO, errno.EADDRNOTAVAIL, errno.E2BIG}
"""What libsystemd answers where a journal file is damaged: the entry or field is passed over."""

_WAITS_S = (0, 0.001, 0.01)
"""A field of an entry that is being written may look damaged for a moment: journald tells its value
of the entry after the entry itself, in two steps. So it is read again."""

_OF_EACH = 64 << 10
"""Bytes: where all the fields of an entry are read, it begins with so much of each. An entry may
have a thousand fields (journald's ENTRY_FIELD_COUNT_MAX)."""

_BLOATED = 4 << 20
"""Bytes of a field that are worth opening the files anew, so that libsystemd lets its memory go."""

_WHOLE = 16 << 20
"""Bytes: so much is read then of the fields that are longer."""

_LONGEST_NAME = 64
"""Characters of a field's name (systemd.journal-fields(7))."""


class OpenJournal:
    """Gives the fields of the current entry.

    It uses only those parts of ``systemd.journal.Reader`` that read one field: the Reader's own
    iterator converts every field of every entry.
    """

    def __init__(self, raw: journal.Reader, decoder: Decoder, groups: Sequence[Group]) -> None:
        """Use an open journal.

        :param groups: what entries have to meet (see `pyruse.journal.matches`); others are left
            out.
        """
        self._groups = groups
        self._values: Mapping[str, Collection[str]] = {}
        self.index_is_damaged = False
        """Entries cannot be found by their values: all are read."""
        self._measures: tuple[Callable[..., Any], Callable[..., Any]] | None = None
        self._decoder = decoder
        self._converters = decoder.converters
        self._longest = decoder.longest
        self._directly = True
        self._beyond = slice(self._longest, self._longest + 1)
        """Of a field, the first byte that is too much."""
        self.is_bloated = False
        """libsystemd holds on to the memory of a long field, until its files are opened anew."""
        self.was_at_end = False
        """Entries may be written while they are read."""
        self.unread_fields = 0
        """How many fields of entries could not be read because a journal file is damaged."""
        self.position = 0
        """How many entries were read: an entry is the current one while it stays the same."""
        self._leave()
        self._use(raw)

    def _use(self, raw: journal.Reader) -> None:
        self._raw = raw
        # sd_journal_get_data(3): no more is unpacked, by those versions of libsystemd that keep to
        # it. It counts the name, too, and one byte more shows that a field is too long.
        raw.data_threshold = self._longest + _LONGEST_NAME + 2
        self.stored: Callable[[str], bytes] = raw._get
        """Gives the bytes of a field (see `Source`)."""
        self._is_native = hasattr(raw, "entries")
        """It gives entries itself (see pyruse-contrib/pyruse-native)."""
        if self._is_native:
            raw.decode_with(self._decoder, self._converters, self._longest)
            raw.is_direct = self._directly
        self.has_parts = False
        """Lines are split in these files; see `_looks_split`."""
        self._size = raw.get_usage()
        """Of the files, in bytes: libsystemd lets go those in which it finds damage."""

    def read_by_libsystemd(self) -> None:
        """Read no file without libsystemd, from here on (see `pyruse.journal.archive`)."""
        self._directly = False
        if self._is_native:
            self._raw.is_direct = False

    def _leave(self) -> None:
        """Go elsewhere: what would have given the next entries is of no use any more."""
        self._ahead: Iterator[Entry] = iter(())
        """What gives the next entries, where they are asked for one by one."""
        self.astray_at = -1
        """The position at which the current entry is not the one that was read last, as that one
        cannot be found any more."""

    def replace(self, raw: journal.Reader) -> None:
        """Go on with other files; the place to go on at is for the caller to seek."""
        self._leave()
        self._raw.close()
        self.is_bloated = False
        self._use(raw)
        self.take_only(self._values)
        if self._measures is not None:
            self.measure(*self._measures)

    def take_only(self, values: Mapping[str, Collection[str]]) -> None:
        """Leave out the entries that have none of these values, from the current position on.

        :param values: of fields; none: no entry is left out. See `pyruse.chains.pushdown`.
        """
        self._leave()
        self._values = values = {} if self.index_is_damaged else values
        raw = self._raw
        raw.flush_matches()
        for group in self._groups:
            for term in group:
                raw.add_disjunction()
                for match in term:
                    raw.add_match(match)
            raw.add_conjunction()
        # sd_journal_add_match(3): values of one field are alternatives, different fields are not.
        for field, those in values.items():
            raw.add_disjunction()
            for value in those:
                raw.add_match(f"{field}={value}")

    def measure(self, moving: Callable[..., Any], reading: Callable[..., Any]) -> None:
        """Have the calls into libsystemd wrapped that move to an entry, and that read its fields.

        To be called before the first entry is read.
        """
        self._measures = moving, reading
        raw = self._raw
        raw._next = moving(raw._next)
        raw._get_all = reading(raw._get_all)
        self.stored = reading(self.stored)

    def raw(self, field: str) -> bytes | None:
        """The bytes of a field of the current entry, or None."""
        try:
            return self.stored(field)
        except (KeyError, OSError, ValueError, MemoryError):  # see `pyruse.system.memory`
            return None

    def read(self, field: str) -> Any | None:
        """The value of a field of the current entry, or None (see `Entry`)."""
        stored = self.stored  # called as it is, it would be looked for as a method, for longer
        try:
            raw = stored(field)
        except KeyError:
            return None
        except (OSError, ValueError, MemoryError) as fault:
            return self._read_in_spite_of(fault, field)
        if raw[self._beyond]:  # faster than a call of len()
            return self._cut(field, raw)
        # What the decoder makes of what is plain is done here, too: with a call more for each
        # field, an entry would take 2.4 % more operations.
        try:
            if field == "MESSAGE":  # no other field is read as often
                text = raw.decode()
                plain = ESCAPE not in text and "\r" not in text
                return text if plain else self._decoder(field, raw)
            convert = self._converters.get(field)
            return raw.decode() if convert is None else convert(raw)
        except (ValueError, OverflowError):
            return self._decoder(field, raw)

    def _read_in_spite_of(self, fault: Exception, field: str) -> Any | None:
        if isinstance(fault, MemoryError) or getattr(fault, "errno", 0) == errno.ENOMEM:
            return self._cut(field, b"")  # see `pyruse.system.memory`
        if getattr(fault, "errno", 0) not in DAMAGED:
            return self._address_field(field)  # no name of a field that is stored
        with suppress(OSError, KeyError):
            return self._decoder(field, self._insist(lambda: self.stored(field)))
        return None

    def _insist(self, read: Callable[[], Any]) -> Any:
        """Read again what seems to be damaged.

        :raises OSError: it is.
        """
        fault: OSError | None = None
        for wait in _WAITS_S if self.was_at_end else _WAITS_S[:1]:
            time.sleep(wait)
            try:
                return read()
            except OSError as again:
                fault = again
        self.unread_fields += 1
        assert fault is not None
        raise fault

    def _cut(self, field: str, raw: bytes) -> str:
        """What is kept of a field that is too long."""
        self.is_bloated = self.is_bloated or not raw or len(raw) > _BLOATED
        return self._decoder.cut(field, raw, self._longest)

    def read_all(self) -> dict[str, Any]:
        """All the fields of the current entry."""
        reader = self._raw
        threshold, reader.data_threshold = reader.data_threshold, _OF_EACH + _LONGEST_NAME + 2
        try:
            raw = reader._get_all()
        except MemoryError:
            self._cut("of an entry with many", b"")
            return {}
        except (OSError, ValueError):  # damaged, be it the name of a field
            try:
                raw = self._insist(reader._get_all)
            except (OSError, ValueError):
                return {}
        finally:
            reader.data_threshold = threshold
        fields: dict[str, Any] = {}
        left = _WHOLE
        for name in list(raw):
            value = raw.pop(name)
            values = value if isinstance(value, list) else [value]
            shown = [self._beginning(name, one) for one in values]
            if len(values[0]) > _OF_EACH and left > 0:
                shown[0] = self.read(name)
                left -= self._longest
            fields[name] = shown if isinstance(value, list) else shown[0]
        for name in ("__REALTIME_TIMESTAMP", "__MONOTONIC_TIMESTAMP", "__CURSOR"):
            fields[name] = self._address_field(name)
        return fields

    def _beginning(self, field: str, raw: bytes) -> Any:
        """The value of a field, of which `_OF_EACH` bytes are kept."""
        longest = min(_OF_EACH, self._longest)
        if len(raw) > longest:
            return self._decoder.cut(field, raw, longest)
        return self._decoder(field, raw)

    def _address_field(self, field: str) -> Any | None:
        """The fields that are not stored, but say where and when the entry is."""
        with suppress(OSError, ValueError):  # damaged
            match field:
                case "__REALTIME_TIMESTAMP":
                    return self._decoder.time(self._raw._get_realtime())
                case "__MONOTONIC_TIMESTAMP":
                    return timedelta(microseconds=self._raw._get_monotonic()[0])
                case "__CURSOR":
                    return self._raw._get_cursor()
        return None

    def cursor_at(self, time_us: int) -> str:
        """The cursor of the current entry.

        :param time_us: its instant: all that there is to go by when its file has become unreadable.
        """
        # sd_journal_seek_cursor(3) takes a part of a cursor, too
        return self._cursor() or f"t={time_us:x}"

    def _cursor(self) -> str | None:
        try:
            cursor: str = self._raw._get_cursor()
        except OSError:
            return None
        return cursor

    def time_us(self) -> int | None:
        """The instant of the current entry, or None where there is no current entry."""
        try:
            return int(self._raw._get_realtime())
        except OSError:
            return None

    def close(self) -> None:
        """Close the journal."""
        self._raw.close()
