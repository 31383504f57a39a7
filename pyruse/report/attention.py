"""What needs attention, as far as Pyruse itself can tell: one item for each cause.

Plugins add theirs (`Report.attend`).
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta, tzinfo
from itertools import islice

from msgspec import Struct

from pyruse.api.findings import Attention
from pyruse.api.report import Report
from pyruse.api.tally import Tally
from pyruse.api.vocabulary import EVENTS
from pyruse.kinds.causes import cause as cause_of
from pyruse.report.absences import absence_in_words
from pyruse.report.phrases import phrase
from pyruse.state.days import days_before, notes_of
from pyruse.state.expectations import absences_of
from pyruse.state.faults import faults_of
from pyruse.state.important import important_by_cause, told_causes
from pyruse.state.outbox_item import SET_ASIDE
from pyruse.state.tallies import tallies_before, tallies_of
from pyruse.text import late_pattern, one_line
from pyruse.times import datetime_of

IMPORTANT = 50
"""The weight of what a chain calls important, where nothing says more."""
_ABSENT, _NOTE, _FAULT, _FAULT_OF_BANS = 70, 65, 45, 70
_LONGEST = 300  # characters of a text, or a quote
_MOST = 1_000
"""Causes of important events that are items."""
_MOST_ABSENT, _MOST_NOTES, _MOST_FAULTS = 50, 20, 20
_REMEMBERED, _FEWEST = 7, 3
"""Days before on which it is looked whether the same had happened; of fewer, nothing is said."""
_MOST_ROWS = 20_000
"""Of an event."""
_RECURRING = frozenset(
    ("unit failed", "backup failed", "job failed", "certificate failed", "update failed", "crashed")
)
"""Events of which it counts whether they are new."""
_DONE = {"backup failed": "backup done"}
"""The events that say that it went well."""
_OF_THE_MACHINE = frozenset(("killed for memory",))
"""Events that have one cause on a machine, whichever program they hit."""
_ONLY_TOLD = frozenset(("trouble",))
"""Events that are items only where a chain calls them important."""
_PORT, _DISK = late_pattern(r"device ata\d"), late_pattern(r"device (?:sd|hd|sr)[a-z0-9]+\Z")
_SOON = timedelta(minutes=2)


class _Found(Struct):
    """An item, and what it is about."""

    item: Attention
    event: str
    cause: str
    """As events have it; it may be empty."""


def attend(
    report: Report, db: sqlite3.Connection, zone: tzinfo, absent_in: tuple[int, int]
) -> None:
    """Add what needs attention, out of the events of a report's days.

    :param report: has its days.
    :param db: the committed state.
    :param zone: the zone of the times.
    :param absent_in: the instants (µs since the epoch) within which something may be absent.
    """
    if report.days:
        found: dict[str, _Found] = {}
        for number, one in enumerate((*_important(report, db, zone), *_tallied(report, db, zone))):
            before = found.setdefault(one.item.cause or f"\0{number}", one)
            if before is not one:
                _join(before, one)
        _join_ports(found)
        _tell_history(found.values(), report, db)
        report.attention += [one.item for one in found.values()]
    report.attention += _absent(db, absent_in, zone)
    report.attention += _of_pyruse(report, db, zone)


def weight_of_important(event: str, weight: int | None) -> int:
    """How much attention it deserves that a chain calls something important.

    :param event: what it means, or nothing.
    :param weight: what the chain says; None: nothing.
    """
    if weight is not None:
        return weight
    return (EVENTS[event].weight if event in EVENTS else 0) or IMPORTANT


def weight_of_event(event: str, fields: Mapping[str, str]) -> int:
    """How much attention an event deserves of which no chain has told; 0: none.

    Who is refused from afar has knocked at a door: nothing has happened.

    :param event: its name.
    :param fields: what it is counted by.
    """
    if event not in EVENTS or event in _ONLY_TOLD or (event == "denied" and "ip" in fields):
        return 0
    return EVENTS[event].weight


def ordered(items: Iterable[Attention]) -> list[Attention]:
    """The items, the heaviest first, then by time; never by what they say."""
    return sorted(
        items,
        key=lambda item: (-item.weight, item.time.timestamp() if item.time else float("inf")),
    )


def _join(into: _Found, other: _Found) -> None:
    """Two items of one cause are one."""
    heavier, lighter = into.item, other.item
    if lighter.weight > heavier.weight:
        heavier, lighter = lighter, heavier
        into.event = other.event
    heavier.count += lighter.count
    if lighter.time is not None and (heavier.time is None or lighter.time < heavier.time):
        heavier.time = lighter.time
    heavier.quote = heavier.quote or lighter.quote
    into.item = heavier


def _join_ports(found: dict[str, _Found]) -> None:
    """Take what a port of disks says as the disk's whose faults began with it, if it is one."""
    disks = [one for key, one in found.items() if _DISK.match(key)]
    for key in [key for key in found if _PORT.match(key)]:
        at = found[key].item.time
        near = [
            one for one in disks
            if at is not None and one.item.time is not None and abs(one.item.time - at) <= _SOON
        ]  # fmt: skip
        if len(near) == 1:
            _join(near[0], found.pop(key))


def _important(report: Report, db: sqlite3.Connection, zone: tzinfo) -> Iterator[_Found]:
    """What chains have called important."""
    for number, one in enumerate(important_by_cause(db, report.days, _MOST + 1)):
        if number == _MOST:
            text = f"more than {_MOST:,} important things: the section has the others"
            yield _Found(Attention(text, IMPORTANT), "", "")
            return
        weight = weight_of_important(one.event, one.weight)
        if weight == 0:
            continue
        text = _short(one.message)
        if not one.is_same and not one.cause:
            text += f" (and {one.events - 1:,} more of this kind)"
        item = Attention(
            text,
            weight,
            datetime_of(one.first, zone),
            _cause(one.event, one.cause),
            quote=_short(one.quote or ""),
            count=one.events,
        )
        yield _Found(item, one.event, one.cause)


def _cause(event: str, cause: str) -> str:
    if event == "login":  # of the same user, another one may be a burglar
        return ""
    return event if event in _OF_THE_MACHINE else cause


def _tallied(report: Report, db: sqlite3.Connection, zone: tzinfo) -> Iterator[_Found]:
    """Events of the vocabulary that weigh something, and of which no chain has told."""
    events = [name for name, one in EVENTS.items() if one.weight and name not in _ONLY_TOLD]
    told = told_causes(db, report.days, events)
    told |= {(event, "") for event, _ in told}  # of what a row does not say, any may be meant
    for row in _counting(report, db, events):
        cause = _cause_of(row)
        if (row.event, cause) in told:
            continue
        item = Attention(
            phrase(row.event, row.fields),
            EVENTS[row.event].weight,
            datetime_of(row.first, zone),
            _cause(row.event, cause) or row.event,
            count=row.count,
        )
        yield _Found(item, row.event, cause)


def _counting(report: Report, db: sqlite3.Connection, events: Iterable[str]) -> Iterator[Tally]:
    """The rows of some events that count: of each so many, for strangers can multiply some."""
    for event in events:
        rows = tallies_of(db, report.days, [event], report.machine)
        counting = (row for row in rows if not row.is_rest and weight_of_event(event, row.fields))
        yield from islice(counting, _MOST_ROWS)


def _cause_of(row: Tally) -> str:
    subject = EVENTS[row.event].subject
    value = row.fields.get(subject, "") if subject else ""
    return cause_of(row.event, subject, value) if subject and value else ""


def _tell_history(found: Iterable[_Found], report: Report, db: sqlite3.Connection) -> None:
    """Say of what comes now and then whether it had come on the days before."""
    recurring = [one for one in found if one.event in _RECURRING and one.cause]
    first = min(report.days)
    days = [day.day for day in days_before(db, first, _REMEMBERED)]
    if not recurring or len(days) < _FEWEST:
        return
    events = {one.event for one in recurring}
    seen = _days_by_cause(db, first, days, events | {_DONE[one] for one in events & _DONE.keys()})
    for one in recurring:
        name = one.cause.removeprefix(f"{one.event} ")
        on = len(seen[one.event, one.cause])
        done = _DONE.get(one.event)
        if done is not None and not on and len(seen[done, f"{done} {name}"]) == len(days):
            words = f"it had succeeded on each of the {len(days)} days before"
        elif not on:
            words = f"for the first time in {len(days) + 1} days"
        elif on == len(days):
            words = f"as on each of the {on} days before"
        else:
            words = f"as on {on} of the {len(days)} days before"
        one.item.text = f"{one.item.text.rstrip('. ')}; {words}"


def _days_by_cause(
    db: sqlite3.Connection, first: str, days: Sequence[str], events: Iterable[str]
) -> Mapping[tuple[str, str], set[str]]:
    """On which of some days events came, by event and cause."""
    seen: dict[tuple[str, str], set[str]] = defaultdict(set)
    for event in events:
        for row in islice(tallies_before(db, first, [event]), _MOST_ROWS):
            if row.day < days[0]:
                break
            seen[event, _cause_of(row)].add(row.day)
    return seen


def _absent(db: sqlite3.Connection, span: tuple[int, int], zone: tzinfo) -> Iterator[Attention]:
    """What is expected and did not happen: of each name and key, the last time."""
    last = {(one.name, one.key): one for one in absences_of(db, *span)}
    for one in list(last.values())[:_MOST_ABSENT]:
        text = _short(absence_in_words(one, zone))
        yield Attention(text, _ABSENT, datetime_of(one.begin, zone), f"absent {one.name} {one.key}")


def _of_pyruse(report: Report, db: sqlite3.Connection, zone: tzinfo) -> Iterator[Attention]:
    """What Pyruse could not do: entries that it has not read, mails not sent, faults."""
    for note in notes_of(db, report.days)[:_MOST_NOTES]:
        yield Attention(_short(note), _NOTE)
    # Of what is set aside, a note tells.
    faults = [one for one in faults_of(db, report.days) if one.kind != SET_ASIDE]
    for one in faults[:_MOST_FAULTS]:
        weight = _FAULT_OF_BANS if one.place.partition(".")[0] == "bans" else _FAULT
        text = _short(f"Pyruse: {one.place}: {one.text}")
        yield Attention(text, weight, datetime_of(one.first, zone), count=one.count)
    if len(faults) > _MOST_FAULTS:
        count = len(faults) - _MOST_FAULTS
        yield Attention(f"Pyruse: {count:,} more kinds of faults, see `pyruse status`", _FAULT)


def _short(text: str) -> str:
    text = one_line(text[: 4 * _LONGEST])
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
