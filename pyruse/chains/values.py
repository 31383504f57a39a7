"""What the options of a step hold: the fields that it reads and sets, patterns, templates."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from pyruse.chains.model import Step
from pyruse.options.fields import Field, NewField
from pyruse.options.patterns import Pattern
from pyruse.options.templates import Template


def fields_of(step: Step, kind: type[Field]) -> Iterator[Field]:
    """The fields that a step reads (`Field`) or sets (`NewField`), as its options tell."""
    for value in values_of(step):
        match value:
            case Field() if isinstance(value, NewField) == (kind is NewField):
                yield value
            case Template() if kind is Field:
                yield from map(Field, value.fields)
            case Pattern() if kind is NewField:
                yield from value.groups


def values_of(step: Step) -> Iterator[Any]:
    """The values of a step's options, those in lists one by one."""
    if dataclasses.is_dataclass(step.instance):
        for option in dataclasses.fields(step.instance):
            yield from _flat(getattr(step.instance, option.name, None))


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _flat(item)
    else:
        yield value
