"""Mail servers that answer what none should: for ever, nonsense, or codes of their own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from pyruse.config.settings import EmailSettings, SmtpUrl
from pyruse.delivery.attempts import mailer
from pyruse.delivery.outcome import Outcome
from pyruse.options.durations import Duration
from pyruse.state.outbox_item import OutboxItem

Replies = dict[str, bytes | Callable[[socket.socket], None]]


class Server:
    """Takes all mails, but for what a test has it answer."""

    def __init__(self, replies: Replies) -> None:
        self.replies = replies
        self.sizes: list[int] = []
        """Of the mails that it was sent, in bytes."""
        self.stopped = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        while True:
            with suppress(OSError), self.listener.accept()[0] as connection:
                if self.stopped.is_set():
                    return
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as lines:
            self._say(connection, "BANNER", b"220 hello\r\n")
            while line := lines.readline():
                word = line[:4].decode().upper()
                self._say(connection, word, b"354 go\r\n" if word == "DATA" else b"250 OK\r\n")
                if word == "DATA":
                    self.sizes.append(0)
                    while (line := lines.readline()) not in (b".\r\n", b""):
                        self.sizes[-1] += len(line)
                    self._say(connection, "DOT", b"250 taken\r\n")

    def _say(self, connection: socket.socket, word: str, usual: bytes) -> None:
        reply = self.replies.get(word, usual)
        if callable(reply):
            reply(connection)
        else:
            connection.sendall(reply)


@contextmanager
def serving(settings: EmailSettings, replies: Replies) -> Iterator[Server]:
    server = Server(replies)
    port = server.listener.getsockname()[1]
    settings.smtp = SmtpUrl.parse(f"smtp://127.0.0.1:{port}")
    server.thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        socket.create_connection(("127.0.0.1", port)).close()
        server.thread.join()
        server.listener.close()


def send(settings: EmailSettings, *to: str, text: str = "text\n") -> Outcome:
    payload = {
        "subject": "s",
        "to": to or ["a@example.org"],
        "parts": [text],
        "count": 1,
        "html": None,
    }
    return mailer(settings, "vm1")(OutboxItem("mail", payload, 0, 0))


def flood(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"250-" + b"x" * 4_000 + b"\r\n")


def flood_of_short_lines(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"250-\r\n")


@pytest.mark.parametrize("word", ["BANNER", "EHLO", "RCPT", "DOT"])
@pytest.mark.parametrize(
    ("endless", "told"),
    [(flood, "17 lines, 68,102 bytes"), (flood_of_short_lines, "100 lines, 600 bytes")],
)
def test_an_answer_without_end_is_given_up(settings, word, endless, told):
    with serving(settings, {word: endless}):
        outcome = send(settings)
    assert outcome.end == "retry"
    assert outcome.fault.endswith(f" answers without end: {told} (expected a mail server)")


@pytest.mark.parametrize("word", ["BANNER", "RCPT", "DOT"])
@pytest.mark.parametrize("piece", [b"250-x\r\n", b"2"])
def test_an_answer_that_drips_has_the_time_of_one_answer(settings, word, piece):
    settings.timeout = Duration(seconds=0.5)
    done = threading.Event()

    def drip(connection: socket.socket) -> None:
        while not done.wait(0.02):
            connection.sendall(piece)

    with serving(settings, {word: drip}):
        try:
            outcome = send(settings)
        finally:
            done.set()
    assert outcome.end == "retry"
    assert "does not answer within 0.5 s (expected a mail server)" in outcome.fault


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"hello world\r\n", "hello world"),
        (b"\r\n", ""),
        (b"999 \x1b[31m\r\n", "999 \\x1b[31m"),
        (b"+25 OK\r\n", "+25 OK"),
    ],
)
@pytest.mark.parametrize("word", ["BANNER", "MAIL", "RCPT", "DOT"])
def test_nonsense_is_told_as_it_is_and_tried_again(settings, word, said, told):
    with serving(settings, {word: said}):
        outcome = send(settings)
    assert outcome.end == "retry"
    assert outcome.fault.endswith(f' answers nonsense: "{told}" (expected a mail server)')


@pytest.mark.parametrize("code", [251, 252, 299])
@pytest.mark.parametrize("word", ["MAIL", "RCPT", "DOT"])
def test_a_code_that_nobody_knows_goes_by_its_first_digit(settings, word, code):
    with serving(settings, {word: b"%d fine\r\n" % code}) as server:
        outcome = send(settings)
    assert (outcome.end, outcome.fault, outcome.refusals) == ("sent", "", ())
    assert len(server.sizes) == 1


def test_a_code_alone_is_a_reply(settings):
    """RFC 5321 §4.2 has clients take it."""
    with serving(settings, {"DOT": b"250\r\n"}):
        assert send(settings).end == "sent"


LARGE = "a line of text\n" * 4_000


def test_a_mail_too_large_for_its_recipients_is_shortened(settings):
    tries = []

    def small_enough(connection: socket.socket) -> None:
        tries.append(1)
        connection.sendall(b"250 OK\r\n" if len(tries) > 3 else b"552 5.3.4 too big\r\n")

    with serving(settings, {"RCPT": small_enough}) as server:
        outcome = send(settings, text=LARGE)
    assert outcome.end == "sent"
    assert " was cut to " in f" {outcome.fault}"
    assert "refuses the mail: 552 5.3.4 too big" in outcome.fault
    (size,) = server.sizes
    assert size < len(LARGE) / 4


def test_who_takes_no_mail_so_large_gets_a_shorter_one_alone(settings):
    said = [b"250 OK\r\n", b"552 5.3.4 too big\r\n"]
    with serving(settings, {"RCPT": lambda connection: connection.sendall(said.pop(0))}):
        outcome = send(settings, "a@example.org", "b@example.org", text=LARGE)
    assert outcome.end == "sent"
    (refusal,) = outcome.refusals
    assert refusal.address == "b@example.org"
    assert not refusal.permanent, "the next attempt is to b alone"


def test_who_may_take_it_later_gets_all_of_it(settings):
    said = [b"450 4.2.0 greylisted\r\n", b"552 5.3.4 too big\r\n"]
    with serving(settings, {"RCPT": lambda connection: connection.sendall(said.pop(0))}):
        outcome = send(settings, "a@example.org", "b@example.org", text=LARGE)
    assert outcome.end == "retry"
    assert (
        "a@example.org (450 4.2.0 greylisted), b@example.org (552 5.3.4 too big)" in outcome.fault
    )
