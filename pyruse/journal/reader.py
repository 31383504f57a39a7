"""Reads one machine's journal files, entry by entry, field by field."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from itertools import islice
from typing import Any

from systemd import journal

from pyruse.entry.decoding import Decoder
from pyruse.entry.entry import Entry
from pyruse.entry.terminal import ESCAPE
from pyruse.journal.position import Position
from pyruse.journal.split_lines import MARK, SplitLines

_DAMAGED = {errno.EBADMSG, errno.ENODATA, errno.EIO, errno.EADDRNOTAVAIL, errno.E2BIG}
"""What libsystemd answers where a journal file is damaged: the entry or field is passed over."""

_OF_EACH = 64 << 10
"""Bytes: where all the fields of an entry are read, it begins with so much of each. An entry may
have a thousand fields (journald's ENTRY_FIELD_COUNT_MAX)."""
_BLOATED = 4 << 20
"""Bytes of a field that are worth opening the files anew, so that libsystemd lets its memory go."""
_WHOLE = 16 << 20
"""Bytes: so much is read then of the fields that are longer."""
_LONGEST_NAME = 64
"""Characters of a field's name (systemd.journal-fields(7))."""

_EQUALLY_NEAR = 100
"""Entries: so many are looked at for the one of a cursor."""


_PARTS_LIE_WITHIN = 1000
"""Entries: so far back the parts of a single entry's line are looked for."""


class JournalReader:
    """Gives the entries of an open journal, each valid until the next one is asked for.

    It uses only those parts of ``systemd.journal.Reader`` that read one field: the Reader's own
    iterator converts every field of every entry.
    """

    def __init__(
        self,
        raw: journal.Reader,
        decoder: Decoder,
        *,
        until: int | None = None,
        match: str | None = None,
        follows: bool = False,
    ) -> None:
        """Read an open journal.

        :param until: the last instant to read, in microseconds since the epoch.
        :param match: a field and its value, ``FIELD=value``; other entries are left out.
        :param follows: more is to come, such as the rest of a line.
        """
        self._match = match
        self._values: Mapping[str, Collection[str]] = {}
        self.index_is_damaged = False
        """Entries cannot be found by their values: all are read."""
        self.reopen: Callable[[], journal.Reader]
        """Opens the same files once more; set by whoever knows them."""
        self._mark: tuple[str | None, int] = (None, 0)
        """An entry that can be found again in other files, by its cursor (None: the beginning, see
        `_seek_start`), and how many entries were read up to there."""
        self._given: Counter[int] = Counter()
        """The instants of the entries that were given since, where some are left out."""
        self._last_us = 0
        """The instant of the entry that was given last, in microseconds since the epoch."""
        self._gave_up_at = -1
        """The number of entries after which files were opened once more, in vain if it stays so."""
        self._seek_start = raw.seek_head
        """Goes to where the first entry is, as it was sought."""
        self._measures: tuple[Callable[..., Any], Callable[..., Any]] | None = None
        self.split_lines = SplitLines(decoder)
        self._follows = follows
        self._was_at_end = False
        """Entries may be written while they are read."""
        self._decoder = decoder
        self._converters = decoder.converters
        self._longest = decoder.longest
        self._beyond = slice(self._longest, self._longest + 1)
        """Of a field, the first byte that is too much."""
        self.is_bloated = False
        """libsystemd holds on to the memory of a long field, until its files are opened anew."""
        self._use(raw)
        self._until = until
        self.position = 0
        self.damaged = 0
        """How many entries could not be read because a journal file is damaged."""

    @property
    def leaves_out(self) -> bool:
        """Some entries are not given: by a match, by their values, or by their time."""
        return bool(self._values or self._match or self._until)

    def _use(self, raw: journal.Reader) -> None:
        self._raw = raw
        # sd_journal_get_data(3): no more is unpacked, by those versions of libsystemd that keep to
        # it. It counts the name, too, and one byte more shows that a field is too long.
        raw.data_threshold = self._longest + _LONGEST_NAME + 2
        self._get = raw._get
        self.has_parts = False
        """Lines are split in these files; see `_looks_split`."""
        self._size = raw.get_usage()
        """Of the files, in bytes: libsystemd lets go those in which it finds damage."""

    def replace(self, raw: journal.Reader) -> None:
        """Go on with other files; the place to go on at is for the caller to seek."""
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
        self._values = values = {} if self.index_is_damaged else values
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
        """The next entries, at most so many, until there is none (for now).

        They are more where a journal's index is found to be damaged: see `_skimmed`.
        """
        return self._skimmed(limit) if self._values else self._all(limit)

    def _all(self, limit: int) -> Iterator[Entry]:
        next_, realtime, until = self._raw._next, self._raw._get_realtime, self._until
        self._set_mark()
        time_us = self._last_us
        for entry in islice(self.split_lines.overdue(time_us), limit):
            yield entry
            limit -= 1
        split = self._looks_split()
        careful = split or self._was_at_end
        while limit:
            skipped = 0
            for _ in range(limit):
                try:
                    if not next_():
                        self._last_us = time_us
                        if not self._has_let_go():
                            self._was_at_end = True
                            yield from self._rest()
                            return
                        next_, realtime = self._raw._next, self._raw._get_realtime
                        skipped += 1
                        continue
                    self.position += 1
                    time_us = realtime()
                except OSError as fault:
                    if not self._pass_over(fault):
                        return
                    skipped += 1
                    continue
                if until is not None and time_us > until:
                    yield from self._rest()
                    return
                if careful and (split := split or self._looks_split()):
                    known = self.split_lines.take(self, time_us)
                    if known is None:
                        skipped += 1
                    else:
                        yield Entry(time_us, self, known)
                    continue
                yield Entry(time_us, self)
            limit = skipped
        self._last_us = time_us

    def _looks_split(self) -> bool:
        """Whether lines are split in the files that are open.

        It is asked for all files at once, and not of each entry: a field that an entry does not
        have is what takes libsystemd longest. What is being written is looked at for each entry.
        """
        if not self.has_parts:
            try:
                self.has_parts = bool(self._raw.query_unique(MARK))
            except OSError:  # damaged
                self.has_parts = True
        return self.has_parts

    def _rest(self) -> Iterator[Entry]:
        """At the end: the lines that will not become whole."""
        return iter(()) if self._follows else self.split_lines.rest()

    def _set_mark(self) -> None:
        """Remember the current entry, if there is one: there is none after `take_only`."""
        cursor = self._cursor()
        if cursor is not None:
            self._mark = cursor, self.position
            self._given.clear()

    def _has_let_go(self) -> bool:
        """Whether libsystemd has let go a file, which it does without a word where it is damaged.

        Then the files are opened once more, and reading goes on where it was. A file also becomes
        smaller when it is rotated; opening it once more does no harm.
        """
        size = self._raw.get_usage()
        if size >= self._size or self._values or self._gave_up_at == self.position:
            self._size = max(size, self._size)
            return False
        self._gave_up_at = self.position
        given = self.position - self._mark[1]
        self._open_once_more()
        self._skip(given)
        self._set_mark()
        return True

    def _skip(self, given: int) -> None:
        """Go past the entries that were given already, as far as they are still there."""
        raw = self._raw
        for _ in range(given):
            if not raw._next():
                return
            if raw._get_realtime() > self._last_us:  # others were removed
                if not raw._previous():
                    raw.seek_head()
                return

    def _open_once_more(self) -> None:
        """Open the files once more, and go behind the mark."""
        cursor, _ = self._mark
        with suppress(OSError):  # none of them can be opened any more
            self.replace(self.reopen())
        if cursor is None or not self._go_behind(Position(cursor, 0)):
            self._seek_start()

    def _skimmed(self, limit: int) -> Iterator[Entry]:
        """The entries with the values of `take_only`, by the index of the journal.

        Where an entry in the index is damaged, libsystemd lets go the whole file without a word;
        all that is seen is that its files have become smaller. Then all entries since the mark are
        read without the index, but for those that it has given.
        """
        self._set_mark()
        for entry in self._all(limit):
            self._given[entry.time_us] += 1
            yield entry
        if self._raw.get_usage() >= self._size:
            return
        given = self._given.copy()
        self.index_is_damaged = True
        self._values = {}
        self._open_once_more()
        read = 0
        while read < limit or given:
            entry_ = next(self._all(1), None)
            if entry_ is None:
                return
            if given[entry_.time_us]:
                given[entry_.time_us] -= 1
            else:
                read += 1
                yield entry_
            given += Counter()  # without those that are zero

    def advance(self) -> Entry | None:
        """Go to the next entry; None: there is none (for now)."""
        entry = next(self.entries(1), None)
        if entry is not None:
            self._last_us = max(entry.time_us, self._last_us)
        return entry

    def _pass_over(self, fault: OSError) -> bool:
        """Skip a damaged entry.

        :return: False: stop reading.
        """
        if fault.errno not in _DAMAGED:
            raise fault
        self.damaged += 1
        return self.damaged < 1000 or self.damaged < self.position

    def raw(self, field: str) -> bytes | None:
        """The bytes of a field of the current entry, or None."""
        try:
            value: bytes = self._get(field)
        except (KeyError, OSError, ValueError, MemoryError):  # see `pyruse.system.memory`
            return None
        return value

    def read(  # noqa: PLR0911 -- a call more for each field would cost 2 %
        self, field: str
    ) -> Any | None:
        """The value of a field of the current entry, or None (see `Entry`)."""
        try:
            raw = self._get(field)
        except KeyError:
            return None
        except (OSError, ValueError, MemoryError) as fault:
            if isinstance(fault, MemoryError) or getattr(fault, "errno", 0) == errno.ENOMEM:
                return self._cut(field, b"")  # see `pyruse.system.memory`
            return self._address_field(field)  # damaged, or no name of a field that is stored
        if raw[self._beyond]:  # faster than a call of len()
            return self._cut(field, raw)
        if field not in self._converters:
            # Most fields are text, and what the decoder makes of text is done here, too: with a
            # call more for each field, an entry would take 2.4 % more operations.
            try:
                return raw.decode()
            except UnicodeDecodeError:
                pass
        elif field == "MESSAGE":  # no other field is read as often: as above
            try:
                text: str = raw.decode()
            except UnicodeDecodeError:
                pass
            else:
                if ESCAPE not in text and "\r" not in text:
                    return text
        return self._decoder(field, raw)

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

    def seek_after(self, position: Position) -> bool:
        """Go behind the entry of a position, so that the next one read is the first one after it.

        The parts of lines that were held at the position are held again.

        Where the journal no longer has that entry (the file was removed), reading goes on with the
        first entry from its instant on.

        :return: whether the journal still has that entry.
        """
        self.split_lines.held.clear()
        for cursor, time_us in position.held:
            if self._go_behind(Position(cursor, time_us)):
                self.split_lines.take(self, time_us)
                self.has_parts = True
        if self._go_behind(position):
            self._set_mark()
            return True
        held = self.split_lines.held.copy()
        self.seek_since(position.time_us)
        self.split_lines.held.update(held)
        return False

    def _go_behind(self, position: Position) -> bool:
        raw = self._raw
        try:
            raw.seek_cursor(position.cursor)
            # sd_journal_seek_cursor(3) goes to the nearest entry, which may not be handled yet; or,
            # where entries of several files are equally near, to any of them.
            if self._is_near(position):
                return True
        except ValueError:
            pass  # no cursor at all
        except OSError as fault:
            if fault.errno not in {*_DAMAGED, errno.EINVAL}:
                raise
        if not position.time_us:
            return False
        raw.seek_realtime(position.time_us)
        with suppress(OSError):
            return self._is_near(position)  # a copy of it, in another file
        return False

    def _is_near(self, position: Position) -> bool:
        for _ in range(_EQUALLY_NEAR):
            if not self._raw._next():
                break
            if position.is_at(self._raw._get_cursor()):
                return True
            if self._raw._get_realtime() > position.time_us:
                break
        return False

    def seek_start(self) -> None:
        """Go where the first entry is, as it was sought."""
        self._seek_start()

    def next_time(self, since: int) -> int | None:
        """The instant of the first entry from an instant on, or None where there is none.

        It is the next one to be read.
        """
        self._raw.seek_realtime(since)
        found = self.time_us() if self._raw._next() else None
        self._raw.seek_realtime(since)
        return found

    def seek_head(self) -> None:
        """Go before the oldest entry."""
        self._sought(lambda: self._raw.seek_head())  # noqa: PLW0108 -- of the files open then

    def seek_since(self, time_us: int) -> None:
        """Go before the first entry from an instant on, in microseconds since the epoch."""
        self._sought(lambda: self._raw.seek_realtime(time_us))

    def _sought(self, seek: Callable[[], None]) -> None:
        self.split_lines.held.clear()
        self._seek_start = seek
        self._mark = None, self.position
        self._given.clear()
        seek()

    def seek_tail(self) -> None:
        """Go behind the newest entry."""
        # sd_journal_seek_tail(3): the position is defined only once it was left for an entry.
        self._raw.seek_tail()
        if self._raw._previous():
            self._set_mark()
        else:
            self.seek_head()

    def seek_boot(self) -> None:
        """Go to the first entry since this machine was booted."""
        self._sought(lambda: self._raw.seek_monotonic(0))

    def last(self) -> Entry | None:
        """The newest entry to read, or None where there is none."""
        if self._until is None:
            self._raw.seek_tail()
        else:
            self._raw.seek_realtime(self._until)
        if not self._raw._previous():
            return None
        return self._single()

    def at(self, cursor: str) -> Entry | None:
        """The entry of a cursor, or None when the journal does not have it."""
        try:
            self._raw.seek_cursor(cursor)
            if not self._raw._next() or not self._raw.test_cursor(cursor):
                return None
        except (OSError, ValueError):  # not there, or no cursor at all
            return None
        return self._single()

    def _single(self) -> Entry:
        """The current entry; of a line that was split, with the parts before it."""
        raw, known = self._raw, None
        if self._looks_split():
            lines = SplitLines(self._decoder)
            back = 0
            while back < _PARTS_LIE_WITHIN and raw._previous():
                back += 1
            for _ in range(back):
                lines.take(self, raw._get_realtime())
                raw._next()
            known = lines.take(self, raw._get_realtime())
        self.position += 1
        return Entry(raw._get_realtime(), self, known)

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

    def measure(self, moving: Callable[..., Any], reading: Callable[..., Any]) -> None:
        """Have the calls into libsystemd wrapped that move to an entry, and that read its fields.

        To be called before the first entry is read.
        """
        self._measures = moving, reading
        raw = self._raw
        raw._next = moving(raw._next)
        raw._get_all = reading(raw._get_all)
        self._get = reading(self._get)

    def close(self) -> None:
        """Close the journal."""
        self._raw.close()
