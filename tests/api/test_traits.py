"""Traits: what is declared rightly counts, and what only looks like a trait is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

import pytest

from pyruse import Traits
from pyruse.api.traits import misdeclared, traits_of


@dataclass
class Good:
    """A step with a trait, and with attributes that are like none."""

    traits: ClassVar[Traits] = Traits(outside_effects=True)
    _final = True

    fatal: bool = True
    find: str = ""
    outside: str = ""

    def finish(self) -> None:
        pass


class Derived(Good):
    """It has the traits of its base."""


@final
class Without:
    """It says nothing, and `typing.final` is not about entries."""


def test_traits_are_those_of_the_class() -> None:
    assert traits_of(Good()) == traits_of(Derived()) == Traits(outside_effects=True)
    assert traits_of(Without()) == Traits(final=False, outside_effects=False)
    assert [misdeclared(cls) for cls in (Good, Derived, Without)] == [None, None, None]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("final", "final"),
        ("finals", "final"),
        ("Final", "final"),
        ("fianl", "final"),
        ("outside_effects", "outside_effects"),
        ("outside_effect", "outside_effects"),
        ("outsideEffects", "outside_effects"),
        ("outside_efects", "outside_effects"),
        ("side_effects", "outside_effects"),
    ],
)
def test_a_former_or_misspelt_trait_is_refused(name: str, meant: str) -> None:
    fault = f'{name} is no trait; did you mean "traits = Traits({meant}=True)"?'
    plain = type("Plain", (), {name: True})
    annotated = type("Annotated", (), {name: True, "__annotations__": {name: "ClassVar[bool]"}})
    without_value = type("WithoutValue", (), {"__annotations__": {name: bool}})
    derived = type("Derived", (plain,), {})
    for cls in (plain, annotated, without_value, derived):
        assert misdeclared(cls) == (name, fault)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trait", Traits(final=True)),
        ("trait", {"final": True}),
        ("mine", Traits(final=True)),
    ],
)
def test_traits_that_are_no_traits_are_refused(name: str, value: Any) -> None:
    fault = f'{name} is no trait; did you mean "traits = Traits(…)"?'
    assert misdeclared(type("Plain", (), {name: value})) == (name, fault)


@pytest.mark.parametrize("value", [{"final": True}, "final", None, Traits])
def test_a_value_of_traits_that_is_no_traits_is_refused(value: Any) -> None:
    plain = type("Plain", (), {"traits": value})
    assert misdeclared(plain) == ("traits", "traits is no Traits(…)")


def test_traits_that_would_be_an_option_are_refused() -> None:
    @dataclass
    class Option:
        traits: Traits = Traits(final=True)

    class Plain:
        traits: Traits = Traits(final=True)

    class Derived(Option):
        pass

    fault = "traits would be an option (expected traits: ClassVar[Traits] = …)"
    for cls in (Option, Plain, Derived):
        assert misdeclared(cls) == ("traits", fault)
