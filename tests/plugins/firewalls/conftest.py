"""Two machines with a cable between them: a server with a firewall, and an attacker."""

from __future__ import annotations

import ipaddress
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import pytest

from pyruse import Element, FirewallError, Target
from pyruse.testing.namespace import NetworkNamespace, unavailable
from pyruse.testing.plugin import need

_SERVER = """
import selectors, socket, sys
waiting = selectors.DefaultSelector()
for port in map(int, sys.argv[1:]):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        one = socket.socket(socket.AF_INET6, kind)
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        one.bind(("::", port))
        if kind == socket.SOCK_STREAM:
            one.listen()
        waiting.register(one, selectors.EVENT_READ)
print("ready", flush=True)
while True:
    for key, _ in waiting.select():
        if key.fileobj.type == socket.SOCK_STREAM:
            key.fileobj.accept()[0].close()
        else:
            key.fileobj.sendto(b"here", key.fileobj.recvfrom(10)[1])
"""

_CLIENT = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
kind, port, pairs = json.loads(sys.argv[1])
def reaches(pair):
    source, destination = pair
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    with socket.socket(family, getattr(socket, kind)) as one:
        one.settimeout(0.5)
        one.bind((source, 0))
        try:
            one.connect((destination, port))
            if kind == "SOCK_DGRAM":
                one.send(b"there?")
                one.recv(10)
        except TimeoutError:
            return False
        return True
with ThreadPoolExecutor() as pool:
    print(json.dumps(list(pool.map(reaches, pairs))))
"""

SERVER4, SERVER6 = "192.0.2.1", "2001:db8::1"
#: The attacker's addresses; the first two of each family share a /31, or a /127.
SOURCES = (
    "192.0.2.6", "192.0.2.7", "192.0.2.99", "2001:db8::6", "2001:db8::7", "2001:db8::99",
)  # fmt: skip


class Machines:
    """The two machines."""

    def __init__(self, server: NetworkNamespace, attacker: NetworkNamespace) -> None:
        self.server = server
        self._attacker = attacker
        prefixes = [f"{source}/{64 if ':' in source else 24}" for source in SOURCES]
        server.connect(attacker, [f"{SERVER4}/24", f"{SERVER6}/64"], prefixes)
        self.listen(server, 22, 80)

    def listen(self, namespace: NetworkNamespace, *ports: int) -> None:
        """Start a server of TCP and UDP."""
        process = namespace.start([sys.executable, "-c", _SERVER, *map(str, ports)])
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

    def dropped(
        self,
        port: int = 22,
        kind: Literal["tcp", "udp"] = "tcp",
        sources: Sequence[str] = SOURCES,
    ) -> list[str]:
        """Those of the attacker's addresses that cannot reach a port of the server."""
        pairs = [(source, SERVER6 if ":" in source else SERVER4) for source in sources]
        socket = "SOCK_STREAM" if kind == "tcp" else "SOCK_DGRAM"
        answer = self._attacker.python(_CLIENT, json.dumps([socket, port, pairs]))
        return [
            source for source, here in zip(sources, json.loads(answer), strict=True) if not here
        ]


@pytest.fixture
def machines() -> Iterator[Machines]:
    need(unavailable("nft", "ipset", "iptables"))
    with NetworkNamespace() as server, NetworkNamespace() as attacker:
        yield Machines(server, attacker)


@dataclass
class Refusal:
    """What a `FirewallError` says."""

    text: str
    networks: list[str]
    emptied: bool


class Driver:
    """A firewall as the tests speak of it: ``ban("192.0.2.7", seconds=60, ports=(22,))``."""

    def __init__(self, firewall) -> None:
        self.firewall = firewall

    def check(self, **target) -> None:
        self.firewall.check(Target("any", **target))

    def ban(self, *networks: str, seconds: int | None = 600, **target) -> None:
        self.firewall.apply(self.elements(*networks, seconds=seconds, **target), [])

    def unban(self, *networks: str, **target) -> None:
        self.firewall.apply([], self.elements(*networks, **target))

    def elements(self, *networks: str, seconds: int | None = None, **target) -> list[Element]:
        where = Target("any", **target)
        return [Element(ipaddress.ip_network(network), where, seconds) for network in networks]

    def refused(self, apply: Callable[[], None]) -> Refusal:
        with pytest.raises(FirewallError) as caught:
            apply()
        failed = caught.value.failed or []
        networks = [str(element.network) for element in failed]
        return Refusal(str(caught.value), networks, caught.value.emptied)

    def refuses(self, *networks: str, **given) -> Refusal:
        return self.refused(lambda: self.ban(*networks, **given))


@pytest.fixture
def driver() -> type[Driver]:
    return Driver
