"""A proxy in front of the database that cuts connections at random."""

from __future__ import annotations

import random
import select
import socket
from threading import Event, Thread


class Proxy:
    """Listens on loopback, and hands on what it gets; as context manager."""

    def __init__(self, to: str, seed: int, longest_s: float) -> None:
        """Cut each connection after a while.

        :param to: the socket that it hands on to.
        :param longest_s: so long a connection lasts at most.
        """
        self._to = to
        self._random = random.Random(seed)
        self._longest_s = longest_s
        self._calm = Event()
        self._closed = False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.cut = 0

    def __enter__(self) -> Proxy:
        Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def calm_down(self) -> None:
        """Cut no more."""
        self._calm.set()

    def _listen(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            Thread(target=self._hand_on, args=[near], daemon=True).start()

    def _hand_on(self, near: socket.socket) -> None:
        far = socket.socket(socket.AF_UNIX)
        with near, far:
            try:
                far.connect(self._to)
                self._until_cut(near, far)
            except OSError:
                return

    def _until_cut(self, near: socket.socket, far: socket.socket) -> None:
        """In the middle of whatever it is: also between a commit and its answer."""
        left = self._random.randrange(500, 6_000)  # bytes
        patience = self._random.uniform(0.2, self._longest_s)
        while self._calm.is_set() or (left > 0 and patience > 0):
            ready, _, _ = select.select([near, far], [], [], 0.1)
            patience -= 0 if ready else 0.1
            for one in ready:
                data = one.recv(65_536)
                if not data:
                    return
                if not self._calm.is_set() and len(data) > left:
                    data = data[: max(0, left)]
                left -= len(data)
                (far if one is near else near).sendall(data)
        self.cut += 1
