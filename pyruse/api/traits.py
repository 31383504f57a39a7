"""Traits: what a step's class says of itself beside its hooks."""

from __future__ import annotations

import dataclasses
import inspect
from typing import NamedTuple

from msgspec import Struct


class Traits(Struct, frozen=True, kw_only=True):
    """What a step's class says of itself: ``traits: ClassVar[Traits] = Traits(final=True)``."""

    final: bool = False
    """Actions: the journey of an entry ends here, wherever in a chain the step stands, as with
    ``discard``."""
    leaves: bool = False
    """Actions: the entry leaves the chain here, and goes on with the main chain after it, as with
    ``continue``."""
    outside_effects: bool = False
    """Steps: the step touches the world by other means than the context. So a dry run does not call
    it, but records that it would have been called; a filter does not pass then."""
    accuses: bool = False
    """Actions: whom the entry names has to suffer for it, as with ``ban``. So ``pyruse check``
    warns where entries come here that anybody could have written."""

    pure: bool = False
    """Filters: whether an entry passes depends on the values of the fields that the options name
    (those of the types `Field` and `Template`), and on nothing else: no time, no state, no other
    entry. All that the filter does is to set fields that its options name (`NewField`, groups of
    patterns), where it passes. So it need not be asked again for the same values, and many such
    filters together cost one look-up. Actions: the action does nothing, as ``discard``."""


_NONE = Traits()


def traits_of(plugin: object) -> Traits:
    """The traits of a plugin's object, by its class; none of them is true unless it says so."""
    declared = getattr(type(plugin), "traits", _NONE)
    return declared if isinstance(declared, Traits) else _NONE


class Misdeclared(NamedTuple):
    """An attribute of a class that looks like a trait, and is none."""

    attribute: str
    text: str


def misdeclared(cls: type) -> Misdeclared | None:
    """What is wrong with the way in which a class declares its traits; None: nothing.

    A trait that Pyruse does not see would be silent: a step with ``outside_effect = True`` would
    act for real in a dry run. So whatever looks like a trait, and is none, is a fault.
    """
    for base in cls.__mro__[:-1]:  # all but `object`
        for name in {**vars(base), **inspect.get_annotations(base)}:
            if name.startswith("_"):
                continue
            value = vars(base).get(name)
            if name == "traits" and isinstance(value, Traits):
                if _is_option(base, name):
                    text = "traits would be an option (expected traits: ClassVar[Traits] = …)"
                    return Misdeclared(name, text)
                continue
            if name == "traits":
                return Misdeclared(name, "traits is no Traits(…)")
            if name == "trait" or isinstance(value, Traits):
                hint = 'did you mean "traits = Traits(…)"?'
                return Misdeclared(name, f"{name} is no trait; {hint}")
            meant = _meant(name)
            if meant is not None:
                hint = f'did you mean "traits = Traits({meant}=True)"?'
                return Misdeclared(name, f"{name} is no trait; {hint}")
    return None


def _is_option(cls: type, name: str) -> bool:
    """Whether an attribute of a class has an annotation, and not that it is the class's."""
    if "__dataclass_fields__" in vars(cls):
        return any(option.name == name for option in dataclasses.fields(cls))
    annotation = inspect.get_annotations(cls).get(name)
    return annotation is not None and "ClassVar" not in str(annotation)


def _meant(name: str) -> str | None:
    """The trait that a name stands for, if it is like one."""
    for trait in Traits.__struct_fields__:
        if _alike(name.lower().replace("_", ""), trait.replace("_", "")):
            return trait
    return None


def _alike(word: str, known: str) -> bool:
    """Whether words differ in one place only, and little. difflib would take its time to import."""
    begin = 0
    while begin < min(len(word), len(known)) and word[begin] == known[begin]:
        begin += 1
    word, known, allowed = word[begin:], known[begin:], len(known) // 4
    while word and known and word[-1] == known[-1]:
        word, known = word[:-1], known[:-1]
    swapped = len(word) == 2 and word == known[::-1]
    return max(len(word), len(known)) <= allowed or swapped
