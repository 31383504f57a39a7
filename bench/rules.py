"""What it costs to `use` rules: all of them, to chains written by hand; and those of others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.journals import DEMO, UNSEEN, cluster, folder, sample
from bench.measure import Figure, Row, Target, cpu_seconds, ratio, side_by_side
from bench.reading import floor, replayed, replayed_in_each_way
from pyruse.registry.registry import Registry
from pyruse.rules.library import Library

_STARTS = 3
_MOST = Target(9.1)
"""1.6 times what the demo's chains took, in Python, when this target was set: 5.7."""
TEN = [
    "cron",
    "dovecot",
    "kernel",
    "logind",
    "nginx",
    "postfix",
    "smartd",
    "sshd",
    "sudo",
    "systemd",
]
"""The programs that write most of the sample."""


def rows(quick: bool) -> Iterator[Row]:
    """What replaying with rules takes, all kinds and summaries included."""
    count, rounds = (20_000, 1) if quick else (200_000, 5)
    everything, ten = _using("all", all_rules()), _using("ten", TEN)
    for journal, what, target, name in (
        (sample(count), f"{count:,} entries", _MOST, "rules"),
        (sample(count, UNSEEN), f"{count:,} entries, another seed", _MOST, "rules unseen"),
        (cluster(count), f"{count:,} entries of a cluster", None, "rules cluster"),
    ):
        all_rules_on, demo = (
            replayed_in_each_way(config, journal) for config in (everything, DEMO)
        )
        commands = {"floor": floor(journal)}
        for way, command in all_rules_on.items():
            commands |= {way: command, f"demo {way}": demo[way]}
        taken = side_by_side(commands, rounds)
        for way in all_rules_on:
            yield Row(
                f"`pyruse replay` {way} with `use` of all rules, to libsystemd handing over every"
                f" field: {what}",
                ratio(taken[way], taken["floor"]), target, name=f"{name} {way}",
            )  # fmt: skip
            yield Row(
                f"`pyruse replay` {way} with `use` of all rules, to the demo's chains: {what}",
                ratio(taken[way], taken[f"demo {way}"]),
            )
    commands = {"all": replayed(everything, sample(count)), "ten": replayed(ten, sample(count))}
    empty = {"all": replayed(everything, sample(1)), "ten": replayed(ten, sample(1))}
    starts = {
        name: Figure.of([cpu_seconds(command) for _ in range(_STARTS)]).low
        for name, command in empty.items()
    }
    taken = side_by_side(commands, rounds)
    net = {name: [one - starts[name] for one in taken[name]] for name in commands}
    yield Row(
        f"An entry with all {len(all_rules())} rules, to one with the {len(TEN)} that concern most",
        ratio(net["all"], net["ten"]), Target(1.1), name="rules ten",
    )  # fmt: skip


def all_rules() -> list[str]:
    """The names of our rules; policies come with those that jump to them."""
    library = Library(Registry())
    return [name for name in library.names if not library.rules(name).is_policy]


def _using(name: str, rules: Sequence[str]) -> Path:
    file = folder() / f"rules-{name}.toml"
    file.write_text(f"use = {json.dumps(list(rules))}\n")
    return file
