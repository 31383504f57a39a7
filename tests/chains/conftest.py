"""An entry's way through chains that are written as an administrator writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyruse.chains.link import Graph, Node, link
from pyruse.chains.model import Step
from pyruse.chains.travel import journey, travel
from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.entry.entry import Entry
from pyruse.entry.made import make_entry
from pyruse.registry.broadcasts import bound
from pyruse.registry.kinds import ACTIONS, FILTERS, MAIN_HOOK
from pyruse.registry.registry import Registry

Way = Callable[..., list[str]]
"""``way(toml, FIELD="value", …)``: the names of the steps that an entry comes to, in their
order."""


class Broken(Exception):
    """What a step raises whose name begins with "broken"."""


class Chains:
    """Chains as text, linked, with a trace of the steps that are called."""

    def __init__(self, toml: str, registry: Registry) -> None:
        self.configured = configure(from_text(f"[chains]\n{toml}"), registry).chains
        self.called: list[str] = []
        self.faults: list[tuple[str | None, str]] = []
        self.graph: Graph = link(self.configured, self._bind)

    def _bind(self, step: Step) -> Callable[[Entry], Any]:
        hook = MAIN_HOOK[FILTERS if step.kind == "filter" else ACTIONS]
        method = bound(step.instance, hook, None)

        def call(entry: Entry) -> Any:
            assert step.label is not None
            self.called.append(step.label)
            if step.label.startswith("broken"):
                raise Broken(step.label)
            return method(entry)

        return call

    def _on_fault(self, node: Node, entry: Entry, fault: Exception) -> None:
        self.faults.append((node.step.label, type(fault).__name__))

    def way(self, **fields: Any) -> list[str]:
        """The names of the steps that an entry comes to; `journey` must tell the same."""
        entry = make_entry(fields)
        told = [stop.node.step.label for stop in journey(self.graph.entrance, entry)]
        assert self.called == told
        self.called.clear()
        travel(self.graph.entrance, self._on_fault).lead(make_entry(fields))
        assert self.called == told
        called, self.called = self.called, []
        return called


@pytest.fixture(scope="session")
def registry() -> Registry:
    return Registry()


@pytest.fixture
def chains(registry: Registry) -> Callable[[str], Chains]:
    return lambda toml: Chains(toml, registry)


@pytest.fixture
def way(registry: Registry) -> Way:
    return lambda toml, **fields: Chains(toml, registry).way(**fields)
