"""Which journal is read, and which part of it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from systemd import id128, journal

from pyruse.config.settings import JournalSettings
from pyruse.entry.decoding import Decoder
from pyruse.errors import UserError
from pyruse.journal.reader import JournalReader


class JournalError(UserError):
    """The journal cannot be read."""


@dataclass
class Selection:
    """A journal, and the span of it to read, as journalctl's options choose them."""

    directory: Path | None = None
    files: list[Path] = field(default_factory=list)
    namespace: str | None = None
    since: int | None = None
    """The first instant, in microseconds since the epoch."""
    until: int | None = None
    """The last instant."""
    boot: str | None = None
    """A boot's ID in 32 hexadecimal digits, or an offset such as ``0`` or ``-1``; None: all."""

    @classmethod
    def of(cls, settings: JournalSettings) -> Selection:
        """The journal that the configuration chooses."""
        return cls(settings.directory, list(settings.files), settings.namespace)

    @property
    def described(self) -> str:
        """The journal's name in messages."""
        if self.files:
            return ", ".join(map(str, self.files))
        if self.directory is not None:
            return str(self.directory)
        return f"journal namespace {self.namespace}" if self.namespace else "this machine's journal"

    def open(self, decoder: Decoder) -> JournalReader:
        """Open the journal, at its first selected entry.

        :raises JournalError: it cannot be read; says who may, and how to get there.
        """
        self._look()
        try:
            raw = journal.Reader(**self._arguments())
        except OSError as fault:
            raise JournalError(self._explained(fault)) from None
        # libsystemd cuts compressed fields at 64 KiB unless told otherwise (sd_journal_get_data(3))
        raw.data_threshold = 0
        match = None
        if self.boot is not None:
            match = self._match_boot(raw, self.boot)
        reader = JournalReader(raw, decoder, until=self.until, match=match)
        if self.since is not None:
            raw.seek_realtime(self.since)
        else:
            raw.seek_head()
        return reader

    def span(self, decoder: Decoder) -> tuple[int, int] | None:
        """The first and the last instant that is selected, µs since the epoch; None: no entry.

        :raises JournalError: it cannot be read.
        """
        reader = self.open(decoder)
        try:
            span = reader.span()
        finally:
            reader.close()
        if span is None:
            return None
        return max(span[0], self.since or 0), min(span[1], self.until or span[1])

    def _arguments(self) -> dict[str, Any]:
        if self.files:
            return {"files": [str(file) for file in self.files]}
        if self.directory is not None:
            return {"path": str(self.directory)}
        if self.namespace:
            return {"namespace": self.namespace}
        # All of this machine's entries, the users' own ones too
        return {"flags": journal.LOCAL_ONLY}

    def _look(self) -> None:
        """See first what libsystemd would call an input/output error, or silently leave out."""
        if self.directory is not None:
            self._look_into(self.directory)
        for file in self.files:
            if not _is(stat.S_ISREG, file):
                raise JournalError(f"{file}: no such file (expected a journal file)")
            if not os.access(file, os.R_OK):
                raise JournalError(f"{file}: {_WHO_MAY}")
        if not self.files and self.directory is None and not _may_read_system_journal():
            raise JournalError(f"{self.described}: {_WHO_MAY}")

    def _look_into(self, folder: Path) -> None:
        if not _is(stat.S_ISDIR, folder):
            raise JournalError(f"{folder}: no such folder (expected a folder with *.journal files)")
        if not os.access(folder, os.R_OK | os.X_OK):
            raise JournalError(f"{folder}: {_WHO_MAY}")
        # As sd_journal_open_directory(3) does it: also one level down, in folders of machines.
        for pattern in ("*.journal", "*.journal~", "*/*.journal", "*/*.journal~"):
            for file in folder.glob(pattern):
                if not os.access(file, os.R_OK):
                    raise JournalError(f"{file}: {_WHO_MAY}")

    def _explained(self, fault: OSError) -> str:
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

    def _match_boot(self, raw: journal.Reader, boot: str) -> str:
        match = f"_BOOT_ID={boot if len(boot) == 32 else self._boot_id(raw, int(boot))}"
        raw.add_match(match)
        raw.seek_head()
        if len(boot) == 32 and not raw._next():
            raise JournalError(
                f"{self.described}: there is no boot {boot} (expected one that `journalctl "
                "--list-boots` shows)"
            )
        return match

    def _boot_id(self, raw: journal.Reader, offset: int) -> str:
        if offset == 0 and not self.files and self.directory is None:
            return str(id128.get_boot().hex)
        boots = _boots(raw)
        index = len(boots) - 1 + offset if offset <= 0 else offset - 1
        if not 0 <= index < len(boots):
            expected = f"{1 - len(boots)} to 0, 1 to {len(boots)}, or a boot's ID"
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


def _boots(raw: journal.Reader) -> list[str]:
    """The boots of a journal in the order of their first entries."""
    first: list[tuple[int, str]] = []
    for boot in raw.query_unique("_BOOT_ID"):
        identifier = boot.hex
        raw.flush_matches()
        raw.add_match(f"_BOOT_ID={identifier}")
        raw.seek_head()
        if raw._next():
            first.append((raw._get_realtime(), identifier))
    raw.flush_matches()
    return [identifier for _, identifier in sorted(first)]
