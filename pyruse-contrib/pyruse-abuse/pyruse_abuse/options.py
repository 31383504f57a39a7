"""Types of options: the file with a key, the URL of a service."""

from __future__ import annotations

import os
import re
import stat
from typing import Any, ClassVar, Self

from pyruse import one_line
from pyruse_abuse.web import read_key

# No user, no password: those would stand in lists of processes.
_URL = re.compile(r"(?:https://[^\s@]+|http://(?:localhost|127\.0\.0\.1|\[::1\])[:/][^\s@]*)")


class KeyFile(str):
    """The file with the key for a service, on one line. Its owner alone may read it."""

    IN_WORDS: ClassVar[str] = 'the path of a file with a key, such as "/etc/pyruse/abuseipdb.key"'
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^/"}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """:raises ValueError: it is no such file, or others may read it."""
        if not isinstance(value, str) or not value.startswith("/") or "\0" in value:
            raise ValueError(f"that is no path from / on (expected {cls.IN_WORDS})")
        shown = one_line(value)
        try:
            mode = os.stat(value).st_mode
            if not stat.S_ISREG(mode):
                raise ValueError(f"{shown} is no file (expected {cls.IN_WORDS})")
            read_key(value)
        except OSError as fault:
            raise ValueError(f"{shown}: {fault.strerror} (expected {cls.IN_WORDS})") from None
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ValueError(
                f"{shown} is open to others than its owner (expected that Pyruse's user alone may "
                f'read it: "chmod go= {shown}")'
            )
        return cls(value)


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
