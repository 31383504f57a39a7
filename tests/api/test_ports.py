"""Ports, and ranges of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyruse.api.ports import Port, check_protocol, ports_of


@pytest.mark.parametrize(
    ("written", "ports"),
    [
        ([443, 22, 443], (22, 443)),
        ([25, 26], (25, 26)),
        (["1000:2000", 22], (22, "1000-2000")),
        (["1000-2000", "1500-3000", 1200], ("1000-3000",)),
        (["22-22", 23], (22, 23)),
        (["1-65535"], ("1-65535",)),
        ([], ()),
    ],
)
def test_in_order_and_each_once(written: list[Port], ports: tuple[Port, ...]) -> None:
    assert ports_of(written) == ports


@pytest.mark.parametrize("value", [0, 65536, True, "22", "http", "1-", "-2", "1-2-3", "9-8", "0-9"])
def test_what_is_no_port(value: Port) -> None:
    with pytest.raises(ValueError, match=r"is no (port|range of ports) \(expected"):
        ports_of([value])


PORTS = st.integers(1, 300)
RANGES = st.tuples(PORTS, PORTS).map(lambda ends: f"{min(ends)}-{max(ends)}")


@given(st.lists(PORTS | RANGES, max_size=8))
def test_no_port_is_lost_and_none_is_there_twice(written: list[Port]) -> None:
    def all_of(ports: tuple[Port, ...] | list[Port]) -> list[int]:
        found: list[int] = []
        for port in ports:
            first, _, last = str(port).partition("-")
            found += range(int(first), int(last or first) + 1)
        return found

    ports = ports_of(written)
    assert sorted(set(all_of(written))) == all_of(ports)
    assert ports_of(ports) == ports


def test_protocols() -> None:
    check_protocol(None, [22])
    check_protocol("tcp", [22])
    check_protocol("icmp", [])
    with pytest.raises(ValueError, match=r'"tpc" is no protocol \(expected one of: tcp, udp'):
        check_protocol("tpc", [])
