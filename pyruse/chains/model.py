"""Chains and steps as the configuration states them."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Literal, NamedTuple

from msgspec import Struct, field

from pyruse.api.traits import traits_of


class Exit(Enum):
    """Where an entry goes from a step that does not send it to another chain."""

    NEXT = auto()
    """To the next step of the chain."""
    LEAVE = auto()
    """Out of the chain: to the main chain after the one that the entry was last in."""
    END = auto()
    """Nowhere: the journey ends."""


class Exits(NamedTuple):
    """Where an entry goes from a step: out by an `Exit`, or to the first step of a named chain."""

    passed: Exit | str
    """When the filter passes (``invert`` taken into account), or the action is done."""
    failed: Exit | str
    """When the filter does not pass; of an action, the same as ``passed``."""
    faulty: Exit | str
    """When the step raises."""


class Step(Struct, eq=False):
    """One step of a chain: a filter or an action with its options."""

    chain: str
    index: int
    kind: Literal["filter", "action"]
    plugin: str
    """The name under which the plugin is registered."""
    instance: Any
    """The plugin's object, with its options as attributes."""
    then: str | None = None
    """The chain to go to after an action, or when the filter passes."""
    otherwise: str | None = None
    """The chain to go to when the filter does not pass (``else``)."""
    invert: bool = False
    label: str | None = None
    source: str = ""
    """The file that the step stands in."""
    options: dict[str, Any] = field(default_factory=dict)
    """The plugin's options as the file has them."""

    @property
    def place(self) -> str:
        """Where the step stands: ``chains."ssh"[3]``."""
        return f'chains."{self.chain}"[{self.index}]'

    @property
    def address(self) -> str:
        """The place with its file: ``/etc/pyruse/pyruse.toml: chains."ssh"[3]``."""
        return f"{self.source}: {self.place}" if self.source else self.place

    @property
    def final(self) -> bool:
        """The journey of an entry ends with this step, whatever follows in the chain."""
        return self.kind == "action" and traits_of(self.instance).final

    def exits(self, *, last: bool) -> Exits:
        """Where an entry goes from this step. All rules of the way through the chains are here.

        * A filter that passes, and an action, lead to the next step, or to ``then``.
        * A filter that does not pass leaves the chain, or leads to ``else``; where the filter has
          a ``then`` and no ``else``, it leads to the next step. A fault is not to pass.
        * Behind the last step, a filter leaves the chain, and an action ends the journey. So does
          an action that is final, wherever it stands, and one that raises.
        * An action whose trait it is leaves the chain, wherever it stands.

        :param last: no step follows in the chain.
        """
        if self.kind == "action":
            done: Exit | str = Exit.END if last or self.final else Exit.NEXT
            if traits_of(self.instance).leaves and not self.final:
                done = Exit.LEAVE
            elif self.then is not None and not self.final:
                done = self.then
            return Exits(done, done, Exit.END)
        behind = Exit.LEAVE if last else Exit.NEXT
        passed: Exit | str = behind if self.then is None else self.then
        failed: Exit | str = Exit.LEAVE if self.then is None else behind
        if self.otherwise is not None:
            failed = self.otherwise
        return Exits(passed, failed, failed)

    @property
    def links(self) -> list[tuple[Literal["then", "else"], str]]:
        """The options that name a chain, each with the chain's name; entries may never go there."""
        links: list[tuple[Literal["then", "else"], str | None]] = [
            ("then", self.then),
            ("else", self.otherwise),
        ]
        return [(option, target) for option, target in links if target is not None]

    @property
    def jumps(self) -> list[str]:
        """The chains that the options name."""
        return [target for _, target in self.links]


class Chain(Struct, eq=False):
    """Steps under a name."""

    name: str
    steps: list[Step]
    source: str = ""
    later: Callable[[], dict[str, Chain]] | None = None
    """Where only the first step is there yet, a filter that lets go what does not pass: makes this
    chain whole, and all chains that it leads to, by name. It raises `ConfigError`."""

    @property
    def address(self) -> str:
        """Where the chain stands: ``/etc/pyruse/pyruse.toml: chains."ssh"``."""
        place = f'chains."{self.name}"'
        return f"{self.source}: {place}" if self.source else place

    @property
    def exits(self) -> list[tuple[Step, Exits]]:
        """The steps in their order, each with where an entry goes from there."""
        last = len(self.steps) - 1 if self.later is None else None
        return [(step, step.exits(last=at == last)) for at, step in enumerate(self.steps)]

    @property
    def can_be_left(self) -> bool:
        """Whether an entry can come out of the chain by itself, jumps aside."""
        for _, exits in self.exits:
            if Exit.LEAVE in exits:
                return True
            if Exit.NEXT not in exits:
                return False
        return not self.steps
