"""What is allowed in chains, but most likely not meant: the warnings of ``pyruse check``."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from pyruse.chains.model import Chain, Step
from pyruse.errors import did_you_mean
from pyruse.options import Field, NewField, Pattern, Template


def warnings(chains: Mapping[str, Chain]) -> list[str]:
    """Everything that is worth a second look, one line each."""
    steps = [step for chain in chains.values() for step in chain.steps]
    return [
        *(
            f"{chain.address}: the chain is empty (expected steps: entries pass it by)"
            for chain in chains.values()
            if not chain.steps
        ),
        *_unreachable(chains),
        *_unset_fields(steps),
    ]


def _unreachable(chains: Mapping[str, Chain]) -> Iterator[str]:
    for chain in chains.values():
        for step, following in zip(chain.steps, chain.steps[1:], strict=False):
            if not step.goes_on:
                why = "it ends the journey" if step.final else "it always goes to another chain"
                yield f"{following.address}: can never run: of the step before it, {why}"
                break


def _unset_fields(steps: list[Step]) -> Iterator[str]:
    """Fields that no step sets, and that the journal cannot have: its names are upper case."""
    known = {str(field) for step in steps for field in fields_of(step, NewField)}
    for step in steps:
        for field in dict.fromkeys(str(field) for field in fields_of(step, Field)):
            if not field.isupper() and field not in known:
                yield (
                    f"{step.address}: no step sets the field {field} (expected a field of the "
                    f"journal, in capitals, or one that a step sets{did_you_mean(field, known)})"
                )


def fields_of(step: Step, kind: type[Field]) -> Iterator[Field]:
    """The fields that a step reads (`Field`) or sets (`NewField`), as its options tell."""
    if dataclasses.is_dataclass(step.instance):
        for option in dataclasses.fields(step.instance):
            yield from _fields_in(getattr(step.instance, option.name), kind)


def _fields_in(value: Any, kind: type[Field]) -> Iterator[Field]:
    match value:
        case Field():
            if type(value) is kind:
                yield value
        case Template() if kind is Field:
            yield from map(Field, value.fields)
        case Pattern() if kind is NewField:
            yield from value.groups
        case list() | tuple():
            for item in value:
                yield from _fields_in(item, kind)
