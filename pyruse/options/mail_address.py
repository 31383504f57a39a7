"""The option type of a mail address."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any, ClassVar, Self

from pyruse.text import printable, shown

_ADDRESS = re.compile(r"[^@\s<>,;:\"()]+(?:@[^@\s<>,;:\"()]+)?\Z")


class MailAddress(str):
    """An address of mail: ``hostmaster@example.org``, or a local user such as ``root``."""

    IN_WORDS: ClassVar[str] = "a mail address"
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string", "minLength": 1}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a mail address.

        :raises ValueError: it is no such address.
        """
        if isinstance(value, str) and _ADDRESS.match(value) and printable(value) == value:
            with suppress(UnicodeError):  # of a name that no host can have
                value.partition("@")[2].encode("idna")
                return cls(value)
        raise ValueError(
            f'{shown(value)} is no mail address (expected "name@example.org" or a local user)'
        )
