"""Ports, ranges of ports, and the protocols that have them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

from pyruse.text import late_pattern, shown

Port = int | str
"""A port, or a range of ports: ``"1000-2000"``."""
Protocol = Literal["tcp", "udp", "sctp", "dccp", "udplite", "icmp"]
"""A protocol; ``icmp`` is that of the address's version of IP."""
PROTOCOLS: tuple[str, ...] = get_args(Protocol)

_LAST = 65_535
_RANGE = late_pattern(r"([0-9]{1,5})[-:]([0-9]{1,5})")


def ports_of(values: Iterable[Port]) -> tuple[Port, ...]:
    """Ports and ranges in order, each port once.

    :param values: whole numbers; ranges such as ``"1000-2000"`` or ``"1000:2000"``.
    :raises ValueError: one is none of these: ``"fault (expected …)"``.
    """
    spans = sorted({_span(value) for value in values})
    if all(first == last for first, last in spans):
        return tuple(first for first, _ in spans)
    joined: list[tuple[int, int]] = []
    for first, last in spans:
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return tuple(first if first == last else f"{first}-{last}" for first, last in joined)


def _span(value: Port) -> tuple[int, int]:
    if isinstance(value, str) and (found := _RANGE.fullmatch(value)):
        first, last = int(found[1]), int(found[2])
        if 1 <= first <= last <= _LAST:
            return first, last
        raise ValueError(
            f'{shown(value)} is no range of ports (expected one such as "1000-2000", the first '
            f"port before the last, 1 to {_LAST})"
        )
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _LAST:
        return int(value), int(value)  # of no type of a plugin's own: they are stored
    raise ValueError(f"{shown(value)} is no port (expected a whole number, 1 to {_LAST})")


def check_protocol(protocol: str | None, ports: Iterable[Port]) -> None:
    """See that there is such a protocol, and that it has ports if some are asked for.

    :raises ValueError: it is not so: ``"fault (expected …)"``.
    """
    if protocol is not None and protocol not in PROTOCOLS:
        raise ValueError(
            f"{shown(protocol)} is no protocol (expected one of: {', '.join(PROTOCOLS)})"
        )
    if protocol == "icmp" and tuple(ports):
        raise ValueError("icmp has no ports (expected another protocol, or no ports)")
