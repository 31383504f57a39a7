"""The option type of a mail address."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, ClassVar, Self

from pyruse.text import late_pattern, printable, shown

_ADDRESS = late_pattern(r"[^@\s<>,;:\"()]+(?:@[^@\s<>,;:\"()]+)?\Z")
_TWO_FORMS = late_pattern("[ßς\u200c\u200d]")
"""Of these letters IDNA 2003 and IDNA 2008 make different domains (RFC 5894 §7.2)."""


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
            domain = value.partition("@")[2]
            if _TWO_FORMS.search(domain):
                # "straße.de" is strasse.de by IDNA 2003, and by IDNA 2008 somebody else's.
                raise ValueError(
                    f"{shown(value)} has a domain that programs write in two ways (expected its "
                    "form in ASCII, xn--…)"
                )
            if _is_domain(domain):
                return cls(value)
        raise ValueError(
            f'{shown(value)} is no mail address (expected "name@example.org" or a local user)'
        )


def _is_domain(name: str) -> bool:
    """Whether a host can have this name; the empty one stands for this machine's."""
    if name.isascii():  # as the codec does, the import of which takes a millisecond
        *labels, last = name.split(".")
        return len(last) < 64 and all(0 < len(label) < 64 for label in labels)
    with suppress(UnicodeError):
        name.encode("idna")
        return True
    return False
