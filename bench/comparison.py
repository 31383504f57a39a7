"""Rows of docs/comparison.md that are about bad moments and quiet ones, with fail2ban beside it.

Each program runs in a network namespace of its own, with nftables and a journald of its own:

    python -m bench.comparison [--seconds 60]

1. Somebody is banned, and ``nft flush ruleset`` removes all rules. Does the ban come back?
2. Nothing is logged for a minute. How often did the program wake up?
3. How much memory does it take (``Pss``: its own, and its share of what others use, too)?

Needs root, nft, fail2ban and systemd-journald.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench.bans import missing
from bench.contenders import Contender, Fail2ban, Pyruse, addresses, offend
from pyruse.testing.journald import Journald

WAITED = 30.0  # seconds for a ban to come back


def main(arguments: list[str]) -> int:
    """Measure, and print a row for each program; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.comparison")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long it is quiet")
    options = parser.parse_args(arguments)
    if (lacks := missing()) is not None:
        sys.exit(f"bench.comparison: {lacks}")
    print(f"| program | back after a flush | wake-ups in {options.seconds:g} s | memory |")
    print("|---|---|---|---|")
    for kind in (Pyruse, Fail2ban):
        with ExitStack() as stack:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pyruse-bench-")))
            contender = kind(stack.enter_context(Journald()), home)
            stack.enter_context(contender.namespace)
            print(row(contender, options.seconds), flush=True)
    return 0


def row(contender: Contender, seconds: float) -> str:
    """What a program does, as a row of the table.

    :param seconds: how long nothing is logged.
    """
    (offender,) = addresses(0, 1)
    with contender.running("head") as process:
        offend(contender.journald, [offender])
        contender.wait_for(offender)
        contender.namespace.run(["nft", "flush", "ruleset"])
        back = _back(contender, offender)
        time.sleep(5)  # what the flush has set in motion has come to rest
        before = _wake_ups(process.pid)
        time.sleep(seconds)
        woken = _wake_ups(process.pid) - before
        return f"| {contender.name} | {back} | {woken} | {_memory(process.pid):.1f} MB |"


def _back(contender: Contender, offender: str) -> str:
    began = time.monotonic()
    while time.monotonic() - began < WAITED:
        if contender.bans(offender):
            return f"after {time.monotonic() - began:.1f} s"
        time.sleep(0.1)
    return f"no, not in {WAITED:g} s"


def _wake_ups(pid: int) -> int:
    """How often the threads of a process went to sleep (proc(5): voluntary_ctxt_switches)."""
    told = (task / "status" for task in Path(f"/proc/{pid}/task").iterdir())
    return sum(
        int(line.split()[1])
        for status in told
        for line in status.read_text().splitlines()
        if line.startswith("voluntary_ctxt_switches")
    )


def _memory(pid: int) -> float:
    rolled_up = Path(f"/proc/{pid}/smaps_rollup").read_text()
    (kb,) = (int(line.split()[1]) for line in rolled_up.splitlines() if line.startswith("Pss:"))
    return kb / 1000


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
