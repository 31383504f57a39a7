"""On the way: faults cost one entry alone, and `journey` tells what `travel` does."""

from __future__ import annotations

import inspect
from asyncio import CancelledError
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyruse.chains.link import Node, link
from pyruse.chains.model import Chain, Step
from pyruse.chains.table import Table
from pyruse.chains.travel import Stop, journey, travel
from pyruse.entry.entry import Entry, Source
from pyruse.entry.made import make_entry
from pyruse.options.fields import Field
from pyruse.system.native import native
from tests.chains.test_table import ENTRIES, Pure, configurations


def step(kind: str = "filter", **more: Any) -> Step:
    return Step("chain", 0, "filter" if kind == "filter" else "action", "plugin", None, **more)


def railway(*calls: Callable[[Entry], Any]) -> Node:
    """Filters one behind the other: each leads on to the next one, whatever it answers."""
    nodes = [Node(step(), call) for call in calls]
    for node, following in zip(nodes, [*nodes[1:], None], strict=True):
        node.passed = node.failed = node.faulty = following
    return nodes[0]


def raising(fault: BaseException) -> Callable[[Entry], Any]:
    def call(entry: Entry) -> Any:
        raise fault

    return call


def test_no_chains_no_journey() -> None:
    travel(None, lambda *_: pytest.fail("nothing can fail")).lead(Entry(0))
    assert list(journey(None, Entry(0))) == []


def test_every_fault_on_the_way_is_told_with_its_node_and_entry() -> None:
    told: list[tuple[Node, Entry, BaseException]] = []
    faults = [ValueError("one"), KeyError("two")]
    called: list[Entry] = []
    start = railway(raising(faults[0]), called.append, raising(faults[1]), called.append)
    entry = Entry(0)
    travel(start, lambda *fault: told.append(fault)).lead(entry)
    assert [fault for _, _, fault in told] == faults
    assert told[0][0] is start
    assert all(one is entry for _, one, _ in told)
    assert called == [entry, entry]


def test_the_next_entry_travels_as_if_nothing_had_happened() -> None:
    answers = iter([None, ValueError(), None])

    def call(entry: Entry) -> None:
        answer = next(answers)
        if answer is not None:
            raise answer

    arrived: list[int] = []
    start = railway(call, lambda entry: arrived.append(entry.time_us))
    start.faulty = None
    told: list[BaseException] = []
    for time_us in (1, 2, 3):
        travel(start, lambda _node, _entry, fault: told.append(fault)).lead(Entry(time_us))
    assert arrived == [1, 3]
    assert len(told) == 1


def test_whoever_wants_to_stop_the_program_stops_it() -> None:
    with pytest.raises(KeyboardInterrupt):
        travel(railway(raising(KeyboardInterrupt())), lambda *_: None).lead(Entry(0))


@pytest.mark.parametrize("end", [SystemExit, GeneratorExit, CancelledError])
def test_a_step_cannot_end_the_program(end: type[BaseException]) -> None:
    told: list[BaseException] = []
    arrived: list[Entry] = []
    start = railway(raising(end()), arrived.append)
    travel(start, lambda _node, _entry, fault: told.append(fault)).lead(Entry(0))
    assert [type(fault) for fault in told] == [end]
    assert len(arrived) == 1
    assert [type(stop.fault) for stop in journey(start, Entry(0))] == [end, type(None)]


def test_the_step_that_is_at_work_can_be_seen_and_pyruse_itself_is_none() -> None:
    """It is what a step that takes too long is stopped by: see `pyruse.engine.patience`."""
    seen: list[Node | None] = []

    def look() -> None:
        seen.append(way.at_work(inspect.currentframe()))

    def deep(entry: Entry) -> None:
        look()

    def leading(entry: Entry) -> None:
        frame = inspect.currentframe()
        assert frame is not None
        if native() is None:  # what calls the steps; in C, it has no frame
            seen.append(way.at_work(frame.f_back))
        else:
            seen.append(None)

    def fails(entry: Entry) -> None:
        look()
        raise ValueError

    start = railway(deep, leading, fails, deep)
    way = travel(start, lambda *_: look())
    look()
    way.lead(Entry(0))
    look()
    assert start.passed is not None
    assert start.passed.passed is not None
    failing, last = start.passed.passed, start.passed.passed.passed
    assert seen == [None, start, None, failing, None, last, None]
    assert way.at_work(None) is None


def test_a_look_up_is_at_work_for_its_filter() -> None:
    seen: list[Node | None] = []

    class Disk(Source):
        position = 0

        def read(self, field: str) -> Any:
            seen.append(way.at_work(inspect.currentframe()))

        def read_all(self) -> dict[str, Any]:
            return {}

    node = Node(Step("chain", 0, "filter", "plugin", Pure(Field("A"), ["a"])), bool)
    Table([node])
    way = travel(node, lambda *_: None)
    way.lead(Entry(0, Disk()))
    assert seen == [node]


def test_what_a_filter_answers_counts_as_true_or_false() -> None:
    for answer, arrived in (("text", "yes"), (1, "yes"), ("", "no"), (None, "no"), ([], "no")):
        way: list[str] = []
        start = Node(step(), lambda _, answer=answer: answer)  # type: ignore[misc]
        start.passed = Node(step(), lambda _, way=way: way.append("yes"))  # type: ignore[misc]
        start.failed = Node(step(), lambda _, way=way: way.append("no"))  # type: ignore[misc]
        travel(start, lambda *_: None).lead(Entry(0))
        assert way == [arrived]


def stops(*calls: Callable[[Entry], Any], **fields: Any) -> list[Stop]:
    return list(journey(railway(*calls), make_entry(fields)))


def test_a_journey_tells_what_each_step_has_set() -> None:
    def nothing(entry: Entry) -> bool:
        return True

    told = stops(
        lambda entry: entry.update(user="root", MESSAGE="changed"),
        nothing,
        lambda entry: entry.update(user="root", ip="192.0.2.1"),
        MESSAGE="hello",
    )
    assert [stop.fields for stop in told] == [
        {"user": "root", "MESSAGE": "changed"}, {}, {"ip": "192.0.2.1"},
    ]  # fmt: skip


def test_a_journey_tells_faults_and_goes_on() -> None:
    fault = ValueError("no")
    told = stops(raising(fault), lambda _: True)
    assert [(stop.passed, stop.fault) for stop in told] == [(False, fault), (True, None)]


@pytest.mark.parametrize(("answer", "invert"), [(True, False), (False, True), (True, True)])
def test_a_journey_tells_whether_a_filter_has_passed(answer: bool, invert: bool) -> None:
    node = Node(step(invert=invert), lambda _: answer)
    (stop,) = journey(node, Entry(0))
    assert stop.passed == (answer != invert)


def test_a_fault_of_an_inverted_filter_is_no_pass() -> None:
    (stop,) = journey(Node(step(invert=True), raising(ValueError())), Entry(0))
    assert not stop.passed


# ---- Whatever the chains and the entry, `journey` and `travel` are the same way

Called = list[str]
"""The places of the steps that are called, and what they raised."""


class Railway:
    """Chains, linked, some of whose steps raise; a way through them is noted."""

    def __init__(self, chains: dict[str, Chain], broken: set[int]) -> None:
        """:param broken: the numbers of the steps that raise."""
        steps = [step for chain in chains.values() for step in chain.steps]
        self.called: Called = []
        self._broken = {step for at, step in enumerate(steps) if at in broken}
        self.graph = link(chains, self._bind)

    def _bind(self, step: Step) -> Callable[[Entry], Any]:
        def call(entry: Entry) -> Any:
            self.called.append(step.place)
            if step in self._broken:
                raise ValueError(step.place)
            return (step.instance.act if step.kind == "action" else step.instance.match)(entry)

        return call

    def travelled(self, fields: dict[str, Any]) -> tuple[Called, list[str], dict[str, Any]]:
        """What is called, what is told of faults, and the entry at the end, by `travel`."""
        self.called, faults, entry = [], [], Entry(0, values=dict(fields))

        def on_fault(node: Node, _: Entry, fault: BaseException) -> None:
            faults.append(f"{node.step.place}: {fault}")

        travel(self.graph.entrance, on_fault).lead(entry)
        return self.called, faults, dict(entry)

    def told(self, fields: dict[str, Any]) -> tuple[Called, list[str], dict[str, Any]]:
        """The same by `journey`."""
        self.called, entry = [], Entry(0, values=dict(fields))
        stops = list(journey(self.graph.entrance, entry))
        faults = [f"{stop.node.step.place}: {stop.fault}" for stop in stops if stop.fault]
        return self.called, faults, dict(entry)


@settings(max_examples=250, deadline=None)
@given(configurations(), st.sets(st.integers(0, 20), max_size=4), ENTRIES)
def test_a_journey_is_what_travel_does(
    chains: dict[str, Chain], broken: set[int], fields: dict[str, Any]
) -> None:
    railway = Railway(chains, broken)
    # A value may be NaN, which does not equal itself.
    assert repr(railway.told(fields)) == repr(railway.travelled(fields))
