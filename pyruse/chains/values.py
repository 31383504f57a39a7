"""What a step says of itself: the fields that it reads and sets, the values that it looks for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from pyruse.api.reported import Reported
from pyruse.api.tallied import Tallied
from pyruse.api.worked_out import WorkedOut
from pyruse.chains.model import Step
from pyruse.entry.entry import Entry
from pyruse.hookspecs import hook_of
from pyruse.options.fields import Field, NewField
from pyruse.options.patterns import Pattern
from pyruse.options.templates import Template

Test = tuple[str, frozenset[Hashable]]
"""A filter passes if, and only if, this field has one of these values."""


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


def equality_test_of(instance: Any) -> Test | None:
    """What a filter says of itself by the hook ``tested_values``.

    :raises Exception: whatever a faulty plugin raises, or TypeError where it says something else.
    """
    hook = hook_of(instance, "tested_values")
    if hook is None:
        return None
    said = hook()
    if not isinstance(said, tuple) or len(said) != 2 or not isinstance(said[0], str):
        raise TypeError("not a field with its values")
    field, values = said
    # A value that does not even equal itself (NaN) would be found by its identity.
    return str(field), frozenset(value for value in values if value == value)  # noqa: PLR0124


def reported_of(instance: Any) -> Reported | None:
    """What an action says by the hook ``reported`` that it reports; None: nothing.

    :raises Exception: whatever a faulty plugin raises, or TypeError where it says something else.
    """
    hook = hook_about(instance, "reported", "act_on_entry")
    if hook is None:
        return None
    said = hook()
    if not isinstance(said, Reported) or not isinstance(said.message, Template):
        raise TypeError("not what is reported")
    return said


def tallied_of(instance: Any) -> Tallied | None:
    """What an action says by the hook ``tallied`` that it counts; None: nothing.

    :raises Exception: whatever a faulty plugin raises, or TypeError where it says something else.
    """
    hook = hook_about(instance, "tallied", "act_on_entry")
    if hook is None:
        return None
    said = hook()
    if not isinstance(said, Tallied) or not (
        all(isinstance(one, str) for one in (said.event, *said.fields, said.amount or ""))
        and all(isinstance(value, str | Template) for value in said.says.values())
    ):
        raise TypeError("not what is counted")
    # Whatever is wrong with what is set is wrong with each entry.
    Entry(0).set_many(dict.fromkeys(said.says, ""))
    return said


def worked_out_of(instance: Any, ask: Callable[[None], Any]) -> WorkedOut | None:
    """What an action says by the hook ``worked_out`` that it does; None: nothing.

    :param instance: the action.
    :param ask: calls its hook, if it has one.
    :raises Exception: whatever a faulty plugin raises, or TypeError where it says something else.
    """
    if hook_about(instance, "worked_out", "act_on_entry") is None or (said := ask(None)) is None:
        return None
    if not isinstance(said, WorkedOut) or not _are_names(said.fields, said.into):
        raise TypeError("not what is worked out")
    # Whatever is wrong with what is set is wrong with each entry.
    Entry(0).set_many(dict.fromkeys(said.into, ""))
    return said


def _are_names(*values: Any) -> bool:
    return all(isinstance(one, tuple) and all(isinstance(n, str) for n in one) for one in values)


def hook_about(instance: Any, hook: str, method: str) -> Callable[[], Any] | None:
    """A hook by which a step speaks of the method that is called; None: it does not."""
    found = hook_of(instance, hook)
    return found if found is not None and speaks_for(instance, hook, method) else None


def speaks_for(instance: Any, hook: str, method: str) -> bool:
    """Whether a hook speaks of the method that is called, and not of one that it stands for."""
    if method in getattr(instance, "__dict__", {}):
        return False
    for cls in type(instance).__mro__:
        if hook in vars(cls):
            return True
        if method in vars(cls):
            return False
    return False
