"""Files events and counts kinds by all their facts at once, as nothing but tests does."""

from __future__ import annotations

from typing import NamedTuple

from pyruse.state.counted_kinds import CountedKinds
from pyruse.state.days import Days
from pyruse.state.filed_events import QUOTED, Head


class About(NamedTuple):
    """What an event is about, for those who group events."""

    kind: int | None
    """See `pyruse.state.counted_kinds`."""
    program: str | None
    level: int | None
    """The entry's priority, 0 (worst) to 7."""
    event: str | None
    """What the entry means, if that is known."""
    cause: str | None
    """What has caused it: the same of all events that are about the same thing."""
    weight: int | None = None
    """How much it deserves attention, 0 to 100; None: as much as its meaning says."""
    quote: str | None = None
    """The line that shows it, where the message does not."""


UNKNOWN = About(None, None, None, None, None)


def file_event(
    days: Days,
    day: str,
    section: str,
    message: str,
    details: str,
    time: int,
    host: str | None,
    step: str | None = None,
    about: About = UNKNOWN,
) -> None:
    """File an event under an open day; the step is where that stands which has reported it."""
    of_kind = (about.kind, about.program, about.level, about.event, about.cause, about.weight)
    number = days.events.head(Head(day, section, details, step, host, *of_kind))
    event = (number, time, message)
    days.file(day, section).extend((*event, about.quote) if section == QUOTED else event)


def count_kind(
    kinds: CountedKinds,
    day: str,
    host: str,
    section: str,
    event: str,
    program: str,
    template: str,
    level: int | None,
    example: str,
    time: int,
    message_id: str = "",
    is_of_program: bool = True,
) -> int:
    """Count one event; gives the id of its kind."""
    alike = kinds.alike(
        day, host, section, event, program, template, level, message_id, is_of_program
    )
    kinds.begin(alike, example, time)
    return alike.kind
