"""A real mail server for tests, in a thread of its own.

It keeps what it is sent::

    with SmtpServer(tls="starttls", login=("pyruse", "secret")) as server:
        ...  # [email] smtp = server.url, ca_file = server.ca_file, password_file = …
        server.wait_for(1)
        assert server.messages[0].message["Subject"] == "Ban of 192.0.2.7"

It takes ``aiosmtpd``, and ``cryptography`` for its certificate: ``pip install pyruse[testing]``.
"""

from __future__ import annotations

import asyncio
import importlib
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from pyruse.testing.keeper import ShortFolder
from pyruse.testing.waiting import TIME_LIMIT

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

_SCHEMES = {"none": "smtp", "starttls": "smtp+starttls", "tls": "smtps"}


@dataclass(frozen=True)
class Received:
    """A mail, and how it came."""

    message: EmailMessage
    content: bytes
    """The mail, byte by byte."""
    sender: str
    """Of the envelope: ``MAIL FROM``."""
    recipients: list[str]
    """Of the envelope: ``RCPT TO``."""
    text: str
    """The text of the mail."""
    user: str | None
    """Who was logged in."""
    encrypted: bool


def unavailable() -> str | None:
    """Why no SMTP server can be run here, or None where it can."""
    try:
        _import("aiosmtpd.controller")
    except RuntimeError as fault:
        return str(fault)
    return None


class SmtpServer:
    """A mail server on 127.0.0.1, at a port that is free, for the time of a ``with`` block."""

    def __init__(
        self,
        *,
        tls: Literal["none", "starttls", "tls"] = "none",
        login: tuple[str, str] | None = None,
        replies: Mapping[str, str] | None = None,
        utf8: bool = True,
        largest: int = 1 << 25,
    ) -> None:
        """Prepare a server; the ``with`` block starts it.

        :param tls: with ``starttls``, it takes no mail before it; with ``tls``, TLS is from the
            start. Its certificate is for ``localhost`` and 127.0.0.1.
        :param login: the user and the password without which it takes no mail.
        :param replies: what it answers, instead of taking it, to ``MAIL``, ``RCPT``,
            ``RCPT bob@example.org`` or ``DATA``: ``{"RCPT": "450 4.2.0 try again later"}``.
        :param utf8: whether it takes addresses outside ASCII (SMTPUTF8, RFC 6531).
        :param largest: so many bytes of a mail it takes, and says so (SIZE, RFC 1870).
        """
        self._tls = tls
        self._login = login
        self._utf8 = utf8
        self._largest = largest
        self.replies = dict(replies or {})
        """May be changed at any time."""
        self.messages: list[Received] = []
        """What it has taken."""
        self.port = 0
        self.ca_file: Path | None = None
        """With TLS: the certificate that makes its own one trusted."""
        self._arrival = threading.Condition()
        self._connections: list[SMTP] = []

    @property
    def url(self) -> str:
        """For ``[email] smtp``."""
        user = f"{self._login[0]}@" if self._login else ""
        return f"{_SCHEMES[self._tls]}://{user}localhost:{self.port}"

    def wait_for(self, count: int, timeout: float = TIME_LIMIT) -> list[Received]:
        """Wait until so many mails have arrived.

        :param count: the number of mails.
        :param timeout: in seconds.
        :raises TimeoutError: they have not arrived.
        """
        with self._arrival:
            if not self._arrival.wait_for(lambda: len(self.messages) >= count, timeout):
                raise TimeoutError(f"{len(self.messages)} mails arrived (expected {count})")
        return self.messages

    def __enter__(self) -> Self:
        self._smtp = _import("aiosmtpd.smtp")
        self._folder = ShortFolder()
        self._context = self._make_certificate() if self._tls != "none" else None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="SmtpServer", daemon=True
        )
        self._thread.start()
        try:
            self._in_loop(self._open())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._in_loop(self._close())
        finally:
            self._end()

    def _make_certificate(self) -> ssl.SSLContext:
        make: Callable[..., tuple[bytes, bytes]] = _import("pyruse.testing.certificate").self_signed
        certificate, key = make(["localhost", "127.0.0.1"])
        self.ca_file = Path(self._folder.path, "certificate.pem")
        self.ca_file.write_bytes(certificate)
        key_file = Path(self._folder.path, "key.pem")
        key_file.write_bytes(key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca_file, key_file)
        return context

    def _in_loop(self, coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(TIME_LIMIT)

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(TIME_LIMIT)
        self._loop.close()
        self._folder.close()

    async def _open(self) -> None:
        tls = self._context if self._tls == "tls" else None
        self._server = await self._loop.create_server(self._connection, "127.0.0.1", 0, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        for connection in self._connections:
            # Under STARTTLS there are two, one within the other.
            for transport in (connection.transport, connection._original_transport):
                # Python 3.11.2 fails to abort what is closed already.
                with suppress(AttributeError):
                    if isinstance(transport, asyncio.WriteTransport):
                        transport.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)  # for the callbacks of the transports

    def _connection(self) -> SMTP:
        connection: SMTP = self._smtp.SMTP(
            _Handler(self),
            data_size_limit=self._largest,
            hostname="localhost",
            enable_SMTPUTF8=self._utf8,
            tls_context=self._context if self._tls == "starttls" else None,
            require_starttls=self._tls == "starttls",
            authenticator=self._authenticate,
            # A test may want to see what a client does that logs in without encryption.
            auth_require_tls=False,
            auth_exclude_mechanism=None if self._login else ("LOGIN", "PLAIN"),
            loop=self._loop,
        )
        self._connections.append(connection)
        return connection

    def _authenticate(self, *arguments: Any) -> Any:
        given = arguments[-1]
        expected = None if self._login is None else tuple(text.encode() for text in self._login)
        success = (given.login, given.password) == expected
        return self._smtp.AuthResult(
            success=success, handled=False, auth_data=given.login.decode(errors="replace")
        )

    def _reply(self, *keys: str, session: Session) -> str | None:
        """What is answered to a command instead of taking it."""
        if self._login is not None and not session.authenticated:
            return "530 5.7.0 Authentication required"
        return next((self.replies[key] for key in keys if key in self.replies), None)

    def _take(self, session: Session, envelope: Envelope) -> None:
        content = envelope.original_content or b""
        message = message_from_bytes(content, _class=EmailMessage, policy=policy.default)
        body = message.get_body(("plain",))
        received = Received(
            message,
            content,
            envelope.mail_from or "",
            list(envelope.rcpt_tos),
            "" if body is None else body.get_content().replace("\r\n", "\n"),
            session.auth_data if session.authenticated else None,
            self._tls == "tls" or session.ssl is not None,
        )
        with self._arrival:
            self.messages.append(received)
            self._arrival.notify_all()


class _Handler:
    """What aiosmtpd calls for each command."""

    def __init__(self, owner: SmtpServer) -> None:
        self._owner = owner

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self._owner._reply("MAIL", session=session)
        if reply is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return reply or "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self._owner._reply(f"RCPT {address}", "RCPT", session=session)
        if reply is None:
            envelope.rcpt_tos.append(address)
        return reply or "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        reply = self._owner._reply("DATA", session=session)
        if reply is None:
            self._owner._take(session, envelope)
        return reply or "250 2.0.0 OK"


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as fault:
        raise RuntimeError(
            f"{fault.name} is not installed: SmtpServer needs it (pip install pyruse[testing])"
        ) from None
