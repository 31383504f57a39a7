"""A connection to a mail server that never waits, or reads, without end."""

from __future__ import annotations

import re
import smtplib
import time

from pyruse.text import late_pattern, one_line, shortened

_MOST_LINES = 100
_MOST_BYTES = 65_536
_LONGEST_LINE = 8_192
"""Bytes: RFC 5321 §4.5.3.1.5 allows 512."""
_REPLY = late_pattern(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)  # RFC 5321 §4.2
_SHOWN = 100  # characters


class NoReplyError(smtplib.SMTPException):
    """What the server says is no reply of a mail server. The connection is closed."""


class Connection(smtplib.SMTP):
    """A connection in clear text, at least at its beginning."""

    def getreply(self) -> tuple[int, bytes]:
        """Read a reply: all of it within the time limit of the connection.

        :return: the code, from 200 to 599, and the text, with a line feed between its lines.
        :raises NoReplyError: it is too long, or is none.
        :raises smtplib.SMTPServerDisconnected: the connection ended, or, in the context of a
            TimeoutError, the reply did not end in time.
        :raises smtplib.SMTPResponseException: a line is too long.
        """
        try:
            return self._read_reply()
        except OSError as fault:
            self.close()
            if isinstance(fault, smtplib.SMTPException):  # they are OSErrors
                raise
            text = f"Connection unexpectedly closed: {fault}"
            raise smtplib.SMTPServerDisconnected(text) from fault

    def _read_reply(self) -> tuple[int, bytes]:
        assert self.sock is not None
        if self.file is None:  # smtplib forgets it where encryption begins
            self.file = self.sock.makefile("rb")
        deadline = time.monotonic() + float(self.timeout)
        texts: list[bytes] = []
        size = 0
        while True:
            line = self._read_line(deadline)
            found = _REPLY.fullmatch(line.rstrip(b" \t\r\n"))
            if found is None:
                said = one_line(line.strip().decode(errors="replace"))
                raise NoReplyError(f'answers nonsense: "{shortened(said, _SHOWN)}"')
            code, mark, text = found.groups()
            texts.append((text or b"").strip())
            if mark != b"-":
                self.sock.settimeout(self.timeout)
                return int(code), b"\n".join(texts)
            size += len(line)
            if len(texts) >= _MOST_LINES or size > _MOST_BYTES:
                raise NoReplyError(f"answers without end: {len(texts)} lines, {size:,} bytes")

    def _read_line(self, deadline: float) -> bytes:
        assert self.sock is not None
        assert self.file is not None
        line = b""
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            self.sock.settimeout(left)
            there = self.file.peek(1)  # from the server at most once, and so no longer than is left
            if not there:
                raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")
            line += self.file.read(there.find(b"\n") + 1 or len(there))
            if len(line) > _LONGEST_LINE:
                raise smtplib.SMTPResponseException(500, "Line too long.")
        return line


class TlsConnection(Connection, smtplib.SMTP_SSL):
    """A connection that is encrypted from its beginning."""
