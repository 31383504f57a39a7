"""What happens to an entry: it travels from node to node."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NamedTuple

from pyruse.chains.link import Node, Switch
from pyruse.entry.entry import UNREAD, Entry

OnFault = Callable[[Node, Entry, BaseException], None]


class Travel(NamedTuple):
    """A way for entries through the chains, and a look at the one that is on its way."""

    lead: Callable[[Entry], None]
    """Lead an entry through the chains, from the entrance on."""
    at_work: Callable[[FrameType | None], Node | None]
    """The node whose step is at work, for whoever interrupts the program: given the frame that was
    interrupted. None: Pyruse itself is at work, and would not expect an exception."""


def travel(entrance: Node | None, on_fault: OnFault) -> Travel:
    """Leads entries through the chains: the one copy of the walk that is tuned for speed.

    A step that raises costs its entry alone: a filter then counts as not passed, an action ends
    the journey, and ``on_fault`` is told.
    """
    # It is shared by the two functions: so it can be looked at, and costs no more than a local one.
    node: Node | None = None

    def lead(entry: Entry) -> None:
        nonlocal node
        node = entrance
        known = entry._known.get
        while True:  # once more after each fault
            try:
                while node is not None:
                    switch = node.switch
                    if switch is None:
                        node = node.passed if node.call(entry) else node.failed
                        continue
                    value = known(switch.field, UNREAD)
                    if value is UNREAD:
                        value = entry._read(switch.field)
                    found = switch.ways.get(value)
                    if found is None:
                        node = switch.default
                    else:
                        positions, ways = found
                        node = ways[bisect_left(positions, node.position) if node.position else 0]
            except KeyboardInterrupt:
                raise
            except BaseException as fault:  # noqa: BLE001 -- even SystemExit costs this entry alone
                faulty, node = node, None  # no step is at work while its fault is told
                assert faulty is not None
                if faulty.switch is not None and isinstance(fault, TypeError):
                    # The value, such as a list, cannot even be looked up.
                    node = faulty.switch.default
                    continue
                on_fault(faulty, entry, fault)
                node = faulty.faulty
            else:
                return

    def at_work(frame: FrameType | None) -> Node | None:
        # Between two steps, and where it handles a fault, this function itself is at work.
        return None if frame is None or frame.f_code is lead.__code__ else node

    return Travel(lead, at_work)


class Stop(NamedTuple):
    """One station of an entry's journey."""

    node: Node
    passed: bool
    """For a filter, whether the entry passed (``invert`` taken into account)."""
    fault: BaseException | None
    fields: dict[str, object]
    """The fields that the step set."""


def journey(node: Node | None, entry: Entry) -> Iterator[Stop]:
    """The same as `travel`, station by station, for people to read.

    Taking the next station leads the entry on. Each filter that a switch leads past is a station,
    too: the switch knows what the filter would have answered.
    """
    before = dict(entry)
    while node is not None:
        fault: BaseException | None = None
        answer = False
        try:
            if node.switch is None:
                answer = bool(node.call(entry))
            else:
                answer = _answer(node.switch, node.position, entry)
        except KeyboardInterrupt:
            raise
        except BaseException as raised:  # noqa: BLE001 -- whatever a plugin raises is shown
            fault = raised
        after = dict(entry)
        fields = {
            name: value
            for name, value in after.items()
            if name not in before or before[name] != value
        }
        before = after
        yield Stop(node, fault is None and answer != node.step.invert, fault, fields)
        node = node.faulty if fault is not None else node.passed if answer else node.failed


def _answer(switch: Switch, position: int, entry: Entry) -> bool:
    """What the filter at a position of a switch would answer, by the values that it tests."""
    try:
        found = switch.ways.get(entry.get(switch.field))
    except TypeError:  # a value, such as a list, that cannot even be looked up
        return False
    return found is not None and position in found[0]
