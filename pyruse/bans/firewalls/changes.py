"""What a firewall's program is asked to change, one network of one set each."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

from msgspec import Struct

from pyruse.api.firewall import Element

W = TypeVar("W", bound=Hashable)


class Change(Struct, Generic[W]):
    """A network that a set is to hold, or to hold no longer."""

    where: W
    text: str
    """The address, or the network with its prefix length."""
    asked_by: list[Element]
    """Several targets may name the same set: then they share a change."""
    adds: bool
    """True: the firewall is to hold the element; False: it is to remove it."""
    seconds: int | None
    """How long to hold the element; None: for ever."""

    def join(self, element: Element, adds: bool) -> None:
        """Do what an element wants, too: what is held the longest counts."""
        if adds and not self.adds:
            self.adds, self.seconds = True, element.seconds
        elif adds and self.seconds is not None:
            seconds = element.seconds
            self.seconds = None if seconds is None else max(self.seconds, seconds)
        self.asked_by.append(element)


Changes = list[Change[W]]
"""Those of one set."""
