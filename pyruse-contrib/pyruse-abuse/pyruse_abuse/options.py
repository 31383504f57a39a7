"""Types of options: the file with a key, the URL of a service."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Self

from pyruse import SecretFile, one_line

# No user, no password: those would stand in lists of processes.
_URL = re.compile(r"(?:https://[^\s@]+|http://(?:localhost|127\.0\.0\.1|\[::1\])[:/][^\s@]*)")


class KeyFile(SecretFile):
    """The file with the key for a service."""

    IN_WORDS: ClassVar[str] = 'the path of a file with a key, such as "/etc/pyruse/abuseipdb.key"'

    def read(self) -> str:
        """The key.

        :raises ValueError: there is none that can, or may, be read.
        """
        key = super().read().strip()
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError(f"{one_line(self)} has no key in it (expected one on a line)")
        return key


class ServiceUrl(str):
    """Where a service takes reports: by HTTPS, or on this machine."""

    IN_WORDS: ClassVar[str] = "a URL that begins with https://"
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^https?://"}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """:raises ValueError: it is no such URL."""
        if isinstance(value, str) and _URL.fullmatch(value):
            return cls(value)
        raise ValueError("that is no URL to send a key to (expected https://…, without a user)")
