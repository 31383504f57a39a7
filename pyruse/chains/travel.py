"""What happens to an entry: it travels from node to node."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import NamedTuple

from pyruse.chains.link import Node
from pyruse.entry.entry import UNREAD, Entry

OnFault = Callable[[Node, Entry, Exception], None]

#: The name of the function that is told of faults: it is no step, and not to be interrupted.
ON_FAULT = "_step_fault"


def travel(node: Node | None, entry: Entry, on_fault: OnFault) -> None:
    """Lead an entry through the chains, from a node on.

    A step that raises costs this entry alone: a filter then counts as not passed, an action ends
    the journey, and ``on_fault`` is told.
    """
    known = entry.known.get
    while node is not None:
        try:
            while node is not None:
                switch = node.switch
                if switch is None:
                    node = node.passed if node.call(entry) else node.failed
                    continue
                value = known(switch.field, UNREAD)
                if value is UNREAD:
                    value = entry.read(switch.field)
                found = switch.ways.get(value)
                if found is None:
                    node = switch.default
                else:
                    places, ways = found
                    node = ways[bisect_left(places, node.place) if node.place else 0]
        except Exception as fault:  # noqa: BLE001 -- whatever a plugin raises costs this entry alone
            assert node is not None
            if node.switch is not None and isinstance(fault, TypeError):
                node = node.switch.default  # the value, such as a list, cannot even be looked up
                continue
            on_fault(node, entry, fault)
            node = node.faulty


class Stop(NamedTuple):
    """One station of an entry's journey."""

    node: Node
    passed: bool
    """For a filter, whether the entry passed (``invert`` taken into account)."""
    fault: Exception | None
    fields: dict[str, object]
    """The fields that the step set."""


def journey(node: Node | None, entry: Entry) -> Iterator[Stop]:
    """The same as `travel`, station by station, for people to read; switches are left aside."""
    before = dict(entry)
    while node is not None:
        fault: Exception | None = None
        passed = False
        following: Node | None
        try:
            passed = bool(node.call(entry))
            following = node.passed if passed else node.failed
        except Exception as raised:  # noqa: BLE001 -- whatever a plugin raises is shown
            fault, following = raised, node.faulty
        after = dict(entry)
        fields = {
            name: value
            for name, value in after.items()
            if name not in before or before[name] != value
        }
        before = after
        yield Stop(node, fault is None and passed != node.step.invert, fault, fields)
        node = following
