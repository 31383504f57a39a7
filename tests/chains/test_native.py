"""The walk through the chains in C: faults, interruptions, and memory."""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import subprocess
import sys
import traceback
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from pyruse import Entry, Field, Pattern
from pyruse.chains.link import Node
from pyruse.chains.model import Step
from pyruse.chains.native import in_c
from pyruse.chains.travel import Travel, travel
from pyruse.engine.hour import Hour
from pyruse.system.native import VARIABLE
from pyruse.system.native import native as native_package
from pyruse_plugins.filters.at_least import AtLeast
from pyruse_plugins.filters.contains import Contains
from pyruse_plugins.filters.equals import Equals
from pyruse_plugins.filters.exists import Exists
from pyruse_plugins.filters.regex import Patterns, Regex

native: Any = native_package()
pytestmark = pytest.mark.skipif(native is None, reason="pyruse-native is not installed")


def step(instance: Any = None) -> Step:
    return Step("chain", 0, "filter", "plugin", instance)


def railway(*calls: Callable[[Entry], Any]) -> Node:
    """Each leads on to the next one, whatever it answers."""
    nodes = [Node(step(), call) for call in calls]
    for node, following in zip(nodes, [*nodes[1:], None], strict=True):
        node.passed = node.failed = node.faulty = following
    return nodes[0]


def regex(*patterns: str, field: str = "A") -> Callable[[Entry], Any]:
    one = Regex(Patterns(map(Pattern, patterns)), Field(field))
    return in_c(step(one), one.match_entry)


def no_fault(node: Node, entry: Entry, fault: BaseException) -> None:
    raise AssertionError from fault


def test_conditions_are_at_work() -> None:
    assert isinstance(regex("a"), native.Condition)
    assert isinstance(Node(step(), bool), native.NodeCore)


def test_a_traceback_begins_in_the_step() -> None:
    def broken(entry: Entry) -> None:
        raise ValueError("broken")

    told: list[BaseException] = []
    travel(railway(broken), lambda _node, _entry, fault: told.append(fault)).lead(Entry(0))
    (fault,) = told
    assert [frame.name for frame in traceback.extract_tb(fault.__traceback__)] == ["broken"]


def test_what_tells_of_faults_may_raise_and_the_next_entry_travels() -> None:
    def broken(entry: Entry) -> None:
        raise ValueError

    way = travel(railway(broken), no_fault)
    for _ in range(2):
        with pytest.raises(AssertionError):
            way.lead(Entry(0))
        assert way.at_work(sys._getframe()) is None


def test_a_step_may_lead_another_entry() -> None:
    seen: list[int] = []

    def leads(entry: Entry) -> None:
        if entry.time_us < 3:
            way.lead(Entry(entry.time_us + 1))
        seen.append(entry.time_us)

    way = travel(railway(leads), no_fault)
    way.lead(Entry(0))
    assert seen == [3, 2, 1, 0]


def test_a_step_may_change_the_graph_and_forget_its_own_node() -> None:
    def forgets(entry: Entry) -> bool:
        first.call = bool
        first.passed = first.failed = None
        gc.collect()
        return True

    first = railway(forgets, lambda _: True)
    travel(first, no_fault).lead(Entry(0))
    assert first.passed is None


@pytest.mark.parametrize(
    "broken",
    [
        lambda node: setattr(node, "passed", "no node"),
        lambda node: delattr(node, "passed"),
        lambda node: delattr(node, "call"),
        lambda node: setattr(node, "branch", "no branch"),
        lambda node: setattr(node, "branch", Node(step(), bool)),
    ],
)
def test_a_node_that_is_none_is_an_error_and_no_crash(broken: Callable[[Node], None]) -> None:
    node = railway(lambda _: True)
    broken(node)
    told: list[BaseException] = []

    def on_fault(faulty: Node, entry: Entry, fault: BaseException) -> None:
        told.append(fault)
        raise fault

    with pytest.raises((AttributeError, TypeError)):
        travel(node, on_fault).lead(Entry(0))
    assert len(told) == 1


def test_a_search_is_interrupted_and_is_seen_at_work() -> None:
    """As `pyruse.engine.patience` does it."""

    class Enough(Exception):
        pass

    seen: list[Node | None] = []

    def ring(number: int, frame: FrameType | None) -> None:
        seen.append(way.at_work(frame))
        raise Enough

    node = railway(regex("^(a+)+$"), lambda entry: entry.update(reached="yes"))
    told: list[tuple[Node, type]] = []
    way = travel(node, lambda node, _, fault: told.append((node, type(fault))))
    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        entry = Entry(0, values={"A": "a" * 60 + "!"})
        way.lead(entry)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert seen == [node]
    assert told == [(node, Enough)]
    assert entry["reached"] == "yes"


def test_nothing_is_kept_of_many_entries() -> None:
    """Counted in blocks of memory and in references to what all of them share."""

    def broken(entry: Entry) -> None:
        raise ValueError

    filters: list[Any] = [Equals(Field("A"), "x"), Exists(Field("A")), AtLeast(Field("N"), 3)]
    calls = [in_c(step(one), one.match_entry) for one in (*filters, Contains("x", Field("A")))]
    shared = "from 2001:db8::1 to 192.0.2.1 ü"
    groups = regex(r"^no", r"^from {address} to {address:other} (?P<rest>.*)(?P<none>x)?$")
    others = [regex("ü", field="rest"), regex("y", field="B"), broken, lambda _: []]
    start = railway(*calls, groups, *others)
    way = travel(start, lambda node, entry, fault: None)

    def many() -> tuple[int, list[int]]:
        for number in range(2_000):
            way.lead(Entry(number, values={"A": shared, "B": ["y"], "N": number}))
            way.lead(Entry(number, values={"A": "x\ud800", "B": number}))
        gc.collect()
        counted = [shared, start, calls[0], groups, None, True, Entry, ValueError]
        return sys.getallocatedblocks(), [sys.getrefcount(one) for one in counted]

    many()
    blocks, references = many()
    more, again = many()
    assert more - blocks < 200
    assert all(abs(one - other) < 100 for one, other in zip(references, again, strict=True))


def test_a_graph_in_a_circle_is_collected() -> None:
    class Holds:
        def match_entry(self, entry: Entry) -> bool:
            return True

    def no_fault_of(_instance: Holds, node: Node, entry: Entry, fault: BaseException) -> None:
        pass

    def made() -> weakref.ref[Holds]:
        instance = Holds()
        node = railway(native.Condition(instance.match_entry, "exists", "A"))
        node.faulty = node
        instance.node = node  # type: ignore[attr-defined]
        travel(node, partial(no_fault_of, instance)).lead(Entry(0))
        return weakref.ref(instance)

    gone = made()
    gc.collect()
    assert gone() is None


def test_what_no_condition_is_is_refused() -> None:
    with pytest.raises(ValueError, match="no condition is called unheard of"):
        native.Condition(bool, "unheard of", "A")
    with pytest.raises(TypeError):
        native.Condition(bool, "patterns", "A", ["a"])(Entry(0, values={"A": "a"}))
    with pytest.raises(TypeError, match="expected an entry"):
        travel(None, no_fault).lead("no entry")  # type: ignore[arg-type]


# ---- The reader leads entries as far as no Python is needed, and the engine goes on from there

CHAINS = r"""
[chains]
"known" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "a" },
  { filter = "regex", pattern = '^from {address} (?P<user>\w+)', else = "others" },
  { filter = "exists", field = "again", then = "others" },
  { filter = "regex", field = "user", pattern = '^(?P<again>o)', then = "counted" },
  { action = "discard" },
]
"counted" = [
  { action = "count", counter = "c", key = "ip", within = "1h", into = "times" },
  { filter = "at_least", field = "times", value = 3, else = "discard" },
  { action = "report", section = "important", message = "{ip} {user} {times}" },
]
"discard" = [{ action = "discard" }]
"others" = [
  { filter = "contains", text = "b" },
  { filter = "equals", field = "PRIORITY", value = 3, invert = true },
  { filter = "regex", pattern = '(a+)+!', then = "discard" },
  { action = "report", section = "other", message = "[{PRIORITY}] {MESSAGE} {user}" },
]
"""


def lines(seed: int) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    messages = [
        "from 192.0.2.1 one", "from 192.0.2.2 two", "from 2001:DB8::1 one", "b", "ab é",
        "\x1b[1mb\x1b[0m", b"\xe9 b", "from 192.0.2.1", "aaa! b", "x" * 70_000 + "b",
    ]  # fmt: skip
    return [
        {
            "MESSAGE": chance.choice(messages),
            "SYSLOG_IDENTIFIER": chance.choice(["a", "a", "b", "c", str(chance.random())]),
            "PRIORITY": chance.choice([3, 4, "odd"]),
        }
        for _ in range(400)
    ]


@pytest.mark.realparts
@pytest.mark.parametrize("options", ["", "[engine]\ncounters = true\n"])
def test_a_replay_is_the_same_as_in_python(
    journal_file: Callable[[list[dict[str, Any]]], Path], tmp_path: Path, options: str
) -> None:
    config = tmp_path / "pyruse.toml"
    config.write_text(options + CHAINS)
    file = journal_file(lines(len(options)))
    told = []
    for value in ("1", "0"):
        done = subprocess.run(
            [
                sys.executable, "-m", "pyruse", "replay", "--config", str(config),
                "--file", str(file), "--format", "json",
            ],
            env={**os.environ, VARIABLE: value}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        told.append(json.loads(done.stdout))
        del told[-1]["seconds"]
    assert told[0]["entries"] == 400
    assert told[0]["report"]["important"]
    assert told[0]["report"]["other"]
    for one in told:
        del one["entries"]  # in Python, libsystemd leaves out what no chain asks for
    assert told[0] == told[1]


class Owner:
    """What the reader in C asks the reader in Python for."""

    position, no_later, _last_us, _until = 0, 1 << 62, 0, None

    def read(self, field: str) -> Any:
        assert field == "MESSAGE", "no field of the journal is so called"
        return None

    def _go_on(self, *_: object) -> Iterator[Entry]:
        return iter(())


def opened(file: Path) -> Any:
    reader = native.Reader(files=[str(file)])
    reader.decode_with(lambda field, raw: raw.decode("latin-1"), {}, 1 << 20)
    reader.seek_head()
    return reader


def core_of(way: Travel) -> Any:
    return way.lead.__self__  # type: ignore[attr-defined]


def first_only(seen: list[str | None]) -> Node:
    """Takes what is in front of the first "x" of a message, unless that is done."""
    taken = Exists(Field("front"))
    node = railway(
        in_c(step(taken), taken.match_entry),
        regex("^(?P<front>.*?)x", field="MESSAGE"),
        lambda entry: seen.append(entry.text("front")),
    )
    node.passed = None
    return node


@pytest.mark.realparts
def test_the_engine_goes_on_where_the_reader_has_come_to(
    journal_file: Callable[[list[dict[str, Any]]], Path],
) -> None:
    reader = opened(journal_file([{"MESSAGE": text} for text in ("ax", "no", "bx", "cx")]))
    seen: list[str | None] = []
    node, hour = first_only(seen), Hour(0, 1 << 62, 1 << 62)
    told: list[type] = []
    led: list[bool] = []
    node.passed = railway(raising(ValueError()))
    way = travel(node, lambda _node, _entry, fault: told.append(type(fault)))
    for entry in reader.entries(Owner(), Entry, 3, core_of(way), hour):
        led.append(entry._known.get("front") is not None)  # by the reader
        way.lead(entry)
    assert (seen, led) == (["a", None, "b"], [True, False, True])
    # A journey that was begun in chains that are no longer at work begins anew.
    other = travel(first_only(seen), no_fault)
    for entry in reader.entries(Owner(), Entry, 3, core_of(way), hour):
        other.lead(entry)
    assert seen == ["a", None, "b", "c"]
    assert (hour.skipped, told) == (0, [])


def raising(fault: BaseException) -> Callable[[Entry], Any]:
    def call(entry: Entry) -> Any:
        raise fault

    return call


@pytest.mark.realparts
def test_a_fault_in_the_reader_is_told_by_the_engine(
    journal_file: Callable[[list[dict[str, Any]]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = opened(journal_file([{"MESSAGE": "x", "A": "b"}, {"MESSAGE": "y"}]))
    one = Regex(Patterns([Pattern("x")]), Field("MESSAGE"))
    node = railway(in_c(step(one), one.match_entry), lambda entry: seen.append(entry.text("A")))
    seen: list[str | None] = []
    told: list[tuple[Node, str]] = []
    way = travel(node, lambda node, _, fault: told.append((node, repr(fault))))
    fault = "ValueError('no regular expression')"
    with monkeypatch.context() as patch:
        patch.setattr(Pattern, "regex", property(lambda _: exec("raise " + fault)))
        entries = reader.entries(Owner(), Entry, 2, core_of(way), Hour(0, 1 << 62, 1 << 62))
        entry = next(entries)
        assert (told, way.at_work(sys._getframe())) == ([], None)
        way.lead(entry)
    assert told == [(node, fault)]
    assert seen == ["b"]


@pytest.mark.realparts
def test_nothing_is_kept_of_what_the_reader_leads(
    journal_file: Callable[[list[dict[str, Any]]], Path],
) -> None:
    texts = ["from 192.0.2.1 x", "from none", "y" * 100, "\x1b[1mfrom 192.0.2.2", b"\xe9"]
    reader = opened(journal_file([{"MESSAGE": text, "PRIORITY": "3"} for text in texts] * 60))
    node = railway(
        regex("^from {address} (?P<rest>.*)", field="MESSAGE"),
        regex("y", field="MESSAGE"),
        lambda entry: entry.get("PRIORITY"),
    )
    assert node.passed is not None
    node.passed.failed = None
    hour = Hour(0, 1 << 62, 1 << 62)
    way = travel(node, no_fault)

    def many() -> int:
        for _ in range(10):
            reader.seek_head()
            for entry in reader.entries(Owner(), Entry, 300, core_of(way), hour):
                way.lead(entry)
        gc.collect()
        return sys.getallocatedblocks()

    many()
    before, skipped = many(), hour.skipped
    assert many() - before < 200
    assert hour.skipped - skipped == 10 * 4 * 60
