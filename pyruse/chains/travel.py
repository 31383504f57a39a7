"""What happens to an entry: it travels from node to node."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import FrameType
from typing import NamedTuple

from msgspec import Struct

from pyruse.chains.link import Branch, Node, Unbuilt
from pyruse.entry.entry import UNREAD, Entry
from pyruse.system.native import native

OnFault = Callable[[Node, Entry, BaseException], None]


def _not_stored(field: str) -> bytes:
    """Stands for `Source.stored` where the journal is at another entry, or there is none."""
    raise OSError


class Travel(NamedTuple):
    """A way for entries through the chains, and a look at the one that is on its way."""

    lead: Callable[[Entry], None]
    """Lead an entry through the chains, from the entrance on."""
    at_work: Callable[[FrameType | None], Node | None]
    """The node whose step is at work, for whoever interrupts the program: given the frame that was
    interrupted. None: Pyruse itself is at work, and would not expect an exception."""


def travel(entrance: Node | None, on_fault: OnFault) -> Travel:
    """Leads entries through the chains.

    A step that raises costs its entry alone: a filter then counts as not passed, an action ends
    the journey, and ``on_fault`` is told.
    """
    module = native()
    if module is None:
        return travel_in_python(entrance, on_fault)
    core = module.Lead(entrance, on_fault)

    def at_work(frame: FrameType | None) -> Node | None:
        # The walk has no frame, and looks for no signals but within a step.
        node: Node | None = core.node
        return None if frame is None or isinstance(node, Unbuilt) else node

    return Travel(core.lead, at_work)


def travel_in_python(  # noqa: C901, PLR0915 -- calls would cost
    entrance: Node | None, on_fault: OnFault
) -> Travel:
    """The same as `travel`: the one copy of the walk in Python that is tuned for speed."""
    # It is shared by the two functions: so it can be looked at, and costs no more than a local one.
    node: Node | None = None

    def lead(entry: Entry) -> None:  # noqa: C901, PLR0912 -- as above
        nonlocal node
        node = entrance
        known, source = entry._known, entry._source
        stored = _not_stored
        if source is not None and source.position == entry._position:
            stored = source.stored
        while node is not None:  # once more after each fault
            try:
                branch = node.branch
                while True:
                    if branch is None:
                        # CPython keeps in mind where objects of one class have an attribute: so
                        # nodes and branches are each looked at in lines of their own.
                        call = node.call
                        node = node.passed if call(entry) else node.failed
                        if node is None:
                            return
                        branch = node.branch
                        continue
                    field = branch.field
                    try:
                        if field in known:
                            raw, value = UNREAD, known[field]
                            node = branch.ways[
                                value if value.__class__ is str else (value.__class__, value)
                            ]
                            branch = None if node is None else node.branch
                        else:
                            try:
                                raw = stored(field)
                            except KeyError:
                                raw = None
                            except (OSError, ValueError, MemoryError):
                                raw = UNREAD
                            known[field], node, branch = branch.by_bytes[raw]
                        if node is None:
                            return
                        continue
                    except (KeyError, TypeError):  # a list, or a table, cannot be looked up
                        pass
                    assert branch is not None
                    for node in branch.seek(raw, entry):  # noqa: B007 -- see at_work
                        pass
                    if node is None:
                        return
                    branch = node.branch
            except KeyboardInterrupt:
                raise
            except BaseException as fault:  # noqa: BLE001 -- even SystemExit costs this entry alone
                faulty, node = node, None  # no step is at work while its fault is told
                assert faulty is not None
                if isinstance(faulty, Branch):
                    faulty = faulty.fault(entry)
                on_fault(faulty, entry, fault)
                node = faulty.faulty

    def at_work(frame: FrameType | None) -> Node | None:
        # Between two steps, and where it handles a fault, this function itself is at work. Nor does
        # building expect an exception.
        if frame is None or frame.f_code is lead.__code__ or isinstance(node, Unbuilt):
            return None
        return node

    return Travel(lead, at_work)


class Stop(Struct, frozen=True):
    """One station of an entry's journey."""

    node: Node
    passed: bool
    """For a filter, whether the entry passed (``invert`` taken into account)."""
    fault: BaseException | None
    fields: dict[str, object]
    """The fields that the step set."""


def journey(node: Node | None, entry: Entry) -> Iterator[Stop]:
    """The same as `travel`, station by station, for people to read.

    Taking the next station leads the entry on. No look-up leads past a station: each is asked.
    """
    before = dict(entry)
    while node is not None:
        fault: BaseException | None = None
        answer = False
        try:
            answer = bool(node.call(entry))
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
