"""An entry's way through chains that are written as an administrator writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from msgspec.structs import replace

from pyruse.chains.link import Graph
from pyruse.chains.model import Step
from pyruse.chains.travel import journey
from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.engine.assembly import assemble
from pyruse.engine.faults import Faults
from pyruse.engine.modes import DRY, Bind
from pyruse.entry.entry import Entry
from pyruse.entry.made import make_entry
from pyruse.registry.registry import Registry
from pyruse.state.database import State

Way = Callable[..., list[str]]
"""``way(toml, FIELD="value", …)``: the names of the steps that an entry comes to, in their
order."""


class Broken(Exception):
    """What a step raises whose name begins with "broken"."""


class Chains:
    """Chains as text, at work without short cuts, with a trace of the steps that are called."""

    def __init__(self, toml: str, registry: Registry, state: State) -> None:
        configuration = configure(
            from_text(f"[engine]\noptimize = false\n[chains]\n{toml}"), registry
        )
        self.configured = configuration.chains
        self.called: list[str] = []
        mode = replace(DRY, own=set, binding=self._traced)
        self._engine = assemble(configuration, state, Faults(lambda *_: None), mode)
        self.graph: Graph = self._engine.graph

    def _traced(self, bind: Bind) -> Bind:
        def traced(step: Step) -> Callable[[Entry], Any]:
            function = bind(step)

            def call(entry: Entry) -> Any:
                assert step.label is not None
                self.called.append(step.label)
                if step.label.startswith("broken"):
                    raise Broken(step.label)
                return function(entry)

            return call

        return traced

    def way(self, **fields: Any) -> list[str]:
        """The names of the steps that an entry comes to; `journey` must tell the same."""
        entry = make_entry(fields)
        told = [stop.node.step.label for stop in journey(self.graph.entrance, entry)]
        assert self.called == told
        self.called.clear()
        self._engine.travel.lead(make_entry(fields))
        assert self.called == told
        called, self.called = self.called, []
        return called


@pytest.fixture(scope="session")
def registry() -> Registry:
    return Registry()


@pytest.fixture
def chains(registry: Registry) -> Iterator[Callable[[str], Chains]]:
    with ExitStack() as end:
        yield lambda toml: Chains(toml, registry, end.enter_context(State()))


@pytest.fixture
def way(chains: Callable[[str], Chains]) -> Way:
    return lambda toml, **fields: chains(toml).way(**fields)
