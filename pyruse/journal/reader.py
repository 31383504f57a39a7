"""Reading the journal, entry by entry, field by field."""

from __future__ import annotations

import errno
import select
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from systemd import journal

from pyruse.entry.decoding import Decoder
from pyruse.entry.entry import Entry

#: What libsystemd answers where a journal file is damaged: the entry or field is passed over.
_DAMAGED = {errno.EBADMSG, errno.ENODATA, errno.EIO, errno.EADDRNOTAVAIL, errno.E2BIG}

_EQUALLY_NEAR = 100
"""Entries: so many are looked at for the one of a cursor."""


class JournalReader:
    """Gives the entries of an open journal, each valid until the next one is asked for.

    Of ``systemd.journal.Reader``, only the parts are used that read what is asked for: its own
    iterator converts every field of every entry.
    """

    def __init__(
        self,
        raw: journal.Reader,
        decoder: Decoder,
        *,
        until: int | None = None,
        match: str | None = None,
    ) -> None:
        """Read an open journal.

        :param until: the last instant to read, in microseconds since the epoch.
        :param match: a field and its value, ``FIELD=value``; other entries are left out.
        """
        self._raw = raw
        self._get = raw._get
        self._match = match
        self._decoder = decoder
        self._converters = decoder.converters
        self._until = until
        self.position = 0
        self.damaged = 0
        """How many entries could not be read because a journal file is damaged."""

    def take_only(self, values: Mapping[str, Collection[str]]) -> None:
        """Leave out the entries that have none of these values, from the current position on.

        :param values: of fields; none: no entry is left out. See `pyruse.chains.pushdown`.
        """
        raw = self._raw
        raw.flush_matches()
        if self._match is not None:
            raw.add_match(self._match)
            raw.add_conjunction()
        # sd_journal_add_match(3): values of one field are alternatives, different fields are not.
        for field, those in values.items():
            raw.add_disjunction()
            for value in those:
                raw.add_match(f"{field}={value}")

    def entries(self, limit: int) -> Iterator[Entry]:
        """The next entries, at most so many, until there is none (for now)."""
        next_, realtime, until = self._raw._next, self._raw._get_realtime, self._until
        for _ in range(limit):
            try:
                if not next_():
                    return
                self.position += 1
                time_us = realtime()
            except OSError as fault:
                if not self._pass_over(fault):
                    return
                continue
            if until is not None and time_us > until:
                return
            yield Entry(time_us, self)

    def _pass_over(self, fault: OSError) -> bool:
        """Go on behind a damaged place; :return: whether that makes sense."""
        if fault.errno not in _DAMAGED:
            raise fault
        self.damaged += 1
        return self.damaged < 1000 or self.damaged < self.position

    def read(self, field: str) -> Any | None:
        """The value of a field of the current entry, or None (see `Entry`)."""
        try:
            raw = self._get(field)
        except KeyError:
            return None
        except (OSError, ValueError):  # damaged, or no name of a field that is stored
            return self._address_field(field)
        if field not in self._converters:
            # Most fields are text, and what the decoder makes of text is done here, too: with a
            # call more for each field, an entry would take 2.4 % more operations.
            try:
                return raw.decode()
            except UnicodeDecodeError:
                pass
        return self._decoder(field, raw)

    def read_all(self) -> dict[str, Any]:
        """All the fields of the current entry."""
        decode = self._decoder
        try:
            raw = self._raw._get_all()
        except (OSError, ValueError):  # damaged, be it the name of a field
            return {}
        fields: dict[str, Any] = {}
        for name, value in raw.items():
            if isinstance(value, list):
                fields[name] = [decode(name, one) for one in value]
            else:
                fields[name] = decode(name, value)
        for name in ("__REALTIME_TIMESTAMP", "__MONOTONIC_TIMESTAMP", "__CURSOR"):
            fields[name] = self._address_field(name)
        return fields

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
        try:
            cursor: str = self._raw._get_cursor()
        except OSError:
            return f"t={time_us:x}"  # sd_journal_seek_cursor(3) takes a part of a cursor, too
        return cursor

    def time_us(self) -> int | None:
        """The instant of the current entry, or None where there is no current entry."""
        try:
            return int(self._raw._get_realtime())
        except OSError:
            return None

    def seek_after(self, cursor: str, time_us: int) -> bool:
        """Go behind the entry of a cursor, so that the next one read is the first one after it.

        :param time_us: that entry's instant: where the journal no longer has the cursor (the file
            was removed), reading goes on with the first entry from this instant on.
        :return: whether the journal still has the cursor's entry.
        """
        raw = self._raw
        try:
            raw.seek_cursor(cursor)
            # sd_journal_seek_cursor(3) goes to the nearest entry, which may not be handled yet; or,
            # where entries of several files are equally near, to any of them.
            for _ in range(_EQUALLY_NEAR):
                if not raw._next():
                    break
                if raw.test_cursor(cursor):
                    return True
                if raw._get_realtime() > time_us:
                    break
        except ValueError:
            pass  # no cursor at all
        except OSError as fault:
            if fault.errno not in {*_DAMAGED, errno.EINVAL}:
                raise
        raw.seek_realtime(time_us)
        return False

    def next_time(self, since: int) -> int | None:
        """The instant of the first entry from an instant on, or None where there is none.

        It is the next one to be read.
        """
        self._raw.seek_realtime(since)
        found = self.time_us() if self._raw._next() else None
        self._raw.seek_realtime(since)
        return found

    def seek_tail(self) -> None:
        """Go behind the newest entry."""
        # sd_journal_seek_tail(3): the position is defined only once it was left for an entry.
        self._raw.seek_tail()
        if not self._raw._previous():
            self._raw.seek_head()

    def seek_boot(self) -> None:
        """Go to the first entry since this machine was booted."""
        self._raw.seek_monotonic(0)

    def last(self) -> Entry | None:
        """The newest entry to read, or None where there is none."""
        if self._until is None:
            self._raw.seek_tail()
        else:
            self._raw.seek_realtime(self._until)
        if not self._raw._previous():
            return None
        self.position += 1
        return Entry(self._raw._get_realtime(), self)

    def at(self, cursor: str) -> Entry | None:
        """The entry of a cursor, or None when the journal does not have it."""
        try:
            self._raw.seek_cursor(cursor)
            if not self._raw._next() or not self._raw.test_cursor(cursor):
                return None
        except (OSError, ValueError):  # not there, or no cursor at all
            return None
        self.position += 1
        return Entry(self._raw._get_realtime(), self)

    def span(self) -> tuple[int, int] | None:
        """The instants of the first and the last entry, µs since the epoch; None: no entry."""
        raw = self._raw
        raw.seek_head()
        if not raw._next():
            return None
        first = raw._get_realtime()
        self.seek_tail()
        last = raw._get_realtime()
        raw.seek_head()
        return first, last

    def fileno(self) -> int:
        """What to watch for new entries (sd_journal_get_fd(3))."""
        return int(self._raw.fileno())

    def wait(self, timeout_ms: int | None, *others: int) -> None:
        """Sleep until entries are added, files come or go, another descriptor is readable, or time.

        :param timeout_ms: at most so long; None: without end.
        :param others: more file descriptors to wait for.
        """
        poll = select.poll()
        poll.register(self.fileno(), self._raw.get_events())
        for other in others:
            poll.register(other, select.POLLIN)
        own = self._raw.get_timeout_ms()  # only where the file system cannot notify
        if own >= 0:
            timeout_ms = own if timeout_ms is None else min(own, timeout_ms)
        poll.poll(timeout_ms)
        # Whatever it was: new entries (APPEND) or files that came and went (INVALIDATE), reading
        # goes on at the same place, since libsystemd keeps the position over a rotation.
        self._raw.process()

    def measure(self, moving: Callable[..., Any], reading: Callable[..., Any]) -> None:
        """Have the calls into libsystemd wrapped that move to an entry, and that read its fields.

        To be called before the first entry is read.
        """
        raw = self._raw
        raw._next = moving(raw._next)
        raw._get_all = reading(raw._get_all)
        self._get = reading(self._get)

    def close(self) -> None:
        """Close the journal."""
        self._raw.close()
