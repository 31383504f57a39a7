"""The table: whatever the chains and the entries, each goes the way that it goes without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.operations import Counts
from pyruse import Entry, Field, NewField, Traits
from pyruse.chains import table
from pyruse.chains.link import Branch, Graph, Node, link
from pyruse.chains.model import Chain, Step
from pyruse.chains.table import Table
from pyruse.chains.traffic import Traffic
from pyruse.chains.travel import travel, travel_in_python
from pyruse.entry.entry import Source
from tests.chains.conftest import Chains

KINDS = ["pure", "pure", "pure", "both", "filter", "action", "nothing"]
FIELDS = ["A", "B"]
VALUES: list[Any] = ["x", "y", "1", 1, True, 2.5, 1.0, "", float("nan")]


@dataclass(eq=False)
class Pure:
    """A filter that compares the text of a field, and may set another."""

    traits: ClassVar[Traits] = Traits(pure=True)

    field: Field
    values: list[Any]
    sets: NewField | None = None

    def match(self, entry: Entry) -> bool:
        passes = str(entry.text(self.field)) in map(str, self.values)
        if passes and self.sets is not None:
            entry[self.sets] = "x"
        return passes


@dataclass(eq=False)
class Both:
    """A filter that compares two fields."""

    traits: ClassVar[Traits] = Traits(pure=True)

    one: Field
    other: Field

    def match(self, entry: Entry) -> bool:
        return repr(entry.get(self.one)) == repr(entry.get(self.other))


@dataclass(eq=False)
class Nothing:
    """An action that does nothing, but may end the journey, or leave the chain."""

    traits: ClassVar[Traits] = Traits(pure=True)

    def act(self, _: Entry) -> None:
        pass


class End(Nothing):
    traits: ClassVar[Traits] = Traits(pure=True, final=True)


class Leave(Nothing):
    traits: ClassVar[Traits] = Traits(pure=True, leaves=True)


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
            kind = draw(
                st.sampled_from(["pure", "pure", "pure", "both", "filter", "action", "nothing"])
            )
            instance: Any = Other(draw(field), draw(value))
            match kind:
                case "pure":
                    values = draw(st.lists(value, min_size=1, max_size=3))
                    sets = draw(st.sampled_from([None, None, None, *map(NewField, FIELDS)]))
                    instance = Pure(Field(draw(field)), values, sets)
                case "both":
                    instance = Both(Field("A"), Field("B"))
                case "nothing":
                    instance = draw(st.sampled_from([Nothing, End, Leave]))()
            is_action = kind in ("action", "nothing")
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


class Disk(Source):
    """Fields as a journal stores them, as bytes: but for lists and tables."""

    position = 0

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields
        self.asked: list[str] = []

    def read(self, field: str) -> Any:
        self.asked.append(field)
        value = self.fields.get(field)
        return value[0] if isinstance(value, list) else value

    def read_all(self) -> dict[str, Any]:
        return dict(self.fields)

    def stored(self, field: str) -> bytes:
        value = self.fields[field]
        if isinstance(value, list | dict):
            raise OSError
        return repr(value).encode()


class Railway:
    """Chains at work, some of whose steps raise."""

    def __init__(
        self, chains: dict[str, Chain], broken: set[int], *, learns: bool, stored: bool
    ) -> None:
        """
        :param broken: the numbers of the steps that raise.
        :param stored: entries are read from a disk.
        """
        self._stored = stored
        steps = [step for chain in chains.values() for step in chain.steps]
        self._broken = {step for at, step in enumerate(steps) if at in broken}
        self._told: list[str] = []
        graph = link(chains, self._bind)
        self.traffic = Traffic(chains, graph, 0)
        if learns:
            Table(graph.nodes)
        self._lead = travel(graph.entrance, self._on_fault).lead

    def _bind(self, step: Step) -> Callable[[Entry], Any]:
        act = step.instance.act if step.kind == "action" else step.instance.match

        def call(entry: Entry) -> Any:
            if step in self._broken:
                raise ValueError
            if step.plugin in ("filter", "action"):
                self._told.append(step.place)
            return act(entry)

        return call

    def _on_fault(self, node: Node, _: Entry, fault: BaseException) -> None:
        assert isinstance(fault, ValueError), fault
        self._told.append(f"{node.step.place} raises")
        self.traffic.fault(node)

    def way(self, fields: dict[str, Any]) -> list[str]:
        """The steps that are not pure, and the faults, in the order in which an entry comes to
        them; and the entry."""
        self._told = []
        entry = Entry(0, Disk(fields)) if self._stored else Entry(0, values=dict(fields))
        self._lead(entry)
        return [*self._told, repr(sorted(entry.items(), key=repr))]


@settings(max_examples=400, deadline=None)
@given(
    configurations(), st.sets(st.integers(0, 20), max_size=4), st.lists(ENTRIES, max_size=5),
    st.integers(0, 6), st.booleans(),
)  # fmt: skip
def test_the_way_is_the_same_and_so_are_the_counters(
    chains: dict[str, Chain],
    broken: set[int],
    entries: list[dict[str, Any]],
    most: int,
    stored: bool,
) -> None:
    plain, learning = (
        Railway(chains, broken, learns=learns, stored=stored) for learns in (False, True)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "MOST", most or table.MOST)
        for fields in [*entries, *entries, *reversed(entries)]:
            assert learning.way(fields) == plain.way(fields)
    for one in (plain, learning):
        one.traffic.settle(3 * len(entries))
    assert learning.traffic.data() == plain.traffic.data()


def no_fault(node: Node, entry: Entry, fault: BaseException) -> None:
    raise AssertionError(node.step.place) from fault


def size(node: Node | None) -> int:
    """How many ways a branch knows, in all."""
    if not isinstance(node, Branch):
        return 0
    return len(node.ways) + sum(map(size, node.ways.values()))


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
        ({"A": ["a"]}, ["rest"]),
    ],
)
def test_one_look_up_leads_past_all_that_does_not_concern_an_entry(
    chains: Callable[[str], Chains], fields: dict[str, Any], expected: list[str]
) -> None:
    made = chains(CHAINS)
    Table(made.graph.nodes)
    lead = travel(made.graph.entrance, no_fault).lead
    lead(Entry(0, values=dict(fields)))
    assert [step for step in made.called if not step.startswith("is ")] == expected
    made.called.clear()
    lead(Entry(0, values=dict(fields)))
    # A list cannot be looked up, and for one filter alone there is no table.
    if expected == ["rest"] and not isinstance(fields.get("A"), list):
        assert [step for step in made.called if step.startswith("is ")] == []


def entrance(graph: Graph) -> Branch:
    assert graph.entrance is not None
    branch = graph.entrance.branch
    assert branch is not None
    return branch


def test_a_branch_leads_to_a_step_or_to_another_branch_or_nowhere(
    chains: Callable[[str], Chains],
) -> None:
    made = chains(
        """
        "one" = [ { filter = "equals", field = "A", value = "a", name = "a" },
                  { filter = "equals", field = "B", value = "b", name = "b" },
                  { filter = "regex", pattern = "x", name = "regex" },
                  { action = "discard", name = "discard" } ]
        "two" = [ { filter = "exists", field = "A", name = "there" },
                  { action = "discard", name = "discard" } ]
        """
    )
    Table(made.graph.nodes)
    lead = travel(made.graph.entrance, no_fault).lead
    for fields in ({"A": "a", "B": "b"}, {"A": "a", "B": 3}, {"A": "c"}, {}):
        lead(Entry(0, values={**fields}))
    first = entrance(made.graph)
    assert first.field == "A"
    second, nowhere, absent = first.ways["a"], first.ways["c"], first.ways[type(None), None]
    assert (nowhere, absent) == (None, None)
    assert isinstance(second, Branch)
    assert second.field == "B"
    found = second.ways["b"]
    assert found is not None
    assert found.step.label == "regex"
    assert second.ways[int, 3] is None


def test_what_strangers_make_up_fills_no_memory(
    chains: Callable[[str], Chains], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "MOST", 50)
    made = chains(CHAINS)
    Table(made.graph.nodes)
    lead = travel(made.graph.entrance, no_fault).lead
    for number in range(1_000):
        lead(Entry(0, values={"A": f"stranger {number}"}))
        assert size(entrance(made.graph)) <= 50
    lead(Entry(0, values={"A": "x" * (table.LONGEST + 1)}))
    assert max(map(len, filter(None, entrance(made.graph).ways))) <= table.LONGEST


def test_ways_that_are_used_survive_what_strangers_make_up(
    chains: Callable[[str], Chains], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "MOST", 40)
    made = chains(CHAINS)
    Table(made.graph.nodes)
    lead = travel(made.graph.entrance, no_fault).lead
    lead(Entry(0, values={"A": "a"}))
    for number in range(1_000):
        for _ in range(1 + number % 2):
            lead(Entry(0, values={"A": f"stranger {number}"}))
        made.called.clear()
        lead(Entry(0, values={"A": "a"}))
        assert made.called == []  # its action does nothing but end the way
    for _ in range(3):  # has come after them, and is learned
        made.called.clear()
        lead(Entry(0, values={"A": "c", "MESSAGE": "?"}))
    assert made.called == ["contains", "is b", "rest"]  # for one filter alone there is no table


def test_a_flood_of_strangers_costs_hardly_more_than_without(
    chains: Callable[[str], Chains], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted in opcodes: thirty filters of each of two fields, and ever new values of one."""
    monkeypatch.setattr(table, "MOST", 40)
    many = "\n".join(
        f'''"{n}" = [ {{ filter = "equals", field = "A", value = "{n}", name = "{n}" }},
                     {{ filter = "equals", field = "B", value = "{n}", name = "{n}" }},
                     {{ action = "discard", name = "end" }} ]
           "{n} too" = [ {{ filter = "equals", field = "B", value = "other {n}", name = "o" }},
                         {{ action = "discard", name = "end" }} ]'''
        for n in range(30)
    )
    costs = []
    for learns in (False, True):
        made = chains(many)
        if learns:
            Table(made.graph.nodes)
        lead = travel_in_python(made.graph.entrance, no_fault).lead
        for number in range(100):
            lead(Entry(0, values={"A": f"stranger {number}", "B": "b"}))
        counts = Counts()
        entries = [Entry(0, values={"A": f"new {number}", "B": "b"}) for number in range(200)]
        with counts.opcodes():
            for entry in entries:
                lead(entry)
        costs.append(counts.functions.total())
    assert costs[0] > 200 * 60 * 5  # each filter was asked
    assert costs[1] <= costs[0] * 1.25


def test_a_value_is_known_by_its_bytes(chains: Callable[[str], Chains]) -> None:
    made = chains(CHAINS)
    Table(made.graph.nodes)
    lead = travel_in_python(made.graph.entrance, no_fault).lead
    for _ in range(2):  # where they lead is learned; then, what they are
        for fields in ({"A": "c"}, {}, {"A": 3}):
            lead(Entry(0, Disk({"MESSAGE": "?", **fields})))
    for fields, value in (({"A": "c"}, "c"), ({}, None), ({"A": 3}, 3)):
        disk = Disk({"MESSAGE": "?", **fields})
        entry = Entry(0, disk)
        lead(entry)
        assert "A" not in disk.asked
        assert entry.get("A") == value
        assert "A" not in disk.asked


def test_bytes_without_end_fill_no_memory(
    chains: Callable[[str], Chains], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number has bytes without end: 6, 06, 006, …"""
    monkeypatch.setattr(table, "MOST", 50)

    class Numbers(Disk):
        def stored(self, field: str) -> bytes:
            zeros: int = self.fields["zeros"]
            return b"0" * zeros + super().stored(field)

    made = chains(CHAINS)
    Table(made.graph.nodes)
    lead = travel_in_python(made.graph.entrance, no_fault).lead
    by_bytes = entrance(made.graph).by_bytes
    for zeros in range(2 * table.LONGEST):
        lead(Entry(0, Numbers({"A": 6, "zeros": zeros})))
        assert len(by_bytes) <= 50
    assert max(map(len, filter(None, by_bytes))) <= table.LONGEST


def test_an_entry_that_is_past_has_no_bytes(chains: Callable[[str], Chains]) -> None:
    made = chains(CHAINS)
    Table(made.graph.nodes)
    faults: list[BaseException] = []
    lead = travel(made.graph.entrance, lambda _, __, fault: faults.append(fault)).lead
    disk = Disk({"A": "c"})
    entry = Entry(0, disk)
    disk.position = 1
    lead(entry)
    assert {type(fault) for fault in faults} == {RuntimeError}


@pytest.mark.parametrize("field", ["MESSAGE", "user"])
def test_what_is_new_in_each_entry_is_not_looked_up(
    chains: Callable[[str], Chains], field: str
) -> None:
    made = chains(f'"c" = [ {{ filter = "equals", field = "{field}", value = "a", name = "a" }} ]')
    Table(made.graph.nodes)
    assert made.graph.entrance is not None
    assert made.graph.entrance.branch is None


def test_a_stranger_costs_little_more_than_without(chains: Callable[[str], Chains]) -> None:
    """A filter is asked once for an entry, whatever is remembered of it."""
    made = chains(CHAINS)
    Table(made.graph.nodes)
    travel(made.graph.entrance, no_fault).lead(Entry(0, values={"A": "stranger"}))
    assert made.called == ["is a", "is b or c", "is b", "rest"]
