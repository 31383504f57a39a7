"""The warnings of ``pyruse check``: what is allowed in chains, but most likely not meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pyruse.chains import guards
from pyruse.chains.ambiguity import can_take_for_ever
from pyruse.chains.link import jump_order, left_by_entries, main_sequence
from pyruse.chains.model import Chain, Exit, Step
from pyruse.chains.values import fields_of, values_of
from pyruse.errors import did_you_mean
from pyruse.options.fields import AddressField, Field, FieldPrefix, NewField
from pyruse.options.patterns import Pattern
from pyruse.text import late_pattern, shown

_IN_BRACES = late_pattern(r"(?<!\\)\{([A-Za-z]+)(?::[^{}]*)?\}")


def warnings(chains: Mapping[str, Chain]) -> list[str]:
    """Everything that is worth a second look, one line each."""
    steps = [step for chain in chains.values() for step in chain.steps]
    return [
        *(
            f"{chain.address}: the chain is empty (expected steps: entries pass it by)"
            for chain in chains.values()
            if not chain.steps
        ),
        *_unreachable_steps(chains),
        *_unreachable_chains(chains),
        *_unset_fields(steps),
        *_doubtful_patterns(steps),
        *_loose_addresses(steps),
        *guards.doubts(chains),
    ]


def _unreachable_steps(chains: Mapping[str, Chain]) -> Iterator[str]:
    for chain in chains.values():
        for step, exits in chain.exits:
            for option, target in step.links:
                if target not in exits:
                    what = "ends their journey" if step.final else "leaves the chain"
                    yield (
                        f"{step.address}.{option}: entries never go there, as {step.plugin} {what} "
                        f"(expected no {option})"
                    )
        for (_, exits), following in zip(chain.exits, chain.steps[1:], strict=False):
            if Exit.NEXT not in exits:
                why = "always goes to another chain"
                for exit_, words in (
                    (Exit.END, "ends the journey"),
                    (Exit.LEAVE, "leaves the chain"),
                ):
                    why = words if exit_ in exits[:2] else why
                yield (
                    f"{following.address}: can never run, as the step before it {why} (expected "
                    "it before that one, or in another chain)"
                )
                break


def _unreachable_chains(chains: Mapping[str, Chain]) -> Iterator[str]:
    """What stands in the main sequence behind a chain such as "everything else"."""
    left = left_by_entries(chains, jump_order(chains))
    last: str | None = None
    for name in main_sequence(chains):
        if last is not None:
            yield (
                f"{chains[name].address}: no entry ever comes here, as none leaves the chain "
                f"{shown(last)} (expected this one before that one)"
            )
        elif name not in left:
            last = name


_MEANING = "meaning"
"""What an event is: rules ask for it, whether or not some of them have set it."""


def _unset_fields(steps: list[Step]) -> Iterator[str]:
    """Fields that no step sets, and that the journal cannot have: its names are upper case."""
    known = {str(field) for step in steps for field in fields_of(step, NewField)}
    known.add(_MEANING)
    prefixes = {value for step in steps for value in values_of(step) if type(value) is FieldPrefix}
    for step in steps:
        for field in dict.fromkeys(str(field) for field in fields_of(step, Field)):
            begin = field.partition(".")[0] if "." in field else None
            if not field.isupper() and field not in known and begin not in prefixes:
                yield (
                    f"{step.address}: no step sets the field {field} (expected a field of the "
                    f"journal, in capitals, or one that a step sets{did_you_mean(field, known)})"
                )


def _doubtful_patterns(steps: list[Step]) -> Iterator[str]:
    for step in steps:
        for pattern in values_of(step):
            if not isinstance(pattern, Pattern):
                continue
            for doubt in pattern.doubts:
                yield (
                    f"{step.address}: {shown(pattern.text)}: {doubt[:1].lower()}{doubt[1:]} "
                    r"(expected \ before a bracket that is meant; \d, \w and the like, not "
                    "[:digit:])"
                )
            for word in _IN_BRACES.findall(pattern.text):
                if word != "address" and did_you_mean(word, ["address"]):
                    yield (
                        f"{step.address}: {shown(pattern.text)}: {{{word}}} is looked for as it is "
                        'written (expected "{address}" for an address)'
                    )
            if can_take_for_ever(pattern.outline):
                yield (
                    f"{step.address}: {shown(pattern.text)}: a line that is made for it can keep "
                    "it busy for ever, as a repeated part can match one text in several ways "
                    r"(expected only one way, such as (?:\w+\s)* and not (?:\w+\s?)*)"
                )


def _loose_addresses(steps: list[Step]) -> Iterator[str]:
    """Groups that take any text, though a step needs an address: what is none is counted, too."""
    readers: dict[str, Step] = {}
    for step in steps:
        for field in fields_of(step, Field):
            if isinstance(field, AddressField):
                readers.setdefault(field, step)
    for step in steps:
        told: set[str] = set()
        for pattern in values_of(step):
            if not isinstance(pattern, Pattern):
                continue
            for group in pattern.groups:
                loose = group not in pattern.addresses and group in readers
                if loose and group not in told:
                    told.add(group)
                    mark = "{address}" if group == "ip" else f"{{address:{group}}}"
                    yield (
                        f"{step.address}: {shown(pattern.text)}: the group {group} takes what is "
                        f"no address, too, and {readers[group].place} needs one (expected {mark})"
                    )
