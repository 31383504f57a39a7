"""Notices of the kernel about changes in folders (inotify(7)), which Python itself leaves out."""

from __future__ import annotations

import ctypes
import os
import struct
from enum import IntFlag

from msgspec import Struct

_HEADER = struct.Struct("iIII")  # struct inotify_event: wd, mask, cookie, len


class Mask(IntFlag):
    """What is noticed (inotify(7))."""

    MODIFY = 0x2
    ATTRIB = 0x4
    CLOSE_WRITE = 0x8
    MOVED_FROM = 0x40
    MOVED_TO = 0x80
    CREATE = 0x100
    DELETE = 0x200
    DELETE_SELF = 0x400
    MOVE_SELF = 0x800
    Q_OVERFLOW = 0x4000
    """Notices were lost: look at everything."""
    IGNORED = 0x8000
    """The watch is gone, as the folder is."""


class Notice(Struct, frozen=True):
    """One change."""

    folder: str
    """The watched folder; empty: notices were lost."""
    name: str
    """What changed in it; empty: the folder itself."""
    mask: Mask


class Inotify:
    """Watches folders. The descriptor is readable when there are notices."""

    def __init__(self) -> None:
        """Watch nothing yet.

        :raises OSError: the kernel gives no instance (EMFILE: too many of this user).
        """
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._checked(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self._folders: dict[int, str] = {}

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._fd

    def watch(self, folder: str, mask: Mask) -> None:
        """Begin to watch a folder, or a file; once more: change what is noticed there.

        :raises OSError: the folder is not there, or the kernel gives no watch (ENOSPC).
        """
        number = self._libc.inotify_add_watch(self._fd, os.fsencode(folder), ctypes.c_uint32(mask))
        self._folders[self._checked(number)] = folder

    def read(self) -> list[Notice]:
        """The notices that there are; it does not wait."""
        notices: list[Notice] = []
        while True:
            try:
                data = os.read(self._fd, 65_536)
            except BlockingIOError:
                return notices
            at = 0
            while at < len(data):
                number, mask, _, length = _HEADER.unpack_from(data, at)
                at += _HEADER.size
                name = os.fsdecode(data[at : at + length].rstrip(b"\0"))
                at += length
                notices.append(Notice(self._folders.get(number, ""), name, Mask(mask)))
                if mask & Mask.IGNORED:
                    self._folders.pop(number, None)

    def close(self) -> None:
        """End all watches."""
        os.close(self._fd)
        self._folders.clear()

    def _checked(self, result: int) -> int:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result
