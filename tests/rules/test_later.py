"""Rules are built when an entry first comes to them: nothing but the start notices."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from pyruse.chains.link import Node, Unbuilt, link
from pyruse.chains.model import Chain, Step
from pyruse.chains.table import Table
from pyruse.chains.travel import Travel, travel
from pyruse.config.files import from_text
from pyruse.config.load import Configuration, configure
from pyruse.engine.assembly import _lists, assemble
from pyruse.engine.faults import Faults
from pyruse.engine.modes import DRY
from pyruse.entry.entry import Entry
from pyruse.entry.made import make_entry
from pyruse.errors import ConfigError
from pyruse.hookspecs import hook_of
from pyruse.registry.hooks import HOOKS
from pyruse.registry.registry import Registry
from pyruse.rules.library import Library
from pyruse.state.database import State

AT = 1_700_000_000_000_000


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry()


@pytest.fixture(scope="module")
def everything(registry: Registry) -> list[str]:
    library = Library(registry)
    return [name for name in library.names if not library.rules(name).is_policy]


def configured(toml: str, registry: Registry, *, whole: bool = False) -> Configuration:
    return configure(from_text(toml), registry, whole=whole)


def test_what_no_entry_comes_to_is_not_built(registry: Registry, everything: list[str]) -> None:
    later = configured(f"use = {everything}", registry)
    whole = configured(f"use = {everything}", registry, whole=True)
    assert len(later.steps) < len(whole.steps) / 5
    assert later.all_chains().keys() == whole.chains.keys()


def test_every_sample_is_understood_as_by_rules_that_are_there_from_the_start(
    registry: Registry, everything: list[str]
) -> None:
    library = Library(registry)
    samples = [
        fields
        for name in everything
        for one in library.rules(name).samples[::3]
        for fields in (*one.before, one.entry)
    ]

    def outcome(*, whole: bool) -> list[str]:
        faults = Faults(lambda *_: None)
        with State() as state:
            configuration = configured(f"use = {everything}", registry, whole=whole)
            mode = replace(DRY, own=set, clock=lambda: AT)
            engine = assemble(configuration, state, faults, mode)
            engine.start()
            for number, fields in enumerate(samples):
                entry = make_entry(fields, engine.decoder, time_us=AT + number * 1_000_000)
                engine.handle([entry])
            state.commit()
            assert not faults.kinds
            return list(state.db.iterdump())

    found = outcome(whole=False)
    assert len(found) > 1_000
    assert found == outcome(whole=True)


@pytest.mark.parametrize(
    "toml",
    [
        '[rules]\nfailures = "many"',
        '[rules]\nwithin = "soon"',
        '[rules]\nban = ["1h", "long"]',
        "[rules.guessing]\nwithin = 'soon'",
        "[rules.nginx]\nports = [70000]",
        "[rules.nginx]\nprots = [1]",
        "[rules.nonsense]\nports = [1]",
        '[bans]\nbackend = "nosuch"',
        '[chains]\n"sshd guessing" = [ { filter = "exits", field = "A" } ]',
        '[chains]\n"guessing" = [ { action = "event", name = "x", then = "nowhere" } ]',
        '[chains]\n"mine" = [ { filter = "exists", field = "A", then = "sshd lines" } ]\n'
        '"sshd lines" = [ { filter = "exists", field = "A", then = "mine" } ]',
    ],
)
def test_what_an_administrator_has_written_is_told_at_the_start(
    registry: Registry, everything: list[str], toml: str
) -> None:
    def told(*, whole: bool) -> list[str]:
        try:
            configuration = configured(f"use = {everything}\n{toml}", registry, whole=whole)
            with State() as state:
                assemble(configuration, state, Faults(lambda *_: None), DRY)
        except ConfigError as fault:
            return list(fault.faults)
        return configuration.notices

    assert set(told(whole=True)) == set(told(whole=False))


@pytest.mark.parametrize("engine", ["optimize = false", "counters = true"])
def test_whoever_wants_to_see_every_step_has_them_all(registry: Registry, engine: str) -> None:
    toml = f'use = ["sshd", "dovecot", "vsftpd", "proftpd"]\n[engine]\n{engine}'
    steps = [step.place for step in configured(toml, registry).steps]
    assert steps == [step.place for step in configured(toml, registry, whole=True).steps]


def test_rules_of_ours_hear_nothing_before_an_entry_comes(
    registry: Registry, everything: list[str]
) -> None:
    """Else they would have to be there from the start."""
    later = {
        "match_entry", "act_on_entry", "tested_values", "condition", "reported", "tallied",
        "worked_out", "check_options", "on_start",
    }  # fmt: skip
    for step in configured(f"use = {everything}", registry, whole=True).steps:
        assert not [hook for hook in HOOKS if hook_of(step.instance, hook) and hook not in later]
        assert not [one for one in _lists(step.instance) if one.sources], step.address


# What may go wrong when a chain is built.


class Railway:
    """Two chains: of the first, what is behind the first filter comes later."""

    def __init__(self, later: Callable[[], dict[str, Chain]]) -> None:
        self.told: list[str] = []
        chains = {
            "one": Chain("one", [step("one", 0)], later=later),
            "two": Chain("two", [step("two", 0), step("two", 1, "action")]),
        }
        graph = link(chains, self._bind, lambda _: None)
        Table(graph.nodes)
        assert graph.entrance is not None
        self.entrance: Node = graph.entrance
        self.way: Travel = travel(graph.entrance, self._on_fault)

    def _bind(self, step: Step) -> Callable[[Entry], Any]:
        def call(_: Entry) -> bool:
            self.told.append(step.place)
            return True

        return call

    def _on_fault(self, node: Node, _: Entry, fault: BaseException) -> None:
        self.told.append(f"{node.step.place}: {fault}")

    def lead(self) -> list[str]:
        self.told.clear()
        self.way.lead(Entry(0))
        return self.told[:]


def step(chain: str, index: int, kind: Any = "filter") -> Step:
    return Step(chain, index, kind, "plugin", None)


def whole() -> dict[str, Chain]:
    return {"one": Chain("one", [step("one", 0), step("one", 1), step("one", 2, "action")])}


FIRST, SECOND, THIRD = (f'chains."one"[{index}]' for index in range(3))
REST = ['chains."two"[0]', 'chains."two"[1]']


def test_an_entry_goes_on_with_the_second_step() -> None:
    railway = Railway(whole)
    assert [railway.lead() for _ in range(3)] == [[FIRST, SECOND, THIRD]] * 3
    assert not isinstance(railway.entrance.passed, Unbuilt)


def test_what_cannot_be_built_is_told_once_and_entries_go_on() -> None:
    def broken() -> dict[str, Chain]:
        raise ConfigError(["no good"])

    railway = Railway(broken)
    assert railway.lead() == [FIRST, f"{FIRST}: no good", *REST]
    assert railway.lead() == [FIRST, *REST]


def test_where_memory_is_short_the_next_entry_has_it_built() -> None:
    answers: list[Callable[[], dict[str, Chain]]] = [whole]

    def later() -> dict[str, Chain]:
        if len(answers) == 1:
            answers.append(whole)
            raise MemoryError("short")
        return whole()

    railway = Railway(later)
    assert railway.lead() == [FIRST, f"{FIRST}: short", *REST]
    assert railway.lead() == [FIRST, SECOND, THIRD]


def test_building_is_not_interrupted() -> None:
    seen: list[object] = []

    def later() -> dict[str, Chain]:
        seen.append(railway.way.at_work(inspect.currentframe()))
        return whole()

    railway = Railway(later)
    railway.lead()
    assert seen == [None]
