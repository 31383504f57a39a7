"""What the tests share: a PostgreSQL of their own, and a fleet in it."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from pyruse_fleet import hosts, link, schema
from pyruse_fleet.plugin import Fleet as Plugin
from pyruse_fleet.server import Server, binaries
from pyruse_fleet.simulation import Main, SimulatedHost

from pyruse.testing import Daemon, need


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    need(None if binaries() else "PostgreSQL is not installed (Debian: postgresql)")
    with Server() as made:
        yield made


CHAINS = """
[chains]
"ssh" = [
  { filter = "regex", pattern = '^Failed for .* from {address}$' },
  { action = "count", counter = "ssh", key = "ip", within = "1h", into = "failures" },
  { filter = "at_least", field = "failures", value = 5 },
  { action = "ban", ip = "ip", duration = "1h" },
  { action = "reset", counter = "ssh", key = "ip" },
]
"""
"""Five failures are too many."""


class Fleet:
    """A database of a test's own, and daemons that are its hosts."""

    def __init__(self, server: Server, database: str, daemon: Callable[..., Daemon] | None) -> None:
        self.server, self.database = server, database
        self._daemon = daemon
        self.daemons: list[Daemon] = []
        self.main = Main()
        self.simulations: list[SimulatedHost] = []
        self.ask("CREATE DATABASE " + database, database="postgres")
        with server.connection(database=database) as connection:
            schema.migrate(connection)

    def ask(
        self, query: str, *values: Any, user: str = "postgres", database: str = ""
    ) -> list[Any]:
        """What a query gives."""
        with self.server.connection(user, database or self.database) as connection:
            cursor = connection.execute(query, values or None)
            return cursor.fetchall() if cursor.description else []

    def url(self, host: str) -> str:
        return self.server.url(host, self.database)

    def add(self, *names: str) -> None:
        with self.server.connection(database=self.database) as connection:
            for name in names:
                hosts.add(connection, name)

    def simulated(
        self, name: str, *, never: frozenset[str] = frozenset(), url: str = "", **options: Any
    ) -> SimulatedHost:
        """A host without a Pyruse, at work."""
        self.add(name)
        wanted: dict[str, Any] = {"share": ["ssh"], "accept": ["ssh"], "counters": ["ssh"]}
        made = SimulatedHost(self.main, Plugin(url or self.url(name), **wanted | options), never)
        self.simulations.append(made)
        return made

    def close(self) -> None:
        """End the simulated hosts."""
        for one in self.simulations:
            one.close()
        self.main.close()

    def host(
        self, name: str, journal: Any, options: str = "", more: str = "", url: str = ""
    ) -> Daemon:
        """A daemon that shares and accepts the labels ssh and manual; not started yet."""
        self.add(name)
        assert self._daemon is not None
        made = self._daemon("", journal)
        self.daemons.append(made)
        made.configure(
            f'{more}\n{CHAINS}\n[plugins.fleet]\nurl = "{url or self.url(name)}"\n'
            f'share = ["ssh", "manual"]\naccept = ["ssh", "manual"]\n{options}'
        )
        return made


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Come back to a database sooner than with a thousand hosts."""
    monkeypatch.setattr(link, "_LATEST_S", 2.0)


@contextmanager
def make_fleet(
    server: Server, database: str, daemon: Callable[..., Daemon] | None
) -> Iterator[Fleet]:
    made = Fleet(server, database, daemon)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def fleet(
    server: Server, daemon: Callable[..., Daemon], request: pytest.FixtureRequest
) -> Iterator[Fleet]:
    database = re.sub(r"[^a-z0-9]", "_", request.node.name.lower())[:60]
    with make_fleet(server, database, daemon) as made:
        yield made
        for host in made.daemons:
            host.close()
        made.ask(f"DROP DATABASE {database} WITH (FORCE)", database="postgres")


@contextmanager
def make_open_folder() -> Iterator[Path]:
    """A folder that the server's user may enter: those of pytest are for nobody else."""
    with TemporaryDirectory(prefix="pyruse-fleet-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """The same, for one test."""
    with make_open_folder() as folder:
        yield folder


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def banned(host: Daemon) -> dict[str, str]:
    """Whom a host bans, and what the ban is called."""
    return {one["ip"]: one["label"] for one in host.ask("bans")}
