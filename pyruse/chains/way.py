"""An entry's way through the chains, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pyruse.chains.travel import Stop
from pyruse.errors import in_words as fault_in_words
from pyruse.text import one_line, shortened


def in_words(
    stops: Iterable[Stop], *, files: bool = False, undone: list[str] | None = None
) -> Iterator[str]:
    """A line for each chain, station and field that was set, and one for the end.

    :param stops: the way.
    :param files: tell of each chain the file that it comes from.
    :param undone: what the action at hand has not done, and why; it is taken out.
    """
    undone = [] if undone is None else undone
    chain = ""
    last: Stop | None = None
    for stop in stops:
        step = stop.node.step
        if step.chain != chain:
            chain = step.chain
            yield one_line(f"{chain} ({step.source})" if files else chain)
        yield f"  [{step.index}] {_station(stop, undone)}"
        undone.clear()
        for name, value in stop.fields.items():
            yield f"        {name} = {brief(str(value))}"
        last = stop
    yield _end(last)


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
