"""The counters of the chains, as nftables has them: how many entries each step saw and let pass.

A node of its own behind each filter counts the entries that pass. All other numbers follow, as no
entry appears or vanishes between two steps: a step saw the entries that were led to it, and an
entry that neither passed nor raised a fault did not pass. So `travel` and the switches work as
they do without counters, an entry pays only where it passes, and the numbers are true where a
look-up leads past many steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pyruse.chains.link import Graph, Node
from pyruse.chains.model import Chain, Step
from pyruse.entry.entry import Entry


@dataclass(slots=True)
class Numbers:
    """The numbers of one step: of entries, wherever in the graph they came to it."""

    seen: int = 0
    passed: int = 0
    """The entries that passed a filter (``invert`` taken into account), or that an action was done
    with."""
    faults: int = 0

    def data(self, step: Step) -> dict[str, Any]:
        """The numbers of a step with what it is, in JSON types."""
        return {
            "index": step.index, "kind": step.kind, "plugin": step.plugin, "label": step.label,
            "invert": step.invert, "seen": self.seen, "passed": self.passed, "faults": self.faults,
        }  # fmt: skip


class Traffic:
    """Counts the entries in a graph from now on. `data` may be called in any thread."""

    def __init__(self, chains: Mapping[str, Chain], graph: Graph, since: int) -> None:
        """Put the counting nodes into the graph, which must not have switches yet.

        :param since: this moment, in microseconds since the epoch.
        """
        assert not any(node.switch for node in graph.nodes), "a switch would lead past counters"
        self.since = since
        """Microseconds since the epoch."""
        self._chains = chains
        self._nodes = graph.nodes
        self._positions = {node: position for position, node in enumerate(self._nodes)}
        end = len(self._nodes)
        self._ways = [
            [
                end if way is None else self._positions[way]
                for way in (node.passed, node.failed, node.faulty)
            ]
            for node in self._nodes
        ]
        """For each node, the positions of those that it leads to, or that of the journey's end."""
        self._passed = [0] * end
        self._faults: dict[int, int] = {}
        self._entries = 0
        self._settled = 0, self._passed.copy(), self._faults.copy()
        """What is counted of the journeys that are over. It is never changed, only replaced."""
        for position, node in enumerate(self._nodes):
            if node.step.kind == "filter":
                _count_passes(node, self._passed, position)

    def settle(self, entries: int) -> None:
        """Publish the numbers of a batch: so many more entries have travelled, none is on its way.

        Nothing is shown before: an entry that is in a filter has not passed yet, and a collector of
        metrics takes numbers that fall for a restart.
        """
        self._entries += entries
        self._settled = self._entries, self._passed.copy(), self._faults.copy()

    def fault(self, node: Node) -> None:
        """A step has raised."""
        position = self._positions.get(node)
        if position is not None:  # else, a counting node was stopped: see `pyruse.engine.patience`
            self._faults[position] = self._faults.get(position, 0) + 1

    def data(self, more: Callable[[Step], dict[str, Any]] = lambda _: {}) -> list[dict[str, Any]]:
        """The chains that have steps, in the order of the configuration; in JSON types.

        :param more: gives further keys for a step.
        """
        numbers = self._numbers()
        return [
            {
                "chain": chain.name,
                "file": chain.source,
                "entries": numbers[chain.steps[0]].seen,
                "steps": [numbers[step].data(step) | more(step) for step in chain.steps],
            }
            for chain in self._chains.values()
            if chain.steps
        ]

    def _numbers(self) -> dict[Step, Numbers]:
        entries, passed, faults = self._settled
        numbers = {step: Numbers() for chain in self._chains.values() for step in chain.steps}
        seen = [0] * (len(self._nodes) + 1)
        seen[0] = entries  # the entrance: nothing leads to it
        for position, node in enumerate(self._nodes):
            step, came, raised = node.step, seen[position], faults.get(position, 0)
            true = passed[position] if step.kind == "filter" else came - raised
            false = came - raised - true
            for way, number in zip(self._ways[position], (true, false, raised), strict=True):
                seen[way] += number
            numbers[step].seen += came
            numbers[step].passed += false if step.invert else true
            numbers[step].faults += raised
        return numbers


def _count_passes(node: Node, counts: list[int], position: int) -> None:
    """Put a node behind a filter, where it leads when its function gives something true."""

    def count(entry: Entry) -> None:
        counts[position] += 1

    # It is not among the nodes of the graph: no switch leads past it, and it has no numbers.
    counting = Node(node.step, count)
    counting.passed = counting.failed = counting.faulty = node.passed
    node.passed = counting
