"""Gateways and resolvers: those of this machine, as the kernel and resolv.conf(5) have them."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from pathlib import Path

import pytest

from pyruse.bans import neighbours
from pyruse.testing import NetworkNamespace

_GATEWAYS = "from pyruse.bans.neighbours import gateways; print(*sorted(map(str, gateways())))"
_ROUTES = """
route add default via 10.9.0.1
route add table 77 default via 10.9.0.2
route add table 78 default nexthop via 10.9.0.3 nexthop via 10.9.0.4
route add 0.0.0.0/1 via inet6 fe80::5 dev {interface}
route add 10.30.0.0/16 via 10.9.0.66
route add blackhole default metric 999
-6 route add default via fe80::6 dev {interface}
-6 route add table 78 default nexthop via 2001:db8:7::7 dev {interface} nexthop via 2001:db8:7::8 dev {interface}
"""  # noqa: E501 -- a route is one line


@pytest.mark.realparts
def test_the_gateways_of_the_default_routes(network_namespace: NetworkNamespace) -> None:
    namespace = network_namespace
    assert namespace.python(_GATEWAYS) == "\n"
    namespace.run(["ip", "link", "add", "here", "type", "veth", "peer", "name", "there"])
    for command in (
        "address add 10.9.0.9/24 dev here", "-6 address add 2001:db8:7::9/64 dev here nodad",
        "link set here up", "link set there up",
    ):  # fmt: skip
        namespace.run(["ip", *command.split()])
    assert namespace.python(_GATEWAYS) == "\n", "a network that is reached at once has none"
    for route in _ROUTES.format(interface="here").strip().splitlines():
        namespace.run(["ip", *route.split()])
    assert namespace.python(_GATEWAYS).split() == [
        "10.9.0.1", "10.9.0.2", "10.9.0.3", "10.9.0.4", "2001:db8:7::7", "2001:db8:7::8",
        "fe80::5", "fe80::6",
    ]  # fmt: skip


def test_a_kernel_that_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("socket.socket", refuse)
    assert neighbours.gateways() == set()


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """``files(resolv.conf, what systemd-resolved asks)``."""
    paths = (tmp_path / "resolv.conf", tmp_path / "upstream.conf")
    monkeypatch.setattr(neighbours, "_RESOLVERS", paths)

    def write(*texts: str) -> None:
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text)

    return write


def test_the_resolvers(files: Callable[[str, str], None], tmp_path: Path) -> None:
    assert neighbours.resolvers() == {}
    files(
        "# nameserver 192.0.2.9\nsearch example.org\nnameserver\nnameserver 127.0.0.53\n"
        "options edns0\nnameserver  192.0.2.53 # x\n",
        "nameserver 192.0.2.53\nnameserver fe80::1%eth0\nnameserver nobody\n",
    )
    assert neighbours.resolvers() == {
        ipaddress.ip_address("192.0.2.53"): f"{tmp_path}/resolv.conf",
        ipaddress.ip_address("fe80::1"): f"{tmp_path}/upstream.conf",
    }
