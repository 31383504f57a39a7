"""Notices that journals grow, and that their files and folders come, go and move.

libsystemd watches only the folders that exist when it opens a journal (systemd issue 8262), so
Pyruse watches by itself. Where the kernel cannot notify (a network file system), or has no more
watches to give, Pyruse looks at the journals every few seconds instead.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from pyruse.system.inotify import Inotify, Mask

_FILES = (
    Mask.MODIFY | Mask.ATTRIB | Mask.CREATE | Mask.DELETE | Mask.MOVED_FROM | Mask.MOVED_TO
    | Mask.DELETE_SELF | Mask.MOVE_SELF
)  # fmt: skip
_FILE = Mask.MODIFY | Mask.ATTRIB | Mask.DELETE_SELF | Mask.MOVE_SELF
_ABOVE = Mask.CREATE | Mask.MOVED_TO | Mask.DELETE_SELF | Mask.MOVE_SELF | Mask.ATTRIB
"""Of a folder above, only what leads to a journal's folder; others may write their logs there."""

_REMOTE = (
    "9p",
    "afs",
    "ceph",
    "cifs",
    "coda",
    "fuse",
    "gfs",
    "lustre",
    "ncp",
    "nfs",
    "ocfs",
    "smb",
)
"""File systems on which changes by other machines raise no notice (as libsystemd has it)."""


class News(Struct, frozen=True):
    """What has changed."""

    written: set[tuple[str, str]]
    """Files that were written to: folder and name."""
    files: bool = False
    """Files or folders came or went, or nobody knows: look at all."""


class Watch:
    """Watches folders for journals, the ones that are not there yet included."""

    def __init__(self) -> None:
        self.denied: set[str] = set()
        """Folders and files that this user may not watch, as it may not read them."""
        self.fault: str | None = None
        """Why the kernel does not notify, so that the journals are looked at now and then."""
        self._inotify: Inotify | None = None
        self._remote = False
        self._begin()

    def _begin(self) -> None:
        try:
            self._inotify = Inotify()
        except OSError as fault:
            self.fault = f"inotify: {fault.strerror}"

    @property
    def polls(self) -> bool:
        """The journals must be looked at now and then."""
        return self.fault is not None or self._remote or bool(self.denied)

    def follow(
        self, journals: Iterable[str], above: Iterable[str], files: Iterable[str] = ()
    ) -> None:
        """Watch these folders, and files one by one, from now on.

        :param journals: folders that have journal files, or will have.
        :param above: folders in which folders with journals may come; one that is not there is
            waited for in the folder above it.
        :param files: single files.
        """
        wanted: dict[str, Mask] = {file: _FILE for file in files if os.path.exists(file)}
        for folder in above:
            wanted[_there(folder)] = _ABOVE
        for folder in journals:
            wanted[folder if os.path.isdir(folder) else _there(folder)] = _ABOVE
        for folder in journals:
            if os.path.isdir(folder):
                wanted[folder] = _FILES
        self._remote = any(map(_is_remote, wanted))
        if self._inotify is None:
            self._begin()  # there may be more of them by now
        if self._inotify is None:
            return
        self.fault = None
        self.denied.clear()
        for folder, mask in wanted.items():
            try:
                self._inotify.watch(folder, mask)
            except FileNotFoundError:
                continue  # it went just now, which is noticed in the folder above
            except PermissionError:
                self.denied.add(folder)
            except OSError as fault:
                self.fault = f"{folder}: inotify: {fault.strerror}"

    def fileno(self) -> int | None:
        """What becomes readable when there is news, where the kernel notifies."""
        return None if self._inotify is None else self._inotify.fileno()

    def news(self) -> News:
        """What has changed since the last call; it does not wait."""
        written: set[tuple[str, str]] = set()
        files = self.polls
        for notice in [] if self._inotify is None else self._inotify.read():
            if notice.mask & Mask.MODIFY:
                written.add((notice.folder, notice.name))
            elif not notice.mask & Mask.IGNORED:
                files = True
        return News(written, files)

    def close(self) -> None:
        """Watch no more."""
        if self._inotify is not None:
            self._inotify.close()
            self._inotify = None


def _there(folder: str) -> str:
    """The folder, or the first one above it that is there."""
    path = Path(folder)
    while not path.is_dir() and path != path.parent:
        path = path.parent
    return str(path)


def _is_remote(folder: str) -> bool:
    """Whether other machines may write into a folder (the file system's type, proc(5))."""
    longest, kind = "", ""
    with suppress(OSError, ValueError, IndexError):
        real = os.path.realpath(folder)
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            fields, _, rest = line.partition(" - ")
            mount = fields.split()[4].replace("\\040", " ")
            inside = real == mount or real.startswith(mount.rstrip("/") + "/")
            if inside and len(mount) >= len(longest):
                longest, kind = mount, rest.split()[0]
    return kind.startswith(_REMOTE)
