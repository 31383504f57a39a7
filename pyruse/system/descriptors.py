"""File descriptors: as many as the kernel gives, and how many are left."""

from __future__ import annotations

import errno
import os
import resource
from contextlib import suppress

SHORT = frozenset({errno.EMFILE, errno.ENFILE})
"""What a call answers when there are none left: of this process, or of the whole machine."""

_SPARE = 64
"""For all but journals: the database, mails, programs, commands. Of a lower limit, a quarter."""
_ALL_ELSE = 28
"""So many are for all but journals in any case: it is not all there yet when the first journals are
opened, and a program takes ten for a moment."""
_OF_PROGRAMS = 1024
"""The soft limit that programs expect (systemd.exec(5)): with a higher one select(2) may fail, and
who closes all possible descriptors takes long."""


def raise_limit() -> None:
    """Have as many as the hard limit allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def limit_program(process: int) -> None:
    """Give a program that was just started the limit that programs expect.

    :param process: its number.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft > _OF_PROGRAMS:
        with suppress(ValueError, OSError):  # it has ended, or is another user by now
            resource.prlimit(process, resource.RLIMIT_NOFILE, (_OF_PROGRAMS, hard))


def require(number: int) -> None:
    """See to it that so many more can be had, and that some are left then for everything else.

    :raises OSError: there are too few (EMFILE).
    """
    if number > room():
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def room() -> float:
    """How many more can be had for journals, so that some are left for everything else."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return float("inf")
    used = os.listdir("/proc/self/fd")
    left = limit - len(used) - min(_SPARE, limit // 4)
    if limit >= 4 * _SPARE:
        return left
    return min(left, limit - _journals(used) - _ALL_ELSE)


def _journals(descriptors: list[str]) -> int:
    """How many of these are of journal files."""
    found = 0
    for descriptor in descriptors:
        with suppress(OSError):  # it was closed just now
            path = os.readlink(f"/proc/self/fd/{descriptor}").removesuffix(" (deleted)")
            found += path.endswith((".journal", ".journal~"))
    return found
