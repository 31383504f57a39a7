"""What goes over the wire, in both directions: checked, bounded, and by remaining time.

What comes was written by another host, which may be stolen: it is as hostile as a log line.
Clocks differ: so nothing here is an instant of a host's clock, but the seconds that are left.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pyruse import Ban, Network, network_text, parse_network, ports_of
from pyruse_fleet.errors import NotTaken

BROADEST_4, BROADEST_6 = 16, 32
"""No broader networks are taken from others: these are typing errors, or worse."""
LONGEST_LABEL = 200
"""Characters of a label, and of a counter's name."""
_LONGEST_KEY = 1_000
_LONGEST_S = 10 * 366 * 86_400.0
"""What lasts longer is for ever: so has an older database what is."""
_LARGEST_COUNT = 1_000_000
_LONGEST_COUNT_S = 8 * 86_400.0
_MOST_PARTS = 10_000


class Key(NamedTuple):
    """What a ban is about: with the host, there is one of each."""

    network: str
    """As `network_text` writes it."""
    label: str
    ports: str = ""
    """As ``22,80,1000-2000``; empty: all."""
    protocol: str = ""


class Position(NamedTuple):
    """So far a host has read the feed."""

    seq: int
    mark: int
    """Of that row: a database that was restored from a backup has another one there, or none."""
    taken: str = ""
    """Which transactions it has read: a snapshot, as PostgreSQL writes it."""


NOWHERE = Position(0, 0)


class Told(NamedTuple):
    """A row of the feed, as it has come: not looked at yet."""

    seq: int
    mark: int
    host: int
    kind: str
    network: str | None
    label: str | None
    ports: str | None
    protocol: str | None
    for_ever: bool
    lasts: float | None
    """The seconds that are left of a ban, by the database's clock."""
    others: bool
    counter: str | None
    key: str | None
    parts: Any
    """Of a count: ``[[host, seconds left, number], …]``."""


def told_ban(host: int, key: Key, lasts: float | None) -> Told:
    """A ban that did not come by the feed."""
    return Told(
        0, 0, host, "ban", *key, for_ever=lasts is None, lasts=lasts,
        others=False, counter=None, key=None, parts=None,
    )  # fmt: skip


class TakenBan(NamedTuple):
    """A ban that may be taken over."""

    network: Network
    key: Key
    ports: tuple[str | int, ...]
    lasts: float | None
    """Seconds; None: for ever."""


def may_travel(name: str) -> bool:
    """Whether the database can hold a label, or a counter's name."""
    return len(name) <= LONGEST_LABEL and "\0" not in name


def key_of(ban: Ban) -> Key:
    """What a ban of this host is about."""
    return Key(ban.network, ban.label, _ports_text(ban.target.ports), ban.target.protocol or "")


def key_of_listed(ban: dict[str, Any]) -> Key:
    """The same of a ban as `Observer.bans` gives it."""
    return Key(ban["ip"], ban["label"], _ports_text(ban["ports"]), ban["protocol"] or "")


def _ports_text(ports: Any) -> str:
    return ",".join(map(str, ports))


def row(kind: str, key: Key, lasts: float | None = None) -> dict[str, Any]:
    """What `fleet.tell` takes."""
    return {
        "kind": kind, "network": key.network, "label": key.label,
        "ports": key.ports, "protocol": key.protocol, "lasts": lasts,
    }  # fmt: skip


def checked_key(network: object, label: object, ports: object, protocol: object) -> Key:
    """What somebody else's ban is about.

    :raises NotTaken: it is nothing that this host would write itself.
    """
    if not (isinstance(network, str) and isinstance(label, str) and len(label) <= LONGEST_LABEL):
        raise NotTaken("is not understood")
    try:
        whom = network_text(parse_network(network))
    except ValueError:
        raise NotTaken("is not understood") from None
    return Key(whom, label, _usual(str(ports or "")), str(protocol or ""))


def checked_breadth(network: Network) -> None:
    """See that a network is not too broad.

    :raises NotTaken: it is.
    """
    broadest = BROADEST_4 if network.version == 4 else BROADEST_6
    if network.prefixlen < broadest:
        raise NotTaken(f"is broader than a /{broadest}")


def checked_ban(told: Told) -> TakenBan:
    """A ban that another host has told.

    :raises NotTaken: it is not to be taken; the text says why.
    """
    key = checked_key(told.network, told.label, told.ports, told.protocol)
    network = parse_network(key.network)
    checked_breadth(network)
    try:
        ports = ports_in(key.ports)
    except ValueError:
        raise NotTaken("has ports that are none") from None
    if told.for_ever:
        return TakenBan(network, key, ports, None)
    if not isinstance(told.lasts, float) or not told.lasts > 0:
        raise NotTaken("is over")
    return TakenBan(network, key, ports, told.lasts if told.lasts <= _LONGEST_S else None)


def checked_counts(told: Told, me: int) -> tuple[str, str, list[tuple[float, int]]]:
    """What other hosts have counted: counter, key, and seconds left with numbers.

    :raises NotTaken: it is not understood.
    """
    counter, key, parts = told.counter, told.key, told.parts
    if not (isinstance(counter, str) and isinstance(key, str) and isinstance(parts, list)):
        raise NotTaken("is not understood")
    if len(key) > _LONGEST_KEY:
        raise NotTaken("is not understood")
    found = []
    for part in parts[:_MOST_PARTS]:
        match part:
            case [int(host), int() | float() as lasts, int(number)] if host != me:
                if lasts > 0 and number > 0:
                    seconds = min(float(lasts), _LONGEST_COUNT_S)
                    found.append((seconds, min(number, _LARGEST_COUNT)))
    return counter, key, found


def _usual(text: str) -> str:
    """Ports as this host writes them; what are none, as they are."""
    try:
        return _ports_text(ports_in(text))
    except ValueError:
        return text


def ports_in(text: str) -> tuple[str | int, ...]:
    """The ports of a `Key`.

    :raises ValueError: they are none.
    """
    return ports_of([_port(one) for one in text.split(",")] if text else [])


def _port(text: str) -> str | int:
    return int(text) if text.isdecimal() and len(text) <= 5 else text
