"""The profile: time is that of the step that took it, and of it, that of reading for the step.

The clock is the tests' own: whoever looks at it takes a microsecond, and whoever sleeps, a second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyruse.chains.link import link
from pyruse.chains.profile import Profile
from pyruse.chains.table import Table
from pyruse.chains.traffic import Traffic
from pyruse.chains.travel import travel
from pyruse.entry.entry import Entry, Source
from tests.chains.conftest import Chains

STEPS = """
"looked up" = [ { filter = "equals", field = "A", value = "a", name = "equal" } ]
"one" = [ { filter = "contains", text = "!", name = "reads", else = "slow" } ]
"slow" = [ { action = "set", field = "B", value = "b", name = "sleeps" },
           { action = "set", field = "B", value = "b", name = "raises" } ]
"never" = [ { filter = "exists", field = "A", name = "never" } ]
"""
LOOK_NS = 1_000
NAP_NS = 1_000_000_000


class Clock:
    """A clock on which nothing takes time but a nap, and looking at the clock."""

    def __init__(self) -> None:
        self.ns = 0

    def look(self) -> int:
        self.ns += LOOK_NS
        return self.ns

    def nap(self) -> None:
        self.ns += NAP_NS


def about(seconds: float) -> Any:
    """Measuring is taken off to a nanosecond a call, of which there are a thousand."""
    return pytest.approx(seconds, abs=1e-5)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("pyruse.chains.profile.perf_counter_ns", clock.look)
    return clock


class Disk(Source):
    """Fields of an entry that take their time to read."""

    position = 0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def read(self, field: str) -> str:
        self._clock.nap()
        return field.lower()

    def read_all(self) -> dict[str, Any]:
        return {}


@pytest.fixture
def profiled(chains: Callable[[str], Chains], clock: Clock) -> dict[str, Any]:
    """The profile of two entries."""
    made = chains(STEPS)
    profile = Profile()

    def call(entry: Entry, label: str | None) -> Any:
        match label:
            case "equal":
                return False
            case "reads":
                return entry.get("MESSAGE") == "!"
            case "sleeps":
                return clock.nap()
            case "raises":
                clock.nap()
                raise ValueError
            case _:
                pytest.fail(f"{label} is not called")

    bind = profile.steps(lambda step: lambda entry: call(entry, step.label))
    graph = link(made.configured, bind)
    traffic = Traffic(made.configured, graph, 0)
    Table(graph.nodes)
    disk = Disk(clock)
    disk.read = profile.reading(disk.read)  # type: ignore[method-assign]
    move = profile.moving(clock.nap)
    began = clock.ns

    def batch() -> None:
        for _ in range(2):
            move()
            travel(graph.entrance, lambda *at: traffic.fault(at[0])).lead(Entry(0, disk))
        clock.nap()

    profile.batches(batch)()
    clock.nap()
    elapsed = (clock.ns - began) / 1e9
    traffic.settle(2)
    return profile.data(traffic, elapsed)


def steps(profile: dict[str, Any]) -> dict[str, Any]:
    return {step["label"]: step for chain in profile["chains"] for step in chain["steps"]}


def test_time_is_that_of_the_step_that_took_it(profiled: dict[str, Any]) -> None:
    taken = {label: (one["calls"], one["seconds"]) for label, one in steps(profiled).items()}
    assert taken == {
        "equal": (1, about(0)),  # then it is looked up, which is no time of a step's
        "reads": (2, about(2)),
        "sleeps": (2, about(2)),
        "raises": (2, about(2)),
        "never": (0, 0),
    }


def test_reading_is_told_apart(profiled: dict[str, Any]) -> None:
    reading = {label: one["reading_seconds"] for label, one in steps(profiled).items()}
    assert reading == {"equal": 0, "reads": about(2), "sleeps": 0, "raises": 0, "never": 0}


def test_the_parts_make_up_the_whole(profiled: dict[str, Any]) -> None:
    assert profiled["seconds"] == {
        "steps": about(4),  # two steps that sleep; reading is no part of it
        "reading": about(4),  # for a step, and for a look-up
        "moving": about(2),
        "between": about(1),
        "others": about(1),
        "total": about(12),
    }


def test_a_chain_has_the_time_of_its_steps(profiled: dict[str, Any]) -> None:
    for chain in profiled["chains"]:
        for key in ("seconds", "reading_seconds"):
            assert chain[key] == about(sum(step[key] for step in chain["steps"]))


def test_measuring_is_not_measured(chains: Callable[[str], Chains], clock: Clock) -> None:
    """A step that does nothing takes nothing, however long measuring it takes."""
    made = chains('"c" = [ { action = "set", field = "A", value = "a", name = "nothing" } ]')
    profile = Profile()
    graph = link(made.configured, profile.steps(lambda step: lambda entry: None))
    traffic = Traffic(made.configured, graph, 0)

    def batch() -> None:
        for _ in range(1000):
            travel(graph.entrance, lambda *_: None).lead(Entry(0))

    began = clock.ns
    profile.batches(batch)()
    elapsed = (clock.ns - began) / 1e9
    assert elapsed >= 1000 * LOOK_NS / 1e9
    traffic.settle(1000)
    found = profile.data(traffic, elapsed)
    nothing = steps(found)["nothing"]
    assert (nothing["calls"], nothing["seconds"]) == (1000, about(0))
