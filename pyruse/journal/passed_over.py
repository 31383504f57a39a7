"""Entries that libsystemd has passed over without a word: they are looked for once more.

Not all that it passes over is damaged. journald begins a file for each user, and others are written
before we have opened it; and libsystemd may look into one file, before an entry is written to it,
and into the next one after another entry is. So what was passed over is looked for once more; only
the rest is told of.
"""

from __future__ import annotations

import errno
import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from pyruse.entry.entry import Entry
from pyruse.journal.files import Header, JournalFile, header
from pyruse.journal.position import Content, Gap, Position, content
from pyruse.journal.raw import open_files
from pyruse.journal.reader import JournalReader
from pyruse.system.descriptors import SHORT

if TYPE_CHECKING:
    from systemd import journal

Opened = Callable[["journal.Reader"], JournalReader]

_YOUNG_S = 10.0
"""Seconds: journald writes the header of a new file sooner than that."""
_OF_OTHERS = 1_000
"""Entries: after so many with other sequence numbers, it is no longer waited for the old ones."""
_LOOKS = 10
"""So often files may be rotated between a look and their opening."""
_OF_USERS = "user-"
"""How the names of files begin that journald writes for users: no other file is copied to them."""


class _Mark(Struct, frozen=True):
    """An entry up to which everything was read."""

    position: Position
    read: int
    """How many entries were read up to there."""


class _Missed(NamedTuple):
    """What was passed over, and is there all the same."""

    reader: JournalReader
    """Gives it, and what was given already."""
    given: Counter[Content]
    """What was given already."""
    gap: Gap | None
    """What is known to be missing; None: nothing is known."""


class PassedOver:
    """Notices what a machine's reader has passed over, and gives it all the same."""

    def __init__(
        self,
        name: str,
        opened: Opened,
        look: Callable[[], Sequence[JournalFile]],
        *,
        follows: bool,
    ) -> None:
        """Notice nothing yet.

        :param name: the machine's.
        :param opened: makes the reader of an open journal.
        :param look: gives the files that there are now.
        :param follows: entries are written while others are read.
        """
        self.found = 0
        """How many entries were passed over, and given by `entries`."""
        self.lost: Gap | None = None
        """What `entries` did not find."""
        self.is_due = False
        """No descriptor was left to look: it is to be tried again."""
        self.has_new_files = False
        """`entries` gives what new files have, which are to be opened."""
        self._name = name
        self._opened = opened
        self._look = look
        self._follows = follows
        self._marks: dict[str, _Mark] = {}
        """The last entry that was read with the sequence numbers of each writer. journald numbers
        the entries of users' files as all others, but the numbers have an ID of their own there."""
        self._given: list[str] = []
        """The cursors of the entries that were given last …"""
        self._given_since = 0
        """… since so many entries were read."""
        self._seen: set[tuple[int, int]] = set()
        """The files that were there when files were opened last, by their identity."""
        self._seen_at = 0
        """The position at that time: its instant, in µs since the epoch."""
        self._looked_at = 0
        """The position up to which was looked since then, in all files: its instant."""
        self._missed: _Missed | None = None

    def begin(self, position: Position, read: int) -> None:
        """Take everything up to a position as read.

        :param position: the last entry that counts as read.
        :param read: how many entries were read up to there.
        """
        self._marks = {position.seqnum_id: _Mark(position, read)}
        self._given, self._given_since = [], read

    def forget(self) -> None:
        """Take nothing as read: where entries are left out, sequence numbers do not tell."""
        self._marks.clear()

    def opens(self, files: Collection[tuple[int, int]], position: Position | None) -> None:
        """Note which files are there as files are opened, and how far was read."""
        self._seen = set(files)
        self._seen_at = 0 if position is None else position.time_us
        self._looked_at = 0

    @property
    def is_waiting(self) -> bool:
        """Something was passed over, and may be given by `entries`."""
        return self._missed is not None

    def look_for(
        self, position: Position, read: int, reader: JournalReader, *, stale: bool, sound: bool
    ) -> Gap | None:
        """See whether entries were passed over since the last call.

        Sequence numbers rise by one from entry to entry. Where entries are left out, they do not
        tell; then, as elsewhere, new files do.

        :param position: the last entry that was read.
        :param read: how many entries were read up to there.
        :param reader: gave them.
        :param stale: other files are there than those that are open.
        :param sound: all files can be opened.
        :return: what is lost, as far as it is known now.
        """
        if self._missed is not None:
            return None
        self.is_due = self.has_new_files = False
        if reader.whole_since is not None:  # what the index gave before is counted twice
            (cursor, read_before), reader.whole_since = reader.whole_since, None
            self.begin(Position.of(cursor), read_before)
        self._take_given(reader, read)
        before = self._marks, self._given, self._given_since
        gap = self._look_from(position, read, reader, stale=stale, sound=sound)
        if self.is_due:
            self._marks, self._given, self._given_since = before
        return gap

    def _look_from(
        self, position: Position, read: int, reader: JournalReader, *, stale: bool, sound: bool
    ) -> Gap | None:
        marks = self._marks
        if not marks or not sound or reader.leaves_out:
            self.begin(position, read)
            # While it skims, new files were noticed, unless it has just come to the end.
            if not marks or stale or (reader.skims and reader.was_at_end):
                self._find(lambda: self._look_into_new(position), (), None)
            return None
        mark = marks.get(position.seqnum_id) or max(marks.values(), key=lambda one: one.read)
        gap = self._between(position, read, mark)
        is_known = position.seqnum_id in marks
        if gap is None or not self._follows or (is_known and not gap.damaged):
            self._note(position, read)
            if stale:
                self._find(lambda: self._look_into_new(position), (), None)
            return gap if is_known else None
        given = self._given_after(mark)
        self.begin(position, read)
        told = gap if is_known else None  # the numbers of another writer say nothing for sure
        if given is None:  # while it catches up, it is not noted what was given
            looked = self._find(lambda: self._look_into_new(position), (), told)
        else:
            looked = self._find(lambda: self._look_again(mark.position, position), given, told)
        return None if looked else told

    def _take_given(self, reader: JournalReader, read: int) -> None:
        """Take over which entries the reader has given, as far as it has noted it for all."""
        number = max(0, len(reader.given) - (reader.position - read))  # the rest is ahead
        self._given = [*self._given, *reader.given[:number]]
        reader.given = reader.given[number:]
        if len(self._given) != read - self._given_since:
            self._given, self._given_since = [], read

    def _given_after(self, mark: _Mark) -> list[str] | None:
        """The cursors of the entries that were given after a mark; None: they were not noted."""
        if mark.read < self._given_since:
            return None
        return self._given[mark.read - self._given_since :]

    def _note(self, position: Position, read: int) -> None:
        """Have an entry be the last one of its writer; those of long ago are no longer of use."""
        self._marks = {
            **{name: mark for name, mark in self._marks.items() if read - mark.read < _OF_OTHERS},
            position.seqnum_id: _Mark(position, read),
        }
        oldest = min(mark.read for mark in self._marks.values())
        if oldest > self._given_since:
            self._given = self._given[oldest - self._given_since :]
            self._given_since = oldest

    def _between(self, now: Position, read: int, mark: _Mark) -> Gap | None:
        """What the sequence numbers say was passed over up to now, and was not removed before."""
        before = mark.position
        lost = now.seqnum - before.seqnum - (read - mark.read)
        if lost <= 0 or not before.seqnum:
            return None
        # What was removed is behind the oldest entry that there is; damage is in the midst.
        was_removed = self.removed(before, self._look()) is not None
        return Gap(self._name, before.time_us, now.time_us, lost, damaged=not was_removed)

    def removed(self, position: Position, files: Sequence[JournalFile]) -> Gap | None:
        """What the headers of files say was removed behind a position."""
        headers = [one for file in files if (one := header(file.path)) is not None]
        same = [one for one in headers if one.entries and one.seqnum_id == position.seqnum_id]
        first = min(same, key=lambda one: one.head_seqnum, default=None)
        if first is None:
            return Gap(self._name, position.time_us, None, None)
        lost = first.head_seqnum - position.seqnum - 1
        if lost <= 0:
            return None  # all that came after it is there; it is gone itself
        return Gap(self._name, position.time_us, first.head_at, lost)

    def _find(
        self,
        look: Callable[[], JournalReader | None],
        given: Collection[str],
        gap: Gap | None,
    ) -> bool:
        """Have `entries` give what a look finds, but for what was given.

        :return: False: nothing was found to look at.
        """
        again = None
        for _ in range(_LOOKS):
            try:
                again = look()
                break
            except OSError as fault:
                if fault.errno in SHORT:
                    self.is_due = True
                    return True
                if fault.errno != errno.ENOENT:  # else a rotation: it has another name by now
                    break
        if again is None:
            return False
        self._missed = _Missed(again, Counter(map(content, given)), gap)
        return True

    def _look_again(self, before: Position, now: Position) -> JournalReader | None:
        """Give the entries between two positions once more, those given already included.

        :raises OSError: the files cannot be opened.
        """
        again = self._once_more(self._look())
        again.end_at(now.time_us)
        if again.seek_after(before):
            self._looked_at = now.time_us
            return again
        again.close()
        return None

    def _look_into_new(self, now: Position) -> JournalReader | None:
        """Give the entries up to a position of the files that have come since files were opened.

        Nothing of them was given, but up to where it was looked since. A file to which others are
        copied (``journalctl --flush``) is none of them: it is not of a user, and its sequence
        numbers are its own, or higher ones.

        :raises OSError: the files cannot be opened.
        """
        new = [
            file
            for file in (self._look() if self._follows else ())
            if file.identity not in self._seen
            and (said := header(file.path)) is not None
            and said.entries
            and said.head_at <= now.time_us
            and said.tail_at > self._looked_at
            and (self._has_begun(file, said) or _has_before(now, said))
        ]
        if not new:
            return None
        again = self._once_more(new)
        again.end_at(now.time_us)
        again.seek_since(self._looked_at + 1)
        self._looked_at = now.time_us
        self.has_new_files = True
        return again

    def _has_begun(self, file: JournalFile, said: Header) -> bool:
        """Whether a user's file has begun since files were opened: it was not put there."""
        name = os.path.basename(file.path)
        return name.startswith(_OF_USERS) and said.head_at >= self._seen_at

    def _once_more(self, files: Sequence[JournalFile]) -> JournalReader:
        """Open files, but for those that are just being made: nothing was passed over in them."""
        paths = [file.path for file in files]
        if not paths:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        try:
            return self._opened(open_files(paths))
        except OSError as fault:
            if fault.errno in SHORT:
                raise
        made, last = [], None
        for path in paths:
            try:
                open_files([path]).close()
                made.append(path)
            except OSError as fault:
                if not is_being_made(path, fault):
                    raise
                last = fault
        if last is not None and not made:
            raise last
        return self._opened(open_files(made))

    def entries(self) -> Iterator[Entry]:
        """What was passed over, as far as it is found: entries from before the position.

        They are to be handled before the position is kept, as the next run begins behind that.
        """
        if self._missed is None:
            return
        (reader, given, gap), self._missed = self._missed, None
        found = 0
        while entry := reader.advance():
            cursor = content(reader.cursor_at(entry.time_us))
            known = next((one for one in (cursor, cursor.time_alone()) if given[one]), None)
            if known is not None:
                given[known] -= 1
                continue
            found += 1
            self.found += 1
            yield entry
        reader.close()
        rest = 0 if gap is None or gap.entries is None else gap.entries - found
        self.lost = gap._replace(entries=rest) if gap is not None and rest > 0 else None


def _has_before(now: Position, said: Header) -> bool:
    """Whether a file has entries from before a position, by its sequence numbers."""
    return said.seqnum_id == now.seqnum_id and said.head_seqnum <= now.seqnum


def is_being_made(path: str, why: OSError) -> bool:
    """Whether a file cannot be opened as journald is just writing its header.

    :param path: of the file.
    :param why: what was answered to who tried; it may be possible by now.
    """
    try:
        is_young = time.time() - os.stat(path).st_mtime < _YOUNG_S
    except OSError:
        return False
    return is_young and (why.errno == errno.ENODATA or header(path) is None)
