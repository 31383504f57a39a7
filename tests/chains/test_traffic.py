"""Counters: each step saw and passed what an entry's way says, whatever short cut was taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pyruse.chains.link import link
from pyruse.chains.model import Chain, Step
from pyruse.chains.table import Table
from pyruse.chains.traffic import Traffic
from pyruse.chains.travel import journey, travel
from pyruse.entry.entry import Entry
from tests.chains.conftest import Broken, Chains
from tests.chains.test_table import ENTRIES, configurations

Bind = Callable[[Step], Callable[[Entry], Any]]
Counts = dict[str, tuple[int, int, int]]
"""For each step by its place: seen, passed, faults."""


def binder(chains: dict[str, Chain], broken: set[int]) -> Bind:
    """:param broken: the numbers of the steps that raise."""
    steps = [step for chain in chains.values() for step in chain.steps]

    def bind(step: Step) -> Callable[[Entry], Any]:
        if steps.index(step) in broken:
            return raising
        call: Callable[[Entry], Any]
        call = step.instance.act if step.kind == "action" else step.instance.match
        return call

    return bind


def raising(entry: Entry) -> Any:
    raise Broken


def counts_of(traffic: Traffic) -> Counts:
    return {
        f'chains."{chain["chain"]}"[{step["index"]}]': (
            step["seen"], step["passed"], step["faults"],
        )
        for chain in traffic.data() for step in chain["steps"]
    }  # fmt: skip


def counted(chains: dict[str, Chain], bind: Bind, entries: list[dict[str, Any]]) -> Counts:
    """What the counters say after some entries."""
    graph = link(chains, bind)
    traffic = Traffic(chains, graph, 0)
    for fields in entries:
        travel(graph.entrance, lambda node, *_: traffic.fault(node)).lead(
            Entry(0, values=dict(fields))
        )
    traffic.settle(len(entries))
    return counts_of(traffic)


def told(chains: dict[str, Chain], bind: Bind, entries: list[dict[str, Any]]) -> Counts:
    """What `journey` says of their ways, in chains as they are written."""
    counts = {step.place: (0, 0, 0) for chain in chains.values() for step in chain.steps}
    entrance = link(chains, bind).entrance
    for fields in entries:
        for stop in journey(entrance, Entry(0, values=dict(fields))):
            step, raised = stop.node.step, stop.fault is not None
            done = not raised if step.kind == "action" else stop.passed
            seen, passed, faults = counts[step.place]
            counts[step.place] = seen + 1, passed + done, faults + raised
    return counts


@settings(max_examples=150, deadline=None)
@given(configurations(), st.sets(st.integers(0, 20), max_size=4), st.lists(ENTRIES, max_size=8))
def test_counters_are_true(
    chains: dict[str, Chain], broken: set[int], entries: list[dict[str, Any]]
) -> None:
    bind = binder(chains, broken)
    expected = told(chains, bind, entries)
    assert counted(chains, bind, entries) == expected


CHAINS = """
"one" = [ { filter = "equals", field = "A", value = "a", name = "a" },
          { filter = "exists", field = "B", invert = true, name = "no B", else = "shared" },
          { action = "discard", name = "end" } ]
"two" = [ { filter = "in", field = "A", values = ["a", "b"], name = "a or b", then = "shared" },
          { filter = "equals", field = "A", value = "nobody", then = "never", name = "nobody" } ]
"never" = [ { action = "discard", name = "never" } ]
"shared" = [ { filter = "contains", text = "!", name = "broken" } ]
"empty" = []
"rest" = [ { action = "set", field = "D", value = "x", name = "set" },
           { action = "discard", name = "discard" } ]
"""


def test_a_chain_is_told_of_once_wherever_entries_come_from(
    chains: Callable[[str], Chains],
) -> None:
    made = chains(CHAINS)
    traffic = Traffic(made.configured, made.graph, 0)
    Table(made.graph.nodes)
    for fields in (
        {"A": "a"},  # the end of chain one
        {"A": "a", "B": "b"},  # one, shared, two, shared, rest
        {"A": "b"},  # two, shared, rest
        {"A": "c"},
        {"A": ["a"]},  # no value that could be looked up
    ):
        travel(made.graph.entrance, lambda *at: traffic.fault(at[0])).lead(
            Entry(0, values={**fields})
        )
    assert traffic.data()[0]["entries"] == 0, "entries count when they are through"
    traffic.settle(5)
    assert [
        (chain["chain"], chain["entries"], [
            (step["label"], step["seen"], step["passed"], step["faults"]) for step in chain["steps"]
        ]) for chain in traffic.data()
    ] == [
        ("one", 5, [("a", 5, 2, 0), ("no B", 2, 1, 0), ("end", 1, 1, 0)]),
        ("two", 4, [("a or b", 4, 2, 0), ("nobody", 2, 0, 0)]),
        ("never", 0, [("never", 0, 0, 0)]),
        ("shared", 3, [("broken", 3, 0, 3)]),
        ("rest", 4, [("set", 4, 4, 0), ("discard", 4, 4, 0)]),
    ]  # fmt: skip


def test_a_step_is_named_as_in_the_configuration(chains: Callable[[str], Chains]) -> None:
    made = chains(CHAINS)
    (one, *_) = Traffic(made.configured, made.graph, 0).data()
    assert one["steps"][1] == {
        "index": 1, "kind": "filter", "plugin": "exists", "label": "no B", "invert": True,
        "seen": 0, "passed": 0, "faults": 0,
    }  # fmt: skip


def test_what_is_not_over_is_not_shown(chains: Callable[[str], Chains]) -> None:
    """An entry inside a filter has not passed it yet: the number would fall back later."""
    made = chains('"c" = [ { filter = "equals", field = "A", value = "a", name = "a" } ]')
    traffic = Traffic(made.configured, made.graph, 0)
    before = traffic.data()
    travel(made.graph.entrance, lambda *_: None).lead(Entry(0, values={"A": "a"}))
    assert traffic.data() == before
    traffic.settle(1)
    assert counts_of(traffic) == {'chains."c"[0]': (1, 1, 0)}


def test_no_steps_no_numbers(chains: Callable[[str], Chains]) -> None:
    made = chains('"empty" = []')
    traffic = Traffic(made.configured, made.graph, 0)
    traffic.settle(1)
    assert traffic.data() == []
