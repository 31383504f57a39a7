"""Five whole daemons, each with its journald, kernel and network; attackers move on."""

from __future__ import annotations

import json
import operator
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from typing import NamedTuple

import pytest
from conftest import CHAINS, Fleet, make_fleet
from pyruse_fleet.server import Server, binaries

from pyruse.testing import Daemon, Journald, MakeDaemon, NetworkNamespace, need, wait_until

HOSTS = "abcde"
ATTACKERS = [f"203.0.113.{number}" for number in range(1, 6)]

_LISTEN = """
import socket
server = socket.create_server(("", 22))
print("ready", flush=True)
while True:
    server.accept()[0].close()
"""
_TRY = """
import json, selectors, socket, sys, time
waiting, found = selectors.DefaultSelector(), []
for source, to in json.loads(sys.argv[1]):
    one = socket.socket()
    one.setblocking(False)
    one.bind((source, 0))
    one.connect_ex((to, 22))
    waiting.register(one, selectors.EVENT_WRITE, (source, to))
end = time.monotonic() + 3
while waiting.get_map() and (left := end - time.monotonic()) > 0:
    for key, _ in waiting.select(left):
        if not key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            found.append(key.data)
        waiting.unregister(key.fileobj)
    if len(waiting.get_map()) and found:
        end = min(end, time.monotonic() + 1)
print(json.dumps(found))
"""


class Host(NamedTuple):
    name: str
    address: str
    network: NetworkNamespace
    journald: Journald
    daemon: Daemon

    @property
    def closed_out(self) -> set[str]:
        """The attackers that the kernel keeps out."""
        rules = self.network.run(["nft", "list", "ruleset"])
        return {one for one in ATTACKERS if f"{one} " in rules}


class Site(NamedTuple):
    """The hosts, and the internet between them, where the database and the attackers are."""

    fleet: Fleet
    internet: NetworkNamespace
    hosts: list[Host]

    def attack(self, source: str, *hosts: Host, times: int = 1) -> None:
        """Fail to log in, where one comes that far; sshd writes a line of it."""
        for _ in range(times):
            for host in hosts:
                if self.reached([(source, host.address)]):
                    host.journald.send(
                        SYSLOG_IDENTIFIER="sshd", MESSAGE=f"Failed for root from {source}"
                    )

    def reached(self, pairs: list[tuple[str, str]]) -> list[list[str]]:
        """From where one comes to where."""
        found: list[list[str]] = json.loads(self.internet.python(_TRY, json.dumps(pairs)))
        return found


@pytest.fixture
def site(daemon: MakeDaemon) -> Iterator[Site]:
    need(None if binaries() else "PostgreSQL is not installed (Debian: postgresql)")
    need(None if os.geteuid() == 0 and shutil.which("nft") else "it takes root, and nft")
    with ExitStack() as end:
        internet = end.enter_context(NetworkNamespace())
        for source in ATTACKERS:
            internet.run(["ip", "address", "add", f"{source}/32", "dev", "lo"])
        server = end.enter_context(Server(prefix=internet.prefix, listen="*"))
        fleet = end.enter_context(make_fleet(server, "own", None))
        hosts = []
        for number, name in enumerate(HOSTS, 1):
            network = end.enter_context(NetworkNamespace())
            gateway, address = f"10.0.{number}.1", f"10.0.{number}.2"
            internet.connect(network, [f"{gateway}/24"], [f"{address}/24"])
            network.run(["ip", "route", "add", "default", "via", gateway])
            listening = network.start([sys.executable, "-c", _LISTEN])
            assert listening.stdout is not None
            assert listening.stdout.readline() == "ready\n"
            fleet.add(name)
            journald = end.enter_context(Journald())
            made = daemon("", journald, prefix=network.prefix)
            made.configure(
                f"""
                {CHAINS}
                [bans]
                never = ["{ATTACKERS[3] if name == "e" else "192.0.2.1"}"]
                [bans.nftables]
                command = ["nft"]
                [plugins.fleet]
                url = "postgresql://{name}@{gateway}/own?sslmode=disable"
                share = ["ssh"]
                accept = ["ssh"]
                counters = ["ssh"]
                """
            )
            hosts.append(Host(name, address, network, journald, made.start()))
        yield Site(fleet, internet, hosts)


def wait_for(hosts: list[Host], attackers: set[str]) -> None:
    """Wait until the kernels of all these hosts keep out these attackers."""
    for host in hosts:
        host.daemon.wait_until(lambda h=host: h.closed_out, lambda now: now == attackers)


def counted(host: Host, attacker: str) -> int:
    """How many failures of an attacker a host knows of; none, once it has banned him for them."""
    with closing(sqlite3.connect(f"file:{host.daemon.state}?mode=ro", uri=True)) as state:
        query = "SELECT coalesce(sum(amount), 0) FROM counts WHERE key = ?"
        return int(state.execute(query, [attacker]).fetchone()[0])


def test_attackers_that_move_from_host_to_host(site: Site) -> None:
    first, moving, in_the_dark, friend, nobody = ATTACKERS
    a, b, *_, e = site.hosts
    # Who is banned on one host finds the doors of all others closed.
    site.attack(first, a, times=5)
    wait_for(site.hosts, {first})
    # Who tries each host once is counted over all of them.
    for tried, host in enumerate(site.hosts, 1):
        site.attack(moving, host)
        wait_until(partial(counted, host, moving), partial(operator.eq, tried if tried < 5 else 0))
        for other in site.hosts if 1 < tried < 5 else ():
            wait_until(partial(counted, other, moving), partial(operator.eq, tried))
    wait_for(site.hosts, {first, moving})
    # A database that is away keeps nobody from banning; the others hear of it once it is back.
    site.fleet.server.stop()
    site.attack(in_the_dark, b, times=5)
    wait_for([b], {first, moving, in_the_dark})
    assert a.closed_out == {first, moving}
    site.fleet.server.start()
    wait_for(site.hosts, {first, moving, in_the_dark})
    # Each host's own `never` wins.
    site.attack(friend, a, times=5)
    wait_for(site.hosts[:-1], {first, moving, in_the_dark, friend})
    assert e.closed_out == {first, moving, in_the_dark}
    # What is lifted where it was banned is lifted everywhere.
    a.daemon.command("unban", first)
    wait_for(site.hosts[:-1], {moving, in_the_dark, friend})
    pairs = [(source, host.address) for source in (first, nobody, friend) for host in site.hosts]
    expected = [[source, to] for source, to in pairs if source != friend or to == e.address]
    assert sorted(site.reached(pairs)) == sorted(expected)
