"""Reads files that administrators name: whole ones, whatever else may stand in their place."""

from __future__ import annotations

import errno
import os
import stat

from pyruse.text import late_pattern

_DESCRIPTOR = late_pattern(r"/dev/stdin|/(?:dev|proc/self)/fd/([0-9]+)")
_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_PIECE = 1 << 20


def read_file(path: str | os.PathLike[str], most: int) -> bytes:
    """What a regular file holds.

    Nothing else is opened: a FIFO nobody writes to would be waited for without end, and some
    devices act when they are opened. What this process was given as a pipe (``/dev/stdin``,
    ``/dev/fd/3``) is read to its end; so it can be read once.

    :param path: the file.
    :param most: how many bytes it may have.
    :raises OSError: it cannot be read, and why.
    :raises ValueError: it is no regular file, or too large: ``"it is …"``.
    """
    kind = stat.S_IFMT(os.stat(path).st_mode)
    if kind == stat.S_IFDIR:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    given = _DESCRIPTOR.fullmatch(os.fspath(path))
    if kind == stat.S_IFREG:
        # If it has become a FIFO just now, nobody is waited for.
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        kind = stat.S_IFMT(os.fstat(number).st_mode)
    elif given and kind in (stat.S_IFIFO, stat.S_IFSOCK):
        number, kind = os.dup(int(given[1] or 0)), stat.S_IFREG
    else:
        raise ValueError(f"it is {_KINDS.get(kind, 'no file')}")
    with open(number, "rb", buffering=0) as file:
        if kind != stat.S_IFREG:
            raise ValueError(f"it is {_KINDS.get(kind, 'no file')}")
        content = bytearray()
        while piece := file.read(min(_PIECE, most + 1 - len(content))):
            content += piece
    if len(content) > most:
        raise ValueError(f"it is larger than {most >> 20} MiB")
    return bytes(content)
