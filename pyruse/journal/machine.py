"""One machine's journal: its files at this moment, and how far it is handled."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from pyruse.journal.files import Header, JournalFile, header
from pyruse.journal.passed_over import Opened, PassedOver, is_being_made
from pyruse.journal.position import Gap, Position
from pyruse.journal.raw import open_files
from pyruse.journal.reader import JournalReader
from pyruse.journal.stages import Stages, holds
from pyruse.system.descriptors import SHORT, require, room

if TYPE_CHECKING:
    from systemd import journal

_DAY_US = 86_400_000_000
"""A file of another writer that ended so long before the position is wholly read."""

_LOOKS = 10
"""So often files may be rotated between a look and their opening."""


class Machine:
    """Reads the files of one machine. Each is opened as long as something in it may be unread."""

    def __init__(
        self,
        name: str,
        opened: Opened,
        look: Callable[[], Sequence[JournalFile]],
        *,
        follows: bool = False,
        in_stages: bool = True,
    ) -> None:
        """Open nothing yet.

        :param opened: makes the reader of an open journal, which goes to its beginning.
        :param look: gives the files that there are now.
        :param follows: more is to come: a file without a header yet is no fault.
        :param in_stages: its files need not all be open at once: it is read from one end to the
            other.
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
        self.passed = PassedOver(name, opened, look, follows=follows)
        """What libsystemd passes over."""
        self._in_stages = in_stages
        self._stages = Stages()
        """For when not all of its files can be open."""
        self.is_being_made = False
        """A file is there, but not its header yet: it is looked at again some moments later."""
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
        is_astray = reader.astray_at == reader.position
        cursor = f"t={time_us:x}" if is_astray else reader.cursor_at(time_us)
        self.position = Position(cursor, time_us, reader.split_lines.cursors())
        self._read = self.reader.position

    @property
    def is_ahead(self) -> bool:
        """Entries were read since the position was noted."""
        return self.reader.position > self._read

    def take_only(self, values: Mapping[str, Collection[str]]) -> None:
        """Leave out the entries that have none of these values (see `JournalReader.take_only`)."""
        self.passed.forget()
        self.reader.take_only(values)

    def go_back(self) -> None:
        """Have what comes after the last handled entry be read once more."""
        if self.position is None:
            self.reader.seek_start()
        else:
            self.reader.seek_after(self.position)

    def look_for_missed(self) -> Gap | None:
        """See whether libsystemd has passed over entries since the last call.

        :return: what is lost, as far as it is known now; what is not is given by `missed`.
        """
        if self.position is None:
            return None
        gap = self.passed.look_for(
            self.position, self._read, self.reader, stale=self.is_stale, sound=not self.faults
        )
        self.is_stale = self.is_stale or self.passed.has_new_files
        return gap

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

    @property
    def holds_back(self) -> bool:
        """Not all of its files can be open: the next ones follow with `next_stage`."""
        return self._stages.now is not None

    def next_stage(self) -> None:
        """Have what was read to its end be closed with the next `renew`, so that more is open."""
        self._stages.end(self._with_headers())

    def span(self) -> tuple[int, int] | None:
        """The instants of the first and the last entry, µs since the epoch; None: no entry."""
        if not self.holds_back:
            return self.reader.span()
        headers = [said for _, said in self._with_headers() if said is not None and said.entries]
        if not headers:
            return None
        return min(one.head_at for one in headers), max(one.tail_at for one in headers)

    def _with_headers(self) -> list[tuple[JournalFile, Header | None]]:
        return [(file, header(file.path)) for file in self._files]

    def begin_at_tail(self) -> None:
        """Go behind the newest entry: everything before counts as handled."""
        if self.holds_back:
            self._stages.leave_out(self._with_headers())
            with suppress(OSError):  # too many at once: what is open is begun with
                self.renew()
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
            self.reader.before = self._stages.before
            return None
        self.reader.replace(raw)
        if self.position is None:
            self.reader.seek_start()
            return gap
        return self._go_behind(self.position) or gap

    def resume(self, position: Position) -> Gap | None:
        """Go behind a position.

        :return: what was removed unread since.
        """
        self.position = position
        gap = self._go_behind(position)
        self.passed.begin(position, self._read)
        return gap

    def _go_behind(self, position: Position) -> Gap | None:
        found = self.reader.seek_after(position)
        if found:
            if self.reader.position != self._read:  # what was ahead is read once more
                self.passed.begin(position, self.reader.position)
        else:
            self.passed.forget()
        self._read = self.reader.position
        self.reader.given = []
        if found or position.cursor.startswith("t="):
            return None  # "t=…": nothing more than a time was known, as a file could not be read
        gap = self.passed.removed(position, self._files)
        if gap is None or gap.until is not None:
            return gap
        return gap._replace(until=self.reader.next_time(position.time_us))

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
        self._stages.now = None
        try:
            require(len(chosen) - len(self._open))
        except OSError:
            if (stage := self._stage(chosen)) is None:
                raise
            chosen = stage
        try:
            raw = open_files([file.path for file in chosen])
            self._open, self._denied = {file.identity for file in chosen}, set()
        except OSError as fault:
            if fault.errno in SHORT or (fault.errno == errno.ENOENT and not is_last):
                raise
            raw = self._sound(chosen, fault, is_last=is_last)
        if self._is_open:
            self.reader.before = self._stages.before
        left_out = {file.identity for file in self._files} - {file.identity for file in chosen}
        self.passed.opens(self._open | left_out, self.position)
        return raw

    def _stage(self, files: Sequence[JournalFile]) -> list[JournalFile] | None:
        """Those of too many files that are read first; None: too few descriptors for any."""
        most = (len(self._open) + room()) // 2  # for a moment, those before are open, too
        known = [(file, header(file.path)) for file in files]
        if not self._in_stages or not self._stages.choose(known, most, self.position):
            return None
        assert self._stages.now is not None
        return self._stages.now.files

    def _sound(
        self, files: Sequence[JournalFile], fault: OSError, *, is_last: bool
    ) -> journal.Reader:
        """Leave out the files that cannot be opened, and say which."""
        sound, known, denied = [], set(), set()
        for file in files:
            try:
                open_files([file.path]).close()
                sound.append(file.path)
            except OSError as why:
                if why.errno == errno.ENOENT and not is_last:
                    raise
                if self._follows and is_being_made(file.path, why):
                    self.is_being_made = True
                    continue
                self.faults.append(f"{file.path}: cannot be read: {why.strerror}")
                if why.errno in (errno.EACCES, errno.EPERM):
                    denied.add(file.identity)
            known.add(file.identity)
        if not sound:
            raise fault
        self._open, self._denied = known, denied
        return open_files(sound)

    def _may_have_more(self, file: JournalFile, said: Header | None) -> bool:
        """Whether something in a file may be unread: a file that is complete may be skipped."""
        if self._stages.is_read(file, said) and not holds(said, self.position):
            return False
        if self.position is None or not file.archived or said is None:
            return True
        if said.seqnum_id == self.position.seqnum_id:
            return said.tail_seqnum >= self.position.seqnum
        return said.tail_at >= self.position.time_us - _DAY_US


def _is_gone(path: str) -> bool:
    try:
        os.stat(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False
