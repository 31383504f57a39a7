"""Tests rules by their own samples: what each is recognised as, and what strangers can make of it.

Injections are made of the samples by themselves. Into every group that a pattern takes out of a
line come texts that a stranger could have chosen: addresses, and the very lines that the rules look
for. Whatever comes of it, no other address than the true one may be banned, or stand in `ip`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pyruse.addresses import parse_address
from pyruse.chains.lint import fields_of, values_of
from pyruse.chains.model import Step
from pyruse.config.files import from_text
from pyruse.config.load import Configuration, configure
from pyruse.engine.assembly import assemble
from pyruse.engine.engine import Engine
from pyruse.engine.faults import Faults
from pyruse.engine.modes import DRY
from pyruse.entry.entry import Entry
from pyruse.entry.made import make_entry
from pyruse.errors import ConfigError
from pyruse.options.fields import Field
from pyruse.options.patterns import Pattern
from pyruse.options.quick_search import is_anchored, parsed_pattern
from pyruse.registry.registry import Registry
from pyruse.rules.rules_file import RulesFile, Sample
from pyruse.state.database import State
from pyruse.text import shortened, shown
from pyruse.times import now_us

STRANGE = ("198.51.100.66", "2001:db8:bad::66")
"""The addresses that are put into samples; no sample may have them."""
_ANY = r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]*:[0-9a-fA-F:]*:[0-9a-fA-F.]*)"
_ADDRESS = re.compile(rf"(?<![\w.:]){_ANY}")
_WITH_PORT = re.compile(rf"\[?{_ANY}(?:%\w+)?\]?(?:[:#]\d+)?")
_SHOWN = 200  # characters of a line


def sample_faults(rules: RulesFile, registry: Registry) -> list[str]:
    """What is wrong with rules, going by their own samples: a line for each fault.

    * Each sample is the event that it says, and has the fields that it says; one without an event
      is not recognised.
    * Each pattern has a sample that it matches, and what strangers can fill is in a named group.
    * Nothing that is put into such a group makes another address than the true one come out.

    :param rules: the rules; of a policy, other rules' samples tell.
    :param registry: of the plugins.
    """
    try:
        configuration = configure(from_text(f'use = ["{rules.name}"]', rules.file), registry)
    except ConfigError as fault:
        return list(fault.faults)
    faults: list[str] = []
    patterns = _patterns(configuration, rules)
    entries: list[Entry] = []
    for sample in rules.samples:
        faults += _faults_of(sample, configuration, entries)
    if not rules.is_policy:
        faults += _uncovered(rules, patterns, entries)
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


Patterns = list[tuple[Step, str, Pattern]]
"""The patterns of some rules: each with its step, and the field that it is looked for in."""


def _patterns(configuration: Configuration, rules: RulesFile) -> Patterns:
    found: Patterns = []
    for chain in configuration.chains.values():
        if chain.source == rules.file:
            for step in chain.steps:
                fields = [str(field) for field in fields_of(step, Field)]
                found += [
                    (step, fields[0] if fields else "MESSAGE", pattern)
                    for pattern in values_of(step)
                    if isinstance(pattern, Pattern)
                ]
    return found


def _uncovered(rules: RulesFile, patterns: Patterns, entries: list[Entry]) -> Iterator[str]:
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
        parsed = parsed_pattern(pattern.outline)
        if parsed is not None and not is_anchored(parsed, pattern.outline.flags):
            yield (
                f"{step.address}: {shown(pattern.text)}: may be found anywhere in a line (expected "
                "^ at its beginning: strangers write in the middle)"
            )
        if _has_loose_part(pattern):
            yield (
                f"{step.address}: {shown(pattern.text)}: a part that may be anything has no name "
                "(expected a named group around it, such as (?P<rest>.*): so it is tested with "
                "what strangers write)"
            )


def _has_loose_part(pattern: Pattern) -> bool:
    """Whether text of any length and kind may stand outside of named groups."""
    named = set(pattern.outline.groupindex.values())

    def loose(parts: Any) -> bool:
        for code, argument in parts:
            name = str(code)
            if name == "SUBPATTERN":
                if argument[0] not in named and loose(argument[-1]):
                    return True
            elif name == "BRANCH":
                if any(loose(branch) for branch in argument[1]):
                    return True
            elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
                _, most, inside = argument
                if (int(most) > _FEW and any(map(_is_anything, inside))) or loose(inside):
                    return True
            elif name == "ATOMIC_GROUP" and loose(argument):
                return True
        return False

    parsed = parsed_pattern(pattern.outline)
    return parsed is not None and loose(parsed)


_FEW = 6
"""Characters in which no address has room."""


def _is_anything(part: tuple[Any, Any]) -> bool:
    """Whether a single character may be one of those that addresses are made of, and others."""
    code, argument = str(part[0]), part[1]
    if code in ("ANY", "ANY_ALL", "NOT_LITERAL"):
        return True
    if code != "IN":
        return False
    kinds = {(str(kind), str(value)) for kind, value in argument}
    if any(kind == "NEGATE" for kind, _ in kinds):
        return True
    return any(value in ("CATEGORY_NOT_SPACE", "CATEGORY_NOT_DIGIT") for _, value in kinds)


def _injected(rules: RulesFile, configuration: Configuration, patterns: Patterns) -> Iterator[str]:
    """What strangers can make of the samples."""
    recognised = [sample for sample in rules.samples if sample.event is not None]
    lines = [str(sample.entry["MESSAGE"]) for sample in recognised if "MESSAGE" in sample.entry]
    hostile = list(_hostile_texts(lines))
    with _Trial(configuration) as trial:
        for sample in recognised:
            seen: set[str] = set()
            for field, made in _variants(sample, patterns, hostile, rules.own):
                if made in seen:
                    continue
                seen.add(made)
                entry = trial.feed({**sample.entry, field: made})
                taken = {entry.text("ip") or "", *trial.banned} & _STRANGERS
                if taken:
                    yield (
                        f"{sample.address}: {shown(shortened(made, 2 * _SHOWN))} would hit "
                        f"{', '.join(sorted(taken))} (expected the true address alone: a stranger "
                        "can write this)"
                    )
                    break


_STRANGERS = {str(address) for text in STRANGE if (address := parse_address(text)) is not None}


def _hostile_texts(lines: list[str]) -> Iterator[str]:
    for address in STRANGE:
        yield address
        yield f"x {address}"
        yield f"x from {address} port 22 ssh2"
        yield f"x from {address}"
        yield f"x[{address}]"
        yield f"x rhost={address}"
        yield f"x', rip={address}, lip=192.0.2.1"
        yield f"x, client: {address}, server: x"
        yield f'x" client="{address}"'
        for line in lines:
            yield _ADDRESS.sub(address, line)


def _variants(
    sample: Sample, patterns: Patterns, hostile: list[str], own: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    """The field and its text, with something else in each of the groups, and between them."""
    for field in {field for _, field, _ in patterns}:
        text = sample.entry.get(field)
        if not isinstance(text, str):
            continue
        for begin, end in sorted(_spans(text, field, patterns, own)):
            for injected in hostile:
                was = text[begin:end]
                for put in (injected, f"{was} {injected}", f"{injected} {was}"):
                    yield field, text[:begin] + put + text[end:]


def _spans(text: str, field: str, patterns: Patterns, own: tuple[str, ...]) -> set[tuple[int, int]]:
    """Where in a text the groups are that a stranger may have filled: no address, no number.

    :param text: of the sample.
    :param field: that has the text.
    :param patterns: of the rules.
    :param own: the groups that no stranger fills.
    """
    spans = set()
    for _, of_field, pattern in patterns:
        match = pattern.search(text) if of_field == field else None
        if match is None:
            continue
        for name, value in match.groupdict().items():
            if name in pattern.addresses or name in own:
                continue
            if value and not value.isdecimal() and not _WITH_PORT.fullmatch(value):
                spans.add(match.span(name))
    return spans
