"""Stands in for the service manager: a daemon tells it how it is doing (sd_notify(3))."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from pyruse.testing.keeper import ShortFolder


class ServiceManager:
    """Listens in a thread: the kernel lets a daemon wait that has told more than is listened to."""

    def __init__(self, hear: Callable[[str], None]) -> None:
        """Listen to nothing yet.

        :param hear: called, in the thread, with each message.
        """
        self._hear = hear
        # unix(7): no more than 107 bytes, and the folders of tests are deep.
        self._folder = ShortFolder()
        self.address = f"{self._folder.path}/notify"
        """For ``NOTIFY_SOCKET``."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while told := self._socket.recv(4096):
            self._hear(told.decode())

    def close(self) -> None:
        """Listen to what is told already, and to no more."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.address)
        self._thread.join()
        self._socket.close()
        self._folder.close()
