"""Two machines with a cable between them, for tests of firewalls: a server and an attacker.

::

    def test_a_banned_address_cannot_connect(machines):
        machines.server.run(["nft", "-f", "-"], "…")
        assert machines.dropped(22) == ["192.0.2.7"]
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Literal, Self

from pyruse.testing.namespace import NetworkNamespace

SERVER4, SERVER6 = "192.0.2.1", "2001:db8::1"
SOURCES = (
    "192.0.2.6", "192.0.2.7", "192.0.2.99", "2001:db8::6", "2001:db8::7", "2001:db8::99",
)  # fmt: skip
"""The attacker's addresses; the first two of each family share a /31, or a /127."""

_LAST = ("198.51.100.1", "2001:db8:ffff::1")
"""Addresses of the attacker's that tell when a packet counts as dropped: when one that was sent
after it has been answered, since packets are answered in turn. Only if both of these are banned,
too, seconds tell."""

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
import json, selectors, socket, sys, time
def reached(kind, port, pairs):
    waiting = selectors.DefaultSelector()
    for source, destination in pairs:
        one = socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET, kind)
        one.setblocking(False)
        one.bind((source, 0))
        one.connect_ex((destination, port))
        if kind == socket.SOCK_DGRAM:
            one.send(b"there?")
        event = selectors.EVENT_WRITE if kind == socket.SOCK_STREAM else selectors.EVENT_READ
        waiting.register(one, event, source)
    there, last = set(), {source for source, _ in pairs[-2:]}
    end = time.monotonic() + 5
    while waiting.get_map():
        left = end - time.monotonic()
        for key, _ in waiting.select(max(0, left)):
            there.add(key.data)
            waiting.unregister(key.fileobj)
            key.fileobj.close()
        if left <= 0:
            break
        if last & there:
            last, end = set(), time.monotonic() + 0.05
    for key in list(waiting.get_map().values()):
        key.fileobj.close()
    waiting.close()
    return [source in there for source, _ in pairs[:-2]]
for line in sys.stdin:
    print(json.dumps(reached(*json.loads(line))), flush=True)
"""


class Machines:
    """The two machines, as network namespaces; the server listens on ports 22 and 80."""

    def __init__(self) -> None:
        self.server = NetworkNamespace()
        self.attacker = NetworkNamespace()
        self._client: subprocess.Popen[str]

    def __enter__(self) -> Self:
        """Make the machines.

        :raises NamespaceError: they cannot be made.
        """
        self.server.__enter__()
        try:
            self.attacker.__enter__()
        except BaseException:
            self.server.__exit__(None, None, None)
            raise
        prefixes = [f"{source}/{64 if ':' in source else 24}" for source in (*SOURCES, *_LAST)]
        self.server.connect(self.attacker, [f"{SERVER4}/24", f"{SERVER6}/64"], prefixes)
        for last, gateway in zip(_LAST, (SOURCES[0], SOURCES[3]), strict=True):
            self.server.run(["ip", "route", "add", last, "via", gateway])
        self.listen(self.server, 22, 80)
        self._client = self.attacker.start([sys.executable, "-c", _CLIENT])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.attacker.__exit__(kind, error, traceback)
        self.server.__exit__(kind, error, traceback)

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
        number = socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM
        pairs = [(one, SERVER6 if ":" in one else SERVER4) for one in (*sources, *_LAST)]
        assert self._client.stdin is not None
        assert self._client.stdout is not None
        print(json.dumps([number, port, pairs]), file=self._client.stdin, flush=True)
        reached = json.loads(self._client.stdout.readline())
        return [source for source, here in zip(sources, reached, strict=True) if not here]
