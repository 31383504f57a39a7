"""What the database's bad days cost: sharing, for as long as they last, and nothing else."""

from __future__ import annotations

import operator
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest
from conftest import Fleet, free_port, make_fleet
from proxy import Proxy
from pyruse_fleet import feed, plugin
from pyruse_fleet.server import Server, binaries
from pyruse_fleet.simulation import SimulatedHost

from pyruse.testing import need, wait_until


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server that a test may break."""
    need(None if binaries() else "PostgreSQL is not installed (Debian: postgresql)")
    with Server(settings={"fsync": "on", "full_page_writes": "on"}) as made:
        yield made


@pytest.fixture
def own(own_server: Server) -> Iterator[Fleet]:
    with make_fleet(own_server, "own", None) as made:
        yield made


def networks(first: int, many: int) -> set[str]:
    return {f"192.0.2.{number}" for number in range(first, first + many)}


def wait_for(hosts: list[SimulatedHost], banned: set[str]) -> None:
    for one in hosts:
        wait_until(lambda one=one: one.networks ^ banned, operator.not_)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_database_that_is_stopped_or_killed(own: Fleet, how: signal.Signals) -> None:
    hosts = [own.simulated(name) for name in "abc"]
    for number, network in enumerate(sorted(networks(1, 30))):
        hosts[number % 3].own_ban(network)
        hosts[number % 3].raised("ssh", "198.51.100.1")
        if number == 10:
            own.server.stop(how)
    hosts[0].own_unban(sorted(networks(1, 30))[0])
    # Each bans by itself, at once.
    wait_until(lambda: sum(len(one.networks) for one in hosts), lambda now: now >= 29)
    own.server.start()
    wait_for(hosts, networks(1, 30) - {sorted(networks(1, 30))[0]})
    wait_until(
        partial(own.ask, "SELECT sum(number) FROM fleet.counts"), partial(operator.eq, [(30,)])
    )


def restore(server: Server, backup: Path) -> None:
    """Put a copy of the data in the place of what is there."""
    server.stop(signal.SIGKILL)
    shutil.rmtree(server.data)
    shutil.copytree(backup, server.data)
    subprocess.run(["chown", "-R", "--reference", server.folder, server.data], check=True)
    server.start()


def test_a_database_that_is_restored_from_a_backup(
    own: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_LIFT_AFTER_S", 3.0)
    hosts = [own.simulated(name) for name in "abc"]
    hosts[0].own_ban("192.0.2.1")
    wait_for(hosts, {"192.0.2.1"})
    own.server.stop()
    backup = tmp_path / "backup"
    shutil.copytree(own.server.data, backup)
    own.server.start()
    dead = own.simulated("dead")
    dead.own_ban("192.0.2.9")
    hosts[1].own_ban("192.0.2.2")
    hosts[0].own_unban("192.0.2.1")
    wait_for(hosts, {"192.0.2.2", "192.0.2.9"})
    dead.plugin.on_stop()
    restore(own.server, backup)
    # It says that 192.0.2.1 is banned, and nothing of 192.0.2.2: until the hosts have told it.
    told = partial(own.ask, "SELECT host(network) FROM fleet.bans")
    wait_until(told, partial(operator.eq, [("192.0.2.2",)]))
    hosts[2].own_ban("192.0.2.3")
    # What nobody tells again is lifted, after a while.
    wait_for(hosts, {"192.0.2.2", "192.0.2.3"})


def test_connections_that_are_cut_at_random_lose_nothing_and_tell_nothing_twice(
    own: Fleet,
) -> None:
    path = f"{own.server.folder}/.s.PGSQL.{own.server.port}"
    with Proxy(path, seed=20, longest_s=2.0) as proxy:
        url = f"postgresql://{{}}@127.0.0.1:{proxy.port}/{own.database}?sslmode=disable"
        own.add(*"abc")
        hosts = [own.simulated(name, url=url.format(name)) for name in "abc"]
        calm = own.simulated("calm")
        for number, network in enumerate(sorted(networks(1, 120))):
            one = hosts[number % 3]
            one.own_ban(network)
            one.raised("ssh", "198.51.100.1", by=1 + number % 2)
            if number % 4 == 0:
                one.own_unban(network)
            if number % 20 == 0:
                wait_until(lambda: proxy.cut, lambda cut, n=number: cut >= n // 20)
        cut = proxy.cut
        proxy.calm_down()
        left = {network for n, network in enumerate(sorted(networks(1, 120))) if n % 4}
        wait_for([*hosts, calm], left)
        counted = partial(own.ask, "SELECT sum(number) FROM fleet.counts")
        wait_until(counted, lambda now: now >= [(180,)])
        assert counted() == [(180,)], "as without a fault: what was sent twice counts once"
        told = own.ask("SELECT host(network) FROM fleet.bans")
        assert sorted(told) == sorted((network,) for network in left)
        assert cut >= 5


def test_a_full_disk(open_folder: Path) -> None:
    need(None if binaries() else "PostgreSQL is not installed (Debian: postgresql)")
    disk = open_folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=120m", "tmpfs", disk], capture_output=True, check=False
    )
    need("a file system cannot be mounted" if mounted.returncode else None)
    disk.chmod(0o755)
    data = disk / "data"
    data.mkdir()
    try:
        small = {"max_wal_size": "32MB", "min_wal_size": "32MB"}
        with Server(data=data, settings=small) as server, make_fleet(server, "own", None) as own:
            hosts = [own.simulated(name) for name in "ab"]
            hosts[0].own_ban("192.0.2.1")
            wait_for(hosts, {"192.0.2.1"})
            filler = disk / "filler"
            with pytest.raises(OSError, match="No space"):
                fill(filler)
            many = {f"198.51.{n // 250}.{n % 250 + 1}" for n in range(500)}
            for network in sorted(many):
                hosts[0].own_ban(network)
            wait_until(lambda: len(hosts[0].networks), partial(operator.eq, 501))
            filler.unlink()
            wait_until(lambda: _is_up(server))
            hosts[1].own_ban("192.0.2.2")
            wait_for(hosts, many | {"192.0.2.1", "192.0.2.2"})
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def fill(file: Path) -> None:
    """Write until there is no room."""
    with file.open("wb") as opened:
        while True:
            opened.write(bytes(65_536))
            opened.flush()


def _is_up(server: Server) -> bool:
    """Whether the server runs; one that could not write its log of changes has ended."""
    if not server.runs:
        server.start()
    return True


def test_a_database_that_is_away_is_told_of_and_the_plugin_waits_for_nobody(own: Fleet) -> None:
    host = own.simulated("a", url="postgresql://a@127.0.0.1:1/x")
    host.own_ban("192.0.2.1")
    host.raised("ssh", "192.0.2.1")
    wait_until(lambda: host.networks)
    session = host.plugin._session
    wait_until(lambda: "nobody answers" in session.trouble.text)
    wait_until(lambda: host.lines)
    [line] = host.lines
    assert line == (
        "the fleet's database is away: nobody answers at 127.0.0.1, port 1 "
        "(expected PostgreSQL there: listen_addresses): nothing is shared meanwhile"
    )


def test_a_database_that_only_reads_as_after_a_failover(own: Fleet) -> None:
    a, b = (own.simulated(name) for name in "ab")
    a.own_ban("192.0.2.1")
    wait_for([a, b], {"192.0.2.1"})
    own.ask("ALTER SYSTEM SET default_transaction_read_only = on")
    own.ask("SELECT pg_reload_conf()")
    wait_until(lambda: own.ask("SHOW default_transaction_read_only"), lambda now: now == [("on",)])
    a.own_ban("192.0.2.2")
    session = a.plugin._session
    wait_until(lambda: "read-only" in session.trouble.text)
    own.ask("ALTER SYSTEM RESET default_transaction_read_only")
    own.ask("SELECT pg_reload_conf()")
    wait_for([a, b], {"192.0.2.1", "192.0.2.2"})


def test_a_database_that_hangs(own: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin, "_CALL_S", 0.5)
    a, b = (own.simulated(name) for name in "ab")
    a.own_ban("192.0.2.1")
    wait_for([a, b], {"192.0.2.1"})
    processes = own.server.processes()
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    try:
        a.own_ban("192.0.2.2")
        a.raised("ssh", "192.0.2.2")
        wait_until(lambda: a.networks, lambda now: len(now) == 2)
        wait_until(lambda: not a.plugin._link.is_connected)  # type: ignore[union-attr]
    finally:
        for pid in processes:
            os.kill(pid, signal.SIGCONT)
    wait_for([a, b], {"192.0.2.1", "192.0.2.2"})
    counted = partial(own.ask, "SELECT sum(number) FROM fleet.counts")
    wait_until(counted, partial(operator.eq, [(1,)]))


def test_a_certificate_for_each_host(open_folder: Path) -> None:
    """TLS in both directions, by a CA of the fleet's own, as docs/fleet.md has it."""
    need(None if binaries() and shutil.which("openssl") else "PostgreSQL or openssl is missing")
    subprocess.run(["sh", "-euc", _CERTIFICATES], cwd=open_folder, check=True, capture_output=True)
    settings = {
        "ssl": "on",
        **{f"ssl_{name}_file": str(open_folder / f"server.{name}") for name in ("key", "cert")},
        "ssl_ca_file": str(open_folder / "ca.cert"),
    }
    port = free_port()
    if os.geteuid() == 0:
        shutil.chown(open_folder / "server.key", "postgres")
    with (
        Server(port, listen="127.0.0.1", settings=settings, hba=_HBA) as server,
        make_fleet(server, "own", None) as own,
    ):
        url = (
            f"host=localhost hostaddr=127.0.0.1 port={port} dbname=own user={{}} "
            f"sslmode=verify-full sslrootcert={open_folder}/ca.cert "
            f"sslcert={open_folder}/a.cert sslkey={open_folder}/a.key"
        )
        a = own.simulated("a", url=url.format("a"))
        b = own.simulated("b")  # over the socket, as its owner does
        a.own_ban("192.0.2.1")
        wait_for([a, b], {"192.0.2.1"})
        with pytest.raises(psycopg.OperationalError, match="certificate authentication failed"):
            psycopg.connect(url.format("b"))


_HBA = "local all all trust\nhostssl all +pyruse_hosts all cert\n"
_CERTIFICATES = """
new() { openssl req -newkey rsa:2048 -nodes -keyout $1.key -subj /CN=$2 -out $1.csr; }
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -subj /CN=fleet -days 2 -out ca.cert
for name in server a; do
  cn=$name; [ $name = a ] || cn=localhost
  new $name $cn
  openssl x509 -req -in $name.csr -CA ca.cert -CAkey ca.key -CAcreateserial -days 2 -out $name.cert
  chmod 600 $name.key
done
"""
