"""The reader in C, beside the one in Python: whole replays, to libsystemd alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench import direct, jails
from bench.journals import DEMO, UNSEEN, cluster, compact, folder, incomplete, sample
from bench.measure import Row, Target, Unavailable, ratio, side_by_side
from bench.reading import floor, replayed_in_each_way, ways

_ROOT = Path(__file__).parents[1]
_PYRUSE1 = Path(__file__).with_name("pyruse1.json")
"""A usual one: its chains keep what matters, discard the rest, and report what is unknown."""
_ALL_OF_PYRUSE1 = _ROOT / "tests" / "e2e" / "pyruse1_full.json"
"""One with each filter and action that Pyruse 1 has, which reports nearly all that comes."""
_ALL = """
[chains]
"all" = [ { action = "report", section = "other", message = "[{PRIORITY}/{SYSLOG_IDENTIFIER}] {MESSAGE}" } ]
"""  # noqa: E501 -- a step is one line in TOML


def rows(quick: bool) -> Iterator[Row]:
    """What replaying takes, in Python and in C.

    :raises Unavailable: the package is not installed.
    """
    if len(ways()) < 2:
        raise Unavailable(
            "pyruse-native is not installed (pip install ./pyruse-contrib/pyruse-native)"
        )
    count, rounds = (20_000, 1) if quick else (200_000, 5)
    server, unseen = sample(count), sample(count, UNSEEN)
    pyruse1 = _imported(_PYRUSE1, "pyruse1")
    yield from _both("a configuration of Pyruse 1", pyruse1, server, rounds, (4.5, 3), "pyruse1")
    yield from _both("the demo's chains", DEMO, server, rounds, (4.5, 2), "demo")
    yield from _both("the demo's chains, another seed", DEMO, unseen, rounds, (4.5, 2), "unseen")
    compressed = compact(count)
    yield from _both(
        "the demo's chains, a compressed and compact file", DEMO, compressed, rounds, (4.5, 2.5),
        "compact",
    )  # fmt: skip
    yield from _both("three jails", jails.CHAINS, server, rounds, (2.5, 1.3), "jails")
    yield from _by_libsystemd("a configuration of Pyruse 1", pyruse1, server, rounds, 3.5)
    yield from _by_libsystemd("the demo's chains", DEMO, server, rounds, 2.5)
    yield from _by_libsystemd("three jails", jails.CHAINS, server, rounds, 1.8)
    yield from _both("all is reported", _configured("all", _ALL), server, rounds, (7.4, 5), "all")
    yield from _both(
        "89 % is reported, by each filter and action of Pyruse 1",
        _imported(_ALL_OF_PYRUSE1, "pyruse1-all"), server, rounds, (7.4, 5), "pyruse1-all",
    )  # fmt: skip
    yield from direct.rows(server, "a server's journal", rounds)
    yield from direct.rows(compressed, "a compressed and compact file", rounds)
    strange = cluster(count)
    yield from _both("the demo's chains, a cluster", DEMO, strange, rounds, None, "cluster")


def _both(  # noqa: PLR0913 -- what a pair of rows says
    what: str,
    config: Path,
    journal: Path,
    rounds: int,
    targets: tuple[float, float] | None,
    name: str,
) -> Iterator[Row]:
    ways = replayed_in_each_way(config, journal)
    taken = side_by_side({"floor": floor(journal), **ways}, rounds)
    for index, way in enumerate(ways):
        yield Row(
            f"`pyruse replay` {way}, to libsystemd handing over every field: {what}",
            ratio(taken[way], taken["floor"]),
            None if targets is None else Target(targets[index]),
            name=f"floor {way} {name}",
        )
    plain, native = (taken[way] for way in ways)
    yield Row(
        f"`pyruse replay` in Python, to one with pyruse-native: {what}", ratio(plain, native),
        name=f"gain {name}",
    )  # fmt: skip


def _by_libsystemd(
    what: str, config: Path, journal: Path, rounds: int, target: float
) -> Iterator[Row]:
    """The same where something may be added to the files, so that libsystemd reads them."""
    journal = incomplete(journal)
    native = replayed_in_each_way(config, journal)["with pyruse-native"]
    taken = side_by_side({"floor": floor(journal), "native": native}, rounds)
    yield Row(
        f"`pyruse replay` with pyruse-native, to libsystemd handing over every field: {what}, files"
        " that may grow",
        ratio(taken["native"], taken["floor"]), Target(target),
    )  # fmt: skip


def _imported(old: Path, name: str) -> Path:
    """What Pyruse makes of a configuration of Pyruse 1."""
    done = subprocess.run(
        [sys.executable, "-m", "pyruse", "import", "pyruse1", str(old)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return _configured(name, done.stdout)


def _configured(name: str, text: str) -> Path:
    file = folder() / f"native-{name}.toml"
    file.write_text(text, "utf-8")
    return file
