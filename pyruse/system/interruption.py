"""Ends programs before their time, from another thread."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Interruption:
    """Ends the program that runs, from another thread, and all those that would run after it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bell: int | None = None
        self.happened = False

    def __call__(self) -> None:
        """End the program; it counts as one whose time is over."""
        with self._lock:
            self.happened = True
            if self._bell is not None:
                os.eventfd_write(self._bell, 1)

    @contextmanager
    def listening(self) -> Iterator[int]:
        """Give a descriptor that is readable, in the block, once it has happened.

        :raises OSError: this process has no descriptors left.
        """
        bell = os.eventfd(0, os.EFD_CLOEXEC)
        try:
            with self._lock:
                self._bell = bell
                if self.happened:
                    os.eventfd_write(bell, 1)
            yield bell
        finally:
            with self._lock:
                self._bell = None
            os.close(bell)
