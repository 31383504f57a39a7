"""Who is compared in `bench.bans`: Pyruse and fail2ban, each in a network namespace of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.fail2ban import server
from bench.measure import Command
from pyruse import CommandLine
from pyruse.api.bans import Ban
from pyruse.api.firewall import Element, Target
from pyruse.state.database import State
from pyruse.state.shared_bans import BanKey
from pyruse.testing.journald import Journald
from pyruse.testing.namespace import NamespaceError, NetworkNamespace
from pyruse.times import now_us
from pyruse_plugins.firewalls.nftables import Nftables

PATIENCE = 600.0  # seconds, for anything
_DAY_US = 86_400_000_000

PYRUSE = """
[journal]
namespace = "{namespace}"
start = "{start}"
[state]
url = "sqlite://{folder}/state.sqlite"
[email]
sendmail = ["/bin/false"]
[chains]
"bench" = [
  {{ filter = "equals", field = "SYSLOG_IDENTIFIER", value = "bench" }},
  {{ filter = "regex", pattern = '^Failed password for .* from (?P<ip>\\S+) port \\d+ ssh2$' }},
  {{ action = "count", counter = "bench", key = "ip", within = "1d", into = "failures" }},
  {{ filter = "at_least", field = "failures", value = 1 }},
  {{ action = "ban", ip = "ip", duration = "1d" }},
]
"""

JAIL = """
[bench]
enabled = true
backend = systemd[journalpath="{journal}"]
filter = bench
action = nftables[type=allports, name=bench]
maxretry = 1
findtime = 1d
bantime = 1d
usedns = no
ignoreself = false
ignoreip =
"""

FILTER = """
[Definition]
failregex = Failed password for .* from <HOST> port \\d+ ssh2$
journalmatch = SYSLOG_IDENTIFIER=bench
"""


class Contender:
    """A program that bans, in a network namespace of its own."""

    name: str
    table: str

    def __init__(self, journald: Journald, folder: Path) -> None:
        self.journald = journald
        self.folder = folder
        self.namespace = NetworkNamespace()

    def command(self, start: str) -> Command:
        """What runs it; all that it is to read is in the journal (start: "head"), or to come."""
        raise NotImplementedError

    @contextmanager
    def running(
        self, start: str = "tail", environment: dict[str, str] | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Run it for the length of a ``with`` block."""
        process = subprocess.Popen(
            [*self.namespace.prefix, *self.command(start)],
            stdout=subprocess.DEVNULL, env={**os.environ, **(environment or {})},
        )  # fmt: skip
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def bans(self, address: str) -> bool:
        """Whether the kernel drops an address."""
        try:
            self.namespace.run(
                ["nft", "get", "element", "inet", *self.table.split(), f"{{ {address} }}"]
            )
        except NamespaceError:
            return False
        return True

    def wait_for(self, address: str) -> float:
        """The instant (`time.monotonic`) at which the kernel dropped an address at the latest."""
        end = time.monotonic() + PATIENCE
        while not self.bans(address):
            if time.monotonic() > end:
                sys.exit(f"{self.name}: {address} is not banned after {PATIENCE:g} s")
            time.sleep(0.1)  # looking costs both of them time
        return time.monotonic()

    def forget(self) -> None:
        """Begin anew: no state, no rules."""
        self.namespace.run(["nft", "flush", "ruleset"])
        for file in self.folder.glob("state.sqlite*"):
            file.unlink()


class Pyruse(Contender):
    """This Pyruse."""

    name = "pyruse"
    table = "pyruse ipv4"

    def command(self, start: str) -> Command:
        """See `Contender`."""
        config = self.folder / "pyruse.toml"
        namespace = self.journald.namespace
        config.write_text(PYRUSE.format(namespace=namespace, folder=self.folder, start=start))
        return [sys.executable, "-m", "pyruse", "run", "-c", str(config)]

    def remember(self, addresses: list[str]) -> None:
        """Have it come up with these bans."""
        with State(str(self.folder / "state.sqlite")) as state:
            now = now_us()
            for address in addresses:
                key = BanKey(address, Target("nftables"))
                until = now + _DAY_US
                state.bans.put(
                    key, Ban(address, "bench", now, until, "Failed password", "", 1, key.target)
                )
            state.bans.untaken.clear()
            state.commit()

    def reconcile_s(self, addresses: list[str]) -> float:
        """How long the firewall takes to be filled anew."""
        opened = Nftables(CommandLine([*self.namespace.prefix, "nft"])).open_firewall("nftables")
        assert opened is not None
        target = Target("nftables")
        bans = [Element(address, target, 86_400) for address in addresses]
        began = time.monotonic()
        opened.reconcile(bans, [])
        return time.monotonic() - began

    def start_s(self) -> float:
        """From the start of the process until it tells systemd that its bans are in force."""
        path = self.folder / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
            notified.bind(str(path))
            notified.settimeout(PATIENCE)
            began = time.monotonic()
            with self.running(environment={"NOTIFY_SOCKET": str(path)}):
                while b"READY=1" not in notified.recv(4096):
                    pass
                took = time.monotonic() - began
        path.unlink()
        return took


class Fail2ban(Contender):
    """The fail2ban that is installed."""

    name = "fail2ban"
    table = "f2b-table addr-set-bench"

    def command(self, start: str) -> Command:
        """See `Contender`."""
        jail = JAIL.format(journal=self.journald.directory)
        return server(self.folder, {"jail.conf": jail, "filter.d/bench.conf": FILTER})


def addresses(start: int, number: int) -> list[str]:
    """Addresses of nobody (RFC 2544, RFC 1918) that were not used before."""
    return [f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in range(start, start + number)]


def offend(journald: Journald, offenders: list[str]) -> None:
    journald.send_all(
        [
            {
                "SYSLOG_IDENTIFIER": "bench",
                "MESSAGE": f"Failed password for root from {one} port 4711 ssh2",
            }
            for one in offenders
        ]
    )
