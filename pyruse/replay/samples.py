"""Tests rules by their own samples: what each is recognised as, and what strangers can make of it.

Injections (see `injections`) are made of the samples by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pyruse.chains import guards
from pyruse.config.files import from_text
from pyruse.config.load import Configuration, configure
from pyruse.engine.assembly import assemble
from pyruse.engine.engine import Engine
from pyruse.engine.faults import Faults
from pyruse.engine.modes import DRY
from pyruse.entry.entry import Entry
from pyruse.entry.made import make_entry
from pyruse.errors import ConfigError
from pyruse.registry.registry import Registry
from pyruse.replay.injections import (
    STRANGERS,
    LookedFor,
    faults_of_form,
    hostile_texts,
    looked_for,
    variants,
)
from pyruse.rules.rules_file import RulesFile, Sample
from pyruse.state.database import State
from pyruse.text import shortened, shown
from pyruse.times import now_us

_SHOWN = 200  # characters of a line


def sample_faults(rules: RulesFile, registry: Registry) -> list[str]:
    """What is wrong with rules, going by their own samples: a line for each fault.

    * Each sample is the event that it says, and has the fields that it says; one without an event
      is not recognised.
    * Each pattern has a sample that it matches, and what strangers can fill is in a named group.
    * Nothing that is put into such a group makes another address than the true one come out.
    * Nobody is banned for what anybody could have written.

    :param rules: the rules; of a policy, other rules' samples tell.
    :param registry: of the plugins.
    """
    try:
        configuration = configure(from_text(f'use = ["{rules.name}"]', rules.file), registry)
    except ConfigError as fault:
        return list(fault.faults)
    faults: list[str] = []
    patterns = looked_for(
        step
        for chain in configuration.chains.values()
        if chain.source == rules.file
        for step in chain.steps
    )
    entries: list[Entry] = []
    for sample in rules.samples:
        faults += _faults_of(sample, configuration, entries)
    if not rules.is_policy:
        faults += _uncovered(rules, patterns, entries)
    faults += guards.doubts(configuration.chains)
    faults += _injected(rules, configuration, patterns)
    return list(dict.fromkeys(faults))


class _Trial:
    """A configuration at work with a state of its own, for one entry after another."""

    def __init__(self, configuration: Configuration) -> None:
        self._state = State()
        self._faults = Faults(lambda *_: None)
        self._time_us = now_us()
        self._engine: Engine = assemble(configuration, self._state, self._faults, DRY)
        self._engine.start()

    def __enter__(self) -> _Trial:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.stop()
        self._state.close()

    def feed(self, fields: Mapping[str, Any]) -> Entry:
        """Lead an entry through the chains."""
        self._time_us += 1_000_000
        entry = make_entry(fields, self._engine.decoder, time_us=self._time_us)
        self._engine.handle([entry])
        return entry

    @property
    def faults(self) -> list[str]:
        """What steps have raised."""
        return [f"{fault.place}: {fault.text}" for fault in self._faults.kinds.values()]

    @property
    def banned(self) -> set[str]:
        """The networks that are banned."""
        return {ban.network for _, ban in self._state.bans.all()}


def _faults_of(sample: Sample, configuration: Configuration, entries: list[Entry]) -> Iterator[str]:
    """What is not as a sample says; the entries, at the end of their journeys, are added."""
    with _Trial(configuration) as trial:
        entries += [trial.feed(fields) for fields in (*sample.before, sample.entry)]
        entry = entries[-1]
        found = entry.text("meaning")
        line = shown(shortened(str(sample.entry.get("MESSAGE", "")), _SHOWN))
        if found != sample.event:
            expected = shown(sample.event) if sample.event is not None else "nothing"
            what = shown(found) if found else "nothing"
            yield f"{sample.address}: {line} is {what} (expected {expected})"
        for name, value in sample.fields.items():
            if entry.text(name) != value:
                what = shown(entry.text(name) or "")
                yield f"{sample.address}: {line}: {name} is {what} (expected {shown(value)})"
        for fault in trial.faults:
            yield f"{sample.address}: {line}: {fault} (expected no fault of a step)"


def _uncovered(rules: RulesFile, patterns: LookedFor, entries: list[Entry]) -> Iterator[str]:
    """What no sample shows."""
    if all(sample.event is not None for sample in rules.samples):
        yield (
            f"{rules.file}: samples: all of them are recognised (expected one, at least, that is "
            "like the others, and must not be: without event)"
        )
    for step, field, pattern in patterns:
        if not any(pattern.search(entry.text(field) or "") for entry in entries):
            yield (
                f"{step.address}: {shown(pattern.text)}: no sample shows it (expected [[samples]] "
                "with one)"
            )
        yield from faults_of_form(step, pattern)


def _injected(rules: RulesFile, configuration: Configuration, patterns: LookedFor) -> Iterator[str]:
    """What strangers can make of the samples."""
    recognised = [sample for sample in rules.samples if sample.event is not None]
    lines = [str(sample.entry["MESSAGE"]) for sample in recognised if "MESSAGE" in sample.entry]
    hostile = list(hostile_texts(lines))
    with _Trial(configuration) as trial:
        for sample in recognised:
            seen: set[str] = set()
            for field, made in variants(sample.entry, patterns, hostile, rules.own):
                if made in seen:
                    continue
                seen.add(made)
                entry = trial.feed({**sample.entry, field: made})
                taken = {entry.text("ip") or "", *trial.banned} & STRANGERS
                if taken:
                    yield (
                        f"{sample.address}: {shown(shortened(made, 2 * _SHOWN))} would hit "
                        f"{', '.join(sorted(taken))} (expected the true address alone: a stranger "
                        "can write this)"
                    )
                    break
