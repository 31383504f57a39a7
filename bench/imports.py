"""Importing a long list of bans: how long it takes, in how much memory, and who waits meanwhile."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from typing import NamedTuple

from bench.contenders import Pyruse, addresses, offend


class Import(NamedTuple):
    """What an import took."""

    seconds: float
    cpu_s: float
    memory_mb: float
    """Of the command, at most."""


def imported(pyruse: Pyruse, banned: list[str]) -> Import:
    """Import a list in which addresses stand in no order; the kernel has to hold them."""
    command = _command(pyruse, banned)
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    took = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or not (pyruse.bans(banned[0]) and pyruse.bans(banned[-1])):
        sys.exit(f"bench.bans: the import of {len(banned):,} addresses has failed")
    return Import(took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000)


def delays_meanwhile(pyruse: Pyruse, banned: list[str], offenders: list[str]) -> list[float]:
    """While a daemon imports a list: seconds from an entry to its ban, of one offender a second."""
    delays = []
    with pyruse.running("head"):
        offend(pyruse.journald, offenders[:1])
        pyruse.wait_for(offenders[0])
        process = subprocess.Popen(_command(pyruse, banned), stdout=subprocess.DEVNULL)
        for one in offenders[1:]:
            began = time.monotonic()
            offend(pyruse.journald, [one])
            delays.append(pyruse.wait_for(one) - began)
            if process.poll() is not None:
                break
            time.sleep(1)
        if process.wait() or not pyruse.bans(banned[-1]):
            sys.exit("bench.bans: the import through the daemon has failed")
    return delays


def _command(pyruse: Pyruse, banned: list[str]) -> list[str]:
    source = pyruse.folder / "list.txt"
    shuffled = random.Random(1).sample(banned, len(banned))
    source.write_text("".join(f"{one}\n" for one in shuffled))
    pyruse.command("head")  # writes the configuration
    config = pyruse.folder / "pyruse.toml"
    return [
        *pyruse.namespace.prefix, sys.executable, "-m", "pyruse", "bans", "--config", str(config),
        "--import", str(source),
    ]  # fmt: skip


def listed(start: int, number: int) -> tuple[list[str], list[str]]:
    """Addresses for a list, and a thousand more that offend meanwhile."""
    many = addresses(start, number + 1_000)
    return many[1_000:], many[:1_000]
