"""A web service for tests: keeps what it is sent, and answers as the test says."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pyruse.testing.keeper import ShortFolder
from pyruse.testing.waiting import TIME_LIMIT

_POLL_S = 0.01


@dataclass(frozen=True)
class Request:
    """What the server was sent."""

    method: str
    """Such as ``POST``."""
    path: str
    """With the query, such as ``/report?key=1``."""
    headers: Message
    """``headers["Content-Type"]``, whatever the case of the name; None where there is none."""
    body: bytes

    @property
    def text(self) -> str:
        """The body as UTF-8."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """What the body says as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """What the server does once it has a request."""

    status: int = 200
    body: str | bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    """Seconds before the answer. The end of the test does not wait for them."""
    break_off: bool = False
    """Close the connection instead of answering: whether the request counts is left open."""


class HttpServer:
    """An HTTP server at a port of loopback, from the ``with`` on to its end.

    ``answer`` is what it answers; ``answers`` come before that, one for each request.
    """

    def __init__(self, *, tls: bool = False) -> None:
        """Listen to nothing yet.

        :param tls: speak HTTPS, by a certificate of the test's own, that is in `ca_file`.
        """
        self.answer = Answer()
        """What each request is answered."""
        self.answers: list[Answer] = []
        """What the next requests are answered, before `answer` is."""
        self.requests: list[Request] = []
        """In the order in which they came."""
        self.port = 0
        self.ca_file: Path | None = None
        """With TLS: the certificate that a client has to trust."""
        self._tls = tls
        self._arrival = threading.Condition()
        self._closing = threading.Event()
        self._end = ExitStack()

    @property
    def url(self) -> str:
        """Such as ``http://127.0.0.1:4711``, without a slash at its end."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def wait_for(self, count: int) -> list[Request]:
        """The requests, once there are so many; fails after two minutes."""
        with self._arrival:
            come = self._arrival.wait_for(lambda: len(self.requests) >= count, TIME_LIMIT)
            assert come, f"{len(self.requests)} requests of {count} have arrived"
        return self.requests

    def __enter__(self) -> Self:
        with ExitStack() as end:
            server = end.enter_context(_Server(self))
            if self._tls:
                folder = ShortFolder()
                end.callback(folder.close)
                server.socket = self._context(Path(folder.path)).wrap_socket(
                    server.socket, server_side=True, do_handshake_on_connect=False
                )
            self.port = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever, args=(_POLL_S,))
            thread.start()
            end.callback(thread.join)
            end.callback(server.shutdown)
            end.callback(self._closing.set)
            self._end = end.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end.close()

    def _context(self, folder: Path) -> ssl.SSLContext:
        from pyruse.testing.certificate import self_signed

        certificate, key = self_signed(["127.0.0.1", "localhost"])
        self.ca_file = folder / "certificate.pem"
        self.ca_file.write_bytes(certificate)
        (folder / "key.pem").write_bytes(key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca_file, folder / "key.pem")
        return context

    def _take(self, request: Request) -> Answer:
        with self._arrival:
            self.requests.append(request)
            self._arrival.notify_all()
            answer = self.answers.pop(0) if self.answers else self.answer
        self._closing.wait(answer.delay)
        return answer


class _Server(ThreadingHTTPServer):
    def __init__(self, owner: HttpServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.owner = owner

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that goes away, or trusts no certificate, is the test's affair."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = TIME_LIMIT

    def __getattr__(self, name: str) -> Any:
        """Take any method: `http.server` looks for ``do_POST`` and so on."""
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        request = Request(self.command, self.path, self.headers, self._body())
        answer = self.server.owner._take(request)
        self.close_connection = True
        if answer.break_off:
            return
        body = answer.body.encode() if isinstance(answer.body, str) else answer.body
        with suppress(ConnectionError):  # the client did not wait
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    def _body(self) -> bytes:
        if self.headers["Transfer-Encoding"] != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"] or 0))
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailing headers
        return body

    def log_message(self, *_: object) -> None:
        """Keep the requests, and print nothing."""
