"""Where in a journal: going to an entry, by its cursor, its instant, or from an end."""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from pyruse.entry.decoding import Decoder
from pyruse.entry.entry import Entry
from pyruse.journal.matches import Group
from pyruse.journal.open_journal import DAMAGED, OpenJournal
from pyruse.journal.position import Position
from pyruse.journal.split_lines import MARK, SplitLines

if TYPE_CHECKING:
    from systemd import journal

_EQUALLY_NEAR = 100
"""Entries: so many are looked at for the one of a cursor."""
_PARTS_LIE_WITHIN = 1000
"""Entries: so far back the parts of a single entry's line are looked for."""


class Seeking(OpenJournal):
    """Goes to entries, and remembers one that can be found again in other files."""

    def __init__(
        self, raw: journal.Reader, decoder: Decoder, until: int | None, groups: Sequence[Group]
    ) -> None:
        """Go nowhere yet.

        :param until: the last instant to read, in microseconds since the epoch.
        :param groups: see `OpenJournal`.
        """
        super().__init__(raw, decoder, groups)
        self._until = until
        self._mark: tuple[str | None, int] = (None, 0)
        """An entry that can be found again in other files, by its cursor (None: the beginning, see
        `_seek_start`), and how many entries were read up to there."""
        self._given: list[int] = []
        """The instants of the entries that were given since, where some are left out."""
        self._seek_start: Callable[[], None] = raw.seek_head
        """Goes to where the first entry is, as it was sought."""
        self.split_lines = SplitLines(decoder)

    def take_only(self, values: Mapping[str, Collection[str]]) -> None:  # noqa: D102 -- see there
        # Before: entries that were left out until now are counted nowhere.
        self._set_mark()
        super().take_only(values)

    def _set_mark(self) -> None:
        """Remember the current entry, if there is one: there is none after `take_only`."""
        cursor = self._cursor()
        if cursor is not None and self.astray_at != self.position:
            self._mark = cursor, self.position
            self._given.clear()

    def seek_after(self, position: Position) -> bool:
        """Go behind the entry of a position, so that the next one read is the first one after it.

        The parts of lines that were held at the position are held again.

        Where the journal no longer has that entry (the file was removed), reading goes on with the
        first entry from its instant on.

        :return: whether the journal still has that entry.
        """
        self._leave()
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
            if fault.errno not in {*DAMAGED, errno.EINVAL}:
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
        self._leave()
        self._seek_start()

    def next_time(self, since: int) -> int | None:
        """The instant of the first entry from an instant on, or None where there is none.

        It is the next one to be read.
        """
        self._leave()
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
        self._leave()
        self.split_lines.held.clear()
        self._seek_start = seek
        self._mark = None, self.position
        self._given.clear()
        seek()

    def seek_tail(self) -> None:
        """Go behind the newest entry."""
        self._leave()
        # sd_journal_seek_tail(3): the position is defined only once it was left for an entry.
        self._raw.seek_tail()
        if self._raw._previous():
            self._set_mark()
        else:
            self.seek_head()

    def seek_last(self, number: int) -> None:
        """Go before the newest entries, so many of them."""
        self._sought(lambda: self._go_back(number))

    def _go_back(self, number: int) -> None:
        self._go_to_end()
        for _ in range(number + 1):
            if not self._raw._previous():
                self._raw.seek_head()
                return

    def _go_to_end(self) -> None:
        self._leave()
        if self._until is None:
            self._raw.seek_tail()
        else:
            self._raw.seek_realtime(self._until)

    def backwards(self) -> Iterator[Entry]:
        """The entries, the newest first; where reading goes on then is for the caller to say."""
        self._go_to_end()
        while self._raw._previous():
            self.position += 1
            yield Entry(self._raw._get_realtime(), self)

    def seek_boot(self) -> None:
        """Go to the first entry since this machine was booted."""
        self._sought(lambda: self._raw.seek_monotonic(0))

    def last(self) -> Entry | None:
        """The newest entry to read, or None where there is none."""
        self._go_to_end()
        if not self._raw._previous():
            return None
        return self._single()

    def at(self, cursor: str) -> Entry | None:
        """The entry of a cursor, or None when the journal does not have it."""
        self._leave()
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
