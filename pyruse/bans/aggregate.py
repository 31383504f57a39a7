"""The option ``[bans] aggregate``: how networks grow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

BITS = {4: 32, 6: 128}
"""The bits of an address, by the version of IP."""
_BROADEST = {4: 8, 6: 16}


@dataclass(eq=False, repr=False)
class Growth:
    """How the networks of one family grow."""

    prefix: int
    """The prefix length of the networks."""
    at: int
    """The number of bans in one network from which all of it is banned."""

    IN_WORDS: ClassVar[str] = "a table such as { prefix = 24, at = 16 }"
    SCHEMA: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "prefix": {"type": "integer", "minimum": 8, "maximum": 127},
            "at": {"type": "integer", "minimum": 2},
        },
        "required": ["prefix", "at"],
        "additionalProperties": False,
    }

    def __post_init__(self) -> None:
        if self.at < 2:
            raise ValueError(
                f"at = {self.at} is not many (expected 2 or more; prefix4 and prefix6 of the "
                "action ban are for whole networks from the first offence on)"
            )


@dataclass(eq=False, repr=False)
class Aggregate:
    """``{ ipv4 = { prefix = 24, at = 16 }, ipv6 = { prefix = 64, at = 4 } }``, or one of them."""

    ipv4: Growth | None = None
    ipv6: Growth | None = None

    IN_WORDS: ClassVar[str] = "a table such as { ipv4 = { prefix = 24, at = 16 } }"

    def __post_init__(self) -> None:
        for version in (4, 6):
            growth, longest = self.of(version), BITS[version] - 1
            if growth is not None and not _BROADEST[version] <= growth.prefix <= longest:
                raise ValueError(
                    f"ipv{version}.prefix = {growth.prefix} is no prefix length of networks that "
                    f"grow (expected {_BROADEST[version]} to {longest})"
                )

    def of(self, version: int) -> Growth | None:
        """How networks of IPv4 or IPv6 grow; None: not at all."""
        return self.ipv4 if version == 4 else self.ipv6
