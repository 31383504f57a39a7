"""Events are filed in C as they are in Python: what is new, or odd, is Python's."""

from __future__ import annotations

import gc
import random
import sys
import weakref
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyruse import Entry, Template
from pyruse.api.report import Section
from pyruse.chains.link import Node
from pyruse.chains.model import Step
from pyruse.chains.travel import travel
from pyruse.engine.filing import Facts, Filing
from pyruse.engine.hour import Hour
from pyruse.state.database import State
from pyruse.system.native import native as native_package
from pyruse.times import Calendar
from tests.chains.test_native import Owner, core_of, no_fault, opened

native: Any = native_package()
pytestmark = pytest.mark.skipif(native is None, reason="pyruse-native is not installed")

DAY_US = 86_400_000_000
NOON = 20_000 * DAY_US + DAY_US // 2
HOST = "here"

STEPS: list[tuple[Section, str, str | None, str | None]] = [
    ("other", "[{PRIORITY}] {MESSAGE}", None, "MESSAGE"),
    ("other", "{MESSAGE}", None, None),
    ("interesting", "{user} says {MESSAGE}", "{user} says {MESSAGE}", None),
    ("interesting", "{MESSAGE:>9}", None, "MESSAGE"),
    ("important", "{MESSAGE}", None, "MESSAGE"),
]
MESSAGES: list[Any] = [
    "slot 1 used", "slot 22 used", "id 0A1B2C3D4E", "id 1234567890", "ünsound 1", "東" * 500 + "1",
    "", "a\nb", "x\ud800y", "x" * 70_000, None, 7, b"\xff1", ["slot 1"], "é" * 399 + "12",
]  # fmt: skip
VALUES: dict[str, list[Any]] = {
    "MESSAGE": MESSAGES,
    "SYSLOG_IDENTIFIER": ["sshd", "sshd", "pyruse", "", "p" * 101, "ü", None, 5],
    "_COMM": ["bash", None],
    "_HOSTNAME": ["alpha", "alpha", "beta", None, "h" * 256],
    "PRIORITY": [3, 6, 6, None, "odd", 9, True, [3]],
    "MESSAGE_ID": [None, None, UUID(int=1), "a" * 32, "too short"],
    "meaning": [None, None, None, "", "disk fault"],
    "PYRUSE_EVENT": [None, "start"],
    "_UID": [0],
    "user": ["alice", "bob", None],
}
TIMES = [NOON, NOON + 1, NOON - 5, NOON + DAY_US, NOON - DAY_US, NOON + 7]


def entry_of(values: dict[str, Any], time_us: int) -> Entry:
    return Entry(time_us, values={name: one for name, one in values.items() if one is not None})


@pytest.fixture
def state() -> Iterator[State]:
    with State() as one:
        yield one


def filing_of(state: State) -> Filing:
    return Filing(state, Calendar(UTC), lambda: NOON, HOST)


def calls_of(filing: Filing, *, in_c: bool) -> list[Callable[[Entry], object]]:
    calls = []
    for number, (section, message, template, text) in enumerate(STEPS):
        facts = Facts(f"step {number}", section, "ALL", template, None)
        call = filing.of_step(facts, Template(message), text)
        assert isinstance(call, native.Filer) == (":" not in message)
        calls.append(call if in_c else lambda entry, call=call: in_python(call, entry))
    return calls


def in_python(call: Any, entry: Entry) -> object:
    """Entries of a derived class are Python's, and so are all of them here."""

    class Other(Entry):
        pass

    return call(Other(entry.time_us, values=entry._known))


def filed(state: State) -> list[list[Any]]:
    state.commit()
    queries = [
        "SELECT day, section, message, details, time, host, step, kind, program, level, event,"
        " cause, weight, quote FROM events ORDER BY rowid",
        "SELECT * FROM kinds ORDER BY id",
        "SELECT * FROM kind_counts ORDER BY kind, day, host",
    ]
    return [state.db.execute(query).fetchall() for query in queries]


ENTRIES = st.fixed_dictionaries({name: st.sampled_from(one) for name, one in VALUES.items()})
EVENTS = st.tuples(st.integers(0, len(STEPS) - 1), ENTRIES, st.sampled_from(TIMES), st.booleans())


@settings(max_examples=60)
@given(st.lists(EVENTS, min_size=5, max_size=40))
def test_both_file_alike(events: list[tuple[int, dict[str, Any], int, bool]]) -> None:
    compare(events)


def test_both_file_many_alike() -> None:
    dice = random.Random(7)
    events = [
        (
            dice.randrange(len(STEPS)),
            {name: dice.choice(one) for name, one in VALUES.items()},
            dice.choice(TIMES),
            dice.random() < 0.02,
        )
        for _ in range(4_000)
    ]
    compare(events)


def compare(events: list[tuple[int, dict[str, Any], int, bool]]) -> None:
    told = []
    for in_c in (True, False):
        with State() as state:
            calls = calls_of(filing_of(state), in_c=in_c)
            for step, values, time_us, commits in events:
                calls[step](entry_of(values, time_us))
                if commits:
                    state.commit()
            told.append(filed(state))
    assert told[0] == told[1]


def plain(number: int = 1, **fields: Any) -> Entry:
    values = {"MESSAGE": f"slot {number} used", "SYSLOG_IDENTIFIER": "app", **fields}
    return Entry(NOON + number, values=values)


def test_python_is_asked_once_for_what_is_alike(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    file = Filing.file

    def watched(self: Filing, facts: Facts, entry: Entry, message: str, text: str) -> object:
        asked.append(message)
        return file(self, facts, entry, message, text)

    monkeypatch.setattr(Filing, "file", watched)
    call = calls_of(filing_of(state), in_c=True)[0]
    for number in range(1, 100):
        call(plain(number))
    assert asked == ["[] slot 1 used", "[] slot 2 used"]  # the first one has told of the day
    state.commit()  # how many come until the next one is counted anew
    call(plain(100))
    call(plain(101))
    assert asked[2:] == ["[] slot 100 used"]
    state.days.end("2024-10-04", NOON)  # what comes later is of the next day
    call(plain(102))
    assert len(asked) == 4
    events, _, counts = filed(state)
    assert [(one[0], one[2]) for one in events[-2:]] == [
        ("2024-10-04", "[] slot 101 used"),
        ("2024-10-05", "[] slot 102 used"),
    ]
    assert [(row[1], row[3]) for row in counts] == [("2024-10-04", 101), ("2024-10-05", 1)]


def test_what_python_raises_is_raised(state: State) -> None:
    call = calls_of(filing_of(state), in_c=True)[0]
    with pytest.raises(RuntimeError, match="no longer the current one"):
        call(past())
    with pytest.raises(AttributeError):
        call("no entry")  # type: ignore[arg-type]


def past() -> Entry:
    source: Any = Owner()
    entry = Entry(NOON, source)
    source.position += 1
    return entry


def test_nothing_is_kept_of_many_events(state: State) -> None:
    calls = calls_of(filing_of(state), in_c=True)
    shared = ["ünsound 1", "alpha", "sshd"]

    def many() -> tuple[int, list[int]]:
        for number in range(3_000):
            for call in calls:
                call(plain(number, MESSAGE=f"{shared[0]} {number}", _HOSTNAME=shared[1]))
                call(plain(number, MESSAGE=["odd"], PRIORITY=number % 8))
        state.commit()
        gc.collect()
        return sys.getallocatedblocks(), [sys.getrefcount(one) for one in [*shared, None]]

    for _ in range(3):
        many()
    blocks, references = many()
    more, again = many()
    assert more - blocks < 1_000
    assert all(abs(one - other) < 100 for one, other in zip(references, again, strict=True))


def test_filing_in_a_circle_is_collected() -> None:
    with State() as state:
        filing = filing_of(state)
        call = calls_of(filing, in_c=True)[0]
        call(plain(1))
        call(plain(2))
        gone = weakref.ref(filing)
        del filing, call
        gc.collect()
        assert gone() is None


def test_days_that_are_over_leave_memory(state: State) -> None:
    """Though some of their events are alike, and nothing else comes to take their room."""
    filing = filing_of(state)
    call = calls_of(filing, in_c=True)[0]
    days: list[weakref.ref[Mark]] = []
    for number in range(20):
        at = Entry(NOON + number * DAY_US, values={"MESSAGE": "slot", "SYSLOG_IDENTIFIER": "app"})
        for kind in ("one", "two"):
            at["MESSAGE"] = f"slot {kind} of this machine, {'x' * number}"
            call(at)
            call(at)
        mark: Any = Mark()
        filing._places[mark] = mark
        days.append(weakref.ref(mark))
        state.commit()
    del mark
    gc.collect()
    in_memory = [number for number, day in enumerate(days) if day() is not None]
    assert len(in_memory) <= 6
    assert in_memory[-1] == 19


class Mark:
    """What is in memory as long as the dictionary that has it."""


@pytest.mark.parametrize("time_us", [None, 1 << 63])
def test_an_instant_that_is_none_is_pythons(state: State, time_us: int | None) -> None:
    for call in calls_of(filing_of(state), in_c=True):
        entry = plain(1)
        if time_us is None:
            del entry.time_us
        else:
            entry.time_us = time_us
        with pytest.raises((AttributeError, OverflowError), match=r"time_us|date value"):
            call(entry)


@pytest.mark.realparts
def test_a_reader_files_ahead_of_the_engine(
    journal_file: Callable[[list[dict[str, Any]]], Path], state: State
) -> None:
    lines = [{"MESSAGE": f"slot {number} used", "SYSLOG_IDENTIFIER": "app"} for number in range(50)]
    lines[20]["SYSLOG_IDENTIFIER"] = "other"
    reader = opened(journal_file(lines))
    filing = filing_of(state)
    first, second = calls_of(filing, in_c=True)[:2]
    last = node_of(second, None)
    way = travel(node_of(first, last), no_fault)
    hour = Hour(0, 1 << 62, 1 << 62)
    given = []
    for entry in reader.entries(Owner(), Entry, 50, core_of(way), hour):
        given.append(entry.text("MESSAGE"))
        way.lead(entry)
    assert given == ["slot 0 used", "slot 1 used", "slot 20 used"]
    assert (hour.skipped, filing.ahead) == (47, 94)
    events, _, _ = filed(state)
    messages = [text for line in lines for text in (f"[] {line['MESSAGE']}", line["MESSAGE"])]
    assert [event[2] for event in events] == messages


def node_of(call: Callable[[Entry], object], following: Node | None) -> Node:
    node = Node(Step("chain", 0, "action", "plugin", None), call)
    node.passed = node.failed = following
    return node
