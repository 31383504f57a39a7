"""Bans: how many a second, how soon, and how long until they are back after a start.

Compares Pyruse with fail2ban, as it is installed, on the same machine and in one run: each in a
network namespace of its own, with nftables, reading the same journal of a journald of its own.

    python -m bench.bans [--quick]

Needs root, nft, fail2ban and systemd-journald, and says which of them is missing.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from bench.contenders import Contender, Fail2ban, Pyruse, addresses, offend
from bench.delays import delays, of_nft_alone
from bench.imports import Import, delays_meanwhile, imported, listed
from bench.measure import compile_modules
from pyruse.testing import journald as journald_part
from pyruse.testing.journald import Journald
from pyruse.testing.namespace import unavailable

C = TypeVar("C", bound=Contender)
_PARTS = ("rates", "starts", "imports", "delays")


def rate(contender: Contender, offenders: list[str]) -> float:
    """Bans a second, from the first to the last of many offenders whom the journal has."""
    with contender.running("head"):
        first = contender.wait_for(offenders[0])
        last = contender.wait_for(offenders[-1])
    contender.forget()
    return len(offenders) / max(last - first, 0.001)


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

    def imports(self, many: int) -> None:
        """An import of a list, with a daemon and without."""
        whole: list[Import] = []
        meanwhile: list[float] = []
        for _ in range(self._rounds):
            banned, offenders = listed(0, many)
            whole.append(imported(self._contender(Pyruse), banned))
            meanwhile += delays_meanwhile(self._contender(Pyruse), banned, offenders)
        print(f"import          {spread([one.seconds for one in whole], '.1f')} s for {many:,},")
        print(f"                {spread([one.cpu_s for one in whole], '.1f')} s of CPU,")
        print(f"                {spread([one.memory_mb for one in whole], '.0f')} MB")
        print(f"                new bans meanwhile: {spread(meanwhile, '.1f')} s\n", flush=True)

    def delays(self, number: int) -> None:
        """Milliseconds from an entry to its ban."""
        of_whole: dict[str, list[list[float]]] = {"pyruse": [], "fail2ban": []}
        of_beyond: dict[str, list[list[float]]] = {"pyruse": [], "fail2ban": [], "nft alone": []}
        for _ in range(self._rounds):
            for kind in (Pyruse, Fail2ban):
                one: Contender = self._contender(kind)
                whole, beyond = delays(one, addresses(next(self._fresh), number))
                of_whole[kind.name].append(whole)
                of_beyond[kind.name].append(beyond)
            of_beyond["nft alone"].append(of_nft_alone(number))
        print(f"delay, ms: {number} offenders a round, from the entry to its ban")
        for name, values in of_whole.items():
            print(f"                {name:10}{percentiles(values)}")
        print("           of it, after journald's notice")
        for name, values in of_beyond.items():
            print(f"                {name:10}{percentiles(values)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer bans, one round")
    parser.add_argument("--only", choices=_PARTS, help="one measurement")
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
        if options.only in (None, "imports"):
            bench.imports(50_000 if options.quick else 550_000)
        if options.only in (None, "delays"):
            bench.delays(50 if options.quick else 200)


if __name__ == "__main__":
    main()
