"""Filters that say what they test: whatever the entry, in C they do what their methods do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyruse import AddressField, Condition, Entry, Field, Networks, NewField, Pattern, hookimpl
from pyruse.chains.link import Node, link
from pyruse.chains.model import Chain, Step
from pyruse.chains.native import condition_of, in_c
from pyruse.chains.table import Table
from pyruse.chains.travel import Travel, travel, travel_in_python
from pyruse_plugins.filters.at_least import AtLeast
from pyruse_plugins.filters.at_most import AtMost
from pyruse_plugins.filters.contains import Contains
from pyruse_plugins.filters.equals import Equals
from pyruse_plugins.filters.exists import Exists
from pyruse_plugins.filters.in_ import In
from pyruse_plugins.filters.in_networks import InNetworks
from pyruse_plugins.filters.regex import Patterns, Regex

FIELDS = ["A", "B", "a", "PRIORITY"]
TEXTS = [
    "", "a", "ab", "abc abc", "192.0.2.1", "from 192.0.2.1:22 x", "at ::ffff:192.0.2.1 b",
    "2001:DB8::1 b", "1", "2.5", "nan", "é 192.0.2.7 ü", "x\ud800y", "a\nb", "10.0.0.1.example",
]  # fmt: skip
VALUES: list[Any] = [
    *TEXTS, 1, 0, 2.5, True, float("nan"), b"ab", UUID(int=1), ["a", "b"], {"a": 1}, None,
]  # fmt: skip
PATTERNS = [
    "a", "^a", "b$", "^(?P<a>a+)(?P<B>b)?", r"{address}", r"^from {address:A} (?P<B>.)",
    r"at {address} (?P<a>\S)$", "(?i)AB", "^ab|^from", r"(?P<A>\w) (?P<a>\w)", "é", "x.y",
]  # fmt: skip


class Sets:
    """An action that sets a field."""

    def __init__(self, field: str, value: str) -> None:
        self.field, self.value = field, value

    @hookimpl
    def act_on_entry(self, entry: Entry) -> None:
        entry[self.field] = self.value


@st.composite
def filters(draw: st.DrawFn) -> Any:
    field = draw(st.sampled_from(FIELDS[:3]))
    value: Any = draw(st.sampled_from(["a", "1", 1, 2.5, 0, "192.0.2.1", True]))
    patterns = draw(st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3))
    unnamed = Patterns([Pattern(r"(\w)(?:b(\w)?)?(?P<word>x)?")])
    made: list[Any] = [
        Equals(Field(field), value),
        In(Field(field), [value, "ab"]),
        Contains(str(value), Field(field)),
        Exists(Field(field)),
        AtLeast(Field(field), value),
        AtMost(Field(field), value),
        InNetworks(AddressField(field), Networks.parse(["192.0.2.0/24", "2001:db8::/32"])),
        Regex(unnamed, Field(field), [NewField("a"), NewField("B")]),
        Regex(Patterns(map(Pattern, patterns)), Field(field)),
        Regex(Patterns(map(Pattern, patterns)), Field(field)),
    ]
    return draw(st.sampled_from(made))


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, Chain]:
    """Chains in which each step may jump to a later chain."""
    names = [f"chain {number}" for number in range(draw(st.integers(1, 5)))]
    chains = {}
    for number, name in enumerate(names):
        targets = st.sampled_from([None, None, *names[number + 1 :]])
        steps = []
        for index in range(draw(st.integers(0, 4))):
            is_action = draw(st.integers(0, 4)) == 0
            instance = Sets("a", draw(st.sampled_from(TEXTS))) if is_action else draw(filters())
            steps.append(
                Step(
                    name, index, "action" if is_action else "filter", "plugin", instance,
                    then=draw(targets), otherwise=None if is_action else draw(targets),
                    invert=not is_action and draw(st.booleans()),
                )
            )  # fmt: skip
        chains[name] = Chain(name, steps)
    return chains


ENTRIES = st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(VALUES), max_size=4)


def method(step: Step) -> Callable[[Entry], Any]:
    hook = "act_on_entry" if step.kind == "action" else "match_entry"
    function: Callable[[Entry], Any] = getattr(step.instance, hook)
    return function


def way(
    make: Callable[..., Travel], entrance: Node | None, fields: dict[str, Any], entry: type[Entry]
) -> tuple[list[str], str]:
    """What is told of faults, and the entry at the end."""
    faults: list[str] = []

    def on_fault(node: Node, _: Entry, fault: BaseException) -> None:
        faults.append(f"{node.step.place}: {fault!r}")

    one = entry(0, values=dict(fields))
    make(entrance, on_fault).lead(one)
    return faults, repr(one)


class Derived(Entry):
    """Entries of a class of one's own, which may do all in their own way."""

    def get(self, field: str, default: Any = None) -> Any:
        value = super().get(field, default)
        return "a" if value == "ab" else value

    def text(self, field: str) -> str | None:
        return "ab" if super().text(field) == "a" else super().text(field)


@settings(max_examples=600, deadline=None)
@given(configurations(), st.lists(ENTRIES, max_size=5), st.sampled_from([Entry, Derived]))
def test_the_way_is_the_same_in_c(
    chains: dict[str, Chain], entries: list[dict[str, Any]], entry: type[Entry]
) -> None:
    plain = link(chains, method)
    quick = link(chains, lambda step: in_c(step, method(step)))
    if entry is Entry:  # the table asks entries in its own way
        Table(quick.nodes)
    for fields in [*entries, *entries]:
        told = way(travel_in_python, plain.entrance, fields, entry)
        assert way(travel, quick.entrance, fields, entry) == told


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_finds_the_same_in_every_value(pattern: str, value: Any) -> None:
    one = Regex(Patterns([Pattern(pattern)]), Field("A"))
    step = Step("chain", 0, "filter", "regex", one)
    call = in_c(step, one.match_entry)
    entries = [Entry(0, values={"A": value}) for _ in range(2)]
    assert call(entries[0]) == one.match_entry(entries[1])
    assert repr(entries[0]) == repr(entries[1])


def test_a_condition_speaks_for_the_method_beside_it_alone() -> None:
    class Own(Contains):
        @hookimpl
        def match_entry(self, entry: Entry) -> bool:
            return True

    class Both(Own):
        @hookimpl
        def condition(self) -> Condition:
            return Condition.exists("A")

    class Kept(Contains):
        pass

    assert condition_of(Own("x")) is None
    assert condition_of(Both("x")) == Condition.exists("A")
    assert condition_of(Kept("x")) == Condition.contains(Field("MESSAGE"), "x")
    replaced = Contains("x")
    replaced.match_entry = partial(Contains.match_entry, replaced)  # type: ignore[method-assign]
    assert condition_of(replaced) is None
