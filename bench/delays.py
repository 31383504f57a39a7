"""How soon after an entry somebody is banned, and how soon after journald told of the entry."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from bisect import bisect_left
from contextlib import ExitStack
from typing import Self

from bench.contenders import Contender, addresses, offend
from pyruse.testing.namespace import NetworkNamespace

_TRICKLE_S = 0.1  # between two offences
_NOTICE_S = 0.25  # between two notices of journald's
_MOST_CPUS = 4

# Who takes the time is to be woken at once: else its own delay would count as somebody's.
_AT_ONCE = """
import contextlib, os, sys
os.sched_setaffinity(0, {int(sys.argv[1])})
with contextlib.suppress(OSError):
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
"""

_MONITOR = r"""
import re, socket, time
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

# The instants at which journald told of what it had written, and those of the entries.
_READER = """
import re, select, time
from systemd import journal
reader = journal.Reader(namespace=sys.argv[2])
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
"""


class Listener:
    """A program that prints instants (`time.time`) and addresses, or other names.

    One runs on each processor, for a virtual one may stand still for some milliseconds, and with it
    who was to be woken there: the earliest instant of a name counts.
    """

    def __init__(self, code: str, *arguments: str, inside: NetworkNamespace | None = None) -> None:
        prefix = [] if inside is None else inside.prefix
        self.seen: dict[str, float] = {}
        self._ends = ExitStack()
        for cpu in sorted(os.sched_getaffinity(0))[:_MOST_CPUS]:
            process = subprocess.Popen(
                [*prefix, sys.executable, "-c", _AT_ONCE + code, str(cpu), *arguments],
                stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            assert process.stdout is not None
            process.stdout.readline()
            thread = threading.Thread(target=self._read, args=(process,))
            thread.start()
            self._ends.callback(process.communicate)
            self._ends.callback(thread.join)
            self._ends.callback(process.kill)

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            instant, name = line.split()
            self.seen[name] = min(float(instant), self.seen.get(name, float("inf")))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()


def delays(contender: Contender, offenders: list[str]) -> tuple[list[float], list[float]]:
    """How long it takes, in ms, from an entry to its ban in the kernel.

    :return: from the moment when the entry was sent, and from the moment when journald told of it.
    """
    sent: dict[str, float] = {}
    with (
        Listener(_READER, contender.journald.namespace) as reader,
        Listener(_MONITOR, inside=contender.namespace) as monitor,
        contender.running("tail"),
    ):
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
        time.sleep(0.5)  # journald may still have to tell of the last one
    contender.forget()
    lost = [one for one in offenders if one not in monitor.seen]
    if lost:
        sys.exit(f"{contender.name}: {len(lost)} of {len(offenders)} were not banned")
    notices = _notices(reader)
    told = {one: notices[bisect_left(notices, reader.seen[one])] for one in offenders}
    whole = [1000 * (monitor.seen[one] - sent[one]) for one in offenders]
    return whole, [1000 * (monitor.seen[one] - told[one]) for one in offenders]


def of_nft_alone(number: int) -> list[float]:
    """How long nft takes, in ms, for one element: what of a delay is nobody's but the machine's.

    It waits on its standard input before, as it does for Pyruse, while nothing else happens.
    """
    took = []
    with NetworkNamespace() as namespace:
        namespace.run(["nft", "add table inet t; add set inet t s { type ipv4_addr; }"])
        for one in addresses(0, number):
            command = [*namespace.prefix, "nft", "-f", "-"]
            with subprocess.Popen(command, stdin=subprocess.PIPE) as nft:
                time.sleep(_NOTICE_S)
                began = time.monotonic()
                nft.communicate(f"create element inet t s {{ {one} }}\n".encode())
                took.append(1000 * (time.monotonic() - began))
    return took


def _notices(reader: Listener) -> list[float]:
    """When journald told of what it had written before: each time when the first one was woken."""
    notices: list[float] = []
    for instant in sorted(at for name, at in reader.seen.items() if name.startswith("notice")):
        if not notices or instant > notices[-1] + _NOTICE_S / 5:
            notices.append(instant)
    return notices
