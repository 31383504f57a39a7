"""Rows of tests become switches: whatever the chains and the entry, the way is the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyruse.chains.link import Graph, Node, link
from pyruse.chains.model import Chain, Step
from pyruse.chains.switch import add_switches
from pyruse.chains.travel import travel
from pyruse.entry.entry import Entry
from pyruse.hookspecs import hookimpl
from tests.chains.conftest import Chains

FIELDS = ["A", "B"]
VALUES: list[Any] = ["x", "y", 1, True, 2.5, "", float("nan")]


class Equality:
    """A filter that says what it tests."""

    def __init__(self, field: str, values: list[Any]) -> None:
        self.field, self.values = field, values

    @hookimpl
    def tested_values(self) -> tuple[str, list[Any]]:
        return self.field, self.values

    def match(self, entry: Entry) -> bool:
        return any(entry.get(self.field) == value for value in self.values)


class Other:
    """A filter that passes when a field is there, and an action that sets a field."""

    def __init__(self, field: str, value: Any) -> None:
        self.field, self.value = field, value

    def match(self, entry: Entry) -> bool:
        return self.field in entry

    def act(self, entry: Entry) -> None:
        entry[self.field] = self.value


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, Chain]:
    """Chains in which each step may jump to a later chain."""
    names = [f"chain {number}" for number in range(draw(st.integers(1, 8)))]
    chains = {}
    field, value = st.sampled_from(FIELDS), st.sampled_from(VALUES)
    for number, name in enumerate(names):
        targets = st.sampled_from([None, None, *names[number + 1 :]])
        steps = []
        for index in range(draw(st.integers(0, 4))):
            kind = draw(st.sampled_from(["test", "test", "test", "filter", "action"]))
            instance: Any = Other(draw(field), draw(value))
            if kind == "test":
                instance = Equality(draw(field), draw(st.lists(value, min_size=1, max_size=3)))
            is_action = kind == "action"
            steps.append(
                Step(
                    name, index, "action" if is_action else "filter", kind, instance,
                    then=draw(targets),
                    otherwise=None if is_action else draw(targets),
                    invert=not is_action and draw(st.booleans()),
                )
            )  # fmt: skip
        chains[name] = Chain(name, steps)
    return chains


ENTRIES = st.dictionaries(
    st.sampled_from(FIELDS), st.sampled_from([*VALUES, "other", ["x"], {"x": 1}]), max_size=2
)


def way(chains: dict[str, Chain], fields: dict[str, Any], *, switches: bool) -> list[str]:
    """The steps that do more than test, in the order in which an entry comes to them."""
    came: list[str] = []

    def bind(step: Step) -> Callable[[Entry], Any]:
        if isinstance(step.instance, Equality):
            return step.instance.match

        def call(entry: Entry) -> Any:
            came.append(step.place)
            return (step.instance.act if step.kind == "action" else step.instance.match)(entry)

        return call

    graph = link(chains, bind)
    if switches:
        add_switches(graph)
    entry = Entry(0, values=dict(fields))
    travel(graph.entrance, no_fault).lead(entry)
    return [*came, repr(sorted(entry.items(), key=repr))]


def no_fault(node: Node, entry: Entry, fault: BaseException) -> None:
    raise AssertionError(node.step.place) from fault


@settings(max_examples=250, deadline=None)
@given(configurations(), ENTRIES)
def test_the_way_is_the_same(chains: dict[str, Chain], fields: dict[str, Any]) -> None:
    assert way(chains, fields, switches=True) == way(chains, fields, switches=False)


def row(graph: Graph) -> list[tuple[str | None, int]]:
    """The nodes with a switch, along the way of what does not pass: step, number of ways."""
    nodes, node = [], graph.entrance
    while node is not None:
        if node.switch is not None:
            nodes.append((node.step.label, len(node.switch.ways)))
        node = node.failed
    return nodes


CHAINS = """
"one" = [ { filter = "equals", field = "A", value = "a", name = "is a" },
          { action = "discard", name = "one" } ]
"two" = [ { filter = "in", field = "A", values = ["b", "c"], name = "is b or c" },
          { filter = "contains", text = "!", name = "contains" },
          { action = "discard", name = "two" } ]
"three" = [ { filter = "equals", field = "A", value = "b", name = "is b" },
            { action = "discard", name = "three" } ]
"rest" = [ { action = "discard", name = "rest" } ]
"""


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"A": "a"}, ["one"]),
        ({"A": "b", "MESSAGE": "!"}, ["contains", "two"]),
        ({"A": "b", "MESSAGE": "?"}, ["contains", "three"]),
        ({"A": "c", "MESSAGE": "?"}, ["contains", "rest"]),
        ({"A": "d"}, ["rest"]),
        ({}, ["rest"]),
    ],
)
def test_one_look_up_leads_past_all_that_does_not_concern_an_entry(
    chains: Callable[[str], Chains], fields: dict[str, Any], expected: list[str]
) -> None:
    made = chains(CHAINS)
    add_switches(made.graph)
    assert row(made.graph) == [("is a", 3), ("is b or c", 3), ("is b", 3)]
    travel(made.graph.entrance, no_fault).lead(Entry(0, values=fields))
    assert made.called == expected


def test_the_switches_of_many_chains_are_no_larger_than_the_chains(
    chains: Callable[[str], Chains],
) -> None:
    made = chains(
        "\n".join(
            f'"{number}" = [ {{ filter = "equals", field = "A", value = "{number}" }},'
            f' {{ filter = "exists", field = "B" }}, {{ action = "discard" }} ]'
            for number in range(300)
        )
    )
    add_switches(made.graph)
    node, switches = made.graph.entrance, set()
    while node is not None:
        assert node.switch is not None
        switches.add(id(node.switch))
        node = node.failed
    assert len(switches) == 1
