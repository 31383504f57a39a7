"""Numbers that options take, and what an address is counted under."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pyruse import (
    Entry,
    Field,
    address_of,
    address_text,
    printable,
    shortened,
    shown,
    text_around,
)


class Number(int):
    """A whole number within limits."""

    LIMITS: ClassVar[tuple[int, int]]
    WHAT: ClassVar[str]
    SCHEMA: ClassVar[dict[str, Any]]

    def __init_subclass__(cls) -> None:
        lowest, highest = cls.LIMITS
        cls.SCHEMA = {"type": "integer", "minimum": lowest, "maximum": highest}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a prefix length.

        :raises ValueError: it is no whole number, or outside the limits.
        """
        lowest, highest = cls.LIMITS
        if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest:
            return cls(value)
        raise ValueError(
            f"{shown(value)} is no {cls.WHAT} (expected a whole number, {lowest} to {highest})"
        )


class Ipv4PrefixLength(Number):
    """A prefix length of IPv4 networks."""

    LIMITS = (1, 32)
    WHAT = "prefix length of an IPv4 network"


class Ipv6PrefixLength(Number):
    """A prefix length of IPv6 networks."""

    LIMITS = (1, 128)
    WHAT = "prefix length of an IPv6 network"


def counted_under(
    entry: Entry, key: Field, prefix4: Ipv4PrefixLength | None, prefix6: Ipv6PrefixLength | None
) -> str:
    """What an entry is counted under: the value of a field, or the network that it is in.

    An address counts as one however it is written, and whatever its port: each connection of a
    client has another one.

    :param entry: the entry that is counted.
    :param key: the field.
    :param prefix4: the prefix length of IPv4 networks; None: single addresses. If both prefix
        lengths are None, any value is fine.
    :param prefix6: the same for IPv6.
    :raises ValueError: the entry lacks the field, or it holds no address although it must.
    """
    value = entry.text(key)
    if value is None:
        raise ValueError(f"the entry has no {key} to count by")
    if prefix4 is None and prefix6 is None:
        return with_one_spelling(value)
    address = address_of(entry, key)
    if address is None:
        raise ValueError(
            f'{key} = "{shortened(printable(value), 80)}" is in no network to count by (expected '
            "an address)"
        )
    return text_around(address, prefix4 or 32, prefix6 or 128)


def with_one_spelling(text: str) -> str:
    """A text; an address, as it is always written, and without its port."""
    if ":" not in text and "#" not in text and "[" not in text:
        return text  # an IPv4 address is written in one way
    return address_text(text) or text
