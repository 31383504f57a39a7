"""What the database's bad days cost: sharing, for as long as they last, and nothing else."""

from __future__ import annotations

import operator
import shutil
import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from conftest import Fleet, make_fleet
from proxy import Proxy
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


def test_a_database_that_is_restored_from_a_backup(own: Fleet, tmp_path: Path) -> None:
    hosts = [own.simulated(name) for name in "abc"]
    hosts[0].own_ban("192.0.2.1")
    wait_for(hosts, {"192.0.2.1"})
    own.server.stop()
    backup = tmp_path / "backup"
    shutil.copytree(own.server.data, backup)
    own.server.start()
    hosts[1].own_ban("192.0.2.2")
    hosts[0].own_unban("192.0.2.1")
    wait_for(hosts, {"192.0.2.2"})
    own.server.stop(signal.SIGKILL)
    shutil.rmtree(own.server.data)
    shutil.copytree(backup, own.server.data)
    subprocess.run(["chown", "-R", "--reference", own.server.folder, own.server.data], check=True)
    own.server.start()
    # It says that 192.0.2.1 is banned, and nothing of 192.0.2.2: until the hosts have told it.
    told = partial(own.ask, "SELECT host(network) FROM fleet.bans")
    wait_until(told, partial(operator.eq, [("192.0.2.2",)]))
    hosts[2].own_ban("192.0.2.3")
    wait_for(hosts, {"192.0.2.2", "192.0.2.3"})


def test_connections_that_are_cut_at_random_lose_nothing_and_tell_nothing_twice(
    own: Fleet,
) -> None:
    socket = f"{own.server.folder}/.s.PGSQL.{own.server.port}"
    with Proxy(socket, seed=20, longest_s=2.0) as proxy:
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


def test_a_full_disk(tmp_path: Path) -> None:
    need(None if binaries() else "PostgreSQL is not installed (Debian: postgresql)")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=120m", "tmpfs", disk], capture_output=True, check=False
    )
    need("a file system cannot be mounted" if mounted.returncode else None)
    for folder in (disk, *disk.parents):
        if "pytest" in str(folder):
            folder.chmod(0o755)
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
            many = {f"198.51.{n // 250}.{n % 250 + 1}" for n in range(2_000)}
            for network in sorted(many):
                hosts[0].own_ban(network)
            wait_until(lambda: len(hosts[0].networks), partial(operator.eq, 2_001))
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
    wait_until(lambda: "refused" in session.why_away)
    session.away_since -= 60
    session.lost("")
    wait_until(lambda: host.lines)
    [line] = host.lines
    assert line.startswith("the fleet's database is away: ")
