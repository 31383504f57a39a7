"""Checks who could replace a file: its owner, and who may write to it or to a folder above it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

_MOST_LINKS = 40
"""Of one way, as in the kernel (path_resolution(7))."""


def distrust(path: Path, owners: Collection[int]) -> str | None:
    """Why a file or folder is not to be trusted, and what to do; None: it is.

    Everything on the way is looked at: each folder, each symbolic link, and what the link points
    to. Others may write in a folder on the way only where it is sticky, as /tmp is: there, nobody
    can replace what belongs to somebody else.

    :param path: the file or folder.
    :param owners: the users that are trusted.
    :raises OSError: it does not exist, or cannot be looked at.
    """
    way = list(_way(path))
    for one, status in way:
        if status.st_uid not in owners:
            return (
                f"{one}: belongs to {_user(status.st_uid)}, so no plugin is loaded from there "
                f"(expected {' or '.join(_user(one) for one in sorted(owners))}: chown "
                f"{_user(min(owners))} {one})"
            )
        if _lets_others_write(status.st_mode, is_passed=one != way[-1][0]):
            return (
                f"{one}: others than its owner may write there, so no plugin is loaded from "
                f"there (expected that they may not: chmod go-w {one})"
            )
    return None


def open_to_others(path: Path) -> Iterator[Path]:
    """The file or folder, and what is on the way to it, that others than their owners may write to.

    :raises OSError: it does not exist, or cannot be looked at.
    """
    way = list(_way(path))
    for one, status in way:
        if _lets_others_write(status.st_mode, is_passed=one != way[-1][0]):
            yield one


def _lets_others_write(mode: int, *, is_passed: bool) -> bool:
    if stat.S_ISLNK(mode) or not mode & (stat.S_IWGRP | stat.S_IWOTH):
        return False
    return not (is_passed and stat.S_ISDIR(mode) and mode & stat.S_ISVTX)


def _way(path: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """All that takes part in finding a file, from the root on, and the file itself at the end."""
    here = Path("/")
    yield here, os.lstat(here)
    ahead = list(reversed(Path(os.path.abspath(path)).parts[1:]))
    links = 0
    while ahead:
        name = ahead.pop()
        if name == "..":
            here = here.parent
            continue
        there = here / name
        status = os.lstat(there)
        yield there, status
        if not stat.S_ISLNK(status.st_mode):
            here = there
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
        target = Path(os.readlink(there))
        if target.is_absolute():
            here = Path("/")
        ahead += reversed(target.parts[1:] if target.is_absolute() else target.parts)


def _user(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"the user {number}"
