"""What the C library keeps of memory that was freed, which a daemon would have for years.

A report takes some megabytes in a thread of its own, once a day. glibc gives each thread a heap,
and what is freed in the middle of one stays resident (mallopt(3), malloc_trim(3)). Other C
libraries have no such functions, and keep less.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

_M_ARENA_MAX = -8  # malloc.h


def share_one_heap() -> None:
    """Have all threads allocate on one heap: there is one interpreter, and they take turns in it.

    To be called before there are threads.
    """
    with suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Give memory back to the kernel that was freed; it takes a millisecond."""
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
