"""Reads one machine's journal files, entry by entry; and goes on behind what is damaged."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING

from pyruse.entry.decoding import Decoder
from pyruse.entry.entry import Entry
from pyruse.journal.matches import Group
from pyruse.journal.open_journal import DAMAGED
from pyruse.journal.position import Position
from pyruse.journal.seeking import Seeking
from pyruse.times import FOREVER

if TYPE_CHECKING:
    from systemd import journal

_FAULTS = 1000
"""Entries: so many that are damaged are gone past where something is looked for."""
_AHEAD = 500
"""Entries: where they are asked for one by one, what is done for many at once is done so often."""


class JournalReader(Seeking):
    """Gives the entries of an open journal, each valid until the next one is asked for."""

    def __init__(
        self,
        raw: journal.Reader,
        decoder: Decoder,
        *,
        until: int | None = None,
        groups: Sequence[Group] = (),
        follows: bool = False,
    ) -> None:
        """Read an open journal.

        :param until: the last instant to read, in microseconds since the epoch.
        :param groups: what entries have to meet; others are left out.
        :param follows: more is to come, such as the rest of a line.
        """
        super().__init__(raw, decoder, until, groups)
        self.reopen: Callable[[], journal.Reader]
        """Opens the same files once more; set by whoever knows them."""
        self._follows = follows
        self._last_us = 0
        """The instant of the entry that was given last, in microseconds since the epoch."""
        self._gave_up_at = -1
        """The number of entries after which files were opened once more, in vain if it stays so."""
        self.before: int | None = None
        """Entries from this instant on (µs since the epoch) are not given yet: files that begin
        there are not open."""
        self.damaged = 0
        """How many entries could not be read because a journal file is damaged."""
        self.whole_since: tuple[str, int] | None = None
        """Where the index was found to be damaged: the cursor behind which all entries are read,
        and how many were read at that time. To be taken out."""
        self.skipping: tuple[object, ...] = ()
        """Where the chains begin, and the engine's hour: entries of this hour that go nowhere, as
        far as is known, may be counted there instead of given (see `Hour`)."""
        self.no_later = FOREVER
        """Up to this instant, in microseconds since the epoch: what is later comes after entries of
        other machines."""
        self.given: list[str] = []
        """The cursors of the entries that were given, while entries may be written meanwhile.
        Whoever follows takes them out."""

    def end_at(self, time_us: int) -> None:
        """Give no entries of later instants: so there is an end, even while more is written."""
        self._leave()
        self._until, self._follows = time_us, False

    @property
    def leaves_out(self) -> bool:
        """Some entries are not given: by a match, by their values, or by their time."""
        return bool(self._values or self._groups or self._until)

    @property
    def skims(self) -> bool:
        """Entries are left out by their values (see `take_only`)."""
        return bool(self._values)

    def entries(self, limit: int) -> Iterator[Entry]:
        """The next entries, at most so many, until there is none (for now).

        They are more where a journal's index is found to be damaged: see `_skimmed`.
        """
        if self._values:
            return self._skimmed(limit)
        if (
            self.was_at_end or self._measures or not self._is_native or self.before is not None
            or self.split_lines.held or self._looks_split()
        ):  # fmt: skip
            return self._next_ones(limit)
        self._set_mark()
        entries: Iterator[Entry] = self._raw.entries(self, Entry, limit, *self.skipping)
        return entries

    def _go_on(self, limit: int, time_us: int, fault: int) -> Iterator[Entry]:
        """Go on where the native reader did not: at the end, and where a file is damaged.

        :param limit: so many entries are still to be given.
        :param time_us: the instant of the entry that was given last.
        :param fault: what libsystemd answered; 0: there was no next entry.
        """
        self._last_us = time_us
        self.is_bloated = self.is_bloated or self._raw.is_bloated
        if not fault or self._pass_over(OSError(fault, os.strerror(fault))):
            yield from self._all(limit)

    def _end(self, _limit: int, _time_us: int, _fault: int) -> Iterator[Entry]:
        """Go on where the native reader has come behind the last entry that is to be read."""
        return self._rest()

    def _next_ones(self, limit: int) -> Iterator[Entry]:
        self._set_mark()
        return self._all_with_overdue(limit) if self.split_lines.held else self._all(limit)

    def _all_with_overdue(self, limit: int) -> Iterator[Entry]:
        for entry in islice(self.split_lines.overdue(self._last_us), limit):
            yield entry
            limit -= 1
        yield from self._all(limit)

    def _all(self, limit: int) -> Iterator[Entry]:
        next_, realtime = self._raw._next, self._raw._get_realtime
        until = self._last_instant()
        time_us = self._last_us
        split = self._looks_split()
        careful, follows = split or self.was_at_end, self._follows
        while limit:
            skipped = 0
            for _ in range(limit):
                try:
                    if not next_():
                        self._last_us = time_us
                        if not self._has_let_go():
                            self.was_at_end = True
                            yield from self._rest()
                            return
                        next_, realtime = self._raw._next, self._raw._get_realtime
                        until = self._last_instant()
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
                    yield from self._beyond_end()
                    return
                if careful:
                    if follows:
                        self.given.append(self.cursor_at(time_us))
                    if split := split or self._looks_split():
                        known = self.split_lines.take(self, time_us)
                        if known is None:
                            skipped += 1
                        else:
                            yield Entry(time_us, self, known)
                        continue
                yield Entry(time_us, self)
            limit = skipped
        self._last_us = time_us

    def _last_instant(self) -> int | None:
        """The last instant to read now."""
        if self.before is None or (self._until is not None and self._until < self.before):
            return self._until
        return self.before - 1

    def _beyond_end(self) -> Iterator[Entry]:
        """The entry at hand is too late to be given."""
        if self.before is None:
            return self._rest()
        self.position -= 1  # it is given when more files are open
        self._raw._previous()
        return iter(())

    def _rest(self) -> Iterator[Entry]:
        """At the end: the lines that will not become whole."""
        is_last = not self._follows and self.before is None
        return self.split_lines.rest() if is_last else iter(())

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
        if self.time_us() == self._last_us:
            self._set_mark()
        else:
            self.astray_at = self.position
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
        self._reopen()
        if cursor is None:
            self._seek_start()
        elif not self._go_behind(mark := Position.of(cursor)):
            self._go_on_without(mark)

    def _reopen(self) -> None:
        with suppress(OSError):  # none of them can be opened any more
            self.replace(self.reopen())

    def _go_on_without(self, mark: Position) -> None:
        """Go where the first entry is behind a mark, the entry of which cannot be found any more.

        Others that were read before it may still be there: they are not given twice. They are gone
        past from the beginning on: where it seeks, libsystemd lets go a file that is damaged there.
        """
        self._reopen()  # one was let go as the mark was sought
        self._seek_start()
        number = self._number_before(mark)
        self._reopen()  # and one, it may be, at the end of what is there
        self._seek_start()
        for _ in range(number):
            with suppress(OSError):
                self._raw._next()

    def _number_before(self, mark: Position) -> int:
        """How many entries are there before a mark, from here on."""
        raw = self._raw
        number = faults = 0
        while faults < _FAULTS:
            try:
                if not raw._next() or not mark.is_behind(raw._get_cursor(), raw._get_realtime()):
                    break
            except OSError:
                faults += 1
            number += 1
        return number

    def _skimmed(self, limit: int) -> Iterator[Entry]:
        """The entries with the values of `take_only`, by the index of the journal.

        Where an entry in the index is damaged, libsystemd lets go the whole file without a word;
        all that is seen is that its files have become smaller. Then all entries since the mark are
        read without the index, but for those that it has given.
        """
        for entry in self._next_ones(limit):
            self._given.append(entry.time_us)
            yield entry
        if self._raw.get_usage() >= self._size:
            return
        given = Counter(self._given)
        self.index_is_damaged = True
        self._values = {}
        self._open_once_more()
        before, _ = self._mark
        self.whole_since = None if before is None else (before, self.position)
        read = 0
        while read < limit or given:
            entry_ = next(self._next_ones(1), None)
            if entry_ is None:
                return
            if self.whole_since is None:
                self.whole_since = self.cursor_at(entry_.time_us), self.position
            if given[entry_.time_us]:
                given[entry_.time_us] -= 1
            else:
                read += 1
                yield entry_
            given += Counter()  # without those that are zero

    def advance(self) -> Entry | None:
        """Go to the next entry; None: there is none (for now)."""
        entry = next(self._ahead, None)
        if entry is None:
            self._ahead = chain.from_iterable(self._batches())
            entry = next(self._ahead, None)
        if entry is not None and entry.time_us > self._last_us:
            self._last_us = entry.time_us
        return entry

    def following(self) -> Iterator[Entry]:
        """What gives the next entries, for whoever takes many; at its end, `advance` may have more.

        It is valid until another entry is sought.
        """
        return self._ahead

    def _batches(self) -> Iterator[Iterator[Entry]]:
        read = -1
        while self.position != read:  # more are there as long as some are read, or skipped
            read = self.position
            yield self.entries(_AHEAD)

    def _pass_over(self, fault: OSError) -> bool:
        """Skip a damaged entry.

        :return: False: stop reading.
        """
        if fault.errno not in DAMAGED:
            raise fault
        self.damaged += 1
        return self.damaged < 1000 or self.damaged < self.position
