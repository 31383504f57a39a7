"""Chains become a graph of nodes, linked once, on which entries travel.

"Like a train on a railway: the switch points are the filters."
docs/decisions/0004-chains-are-linked-once.md tells why.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from pyruse.chains.model import Chain, Exit, Step
from pyruse.chains.native import node_core
from pyruse.entry.entry import Entry
from pyruse.errors import ConfigError, did_you_mean
from pyruse.text import shown


class _Core:
    """What a node has."""

    __slots__ = ("branch", "call", "failed", "faulty", "field", "passed", "step", "ways")


if not TYPE_CHECKING:
    _Core = node_core(_Core)


class Node(_Core):
    """A step on one way through the chains.

    ``node = node.passed if node.call(entry) else node.failed`` is all there is to travelling:
    ``invert`` is a matter of linking, and an action leads to the same node whatever it returns.
    A node with a `branch` leads where that says: a look-up, where filters would be asked one after
    the other (see `pyruse.chains.table`).
    """

    __slots__ = ()

    def __init__(self, step: Step, call: Callable[[Entry], Any]) -> None:
        self.step = step
        self.call = call
        self.passed: Node | None = None
        self.failed: Node | None = None
        self.faulty: Node | None = None
        """Where the entry goes when the step raises: a filter has not passed, an action ends it."""
        self.branch: Branch | None = None


class Unbuilt(Node):
    """Stands for the rest of a chain, which is built when the first entry comes to it."""

    __slots__ = ("_before", "_build")

    def __init__(self, before: Node, after: Node | None, build: Callable[[], Node | None]) -> None:
        """Build nothing yet.

        :param before: the filter that the chain begins with; it leads here.
        :param after: where entries go on if the rest cannot be built.
        :param build: gives the first node of the rest.
        """
        super().__init__(before.step, self.build)
        self.passed = self.failed = self.faulty = after
        self._before = before
        self._build: Callable[[], Node | None] | None = build

    def build(self, _: object = None) -> None:
        """Build the rest, once, and lead there.

        :raises ConfigError: it has faults; from now on, entries are led past it.
        """
        if self._build is None:
            return
        try:
            self.passed = self.failed = self._build()
        except ConfigError:
            self._build, self._before.passed = None, self.passed
            raise
        self._build, self._before.passed = None, self.passed


class Branch(Node, ABC):
    """Where an entry goes by the value of one field; for `travel`, a node as any other."""

    __slots__ = ("by_bytes",)

    def __init__(self, field: str, step: Step, call: Callable[[Entry], Any]) -> None:
        super().__init__(step, call)
        self.branch = self
        self.field = field
        """The field that is asked for."""
        self.ways: dict[Any, Node | None] = {}
        """By the value (see `pyruse.chains.table`): a branch, a node of the graph, or None:
        nowhere."""
        self.by_bytes: dict[bytes | None, tuple[Any, Node | None, Branch | None]] = {}
        """The same by the bytes of the field in the journal (None: there is no such field): the
        value, the way, and its branch; not all of them."""

    @abstractmethod
    def learn(self, value: Any, entry: Entry) -> Iterator[Node | None]:
        """Go on in the plain way, and remember where it leads.

        :param value: of the entry's field.
        :param entry: is on its way.
        :return: the nodes on the way, each before it is asked; the last one is where to go on.
        """

    @abstractmethod
    def seek(self, raw: Any, entry: Entry) -> Iterable[Node | None]:
        """Go where the entry's field leads: the way is not known by its bytes.

        :param raw: these bytes; None: there is no such field; `UNREAD`: they are not known.
        :param entry: is on its way.
        :return: as of `learn`.
        """

    @abstractmethod
    def fault(self, entry: Entry) -> Node:
        """The field cannot be read, or that takes too long: whose fault it is."""


class Graph(Struct):
    """The linked chains."""

    nodes: list[Node]
    """All nodes, each before the nodes that it leads to, so entries come in at the first one. A
    chain may be linked several times, once for each main chain that may come after it."""

    @property
    def entrance(self) -> Node | None:
        """The first node; None: there is nothing to do."""
        return self.nodes[0] if self.nodes else None


def link(
    chains: Mapping[str, Chain],
    bind: Callable[[Step], Callable[[Entry], Any]],
    grown: Callable[[Sequence[Node]], object] = lambda _: None,
) -> Graph:
    """Link the chains, in their order, into a graph.

    * A chain that some step jumps to is reached by jumps only; the others form the main sequence.
    * Within a chain, each step leads where `Step.exits` says.
    * Leaving any chain continues with the main chain after the one that the entry was last in.

    A chain is linked once for each main chain that entries may continue with after it, and once
    only where they never come out of it: so the graph is at most chains × main chains large.

    :param chains: all chains by name.
    :param bind: gives the function to call for a step; called once for each step.
    :param grown: told of the nodes of chains that have come later (`Chain.later`).
    :raises ConfigError: a step jumps to a chain that is not there, or chains form a loop.
    """
    return _Linker(chains, bind, grown).link()


class _Linker:
    def __init__(
        self,
        chains: Mapping[str, Chain],
        bind: Callable[[Step], Callable[[Entry], Any]],
        grown: Callable[[Sequence[Node]], object],
    ) -> None:
        self._chains = chains
        self._bind = bind
        self._grown = grown
        self._calls: dict[Step, Callable[[Entry], Any]] = {}
        self._linked: dict[tuple[str, Node | None], Node | None] = {}
        self._nodes: list[Node] = []
        """All nodes, each after the nodes that it leads to."""

    def link(self, following: Node | None = None) -> Graph:
        """Link all.

        :param following: where entries go on behind the last chain.
        """
        order = jump_order(self._chains)
        returning = left_by_entries(self._chains, order)
        position = {name: index for index, name in enumerate(order)}
        for name in reversed(main_sequence(self._chains)):
            # Targets stand before the chains that jump to them, so every link finds its node.
            for reached in sorted(self._reached_from(name), key=position.__getitem__):
                after = following if reached in returning else None
                if (reached, after) not in self._linked:
                    self._linked[reached, after] = self._chain(reached, after, returning)
            following = self._linked[name, following if name in returning else None]
        return Graph(self._nodes[::-1])

    def _reached_from(self, name: str) -> set[str]:
        reached = {name}
        to_follow = [name]
        while to_follow:
            for target in _targets(self._chains[to_follow.pop()]):
                if target not in reached:
                    reached.add(target)
                    to_follow.append(target)
        return reached

    def _chain(self, name: str, after: Node | None, returning: set[str]) -> Node | None:
        """The first node of a chain; where it is left, the node ``after`` continues."""

        def target(exit_: Exit | str) -> Node | None:
            match exit_:
                case Exit.NEXT:
                    return first
                case Exit.LEAVE:
                    return after
                case Exit.END:
                    return None
                case target_chain:
                    key = target_chain, after if target_chain in returning else None
                    return self._linked[key]

        chain = self._chains[name]
        first = after  # of what is linked already: from the end of the chain to its beginning
        for step, exits in reversed(chain.exits):
            node = self._node(step)
            if chain.later is not None:
                first = Unbuilt(node, after, partial(self._rest, chain.later, after))
            passed, failed, node.faulty = map(target, exits)
            node.passed, node.failed = (failed, passed) if step.invert else (passed, failed)
            first = node
        return first

    def _rest(self, later: Callable[[], dict[str, Chain]], after: Node | None) -> Node | None:
        """What comes behind the first step of a chain."""
        chains = later()
        nodes = _Linker(chains, self._bind, self._grown).link(after).nodes
        self._grown(nodes)
        return nodes[0].passed

    def _node(self, step: Step) -> Node:
        if step not in self._calls:
            self._calls[step] = self._bind(step)
        node = Node(step, self._calls[step])
        self._nodes.append(node)
        return node


def main_sequence(chains: Mapping[str, Chain]) -> list[str]:
    """The names of the chains that no step jumps to, in the order in which entries pass them."""
    jumped_to = {target for chain in chains.values() for target in _targets(chain)}
    return [name for name in chains if name not in jumped_to]


def left_by_entries(chains: Mapping[str, Chain], order: list[str]) -> set[str]:
    """The names of the chains out of which an entry can come, by itself or after a jump.

    :param chains: all chains by name.
    :param order: the names, each after all those that the chain jumps to.
    """
    left: set[str] = set()
    for name in order:
        chain = chains[name]
        if chain.can_be_left or any(target in left for target in _targets(chain)):
            left.add(name)
    return left


def jump_order(chains: Mapping[str, Chain]) -> list[str]:
    """The names of the chains, each after all those that it jumps to.

    :raises ConfigError: a step jumps to a chain that is not there, or chains form a loop.
    """
    faults = [
        f"{step.address}.{option}: there is no chain {shown(target)} (expected the name of a chain"
        f"{did_you_mean(target, chains)})"
        for chain in chains.values()
        for step in chain.steps
        for option, target in step.links
        if target not in chains
    ]
    jumps = {
        name: dict.fromkeys(target for target in _targets(chain) if target in chains)
        for name, chain in chains.items()
    }
    order: list[str] = []
    while not order and jumps:
        try:
            order = list(TopologicalSorter(jumps).static_order())
        except CycleError as loop:
            names: list[str] = loop.args[1][:0:-1]
            faults.append(_loop_fault(chains, names))
            # The other loops are told of as well; but chains that go round once are enough.
            for name in names:
                del jumps[name]
            jumps = {
                name: {target: None for target in targets if target in jumps}
                for name, targets in jumps.items()
            }
    if faults:
        raise ConfigError(faults)
    return order


_LONGEST_WAY = 8


def _loop_fault(chains: Mapping[str, Chain], names: list[str]) -> str:
    """Say which chains form a loop.

    :param names: the chains in the loop, each of which jumps to the next one.
    """
    first = names.index(min(names, key=list(chains).index))
    names = [*names[first:], *names[: first + 1]]
    address = next(
        f"{step.address}.{option}"
        for step in chains[names[0]].steps
        for option, target in step.links
        if target == names[1]
    )
    words = [shown(name) for name in names]
    if len(words) > _LONGEST_WAY:
        words[_LONGEST_WAY - 3 : -2] = "…"
    way = " → ".join(words)
    return f"{address}: entries would go round for ever: {way} (expected a jump to another chain)"


def _targets(chain: Chain) -> list[str]:
    return [target for step in chain.steps for target in step.jumps]
