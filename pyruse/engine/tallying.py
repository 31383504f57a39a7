"""Counting what actions say that they count: what is the same for all entries is looked up once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any

from msgspec import Struct

from pyruse.api.tallied import Tallied
from pyruse.engine.filing import Filing, Span
from pyruse.entry.entry import Entry
from pyruse.options.templates import Template
from pyruse.state.database import State
from pyruse.state.tallies import LONGEST, EventOfDay, Key, key_of
from pyruse.system.native import native
from pyruse.text import encodable

Call = Callable[[Entry], Any]


class _Counted(Struct):
    """The same as `Tallied`, in the form in which it is used."""

    event: str
    fields: tuple[str, ...]
    amount: str | None
    says: dict[str, str]
    """Texts that are set …"""
    fills: Sequence[tuple[str, Callable[[Entry], str]]]
    """… and what gives those that are not the same for all entries."""


def tallying(said: Tallied, call: Call, state: State, filing: Filing) -> Call:
    """What counts as an action says that it does.

    :param said: by the action.
    :param call: the action's own way: it is called for what is not plain.
    :param state: has the rows.
    :param filing: says of which day an event is.
    """
    templates = {n: value for n, value in said.says.items() if isinstance(value, Template)}
    if any(name in said.says for one in templates.values() for name in one.fields):
        return call  # it is not the same to set the fields twice
    texts = Entry(0)
    texts.set_many({n: value for n, value in said.says.items() if isinstance(value, str)})
    counted = _Counted(
        encodable(said.event),
        tuple(dict.fromkeys(map(str, said.fields))),  # a row has each of them once
        said.amount,
        dict(texts),
        [(name, template.render) for name, template in templates.items()],
    )
    if native() is None:
        return _in_python(counted, call, state, filing)
    return _in_c(counted, call, state, filing)


def _in_python(counted: _Counted, call: Call, state: State, filing: Filing) -> Call:
    event, amount_field, says = counted.event, counted.amount, counted.says
    fills = counted.fills
    given = {name: says[name] for name in takewhile(says.get, counted.fields)}
    others = counted.fields[len(given) :]
    amount_of: Callable[[dict[str, str], str, str], str] = dict.get
    if amount_field is not None and amount_field not in counted.fields:
        others += (amount_field,)
        amount_of = dict.pop
    day_of, event_of = filing.day_of, state.tallies.event
    day, here = "", EventOfDay()

    def count(entry: Entry) -> None:
        nonlocal day, here
        known = entry._known
        known |= says
        for name, render in fills:
            entry[name] = render(entry)
        by = {**given, **entry.texts(others)} if others else given
        amount = 0
        if amount_field is not None:
            text = amount_of(by, amount_field, "")
            amount = int(text) if text.isdecimal() and len(text) < 16 else 0
        today = day_of(entry.time_us)
        key = key_of(entry.text("_HOSTNAME") or "", by)
        if today is not day or not here.add_again(key, amount, entry.time_us):
            day, here = today, event_of(today, event)
            if max(map(len, key)) <= LONGEST:
                here.add(key, amount, entry.time_us)
            else:
                call(entry)

    return count


def _in_c(counted: _Counted, call: Call, state: State, filing: Filing) -> Call:
    module = native()
    assert module is not None
    span = Span("", 0, 0, "")

    def go_on() -> EventOfDay:
        here = state.tallies.event(span.day, counted.event)
        quick.go_on(here.rows, here.changed, span.begin, span.end, span.reported)
        return here

    def add(key: Key, amount: int, time_us: int) -> None:
        """Count what has no row yet."""
        go_on().add(key, amount, time_us)

    def count(entry: Entry) -> None:
        """Count what is of another day, or not plain."""
        nonlocal span
        call(entry)
        span = filing.span_of(entry.time_us)
        go_on()

    quick = module.Tallying(
        counted.says, tuple(counted.fills), counted.fields, counted.amount, LONGEST, add, state.days
    )
    made: Call = module.Condition(count, "tallied", "", quick)
    return made
