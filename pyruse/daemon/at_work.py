"""Which entry is at work: so that one over which each process dies is stepped over.

An entry that takes all the memory, a page that cannot be read, an extension in C that crashes:
what ends the process at once ends the next one at the same entry, too, and would go on for ever.
So a file beside the state says whether a batch is at work. After such a death, entries are handled
one by one, as far as the batch may have gone, and the file says which one is at work. The entry
over which processes die again is stepped over, and that is told.

The file is not synchronised with the disk: it outlives the process, which is enough. A death
together with the machine (a power cut, a reset) is not counted, nor is any ordinary end.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from pyruse.entry.entry import Entry
from pyruse.journal.position import Position

_BOOT = Path("/proc/sys/kernel/random/boot_id")

_IDLE, _HANDLING, _KEEPING = b"-", b"h", b"k"
"""The first byte of the file: no batch is at work; its entries are being handled; what they led to
is being committed."""

_WHILE_HANDLED = 2
_WHILE_KEPT = 5
"""So many deaths at one entry are not by chance. Most of the time goes by while effects are
committed: it is then that a process dies that somebody kills."""


class Deaths(NamedTuple):
    """What the file says behind its first byte."""

    boot: str
    """During which boot of the machine it was written."""
    cursor: str = ""
    """Of the entry at work, where entries are handled one by one."""
    handling: int = 0
    """How many processes have died while it was handled …"""
    keeping: int = 0
    """… and while what it led to was committed."""


class SteppedOver(NamedTuple):
    """An entry that is not handled."""

    cursor: str
    time_us: int
    """Its instant, in microseconds since the epoch."""
    deaths: int
    """How many processes have died over it."""


class AtWork:
    """Notes what is at work, and knows which entry is to be stepped over."""

    def __init__(self, state: str) -> None:
        """Learn how the process before has ended.

        :param state: the path of the state; the file is beside it.
        """
        self._deaths = Deaths(_boot())
        self._alone = 0
        """So many entries are still handled one by one."""
        self._has_died = False
        self._file: int | None = None
        self._is_busy = False
        self._is_written = False
        """The file has what is known of deaths."""
        self.over: SteppedOver | None = None
        """The entry of the batch at hand that was stepped over."""
        with suppress(OSError):  # without it, all else works
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self._file = os.open(f"{state}.at-work", flags, 0o640)
            self._learn(os.pread(self._file, 4096, 0))

    def _learn(self, text: bytes) -> None:
        phase, line = text[:1], text[1:].partition(b"\n")[0]
        with suppress(msgspec.MsgspecError, UnicodeDecodeError):
            deaths = msgspec.json.decode(line, type=Deaths)
            if deaths.boot == self._deaths.boot:
                self._has_died = phase in (_HANDLING, _KEEPING)
                self._deaths = deaths._replace(
                    handling=deaths.handling + (phase == _HANDLING),
                    keeping=deaths.keeping + (phase == _KEEPING),
                )

    def begin(self, most: int) -> int:
        """A batch begins.

        :param most: so many entries it may have.
        :return: so many it is to have.
        """
        self.over = None
        if self._has_died:
            self._has_died = False
            self._alone = most
        if self._alone:
            return 1
        self._begin(Deaths(self._deaths.boot))
        return most

    def watched(self, entries: Iterable[Entry]) -> Iterable[Entry]:
        """The entries of the batch, but for the one that is stepped over."""
        return self._one_by_one(entries) if self._alone else entries

    def _one_by_one(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        self._alone -= 1
        for entry in entries:
            cursor = str(entry.get("__CURSOR", ""))
            deaths = self._deaths
            if not cursor or not Position(cursor, 0).is_at(deaths.cursor):
                deaths = Deaths(deaths.boot, cursor)
            if deaths.handling >= _WHILE_HANDLED or deaths.keeping >= _WHILE_KEPT:
                number = deaths.handling + deaths.keeping
                self.over = SteppedOver(cursor, entry.time_us, number)
                self._is_busy = True
                continue
            self._begin(deaths)
            yield entry

    def keep(self) -> None:
        """The entries are handled; what they led to is to be committed."""
        if self._is_busy:
            self._mark(_KEEPING)

    def end(self) -> None:
        """The batch is over, or the process ends as it should."""
        if self._is_busy:
            self._mark(_IDLE)
            self._is_busy = False

    def caught_up(self) -> None:
        """No more entries are there: the batch that was at work has been handled."""
        self._alone = 0

    def close(self) -> None:
        """Close the file; what it says stays."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _begin(self, deaths: Deaths) -> None:
        self._is_busy = True
        if deaths == self._deaths and self._is_written:
            self._mark(_HANDLING)
            return
        self._deaths = deaths
        line = _HANDLING + msgspec.json.encode(deaths) + b"\n"
        self._is_written = self._mark(line)

    def _mark(self, text: bytes) -> bool:
        if self._file is not None:
            with suppress(OSError):  # a full disk
                return os.pwrite(self._file, text, 0) == len(text)
        return False


def _boot() -> str:
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""
