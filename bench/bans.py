"""Bans: how many a second, how soon, and how long until they are back after a start.

Compares Pyruse with fail2ban, as it is installed, on the same machine and in one run: each in a
network namespace of its own, with nftables, reading the same journal of a journald of its own.

    python -m bench.bans [--quick]

Needs root, nft, fail2ban and systemd-journald, and says which of them is missing.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from bench.fail2ban import server
from bench.measure import Command, compile_modules
from pyruse.bans.firewall import Element, Target
from pyruse.state.database import State
from pyruse.testing import journald as journald_part
from pyruse.testing.journald import Journald
from pyruse.testing.namespace import NamespaceError, NetworkNamespace, unavailable
from pyruse.times import now_us
from pyruse_plugins.firewalls._program import CommandLine
from pyruse_plugins.firewalls.nftables import Nftables

C = TypeVar("C", bound="Contender")

_PATIENCE = 600.0  # seconds, for anything
_TRICKLE_S = 0.1  # between two offences of the measurement of delays
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
    ) -> Iterator[None]:
        """Run it for the length of a ``with`` block."""
        process = subprocess.Popen(
            [*self.namespace.prefix, *self.command(start)],
            stdout=subprocess.DEVNULL, env={**os.environ, **(environment or {})},
        )  # fmt: skip
        try:
            yield
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
        end = time.monotonic() + _PATIENCE
        while not self.bans(address):
            if time.monotonic() > end:
                sys.exit(f"{self.name}: {address} is not banned after {_PATIENCE:g} s")
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
                state.bans.ban(
                    address, Target("nftables"), [_DAY_US],
                    now=now, label="bench", reason="Failed password",
                )  # fmt: skip
            state.bans.enforced(*state.bans.waiting())
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
            notified.settimeout(_PATIENCE)
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


def rate(contender: Contender, offenders: list[str]) -> float:
    """Bans a second, from the first to the last of many offenders whom the journal has."""
    with contender.running("head"):
        first = contender.wait_for(offenders[0])
        last = contender.wait_for(offenders[-1])
    contender.forget()
    return len(offenders) / max(last - first, 0.001)


_MONITOR = r"""
import re, socket, sys, time
NETLINK_NETFILTER, NFNLGRP_NFTABLES = 12, 7
listening = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
listening.bind((0, 0))
listening.setsockopt(270, 1, NFNLGRP_NFTABLES)  # SOL_NETLINK, NETLINK_ADD_MEMBERSHIP
print("ready", flush=True)
while True:
    message = listening.recv(1 << 20)
    now = time.time()
    # An attribute NFTA_DATA_VALUE that holds an address of the network 10.0.0.0/8.
    for raw in re.findall(rb"\x08\x00\x01\x00(\x0a...)", message, re.DOTALL):
        print(now, socket.inet_ntoa(raw), flush=True)
"""


class Listener:
    """A program that prints instants (`time.time`) and addresses, or other names."""

    def __init__(self, code: str, *arguments: str, inside: NetworkNamespace | None = None) -> None:
        prefix = [] if inside is None else inside.prefix
        self._process = subprocess.Popen(
            [*prefix, sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()
        self.seen: dict[str, float] = {}
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            instant, address = line.split()
            self.seen.setdefault(address, float(instant))

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._thread.join()
        self._process.communicate()


# journald tells of what it wrote at once, or 250 ms later if it told of something just before.
_READER = """
import re, select, sys, time
from systemd import journal
reader = journal.Reader(namespace=sys.argv[1])
reader.fileno()
reader.seek_tail()
reader.get_previous()
poll = select.poll()
poll.register(reader.fileno(), reader.get_events())
print("ready", flush=True)
while True:
    poll.poll()
    now = time.time()
    reader.process()
    print(now, f"notice{now}", flush=True)
    while entry := reader.get_next():
        address = re.search(r" from (\\S+)", entry["MESSAGE"])[1]
        print(entry["__REALTIME_TIMESTAMP"].timestamp(), address, flush=True)
        print(now, f"woken-for-{address}", flush=True)
"""


def delays(contender: Contender, offenders: list[str]) -> tuple[list[float], list[float]]:
    """How long it takes, in ms, from an entry to its ban in the kernel.

    :return: from the moment when the entry was sent, and from the moment of journald's notice:
        when a bare reader was woken for the first time after the entry was written, and was shown
        it, then or before.
    """
    reader = Listener(_READER, contender.journald.namespace)
    monitor = Listener(_MONITOR, inside=contender.namespace)
    sent: dict[str, float] = {}
    try:
        with contender.running("tail"):
            for one in addresses(200 << 16, 200):  # until it is up
                offend(contender.journald, [one])
                time.sleep(0.5)
                if one in monitor.seen:
                    break
            for one in offenders:
                sent[one] = time.time()
                offend(contender.journald, [one])
                time.sleep(_TRICKLE_S)
            end = time.monotonic() + 60
            while not monitor.seen.keys() >= set(offenders) and time.monotonic() < end:
                time.sleep(0.1)
    finally:
        monitor.close()
        reader.close()
    contender.forget()
    lost = [one for one in offenders if one not in monitor.seen]
    if lost:
        sys.exit(f"{contender.name}: {len(lost)} of {len(offenders)} were not banned")
    whole = [1000 * (monitor.seen[one] - sent[one]) for one in offenders]
    notices = sorted(at for name, at in reader.seen.items() if name.startswith("notice"))
    beyond = [
        1000
        * (
            monitor.seen[one]
            - max(notices[bisect(notices, reader.seen[one])], reader.seen[f"woken-for-{one}"])
        )
        for one in offenders
    ]
    return whole, beyond


def percentiles(rounds: list[list[float]]) -> str:
    """The median of each round, and what one in a hundred exceeds."""
    cuts = [statistics.quantiles(values, n=100, method="inclusive") for values in rounds]
    middle, late = ([round_[at] for round_ in cuts] for at in (49, 98))
    return f"p50 {spread(middle, '.1f')}, p99 {spread(late, '.1f')}"


def spread(values: list[float], form: str) -> str:
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def missing() -> str | None:
    for program in ("fail2ban-server", "nft"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    return unavailable("nft") or journald_part.unavailable()


class Bench:
    """The measurements, each with contenders of its own."""

    def __init__(self, stack: ExitStack, rounds: int) -> None:
        self._stack = stack
        self._rounds = rounds
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pyruse-bench-"))
        self._homes = (Path(folder) / str(number) for number in itertools.count())
        self._fresh = itertools.count(0, 65536)

    def _contender(self, kind: type[C]) -> C:
        home = next(self._homes)
        home.mkdir()
        made = kind(self._stack.enter_context(Journald()), home)
        self._stack.enter_context(made.namespace)
        return made

    def rates(self, many: int, few: int) -> None:
        """Bans a second."""
        pyruse: list[float] = []
        fail2ban: list[float] = []
        for _ in range(self._rounds):
            for kind, number, rates in ((Pyruse, many, pyruse), (Fail2ban, few, fail2ban)):
                one: Contender = self._contender(kind)
                offenders = addresses(next(self._fresh), number)
                offend(one.journald, offenders)
                one.journald.sync()
                rates.append(rate(one, offenders))
        ratios = [ours / theirs for ours, theirs in zip(pyruse, fail2ban, strict=True)]
        print(f"bans a second   pyruse    {spread(pyruse, ',.0f')}, {many} offenders")
        print(f"                fail2ban  {spread(fail2ban, ',.1f')}, {few} offenders")
        print(f"                ratio     {spread(ratios, ',.0f')}\n", flush=True)

    def starts(self, many: int, few: int) -> None:
        """Seconds until the bans are back."""
        full, empty, firewall = [], [], []
        for _ in range(self._rounds):
            pyruse = self._contender(Pyruse)
            empty.append(pyruse.start_s())
            pyruse.forget()
            banned = addresses(next(self._fresh), many)
            pyruse.remember(banned)
            full.append(pyruse.start_s())
            if not (pyruse.bans(banned[0]) and pyruse.bans(banned[-1])):
                sys.exit("pyruse: told systemd that it is ready, but the bans are not in force")
            firewall.append(pyruse.reconcile_s(banned))
        more = [one - other for one, other in zip(full, empty, strict=True)]
        print(f"start, s        pyruse    {spread(full, '.2f')} with {many} bans,")
        print(f"                          {spread(empty, '.2f')} with none,")
        print(f"                          {spread(more, '.2f')} for the bans, of which")
        print(f"                          {spread(firewall, '.2f')} for the firewall", flush=True)
        fail2ban = self._contender(Fail2ban)
        banned = addresses(next(self._fresh), few)
        offend(fail2ban.journald, banned)
        with fail2ban.running("head"):
            fail2ban.wait_for(banned[-1])
        fail2ban.namespace.run(["nft", "flush", "ruleset"])
        began = time.monotonic()
        with fail2ban.running("head"):
            took = fail2ban.wait_for(banned[-1]) - began
        scaled = f"{took * many / few:,.0f} with {many}"
        print(
            f"                fail2ban  {took:.2f} with {few}; at that pace {scaled}\n", flush=True
        )

    def delays(self, number: int) -> None:
        """Milliseconds from an entry to its ban."""
        of_whole: dict[str, list[list[float]]] = {"pyruse": [], "fail2ban": []}
        of_beyond: dict[str, list[list[float]]] = {"pyruse": [], "fail2ban": []}
        for _ in range(self._rounds):
            for kind in (Pyruse, Fail2ban):
                one: Contender = self._contender(kind)
                whole, beyond = delays(one, addresses(next(self._fresh), number))
                of_whole[kind.name].append(whole)
                of_beyond[kind.name].append(beyond)
        print(f"delay, ms: {number} offenders a round, from the entry to its ban")
        for name, values in of_whole.items():
            print(f"                {name:10}{percentiles(values)}")
        print("           of it, after journald's notice")
        for name, values in of_beyond.items():
            print(f"                {name:10}{percentiles(values)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer bans, one round")
    parser.add_argument("--only", choices=("rates", "starts", "delays"), help="one measurement")
    options = parser.parse_args()
    if why := missing():
        sys.exit(f"bench.bans: {why} (expected root, nft, fail2ban, systemd-journald)")
    compile_modules()
    rounds = 1 if options.quick else 3
    print(f"{rounds} round(s): the median, and the least to the most\n")
    with ExitStack() as stack:
        bench = Bench(stack, rounds)
        if options.only in (None, "rates"):
            bench.rates(*((10_000, 100) if options.quick else (20_000, 200)))
        if options.only in (None, "starts"):
            bench.starts(50_000, 100 if options.quick else 300)
        if options.only in (None, "delays"):
            bench.delays(50 if options.quick else 200)


if __name__ == "__main__":
    main()
