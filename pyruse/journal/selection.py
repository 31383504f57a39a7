"""Which journal is read, and which part of it."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from systemd import id128

from pyruse.config.settings import JournalSettings
from pyruse.entry.decoding import Decoder
from pyruse.errors import UserError, did_you_mean
from pyruse.journal.journal import Journal
from pyruse.journal.machine import Machine
from pyruse.journal.matches import Group, of_units
from pyruse.journal.reader import JournalReader
from pyruse.journal.shortage import TOO_FEW
from pyruse.journal.whereabouts import Whereabouts
from pyruse.system.bus_errors import bus_errors
from pyruse.system.descriptors import SHORT, raise_limit

if TYPE_CHECKING:
    from systemd import journal


class JournalError(UserError):
    """The journal cannot be read."""


class Selection(Struct):
    """A journal, and the span of it to read, as journalctl's options choose them."""

    directory: Path | None = None
    files: list[Path] = field(default_factory=list)
    namespaces: list[str] = field(default_factory=list)
    """Of this machine; ``*``: all of them; none: the default one."""
    since: int | None = None
    """The first instant, in microseconds since the epoch."""
    until: int | None = None
    """The last instant."""
    boot: str | None = None
    """A boot's ID in 32 hexadecimal digits, or an offset such as ``0`` or ``-1``; None: all."""
    units: list[str] = field(default_factory=list)
    """Entries of units, and about them, only: names, or shell patterns; none: all."""
    groups: list[Group] = field(default_factory=list)
    """What entries have to meet (see `pyruse.journal.matches`)."""
    grep: re.Pattern[str] | None = None
    """What messages have to hold."""
    last: int | None = None
    """So many of the newest entries only, of those that are selected otherwise."""
    opened: list[Journal] = field(default_factory=list)
    """What `open` has given, also of selections that are made of this one by `replace`."""

    @property
    def is_short(self) -> bool:
        """Not all was read of what was opened: there are too few file descriptors."""
        return any(journal.short for journal in self.opened)

    @classmethod
    def of(cls, settings: JournalSettings) -> Selection:
        """The journal that the configuration chooses."""
        namespaces = [*([settings.namespace] if settings.namespace else []), *settings.namespaces]
        return cls(settings.directory, list(settings.files), namespaces)

    @property
    def described(self) -> str:
        """The journal's name in messages."""
        if self.files:
            return ", ".join(map(str, self.files))
        if self.directory is not None:
            return str(self.directory)
        if self.namespaces:
            return f"journal namespace {', '.join(self.namespaces)}"
        return "this machine's journal"

    @property
    def whereabouts(self) -> Whereabouts:
        """Where the files are."""
        return Whereabouts(self.directory, self.files, self.namespaces)

    def sources(self) -> set[str]:
        """What is followed, in words that stay the same: folders, files, namespaces."""
        if self.files or self.directory is not None:
            return {self.described}
        return {f"namespace {name}" for name in self.namespaces or [""]}

    def source_of(self, machine: str) -> str:
        """Which of the sources a machine is from."""
        if self.files or self.directory is not None:
            return self.described
        namespace = machine.partition(".")[2]
        return f"namespace {'*' if '*' in self.namespaces else namespace}"

    def open(self, decoder: Decoder, *, follow: bool = False, to_seek: bool = False) -> Journal:
        """Open the journal, at its first selected entry.

        :param decoder: makes values of the journal's bytes.
        :param follow: watch for entries, files and folders that are added.
        :param to_seek: entries are looked for, and not read from one end to the other: all files
            are open at once.
        :raises JournalError: the journal cannot be read; the text says who may, and how.
        """
        bus_errors()
        raise_limit()
        self._look(missing_is_fault=not follow)
        whereabouts = self.whereabouts
        groups = self._groups(whereabouts)

        def opened(raw: journal.Reader) -> JournalReader:
            reader = JournalReader(raw, decoder, until=self.until, groups=groups, follows=follow)
            reader.take_only({})
            if self.since is None:
                reader.seek_head()
            else:
                reader.seek_since(self.since)
            return reader

        def made(name: str) -> Machine:
            look = partial(whereabouts.files_of, name)
            in_stages = self.last is None and not to_seek
            return Machine(name, opened, look, follows=follow, in_stages=in_stages)

        found = Journal(whereabouts, made, follow=follow)
        self.opened.append(found)
        if found.broken and not found.machines and not follow:
            raise JournalError(self._explained(next(iter(found.broken.values()))))
        found.grep = self.grep
        if self.last is not None:
            found.take_last(self.last, self.since or 0)
        return found

    def _groups(self, whereabouts: Whereabouts) -> list[Group]:
        """What entries have to meet, as libsystemd is told.

        :raises JournalError: there is no such boot, or no such unit.
        """
        groups = list(self.groups)
        if self.units:
            try:
                groups.insert(0, of_units(self.units, self.values_of))
            except ValueError as fault:
                raise JournalError(f"{self.described}: {fault}") from None
        if self.boot is not None:
            groups.insert(0, ((f"_BOOT_ID={self._boot_id(whereabouts, self.boot)}",),))
        return groups

    def span(self, decoder: Decoder) -> tuple[int, int] | None:
        """The first and the last instant that is selected, µs since the epoch; None: no entry.

        It is not known beforehand what a pattern or a number of entries selects.

        :raises JournalError: it cannot be read.
        """
        if self.grep is not None or self.last is not None:
            return None
        reader = self.open(decoder)
        try:
            span = reader.span()
        finally:
            reader.close()
        if span is None:
            return None
        return max(span[0], self.since or 0), min(span[1], self.until or span[1])

    def values_of(self, field: str) -> set[str]:
        """The values that a field has in these journals, by their indexes: no entry is read.

        :param field: such as ``SYSLOG_IDENTIFIER``.
        :raises JournalError: the journal cannot be read.
        """
        self._look(missing_is_fault=False)
        values: set[str] = set()
        for raw in _each(self.whereabouts):
            values |= {str(value) for value in raw.query_unique(field)}
        return values

    def fields(self) -> set[str]:
        """The names of the fields that entries in these journals have: no entry is read.

        :raises JournalError: the journal cannot be read.
        """
        self._look(missing_is_fault=False)
        names: set[str] = set()
        for raw in _each(self.whereabouts):
            names |= set(raw.enumerate_fields())
        return names

    def _look(self, *, missing_is_fault: bool) -> None:
        """See first what libsystemd would call an input/output error, or silently leave out."""
        if self.directory is not None:
            self._look_into(self.directory, missing_is_fault)
        for file in self.files:
            if not _is(stat.S_ISREG, file):
                if missing_is_fault or file.exists():
                    raise JournalError(f"{file}: no such file (expected a journal file)")
            elif not os.access(file, os.R_OK):
                raise JournalError(f"{file}: {_WHO_MAY}")
        if not self.files and self.directory is None:
            if not _may_read_system_journal():
                raise JournalError(f"{self.described}: {_WHO_MAY}")
            whereabouts = self.whereabouts
            if missing_is_fault and self.namespaces and not whereabouts.has_namespaces():
                raise JournalError(self._no_namespace(whereabouts.namespaces_here()))

    def _no_namespace(self, known: list[str]) -> str:
        names = ", ".join(self.namespaces)
        if not known:
            return (
                f"journal namespace {names}: this machine has none (expected no --namespace, and "
                "no namespace in [journal])"
            )
        near = did_you_mean(names, known)
        return (
            f"journal namespace {names}: there is none of this name (expected one of: "
            f'{", ".join(known)}; or "*", which is all of them{near})'
        )

    def _look_into(self, folder: Path, missing_is_fault: bool) -> None:
        if not _is(stat.S_ISDIR, folder):
            if not missing_is_fault and not folder.exists():
                return
            raise JournalError(f"{folder}: no such folder (expected a folder with *.journal files)")
        if not os.access(folder, os.R_OK | os.X_OK):
            raise JournalError(f"{folder}: {_WHO_MAY}")
        # As sd_journal_open_directory(3) does it: also one level down, in folders of machines.
        for pattern in ("*.journal", "*.journal~", "*/*.journal", "*/*.journal~"):
            for file in folder.glob(pattern):
                if not os.access(file, os.R_OK):
                    raise JournalError(f"{file}: {_WHO_MAY}")

    def _explained(self, fault: OSError) -> str:
        if fault.errno in SHORT:
            return f"{self.described}: {TOO_FEW}"
        if fault.errno in (errno.EACCES, errno.EPERM):
            return f"{self.described}: {_WHO_MAY}"
        if fault.errno in (errno.EBADMSG, errno.ENODATA, errno.EINVAL, errno.EIO):
            return (
                f"{self.described}: no readable journal file ({fault.strerror}) (expected files "
                "that `journalctl --verify` accepts)"
            )
        if fault.errno in (errno.EPROTONOSUPPORT, errno.EOPNOTSUPP):
            return (
                f"{self.described}: written by a newer systemd than this machine's "
                "(expected a journal that `journalctl --file` here can read)"
            )
        return f"{self.described}: cannot be opened: {fault.strerror} (expected a journal)"

    def _boot_id(self, whereabouts: Whereabouts, boot: str) -> str:
        """The ID of a boot.

        :raises JournalError: the journal has no such boot.
        """
        boots = _boots(whereabouts)
        if boot == "0" and not self.files and self.directory is None:
            # A service in a container, with its own /proc, finds the host's boot ID there: then it
            # is the last one of the journal.
            current = str(id128.get_boot().hex)
            return current if current in boots or not boots else boots[-1]
        if len(boot) == 32:
            if boot not in boots:
                raise JournalError(
                    f"{self.described}: there is no boot {boot} (expected one that `journalctl "
                    "--list-boots` shows)"
                )
            return boot
        offset = int(boot)
        index = len(boots) - 1 + offset if offset <= 0 else offset - 1
        if not 0 <= index < len(boots):
            numbers = f"{1 - len(boots)} to 0, 1 to {len(boots)}" if len(boots) > 1 else "0"
            expected = f"{numbers}, or a boot's ID"
            raise JournalError(
                f"{self.described}: there is no boot {offset} "
                f"(expected {expected if boots else 'a journal with entries'})"
            )
        return boots[index]


_WHO_MAY = (
    "this user may not read it (expected root, or a member of the group systemd-journal: "
    "`sudo usermod --append --groups systemd-journal $USER`, then log in again)"
)


def _is(kind: Callable[[int], bool], path: Path) -> bool:
    """Whether something of a kind is there.

    :raises JournalError: this user may not even look.
    """
    try:
        return kind(path.stat().st_mode)
    except PermissionError:
        raise JournalError(f"{path}: {_WHO_MAY}") from None
    except (OSError, ValueError):
        return False


def _may_read_system_journal() -> bool:
    """Whether this user may read the journals of the system, where there are any."""
    for place in ("/var/log/journal", "/run/log/journal"):
        for found in Path(place).glob("*/system.journal"):
            return os.access(found, os.R_OK)
    return True


def _each(whereabouts: Whereabouts) -> Iterator[journal.Reader]:
    """The open files one after the other, each until the next one: that takes one descriptor."""
    from systemd import journal

    for files in whereabouts.files().values():
        for file in files:
            try:
                raw = journal.Reader(files=[file.path])
            except OSError:
                continue  # told when all are opened
            yield raw
            raw.close()


def _boots(whereabouts: Whereabouts) -> list[str]:
    """The boots of a journal in the order of their first entries."""
    first: dict[str, int] = {}
    for raw in _each(whereabouts):
        for boot in raw.query_unique("_BOOT_ID"):
            raw.flush_matches()
            raw.add_match(f"_BOOT_ID={boot.hex}")
            raw.seek_head()
            if raw._next():
                at = raw._get_realtime()
                first[boot.hex] = min(at, first.get(boot.hex, at))
    return sorted(first, key=first.__getitem__)
