"""Notices that files with networks change: written to, replaced, or pointed elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress

from pyruse.system.inotify import Inotify, Mask

_FILE = Mask.CLOSE_WRITE | Mask.ATTRIB | Mask.DELETE_SELF | Mask.MOVE_SELF
"""Not each write: the file may be half of what it is to be."""
_FOLDER = Mask.CREATE | Mask.MOVED_TO | Mask.DELETE_SELF | Mask.MOVE_SELF


class ListWatch:
    """Watches files, and the folders in which others may take their places."""

    def __init__(self, files: Iterable[str]) -> None:
        self._files = list(files)
        self._inotify: Inotify | None = None
        self.fault: str | None = None
        """Why the kernel does not notify, so that the files are to be looked at now and then."""
        try:
            self._inotify = Inotify()
        except OSError as fault:
            self.fault = f"inotify: {fault.strerror}"
        self._follow()

    def fileno(self) -> int | None:
        """What becomes readable when something has changed, where the kernel notifies."""
        return None if self._inotify is None else self._inotify.fileno()

    def changed(self) -> bool:
        """Whether anything has changed since the last call; it does not wait."""
        if self._inotify is None or not self._inotify.read():
            return False
        self._follow()  # another file may be there now, or another folder
        return True

    def _follow(self) -> None:
        if self._inotify is None:
            return
        self.fault = None
        for file in self._files:
            real = os.path.realpath(file)
            folders = {_there(os.path.dirname(file)), _there(os.path.dirname(real))}
            for path, mask in ((real, _FILE), *((folder, _FOLDER) for folder in folders)):
                try:
                    with suppress(FileNotFoundError):  # what takes its place is noticed
                        self._inotify.watch(path, mask)
                except OSError as fault:
                    self.fault = f"{path}: inotify: {fault.strerror}"

    def close(self) -> None:
        """Watch no more."""
        if self._inotify is not None:
            self._inotify.close()
            self._inotify = None


def _there(folder: str) -> str:
    """The folder, or the first one above it that is there."""
    while not os.path.isdir(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return folder
