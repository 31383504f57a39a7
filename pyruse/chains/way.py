"""An entry's way through the chains, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pyruse.chains.travel import Stop
from pyruse.errors import in_words as fault_in_words
from pyruse.text import one_line, shortened

_FEW = 3
"""So many chains in a row are shown, though they do not concern the entry."""


def in_words(
    stops: Iterable[Stop],
    *,
    files: bool = False,
    undone: list[str] | None = None,
    folded: bool = False,
) -> Iterator[str]:
    """A line for each chain, station and field that was set, and one for the end.

    :param stops: the way.
    :param files: tell of each chain the file that it comes from.
    :param undone: what the action at hand has not done, and why; it is taken out.
    :param folded: tell in one line of many chains in a row that the entry leaves at their first
        filter, as it does those of rules for other programs.
    """
    undone = [] if undone is None else undone
    left: list[Stop] = []
    """Chains in a row that the entry has left at their first filter."""
    before: Stop | None = None
    for stop in stops:
        if folded and _leaves_at_once(stop):
            left.append(stop)
        else:
            yield from _left(left, files=files)
            left.clear()
            yield from _lines(stop, before, files=files, undone=undone)
        before = stop
    yield from _left(left, files=files)
    yield _end(before)


def _leaves_at_once(stop: Stop) -> bool:
    """Whether the entry leaves a chain at its first filter, and goes nowhere else from there."""
    step = stop.node.step
    is_first = step.kind == "filter" and step.index == 0
    leads_on = stop.passed or step.then is not None or step.otherwise is not None
    return is_first and not leads_on and stop.fault is None and not stop.fields


def _left(stops: Sequence[Stop], *, files: bool) -> Iterator[str]:
    if len(stops) > _FEW:
        first, last = (one_line(stop.node.step.chain) for stop in (stops[0], stops[-1]))
        yield f"{first} … {last}: {len(stops)} chains whose first filter does not pass (see: --all)"
        return
    for stop in stops:
        yield from _lines(stop, None, files=files, undone=[])


def _lines(stop: Stop, before: Stop | None, *, files: bool, undone: list[str]) -> Iterator[str]:
    """What happened at a station; where the chain is another one than before, its name first."""
    step = stop.node.step
    if before is None or before.node.step.chain != step.chain:
        yield one_line(f"{step.chain} ({step.source})" if files else step.chain)
    yield f"  [{step.index}] {_station(stop, undone)}"
    undone.clear()
    for name, value in stop.fields.items():
        yield f"        {name} = {brief(str(value))}"


def brief(text: str | None) -> str:
    """What log lines hold, on one line that is not too long."""
    return shortened(one_line(text or ""), 500)


def _station(stop: Stop, undone: list[str]) -> str:
    step = stop.node.step
    label = f' "{one_line(step.label)}"' if step.label else ""
    if stop.fault is not None:
        return f"{step.plugin}{label}: FAULT: {brief(fault_in_words(stop.fault))}"
    if step.kind == "action":
        return f"{step.plugin}{label}: {brief('; '.join(undone)) or 'done'}"
    inverted = "not " if step.invert else ""
    return f"{inverted}{step.plugin}{label}: {'passes' if stop.passed else 'does not pass'}"


def _end(last: Stop | None) -> str:
    if last is None:
        return "there are no steps"
    if last.node.step.kind == "action":
        why = "by a fault" if last.fault is not None else "by an action"
        return f"the journey ends here, {why}"
    return "the journey ends after the last chain: no action took the entry"
