"""A handler of SIGBUS in Python, for `pyruse.system.bus_errors`."""

from __future__ import annotations

import ctypes
import mmap
import signal
from typing import Any

_SA_SIGINFO = 4
_ADDRESS_AT = 16  # of si_addr in siginfo_t, on 64-bit Linux (sigaction(2))
_HERE = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x10  # MAP_FIXED
_FAILED = ctypes.c_void_p(-1).value

_Handler = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)


class _Sigaction(ctypes.Structure):
    """struct sigaction of the C library on Linux."""

    _fields_ = (
        ("handler", _Handler),
        ("mask", ctypes.c_ubyte * 128),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    )


class BusErrors:
    """From its making on, pages of journals that cannot be read are zeros, in this process."""

    def __init__(self) -> None:
        self.pages = 0
        """How many pages could not be read so far."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.mmap.restype = ctypes.c_void_p
        self._libc.mmap.argtypes = [
            ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int,
            ctypes.c_long,
        ]  # fmt: skip
        self._action = _Sigaction(handler=_Handler(self._handle), flags=_SA_SIGINFO)
        self._libc.sigaction(int(signal.SIGBUS), ctypes.byref(self._action), None)

    def _handle(self, number: int, info: Any, context: Any) -> None:
        """Runs where the page was read: in libsystemd, never inside of Python itself."""
        address = ctypes.c_uint64.from_address(info + _ADDRESS_AT).value
        page = address - address % mmap.PAGESIZE
        if _is_of_a_journal(address):
            protection = mmap.PROT_READ
            if self._libc.mmap(page, mmap.PAGESIZE, protection, _HERE, -1, 0) != _FAILED:
                self.pages += 1
                return
        # It is something else's: back to what the kernel does, as soon as the read is tried again.
        self._libc.signal(int(signal.SIGBUS), None)


def _is_of_a_journal(address: int) -> bool:
    """Whether a journal file is mapped there (proc(5))."""
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        for line in maps:
            span, _, rest = line.partition(" ")
            first, _, end = span.partition("-")
            if int(first, 16) <= address < int(end, 16):
                name = rest.rstrip("\n").removesuffix(" (deleted)")
                return name.endswith((".journal", ".journal~"))
    return False
