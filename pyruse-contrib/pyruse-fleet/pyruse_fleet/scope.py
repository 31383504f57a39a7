"""What a ban closes: whether one does all that another one would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pyruse import Ban, Network, parse_network

_BY_DEFAULT = frozenset({"tcp", "udp"})
"""Whose ports are closed, where a ban of ports names no protocol."""
_Spans = list[tuple[int, int]]


def covers(known: Ban, network: Network, ports: Sequence[int | str], protocol: str | None) -> bool:
    """Whether a ban in force closes all that a ban of this network, from these ports, would."""
    outer, target = parse_network(known.network), known.target
    return (
        outer.version == network.version
        and outer.supernet_of(network)  # type: ignore[arg-type]
        and closes(target.ports, target.protocol, ports, protocol)
    )


def closes(
    ports: Sequence[int | str],
    protocol: str | None,
    other_ports: Sequence[int | str],
    other_protocol: str | None,
) -> bool:
    """Whether these ports are all of the other ones, and more perhaps; none given: all ports."""
    if ports and not (other_ports and _inside(_spans(other_ports), _spans(ports))):
        return False
    if protocol is None:
        return not ports or _protocols(other_protocol) <= _BY_DEFAULT
    return protocol == other_protocol


def _protocols(protocol: str | None) -> frozenset[str]:
    return _BY_DEFAULT if protocol is None else frozenset({protocol})


def _inside(inner: _Spans, outer: _Spans) -> bool:
    return all(any(a <= first and last <= b for a, b in outer) for first, last in inner)


def _spans(ports: Sequence[int | str]) -> _Spans:
    """From and to, in order; what is next to each other is one."""
    found = sorted(_ends(ports))
    joined = found[:1]
    for first, last in found[1:]:
        if first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined


def _ends(ports: Sequence[int | str]) -> Iterator[tuple[int, int]]:
    for port in ports:
        first, _, last = str(port).partition("-")
        yield int(first), int(last or first)
