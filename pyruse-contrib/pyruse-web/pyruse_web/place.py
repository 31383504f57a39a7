"""Where the page is listened for."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

_ANYBODY = 0o666
"""As with a port of loopback, whoever may connect still needs the token."""
_BACKLOG = 64


@dataclass(frozen=True)
class Place:
    """An address of loopback with a port, or a Unix socket."""

    address: str
    """Of loopback, or the absolute path of the socket."""
    port: int | None
    """None: it is a path."""

    IN_WORDS: ClassVar[str] = 'a place such as "127.0.0.1:8765" or "/run/pyruse/web.sock"'
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^/.|:[0-9]+$"}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """:raises ValueError: it is no such place."""
        if isinstance(value, str) and value.startswith("/") and "\0" not in value:
            return cls(value, None)
        host, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
        with suppress(ValueError):
            address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
            if address.is_loopback and re.fullmatch("[0-9]{1,5}", port) and int(port) < 1 << 16:
                return cls(str(address), int(port))
        raise ValueError(
            f'"{value}" is no place for the page (expected a port of loopback such as '
            '"127.0.0.1:8765", or the path of a socket: a proxy with TLS brings it elsewhere)'
        )

    def __str__(self) -> str:
        if self.port is None:
            return self.address
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"http://{host}:{self.port}"

    def bind(self) -> socket.socket:
        """A socket that listens there.

        :raises ValueError: that cannot be.
        """
        try:
            return self._bound_path() if self.port is None else self._bound_port(self.port)
        except OSError as fault:
            wanted = (
                "a folder that the user of the service may write to, such as that of "
                "RuntimeDirectory="
                if self.port is None
                else "a port that nobody else uses"
            )
            raise ValueError(
                f"{self} cannot be listened to: {fault.strerror or fault} (expected {wanted})"
            ) from None

    def _bound_port(self, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        listening = socket.socket(family)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((self.address, port))
            listening.listen(_BACKLOG)
        except BaseException:
            listening.close()
            raise
        return listening

    def _bound_path(self) -> socket.socket:
        """The socket is made under another name, so that it is never there without listening."""
        new = f"{self.address}.new"
        listening = socket.socket(socket.AF_UNIX)
        try:
            with suppress(FileNotFoundError):
                if not stat.S_ISSOCK(os.lstat(self.address).st_mode):
                    raise OSError("something else is there")
            Path(new).unlink(missing_ok=True)
            listening.bind(new)
            os.chmod(new, _ANYBODY)
            listening.listen(_BACKLOG)
            os.replace(new, self.address)
        except BaseException:
            listening.close()
            raise
        return listening

    def remove(self) -> None:
        """Leave no socket behind."""
        if self.port is None:
            with suppress(OSError):
                os.unlink(self.address)
