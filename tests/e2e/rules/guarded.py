"""A host with daemons, guarded by Pyruse, and those who knock at it from addresses of their own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pyruse.testing.daemon import Daemon, MakeDaemon
from pyruse.testing.journald import Journald
from pyruse.testing.machines import SERVER4, Machines
from pyruse.testing.namespace import unavailable as no_namespace
from pyruse.testing.plugin import need
from tests.e2e.rules.host import Host, unavailable, unpacked
from tests.e2e.rules.units import Units
from tests.e2e.rules.units import unavailable as no_units

USER, ATTACKER, FRAMED = "192.0.2.6", "192.0.2.7", "192.0.2.99"
_GUARD = """
use = ["{rules}"]
[bans.nftables]
command = ["nft"]
[chains]
"journald" = [
  {{ filter = "equals", field = "SYSLOG_IDENTIFIER", value = "systemd-journald" }},
  {{ action = "discard" }},
]
"""
_GREETING = """
import contextlib, socket, sys
server, source, port = sys.argv[1:]
with contextlib.suppress(OSError):
    print(socket.create_connection((server, int(port)), 60, (source, 0)).recv(100))
"""
_LIAR = 'yes "$1" | head -n 25 | logger -t "$0"'


class Guarded:
    """A host, its guard, and another machine with several addresses."""

    def __init__(
        self, machines: Machines, host: Host, daemon: Daemon, unit: str, journald: Journald
    ) -> None:
        self.host = host
        self._journald = journald
        self.daemon = daemon
        self.machines = machines
        self._unit = unit
        self._ends: list[str] = []

    def start(self, command: Sequence[str]) -> None:
        """Start the daemon in its unit."""
        self._started = self.host.start(command, self._unit)

    def stop(self) -> None:
        """End the daemon with its children."""
        self._started.terminate()
        self._started.wait()

    def come_from(self, source: str) -> None:
        """Give clients that do not say it themselves an address of the other machine."""
        attacker = self.machines.attacker
        (line,) = attacker.run(["ip", "-o", "route", "get", SERVER4]).splitlines()[:1]
        device = line.split(" dev ")[1].split()[0]
        attacker.run(["ip", "route", "replace", f"{SERVER4}/32", "dev", device, "src", source])

    def client(self, command: Sequence[str]) -> int:
        """Run a program of the host's on the other machine.

        :return: its exit code.
        """
        return self.host.elsewhere(self.machines.attacker, command)

    def greeting(self, source: str, port: int) -> str:
        """The first that a server says; nothing: it is not there yet."""
        return self.machines.attacker.python(_GREETING, SERVER4, source, str(port))

    def logged(self, text: str) -> bool:
        """Whether a line is in the journal that has a text in it."""
        command = ["journalctl", f"--namespace={self._journald.namespace}", "-q", "-o", "cat"]
        done = subprocess.run([*command, "--grep", text], capture_output=True, check=False)
        return bool(done.stdout)

    def http(self, source: str, path: str, *options: str) -> int:
        """Ask a web server.

        :return: the status of its answer; 0: there was none.
        """
        command = ["curl", "-q", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--path-as-is"]
        command += ["--interface", source, "--max-time", "60", *options]
        done = subprocess.run(
            [*self.machines.attacker.prefix, *command, f"http://{SERVER4}:8080{path}"],
            text=True, capture_output=True, check=False,
        )  # fmt: skip
        return int(done.stdout)

    def rows(self, part: str) -> list[str]:
        """What the report of today says in one of its parts."""
        return [row["message"] for row in self.daemon.ask("report", "today")["report"][part]]

    def wait_until_handled(self) -> None:
        """Wait until all that was logged before is handled; nothing of it is unknown."""
        self._ends.append(f"end {len(self._ends)}")
        self.host.run(["logger", "-t", "test", self._ends[-1]])
        ends = [f"[5/test] {end}" for end in self._ends]
        rows = self.daemon.wait_until(lambda: self.rows("other"), lambda rows: ends[-1] in rows)
        assert [row for row in rows if row not in ends] == []

    def wait_until_dropped(self, *sources: str) -> None:
        """Wait until packets of just these addresses are dropped."""
        self.daemon.wait_until(
            lambda: self.machines.dropped(80), lambda dropped: dropped == list(sources)
        )

    def assert_forgery_is_told(self, program: str, *lines: str) -> None:
        """What a user, root, and a user in the daemon's unit forge bans nobody, and is told of."""
        for line in lines:
            liar = ["sh", "-c", _LIAR, program, line]
            assert self.host.run(liar, "eve", unit=self._unit) == 0
            assert self.host.run(liar, "eve") == 0
            assert self.host.run(liar) == 0
        self.wait_until_handled()
        told = self.rows("important")
        assert told
        assert all(row.startswith("Forged: ") for row in told)
        for number in (0, 2000):
            assert any(f"(uid {number})" in row for row in told)
        assert self.daemon.ask("bans") == []


@contextmanager
def guarded(
    rules: str,
    machines: Machines,
    journald: Journald,
    daemon: MakeDaemon,
    folder: Path,
    *,
    package: str,
    command: Sequence[str],
    unit: str,
    files: Mapping[str, str],
    users: Mapping[str, int],
    people: Sequence[str] = (),
) -> Iterator[Guarded]:
    """Make a host with an unpacked package.

    :param rules: what the guard uses.
    :param package: what ``tools/setup.sh`` has unpacked.
    :param command: starts the daemon.
    :param unit: in which the daemon runs.
    :param files: what is in the host's files.
    :param users: users of the system.
    :param people: who else has an account, besides a user called eve.
    """
    (tree,) = unpacked(package)
    need(
        no_namespace("nft", "curl")
        or unavailable("setpriv", "logger")
        or (None if tree.is_dir() else f"{tree} is not there (tools/setup.sh)")
        or no_units()
    )
    place = folder / "host"
    place.mkdir()
    with (
        Units() as units,
        Host(
            machines.server, journald, place, ["eve", *people], files, [tree], users, units
        ) as host,
    ):
        guard = daemon(_GUARD.format(rules=rules), journald, prefix=machines.server.prefix)
        made = Guarded(machines, host, guard.start(), unit, journald)
        made.start(command)
        try:
            yield made
        finally:
            made.stop()
