"""The endpoint that Prometheus scrapes."""

from __future__ import annotations

import socket
from threading import Thread, Timer
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, make_wsgi_app

_PATIENCE_S = 10.0
"""So long a connection may take for its request and the answer."""


class Endpoint:
    """Answers one connection after the other, in a thread of its own that sleeps in between.

    It never holds more than one connection open: these are file descriptors of the daemon's, and
    whoever may connect could use them up otherwise.
    """

    def __init__(self, address: str, port: int, metrics: CollectorRegistry) -> None:
        """Listen.

        :raises ValueError: that cannot be.
        """
        try:
            self._server = _server(address, port)
        except OSError as fault:
            raise ValueError(
                f"http://{address}:{port} cannot be listened to: {fault.strerror} (expected an "
                "address of this machine, and a port that nobody else uses)"
            ) from None
        self._server.set_app(make_wsgi_app(metrics))
        self._closed = False
        self._thread = Thread(target=self._serve, name="pyruse prometheus", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that is listened to."""
        return int(self._server.server_port)

    def close(self) -> None:
        """Listen no more."""
        self._closed = True
        self._server.socket.shutdown(socket.SHUT_RDWR)  # ends the wait for a connection
        self._thread.join(_PATIENCE_S)
        self._server.server_close()

    def _serve(self) -> None:
        while not self._closed:
            self._server.handle_request()  # sleeps until there is one


class _Handler(WSGIRequestHandler):
    timeout = _PATIENCE_S  # for each read; the server has one for all of them

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: a scrape every few seconds is no news."""


class _Server(WSGIServer):
    # What is waiting to be accepted costs the kernel some memory, and this process nothing.
    request_queue_size = 32

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection, and end it if that takes too long."""
        deadline = Timer(_PATIENCE_S, _end, [request])
        deadline.daemon = True
        deadline.start()
        try:
            super().process_request(request, client_address)
        finally:
            deadline.cancel()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Go on with the next one: this one has gone away in the middle."""

    def server_bind(self) -> None:
        """Bind, without a look-up of the address's name, which may take a minute."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = self.socket.getsockname()[:2]
        self.setup_environ()


class _Server6(_Server):
    address_family = socket.AF_INET6


def _server(address: str, port: int) -> _Server:
    server = _Server6 if ":" in address else _Server
    return server((address, port), _Handler)


def _end(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)
