"""Chains and steps as the configuration states them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(eq=False)
class Step:
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
        return self.kind == "action" and bool(getattr(self.instance, "final", False))

    @property
    def goes_on(self) -> bool:
        """Whether an entry can go from this step to the next one of its chain."""
        if self.kind == "action":
            return self.then is None and not self.final
        return self.then is None or self.otherwise is None

    @property
    def can_leave(self) -> bool:
        """Whether an entry can leave the chain from this step, other steps following or not."""
        return self.kind == "filter" and self.then is None and self.otherwise is None

    @property
    def links(self) -> list[tuple[Literal["then", "else"], str]]:
        """The options that name a chain to go to, each with the chain's name."""
        links: list[tuple[Literal["then", "else"], str | None]] = [
            ("then", self.then),
            ("else", self.otherwise),
        ]
        return [(option, target) for option, target in links if target is not None]

    @property
    def jumps(self) -> list[str]:
        """The chains that an entry may jump to from here."""
        return [target for _, target in self.links]


@dataclass(eq=False)
class Chain:
    """Steps under a name."""

    name: str
    steps: list[Step]
    source: str = ""

    @property
    def address(self) -> str:
        """Where the chain stands: ``/etc/pyruse/pyruse.toml: chains."ssh"``."""
        place = f'chains."{self.name}"'
        return f"{self.source}: {place}" if self.source else place

    @property
    def can_be_left(self) -> bool:
        """Whether an entry can come out of the chain by itself, jumps aside."""
        for step in self.steps:
            if step.can_leave:
                return True
            if not step.goes_on:
                return False
        return not self.steps or self.steps[-1].kind == "filter"
