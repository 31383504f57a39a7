"""On the way: faults cost one entry alone, and `journey` tells what `travel` does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyruse.chains.link import Node
from pyruse.chains.model import Step
from pyruse.chains.travel import Stop, journey, travel
from pyruse.entry.entry import Entry
from pyruse.entry.made import make_entry


def step(kind: str = "filter", **more: Any) -> Step:
    return Step("chain", 0, "filter" if kind == "filter" else "action", "plugin", None, **more)


def railway(*calls: Callable[[Entry], Any]) -> Node:
    """Filters one behind the other: each leads on to the next one, whatever it answers."""
    nodes = [Node(step(), call) for call in calls]
    for node, following in zip(nodes, [*nodes[1:], None], strict=True):
        node.passed = node.failed = node.faulty = following
    return nodes[0]


def raising(fault: Exception) -> Callable[[Entry], Any]:
    def call(entry: Entry) -> Any:
        raise fault

    return call


def test_no_chains_no_journey() -> None:
    travel(None, Entry(0), lambda *_: pytest.fail("nothing can fail"))
    assert list(journey(None, Entry(0))) == []


def test_every_fault_on_the_way_is_told_with_its_node_and_entry() -> None:
    told: list[tuple[Node, Entry, Exception]] = []
    faults = [ValueError("one"), KeyError("two")]
    called: list[Entry] = []
    start = railway(raising(faults[0]), called.append, raising(faults[1]), called.append)
    entry = Entry(0)
    travel(start, entry, lambda *fault: told.append(fault))
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
    told: list[Exception] = []
    for time_us in (1, 2, 3):
        travel(start, Entry(time_us), lambda _node, _entry, fault: told.append(fault))
    assert arrived == [1, 3]
    assert len(told) == 1


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_whoever_wants_to_stop_the_program_stops_it(stop: type[BaseException]) -> None:
    def call(entry: Entry) -> Any:
        raise stop

    with pytest.raises(stop):
        travel(railway(call), Entry(0), lambda *_: None)


def test_what_a_filter_answers_counts_as_true_or_false() -> None:
    for answer, arrived in (("text", "yes"), (1, "yes"), ("", "no"), (None, "no"), ([], "no")):
        way: list[str] = []
        start = Node(step(), lambda _, answer=answer: answer)  # type: ignore[misc]
        start.passed = Node(step(), lambda _, way=way: way.append("yes"))  # type: ignore[misc]
        start.failed = Node(step(), lambda _, way=way: way.append("no"))  # type: ignore[misc]
        travel(start, Entry(0), lambda *_: None)
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
