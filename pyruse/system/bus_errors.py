"""Surviving a page that cannot be read: SIGBUS in a file that is mapped into memory.

libsystemd maps journal files. Where a disk fails, or a file is cut while it is being read, the
kernel sends SIGBUS, which ends a process. So a page of a journal that cannot be read is replaced by
a page of zeros, as journald itself does it: libsystemd takes them for damage, and passes it over.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

from pyruse.system.native import native

if TYPE_CHECKING:
    from pyruse.system.sigbus import BusErrors


class NativeBusErrors:
    """The same in C (pyruse-native): no Python runs while libsystemd is interrupted."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        module.guard()

    @property
    def pages(self) -> int:
        """How many pages could not be read so far."""
        pages: int = self._module.unreadable_pages()
        return pages


@cache
def bus_errors() -> BusErrors | NativeBusErrors:
    """What sees to them in this process: signals belong to a process as a whole."""
    module = native()
    if module is not None:
        return NativeBusErrors(module)
    from pyruse.system.sigbus import BusErrors  # with ctypes

    return BusErrors()
