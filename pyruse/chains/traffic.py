"""The counters of the chains, as nftables has them: how many entries each step saw and let pass.

A node of its own behind each filter counts the entries that pass. All other numbers follow, as no
entry appears or vanishes between two steps: a step saw the entries that were led to it, and an
entry that neither passed nor raised a fault did not pass. So `travel` works as it does without
counters, and an entry pays only where it passes. Where a look-up leads past many steps, one counter
counts for all those that it leads past.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from pyruse.chains.link import Graph, Node
from pyruse.chains.model import Chain, Step
from pyruse.entry.entry import Entry


class Numbers(Struct):
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


class Counter(Node):
    """Counts the entries that pass a filter: where it leads when it gives something true."""

    __slots__ = ("_counts", "positions")

    def __init__(
        self, step: Step, counts: list[int], positions: list[int], target: Node | None
    ) -> None:
        """Have counted nothing yet.

        :param counts: of all filters.
        :param positions: in it, those of the filters whose entries are counted.
        :param target: where entries go on.
        """
        super().__init__(step, self.count)
        self.passed = self.failed = self.faulty = target
        self._counts = counts
        self.positions = positions

    def count(self, _: Entry) -> None:
        """One more has passed."""
        for position in self.positions:
            self._counts[position] += 1

    def joined(self, others: Iterable[Counter], target: Node | None) -> Counter:
        """One that counts for this and others."""
        positions = [position for one in (self, *others) for position in one.positions]
        return Counter(self.step, self._counts, positions, target)


class Traffic:
    """Counts the entries in a graph from now on. `data` may be called in any thread."""

    def __init__(self, chains: Mapping[str, Chain], graph: Graph, since: int) -> None:
        """Put the counters into the graph, which must have no branches yet.

        :param since: this moment, in microseconds since the epoch.
        """
        assert not any(node.branch for node in graph.nodes), "it would lead past counters"
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
                # It is not among the nodes of the graph, and has no numbers of its own.
                node.passed = Counter(node.step, self._passed, [position], node.passed)

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
        if position is not None:  # else, a counter was stopped: see `pyruse.engine.patience`
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
