"""``[engine] counters``: what an engine counts while it works."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from pyruse.chains.travel import journey
from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.daemon.status.activity import Activity
from pyruse.engine.assembly import assemble
from pyruse.engine.engine import Engine
from pyruse.engine.faults import Faults
from pyruse.engine.modes import DRY, LIVE, Mode
from pyruse.entry.entry import Entry
from pyruse.entry.made import make_entry
from pyruse.registry.registry import Registry
from pyruse.state.database import State

CONFIG = """
[report]
timezone = "UTC"
[engine]
counters = %s
[chains]
"one" = [ { filter = "equals", field = "A", value = "a" },
          { action = "count", counter = "c", key = "B" } ]
"two" = [ { action = "report", section = "other", message = "{A}" } ]
"""
NOON = 1_773_489_600_000_000  # of 2026-03-14
DAY = 86_400_000_000


@pytest.fixture
def state() -> Iterator[State]:
    with State() as state:
        yield state


def engine(state: State, counters: str = "true", mode: Mode = LIVE) -> Engine:
    configuration = configure(from_text(CONFIG % counters), Registry())
    return assemble(configuration, state, Faults(lambda *_: None), replace(mode, own=set))


def entries(*values: str) -> Iterator[Entry]:
    for number, value in enumerate(values):
        yield make_entry({"A": value}, time_us=NOON + number * DAY)


def counts(engine: Engine) -> list[list[tuple[int, int, int]]]:
    assert engine.traffic is not None
    return [
        [(step["seen"], step["passed"], step["faults"]) for step in chain["steps"]]
        for chain in engine.traffic.data()
    ]


def test_batches_days_and_faults_add_up(state: State) -> None:
    made = engine(state)
    made.handle(entries("a", "b", "b"))  # a day each
    made.handle(entries("b"))
    made.handle(entries())
    assert counts(made) == [[(4, 1, 0), (1, 0, 1)], [(3, 3, 0)]]


def test_what_was_handled_before_a_journal_failed_counts(state: State) -> None:
    def failing() -> Iterator[Entry]:
        yield from entries("a", "b")
        raise OSError("the disk is gone")

    made = engine(state)
    with pytest.raises(OSError, match="gone"):
        made.handle(failing())
    made.handle(entries("b"))
    assert counts(made) == [[(3, 1, 0), (1, 0, 1)], [(2, 2, 0)]]


def test_without_the_option_nothing_is_counted(state: State) -> None:
    assert engine(state, "false").traffic is None


def test_a_dry_run_counts_nothing_of_its_own_accord(state: State) -> None:
    """`pyruse explain` shows the steps of the configuration, and no others."""
    made = engine(state, mode=DRY)
    assert made.traffic is None
    (entry,) = entries("b")
    assert [stop.node.step.plugin for stop in journey(made.graph.entrance, entry)] == [
        "equals",
        "report",
    ]


def test_a_daemon_tells_the_numbers_where_it_is_asked(state: State) -> None:
    activity = Activity(0)
    assert (activity.data()["chains"], activity.data()["chains_since"]) == (None, None)
    made = engine(state)
    activity.traffic = made.traffic
    made.handle(entries("a"))
    (one, two) = activity.data()["chains"]
    assert (one["chain"], one["entries"], two["entries"]) == ("one", 1, 0)
    assert activity.data()["chains_since"] > NOON


def test_numbers_that_are_read_while_entries_travel_fit_together_and_never_fall(
    state: State,
) -> None:
    made = engine(state)
    activity = Activity(0)
    activity.traffic = made.traffic
    found: list[list[int]] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            one, two = activity.data()["chains"]
            filter_, action = one["steps"]
            found.append([one["entries"], filter_["passed"], action["seen"], two["entries"]])

    reader = threading.Thread(target=read)
    reader.start()
    try:
        while len(set(map(tuple, found))) < 20 and reader.is_alive():
            made.handle(make_entry({"A": value}, time_us=NOON) for value in "abb" * 10)
    finally:
        over.set()
    reader.join()
    assert found == sorted(found)
    for entries, passed, counted, rest in found:
        assert (passed, counted, rest) == (entries // 3, entries // 3, entries - entries // 3)
