"""The profile: time is that of the step that took it, and of it, that of reading for the step.

How fast a machine is, is no matter here: whoever sleeps for a while takes at least that.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from pyruse.chains.link import link
from pyruse.chains.profile import Profile
from pyruse.chains.switch import add_switches
from pyruse.chains.traffic import Traffic
from pyruse.chains.travel import travel
from pyruse.entry.entry import Entry
from tests.chains.conftest import Chains

STEPS = """
"looked up" = [ { filter = "equals", field = "A", value = "a", name = "equal" } ]
"one" = [ { filter = "contains", text = "!", name = "reads", else = "slow" } ]
"slow" = [ { action = "set", field = "B", value = "b", name = "sleeps" },
           { action = "set", field = "B", value = "b", name = "raises" } ]
"never" = [ { filter = "exists", field = "A", name = "never" } ]
"""
NAP = 0.02


class Disk:
    """Fields of an entry that take their time to read."""

    position = 0

    def read(self, field: str) -> str:
        time.sleep(NAP)
        return field.lower()

    def read_all(self) -> dict[str, Any]:
        return {}


@pytest.fixture
def profiled(chains: Callable[[str], Chains]) -> dict[str, Any]:
    """The profile of two entries."""
    made = chains(STEPS)
    profile = Profile()

    def call(entry: Entry, label: str | None) -> Any:
        match label:
            case "reads":
                return entry.get("MESSAGE") == "!"
            case "sleeps":
                return time.sleep(NAP)
            case "raises":
                time.sleep(NAP)
                raise ValueError
            case _:
                pytest.fail(f"{label} is not called")

    bind = profile.steps(lambda step: lambda entry: call(entry, step.label))
    graph = link(made.configured, bind)
    traffic = Traffic(made.configured, graph, 0)
    add_switches(graph)
    disk = Disk()
    disk.read = profile.reading(disk.read)  # type: ignore[method-assign]
    move = profile.moving(lambda: time.sleep(NAP))
    began = time.perf_counter()

    def batch() -> None:
        for _ in range(2):
            move()
            travel(graph.entrance, lambda *at: traffic.fault(at[0])).lead(Entry(0, disk))
        time.sleep(NAP)

    profile.batches(batch)()
    time.sleep(NAP)
    elapsed = time.perf_counter() - began
    traffic.settle(2)
    return {"elapsed": elapsed, **profile.data(traffic, elapsed)}


def steps(profile: dict[str, Any]) -> dict[str, Any]:
    return {step["label"]: step for chain in profile["chains"] for step in chain["steps"]}


def test_time_is_that_of_the_step_that_took_it(profiled: dict[str, Any]) -> None:
    taken = {label: (one["calls"], one["seconds"]) for label, one in steps(profiled).items()}
    assert taken == {
        "equal": (0, 0),  # a look-up, which is no time of a step's
        "reads": (2, taken["reads"][1]),
        "sleeps": (2, taken["sleeps"][1]),
        "raises": (2, taken["raises"][1]),
        "never": (0, 0),
    }
    for label in ("reads", "sleeps", "raises"):
        assert taken[label][1] >= 1.9 * NAP


def test_reading_is_told_apart(profiled: dict[str, Any]) -> None:
    reading = {label: one["reading_seconds"] for label, one in steps(profiled).items()}
    assert reading == {"equal": 0, "reads": reading["reads"], "sleeps": 0, "raises": 0, "never": 0}
    assert 1.9 * NAP <= reading["reads"] <= steps(profiled)["reads"]["seconds"]


def test_the_parts_make_up_the_whole(profiled: dict[str, Any]) -> None:
    seconds = profiled["seconds"]
    assert seconds["steps"] >= 2 * 1.9 * NAP  # two steps that sleep; reading is no part of it
    assert seconds["reading"] >= 4 * 0.95 * NAP  # for a step, and for a look-up
    assert seconds["moving"] >= 1.9 * NAP
    assert seconds["between"] >= 0.95 * NAP
    assert seconds["others"] >= 0.95 * NAP
    assert seconds["total"] == pytest.approx(sum(seconds.values()) / 2)
    assert seconds["total"] <= profiled["elapsed"]


def test_a_chain_has_the_time_of_its_steps(profiled: dict[str, Any]) -> None:
    for chain in profiled["chains"]:
        for key in ("seconds", "reading_seconds"):
            assert chain[key] == pytest.approx(sum(step[key] for step in chain["steps"]))


def test_measuring_is_not_measured(chains: Callable[[str], Chains]) -> None:
    """A step that does nothing takes far less than measuring it does."""
    made = chains('"c" = [ { action = "set", field = "A", value = "a", name = "nothing" } ]')
    profile = Profile()
    graph = link(made.configured, profile.steps(lambda step: lambda entry: None))
    traffic = Traffic(made.configured, graph, 0)

    def batch() -> None:
        for _ in range(1000):
            travel(graph.entrance, lambda *_: None).lead(Entry(0))

    began = time.perf_counter()
    profile.batches(batch)()
    elapsed = time.perf_counter() - began
    traffic.settle(1000)
    found = profile.data(traffic, elapsed)
    assert found["seconds"]["total"] < elapsed
    assert steps(found)["nothing"]["calls"] == 1000
