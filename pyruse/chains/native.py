"""The chains in C, where pyruse-native is installed: see pyruse-contrib/pyruse-native."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any

from pyruse.addresses import address_text
from pyruse.api.condition import Condition
from pyruse.api.traits import traits_of
from pyruse.api.worked_out import WorkedOut
from pyruse.chains.model import Step
from pyruse.chains.values import equality_test_of, hook_about, speaks_for
from pyruse.entry.entry import Entry
from pyruse.system.native import native

Call = Callable[[Entry], Any]
_METHOD = "match_entry"


def node_core(core: type) -> type:
    """What the class of nodes is derived from: the class that is given, or the same in C."""
    module = native()
    return core if module is None else module.NodeCore


def in_c(step: Step, call: Call) -> Call:
    """The function of a step in C, where its filter says what it tests.

    :param step: is bound.
    :param call: the function in Python, which is called for all that is not plain.
    """
    module = native()
    if module is None:
        return callable if _does_nothing(step) else call  # it takes an entry, and less time
    if step.kind == "action":
        return module.Condition(call, "nothing", "") if _does_nothing(step) else call
    if not isinstance(call, MethodType) or call.__name__ != _METHOD:
        return call  # it wants more than the entry
    condition = condition_of(step.instance) or _equality_of(step.instance)
    if condition is None:
        return call
    from pyruse.options.searches import needs_of, search_of

    module.search_with(needs_of=needs_of, search_of=search_of, address_text=address_text)
    made: Call = module.Condition(call, *condition)
    return made


def _does_nothing(step: Step) -> bool:
    return step.kind == "action" and traits_of(step.instance).pure


def quick(said: WorkedOut, call: Call) -> Call:
    """What works out as an action says that it does, in C where there is anything.

    :param said: by the action.
    :param call: the action's own way.
    """
    module = native()
    # Plain texts are looked up faster than options, which are of classes of their own.
    names = tuple(map(str, said.fields)), tuple(map(str, said.into))
    if module is None:
        return call
    made: Call = module.Condition(call, "worked_out", "", (names[0], said.function, names[1]))
    return made


def condition_of(instance: Any) -> Condition | None:
    """What a filter says of itself by the hook ``condition``; None: nothing.

    :raises Exception: whatever a faulty plugin raises, or TypeError where it says something else.
    """
    hook = hook_about(instance, "condition", _METHOD)
    if hook is None:
        return None
    said = hook()
    if not isinstance(said, Condition):
        raise TypeError("not a condition")
    return said


def _equality_of(instance: Any) -> Condition | None:
    """The same by the hook ``tested_values``."""
    test = equality_test_of(instance)
    if test is None or not speaks_for(instance, "tested_values", _METHOD):
        return None
    return Condition("values", *test)
