"""One machine's journal: its files at this moment, and how far it is handled."""

from __future__ import annotations

import errno
import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from systemd import journal

from pyruse.entry.entry import Entry
from pyruse.journal.files import Header, JournalFile, header
from pyruse.journal.position import Gap, Position
from pyruse.journal.reader import JournalReader
from pyruse.system.descriptors import SHORT, require

_YOUNG_S = 10.0
"""Seconds: journald writes the header of a new file sooner than that."""
_OF_OTHERS = 10_000
"""Entries: after so many with other sequence numbers, it is no longer waited for the old ones."""
_DAY_US = 86_400_000_000
"""A file of another writer that ended so long before the position is wholly read."""

_LOOKS = 10
"""So often files may be rotated between a look and their opening."""
_OF_USERS = "user-"
"""How the names of files begin that journald writes for users: no other file is copied to them."""

Opened = Callable[[journal.Reader], JournalReader]


class _Missed(NamedTuple):
    """What was passed over, and is there all the same."""

    reader: JournalReader
    """Gives it, and what was given already."""
    given: Counter[int]
    """The instants of what was given already."""
    gap: Gap | None
    """What is known to be missing; None: nothing is known."""


class Machine:
    """Reads the files of one machine. Each is opened as long as something in it may be unread."""

    def __init__(
        self,
        name: str,
        opened: Opened,
        look: Callable[[], Sequence[JournalFile]],
        *,
        follows: bool = False,
    ) -> None:
        """Open nothing yet.

        :param opened: makes the reader of an open journal, which goes to its beginning.
        :param look: gives the files that there are now.
        :param follows: more is to come: a file without a header yet is no fault.
        """
        self.name = name
        self.position: Position | None = None
        self.faults: list[str] = []
        """Why files are left out: one line each."""
        self.reader: JournalReader
        self._opened = opened
        self._look = look
        self._follows = follows
        self._is_open = False
        self._files: Sequence[JournalFile] = ()
        self._open: set[tuple[int, int]] = set()
        """The files that are open, or cannot be opened, by their identity."""
        self._denied: set[tuple[int, int]] = set()
        """Those of them that this user may not read: not now."""
        self._read = 0
        """How many entries were read up to the position."""
        self._base: tuple[Position, int] | None = None
        """A position, and how many entries were read up to there: to see what was passed over."""
        self._seen: set[tuple[int, int]] = set()
        """The files that were there when files were opened last, by their identity."""
        self._missed: _Missed | None = None
        self.found = 0
        """How many entries were passed over, and given by `missed`."""
        self.lost: Gap | None = None
        """What `missed` did not find."""
        self.is_being_made = False
        """A file is there, but not its header yet: it is looked at again with the next notice."""
        self.may_be_gone = False
        """No file of it was found."""
        self.is_stale = False
        """Files have come or gone, or are wholly read: `renew` is to be called at the end."""

    def note(self, time_us: int) -> None:
        """The current entry is handled.

        :param time_us: its instant, in microseconds since the epoch.
        """
        reader = self.reader
        if self.position is not None and reader.position == self._read:
            return  # what was read was passed over before: it is behind the position
        if reader.has_parts:  # the entry at hand may be a part, and another one the last handled
            time_us = reader.time_us() or time_us
        self.position = Position(reader.cursor_at(time_us), time_us, reader.split_lines.cursors())
        self._read = self.reader.position

    @property
    def is_ahead(self) -> bool:
        """Entries were read since the position was noted."""
        return self.reader.position > self._read

    def take_only(self, values: Mapping[str, Collection[str]]) -> None:
        """Leave out the entries that have none of these values (see `JournalReader.take_only`)."""
        self._base = None
        self.reader.take_only(values)

    def go_back(self) -> None:
        """Have what comes after the last handled entry be read once more."""
        if self.position is None:
            self.reader.seek_start()
        else:
            self.reader.seek_after(self.position)

    def look_for_missed(self) -> Gap | None:
        """See whether libsystemd has passed over entries since the last call.

        It does so without a word, but sequence numbers rise by one from entry to entry. Where
        entries are left out, they do not tell; then, as elsewhere, new files do.

        Not all that it passes over is damaged. journald begins a file for each user, and others are
        written before we have opened it; and libsystemd may look into one file, before an entry
        is written to it, and into the next one after another entry is. So what was passed over is
        looked for once more, and given by `missed`; only the rest is told of.

        :return: what is lost, as far as it is known now.
        """
        if self._missed is not None or self.position is None:
            return None
        given, self.reader.given = self.reader.given, []
        base, self._base = self._base, (self.position, self._read)
        if base is None or self.faults or self.reader.leaves_out:
            # While it skims, new files were noticed, unless it has just come to the end.
            if base is None or (self.reader.skims and (self.is_stale or self.reader.was_at_end)):
                with suppress(OSError):
                    self._miss(self._look_into_new(self.position), (), None)
            return None
        if self._is_of_other_writer(*base):
            self._base, self.reader.given = base, given
            return None
        gap = self._passed_over(self.position, *base)
        if gap is None or not gap.damaged or not self._follows:
            return gap
        return self._look_for(gap, base, given)

    def _look_for(self, gap: Gap, base: tuple[Position, int], given: list[int]) -> Gap | None:
        """Look once more for what was passed over since a position.

        :param base: the position, and how many entries were read up to there.
        :param given: the instants of the entries since, as far as they are known.
        :return: what is lost, as far as it is known now.
        """
        assert self.position is not None
        try:
            if len(given) == self._read - base[1]:
                again = self._look_again(base[0], self.position)
            else:  # while it catches up, it is not noted what was given
                again, given = self._look_into_new(self.position), []
        except OSError as fault:
            if fault.errno in (*SHORT, errno.ENOENT):  # when there is room, or after a rotation
                self._base, self.reader.given = base, given
                return None
            again = None
        return None if self._miss(again, given, gap) else gap

    def _is_of_other_writer(self, before: Position, read_before: int) -> bool:
        """Whether the sequence numbers can be compared later, but not at this position.

        Those of a user's file go on as others do, but have an ID of their own.
        """
        is_other = self.position is not None and self.position.seqnum_id != before.seqnum_id
        return is_other and self._read - read_before < _OF_OTHERS

    def _passed_over(self, now: Position, before: Position, read_before: int) -> Gap | None:
        """What the sequence numbers say was passed over up to now, and was not removed before.

        :param before: how far all was read, and how many entries that were.
        """
        lost = now.seqnum - before.seqnum - (self._read - read_before)
        if lost <= 0 or now.seqnum_id != before.seqnum_id or not before.seqnum:
            return None
        # What was removed is behind the oldest entry that there is; damage is in the midst.
        was_removed = self._gap(before) is not None
        return Gap(self.name, before.time_us, now.time_us, lost, damaged=not was_removed)

    @property
    def has_missed(self) -> bool:
        """Something was passed over, and may be given by `missed`."""
        return self._missed is not None

    def missed(self) -> Iterator[Entry]:
        """What was passed over, as far as it is found: entries from before the position.

        They are to be handled before the position is kept, as the next run begins behind that.
        """
        if self._missed is None:
            return
        (reader, given, gap), self._missed = self._missed, None
        found = 0
        while entry := reader.advance():
            if given[entry.time_us]:
                given[entry.time_us] -= 1
                continue
            found += 1
            self.found += 1
            yield entry
        reader.close()
        rest = 0 if gap is None or gap.entries is None else gap.entries - found
        self.lost = gap._replace(entries=rest) if gap is not None and rest > 0 else None

    def _miss(self, again: JournalReader | None, given: Collection[int], gap: Gap | None) -> bool:
        """Have `missed` give what a reader has, but for what was given, if there is a reader."""
        if again is not None:
            self._missed = _Missed(again, Counter(given), gap)
        return again is not None

    def _look_again(self, before: Position, now: Position) -> JournalReader | None:
        """Give the entries between two positions once more, those given already included.

        :raises OSError: the files cannot be opened.
        """
        again = self._once_more(
            # Of a file that is just being made, nothing is between the two.
            [one for one in self._look() if header(one.path) is not None or not _is_young(one.path)]
        )
        again.end_at(now.time_us)
        if again.seek_after(before):
            return again
        again.close()
        return None

    def _look_into_new(self, now: Position) -> JournalReader | None:
        """Give the entries up to a position of the files that have come since files were opened.

        Nothing of them was given. A file to which others are copied (``journalctl --flush``) is
        none of them: it is not of a user, and its sequence numbers are its own, or higher ones.

        :raises OSError: the files cannot be opened.
        """
        new = [
            file
            for file in (self._look() if self._follows else ())
            if file.identity not in self._seen
            and (said := header(file.path)) is not None
            and said.entries
            and said.head_at <= now.time_us
            and (_is_of_a_user(file.path) or _has_before(now, said))
        ]
        if not new:
            return None
        again = self._once_more(new)
        again.end_at(now.time_us)
        again.seek_head()
        self._seen |= {file.identity for file in new}
        self.is_stale = True
        return again

    def _once_more(self, files: Sequence[JournalFile]) -> JournalReader:
        return self._opened(journal.Reader(files=[file.path for file in files]))

    def offer(self, files: Sequence[JournalFile]) -> None:
        """Say which files there are now; they are opened once those before are read."""
        identities = {file.identity for file in files}
        self.is_stale = self._is_open and not (
            self._open <= identities
            and not any(
                file.identity in self._denied and os.access(file.path, os.R_OK) for file in files
            )
            and not any(
                file.identity not in self._open and self._may_have_more(file, header(file.path))
                for file in files
            )
        )

    @property
    def is_gone(self) -> bool:
        """None of its files is there any more; what cannot be looked at may be."""
        return all(_is_gone(file.path) for file in self._files)

    def begin_at_tail(self) -> None:
        """Go behind the newest entry: everything before counts as handled."""
        self.reader.seek_tail()
        if (time_us := self.reader.time_us()) is not None:
            self.note(time_us)

    def renew(self) -> Gap | None:
        """Open the files that may have something unread, and go on behind the position.

        :return: what was removed unread.
        :raises OSError: none of them can be opened, or no descriptor is left: then those that were
            open before still are.
        """
        self.is_stale = True  # until it has succeeded
        gap = self.look_for_missed() if self._is_open else None
        raw = self._raw()
        self.is_stale = False
        if not self._is_open:
            self.reader, self._is_open = self._opened(raw), True
            self.reader.reopen = self._raw
            return None
        self.reader.replace(raw)
        if self.position is None:
            self.reader.seek_start()
            return gap
        return self.resume(self.position) or gap

    def resume(self, position: Position) -> Gap | None:
        """Go behind a position.

        :return: what was removed unread since.
        """
        self.position = position
        self.reader.given = []
        found = self.reader.seek_after(position)
        self._read = self.reader.position
        self._base = (position, self._read) if found else None
        if found or position.cursor.startswith("t="):
            return None  # "t=…": nothing more than a time was known, as a file could not be read
        return self._gap(position)

    def _gap(self, position: Position) -> Gap | None:
        headers = [one for file in self._files if (one := header(file.path)) is not None]
        same = [one for one in headers if one.entries and one.seqnum_id == position.seqnum_id]
        first = min(same, key=lambda one: one.head_seqnum, default=None)
        if first is not None:
            lost = first.head_seqnum - position.seqnum - 1
            if lost <= 0:
                return None  # all that came after it is there; it is gone itself
            return Gap(self.name, position.time_us, first.head_at, lost)
        return Gap(self.name, position.time_us, self.reader.next_time(position.time_us), None)

    def _raw(self) -> journal.Reader:
        """An open journal of the files that may have something unread.

        They are looked for anew: a file that was rotated meanwhile has another name. That may also
        happen right after the look.
        """
        for _ in range(_LOOKS):
            with suppress(FileNotFoundError):
                return self._all_or_sound(is_last=False)
        return self._all_or_sound(is_last=True)

    def _all_or_sound(self, *, is_last: bool) -> journal.Reader:
        """See `_raw`.

        :raises FileNotFoundError: a file was gone when it was opened, and this was no last look.
        """
        self._files = self._look()
        chosen = [
            file for file in self._files if self._may_have_more(file, header(file.path))
        ] or list(self._files)
        self.faults, self.is_being_made = [], False
        require(len(chosen) - len(self._open))
        try:
            raw = journal.Reader(files=[file.path for file in chosen])
            self._open, self._denied = {file.identity for file in chosen}, set()
        except OSError as fault:
            if fault.errno in SHORT or (fault.errno == errno.ENOENT and not is_last):
                raise
            raw = self._sound(chosen, fault, is_last=is_last)
        left_out = {file.identity for file in self._files} - {file.identity for file in chosen}
        self._seen = self._open | left_out
        return raw

    def _sound(
        self, files: Sequence[JournalFile], fault: OSError, *, is_last: bool
    ) -> journal.Reader:
        """Leave out the files that cannot be opened, and say which."""
        sound, known, denied = [], set(), set()
        for file in files:
            try:
                journal.Reader(files=[file.path]).close()
                sound.append(file.path)
            except OSError as why:
                if why.errno == errno.ENOENT and not is_last:
                    raise
                if self._follows and header(file.path) is None and _is_young(file.path):
                    self.is_being_made = True  # journald writes its header just now
                    continue
                self.faults.append(f"{file.path}: cannot be read: {why.strerror}")
                if why.errno in (errno.EACCES, errno.EPERM):
                    denied.add(file.identity)
            known.add(file.identity)
        if not sound:
            raise fault
        self._open, self._denied = known, denied
        return journal.Reader(files=sound)

    def _may_have_more(self, file: JournalFile, said: Header | None) -> bool:
        """Whether something in a file may be unread: a file that is complete may be skipped."""
        if self.position is None or not file.archived or said is None:
            return True
        if said.seqnum_id == self.position.seqnum_id:
            return said.tail_seqnum >= self.position.seqnum
        return said.tail_at >= self.position.time_us - _DAY_US


def _has_before(now: Position, said: Header) -> bool:
    """Whether a file has entries from before a position, by its sequence numbers."""
    return said.seqnum_id == now.seqnum_id and said.head_seqnum <= now.seqnum


def _is_of_a_user(path: str) -> bool:
    return os.path.basename(path).startswith(_OF_USERS)


def _is_gone(path: str) -> bool:
    try:
        os.stat(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def _is_young(path: str) -> bool:
    """Whether a file was written to within the last seconds."""
    try:
        return time.time() - os.stat(path).st_mtime < _YOUNG_S
    except OSError:
        return False
