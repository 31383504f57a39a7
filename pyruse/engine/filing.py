"""Filing an event for the report: its day, its kind, its program, its cause.

What is reported comes here entry by entry, so what this takes decides what a day costs where
everything is reported. Each fact is looked up once, and most of an event is text that is there.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from pyruse.api.report import Details, Section
from pyruse.api.vocabulary import EVENTS
from pyruse.engine import handed_over
from pyruse.engine.handed_over import message_text
from pyruse.entry.entry import Entry, computed
from pyruse.kinds.causes import cause
from pyruse.kinds.masks import LONGEST, Masks
from pyruse.options import templates
from pyruse.options.templates import Template
from pyruse.state.counted_kinds import Alike
from pyruse.state.database import State
from pyruse.state.filed_events import QUOTED, Head, Values
from pyruse.system.log import IDENTIFIER
from pyruse.system.native import native
from pyruse.text import one_line
from pyruse.times import Calendar, Clock

_LONGEST_MESSAGE = templates.LONGEST
_LONGEST_NAME = 100  # characters
_LONGEST_HOST = 255  # characters: longer names are no machine's, and are not kept in memory
_LONGEST_CAUSE = 200  # characters
_LONGEST_QUOTE = 300  # characters
_MOST_ALIKE = 10_000
_MOST_DAYS = 3
"""Where entries of several days take turns, as those of machines do of which one is slow."""

_Place = tuple[Alike, int, Values]
"""What these events are counted by, the number of their head, and what takes them."""


class Facts:
    """What a step reports of all its events alike: what differs is what comes of each entry."""

    __slots__ = ("details", "own", "section", "step", "template", "weight")

    def __init__(
        self,
        step: str,
        section: Section,
        details: Details,
        template: str | None,
        weight: int | None,
    ) -> None:
        """Know the facts: what the others are is said by `Context.report`.

        :param step: the place of the step.
        :raises TypeError: the template is no text.
        """
        self.step = step
        self.section = section
        self.details = details
        self.template = None if template is None else handed_over.text(template)[:LONGEST]
        self.weight = weight if section == "important" else None
        self.own = IDENTIFIER if section == "other" else None
        """The program of whose entries not all are filed."""


_Key = tuple[Facts, str | None, str, int | None, str, str, str, str | None]
"""What is filed together: facts, host, program, level, event, cause, template, message ID; not all
of it is checked yet."""


class Span(Struct):
    """Under which day what happens is filed, and how long that holds."""

    day: str
    """The open day, as ``YYYY-MM-DD``."""
    begin: int
    """From this instant on, in microseconds since the epoch …"""
    end: int
    """… and before this one: where it is not later, for one instant alone …"""
    reported: str
    """… as long as days are reported until this one (`Days.reported_until`)."""


class _Core:
    """What an event that is filed in C is filed by, while the day at hand holds."""

    __slots__ = ("_begin", "_days", "_end", "_places", "_reported", "ahead")


if not TYPE_CHECKING and (module := native()):
    _Core = module.FilingCore


class Filing(_Core):
    """Files events, and counts each for its kind."""

    def __init__(self, state: State, calendar: Calendar, clock: Clock, host: str) -> None:
        """Begin with nothing in the cache of masks.

        :param state: takes the events.
        :param calendar: says which day an event is of.
        :param clock: says when an event is that no entry has caused …
        :param host: … and this, on which machine.
        """
        self.ahead = 0
        """How many events of the batch at hand were filed before the engine was given the entry."""
        self._days = state.days
        self._kinds = state.kinds
        self._calendar = calendar
        self._clock = clock
        self._host = host
        masks = Masks()
        self._template_of, self._masker = masks.template_of, masks.masker
        self._begin = self._end = 0
        """The events of these instants are filed under the day at hand …"""
        self._reported = ""
        """… as long as days are reported until this one, and no other."""
        self._day = ""
        self._places: dict[_Key, _Place] = {}
        """Those of the day at hand."""
        self._places_of_days: dict[str, dict[_Key, _Place]] = {}

    def day_of(self, time_us: int) -> str:
        """The open day under which something of this instant is filed, as ``YYYY-MM-DD``."""
        if not self._begin <= time_us < self._end or self._reported != self._days.reported_until:
            self._turn_to(time_us)
        return self._day

    def span_of(self, time_us: int) -> Span:
        """The same, and for which other instants it holds."""
        day = self.day_of(time_us)
        return Span(day, self._begin, self._end, self._reported)

    def _turn_to(self, time_us: int) -> None:
        day, days = self._calendar.day_of(time_us), self._days
        name = day.isoformat()
        self._day, self._reported = days.open_name(name), days.reported_until
        if self._day == name:
            self._begin, self._end = self._calendar.start_of(day), self._calendar.end_of(day)
        else:  # it comes late: the next one is asked for again
            self._begin = self._end = 0
        if self._day not in self._places_of_days and len(self._places_of_days) >= _MOST_DAYS:
            self._places_of_days.clear()
        self._places = self._places_of_days.setdefault(self._day, {})

    def forget_days(self) -> None:
        """Ask anew under which day events are filed, and what takes them.

        To be called when old days were removed: where the clock is set back behind them, they begin
        once more, and what took their events before is written no more.
        """
        self._begin = self._end = 0
        self._places = {}
        self._places_of_days.clear()

    def of_step(
        self, facts: Facts, message: Template, text: str | None
    ) -> Callable[[Entry], object]:
        """What files an event of a step that does nothing else, given the entry.

        :param facts: of the step.
        :param message: what the report says, with the entry's fields.
        :param text: the field by whose text the kind is found; None: by the message.
        """
        file, render = self.file, message.render
        call: Callable[[Entry], object]
        if text is None:
            call = lambda entry: file(facts, entry, render(entry))  # noqa: E731
        else:
            call = lambda entry: file(facts, entry, render(entry), entry.text(text))  # noqa: E731
        module = native()
        if module is None or message.filling is None:
            return call
        filer: Callable[[Entry], object] = module.Filer(
            self, call, message.filling, self._masker, text, facts.template is not None, facts.own,
            _quote if facts.section == QUOTED else None,
        )  # fmt: skip
        return filer

    def file(  # noqa: C901, PLR0912, PLR0915 -- one call for each event that is reported
        self, facts: Facts, entry: Entry | None, message: str, text: str | None = None
    ) -> _Place | None:
        """File an event of a step: what the others are is said by `Context.report`.

        :return: its place, which is that of all entries that are alike in what is looked at here.
        :raises TypeError: the message is no text.
        """
        if not (type(message) is str and message.isascii() and len(message) <= _LONGEST_MESSAGE):
            message = message_text(message)
        section, template = facts.section, facts.template
        level: int | None = None
        event = why = ""
        host: str | None
        message_id: str | None = None
        quote: str | None = None
        if entry is None:
            time, host, program = self._clock(), self._host, IDENTIFIER
        else:
            time = entry.time_us
            text_of = entry.text
            program = text_of("SYSLOG_IDENTIFIER") or text_of("_COMM") or ""
            if len(program) > _LONGEST_NAME:
                program = program[:_LONGEST_NAME]
            if program == facts.own and _is_own_news(entry):
                return None  # the report tells of bans, and nobody is to wonder about these lines
            host = text_of("_HOSTNAME")
            level = entry.get("PRIORITY")
            if type(level) is not int:
                level = None
            if computed(entry, "meaning"):
                event = _name(entry, "meaning")
                why = _cause(entry, event, program)
            if text is not None and template is None:
                message_id = text_of("MESSAGE_ID")
                if message_id is not None:
                    message_id = _message_id(message_id)
            if section == QUOTED:
                quote = _quote(entry, message)
        if template is None:
            if text is None:
                text = message
            elif not (type(text) is str and text.isascii()):
                text = message_text(text)
            template = self._template_of(text)
        if not self._begin <= time < self._end or self._reported != self._days.reported_until:
            self._turn_to(time)
        key: _Key = facts, host, program, level, event, why, template, message_id
        place = self._places.get(key)
        if place is None:
            place = self._place(key, facts.template is None)
        alike, head, values = place
        if alike.count:
            alike.count += 1
            if time > alike.last:
                alike.last = time
            elif time < alike.first:
                alike.first = time
        else:
            self._kinds.begin(alike, message, time)
        values += (head, time, message, quote) if section == QUOTED else (head, time, message)
        return place

    def _place(self, key: _Key, is_of_program: bool) -> _Place:
        facts, host, program, level, event, why, template, message_id = key
        if level is not None and not 0 <= level <= 7:
            level = None
        section = facts.section
        alike = self._kinds.alike(
            self._day, host or "", section, event, program, template, level, message_id or "",
            is_of_program,
        )  # fmt: skip
        head = Head(
            self._day, section, facts.details, facts.step, host, alike.kind, program, level, event,
            why, facts.weight,
        )  # fmt: skip
        if len(self._places) >= _MOST_ALIKE:
            self._places.clear()
        place = alike, self._days.events.head(head), self._days.file(self._day, section)
        if host is None or len(host) <= _LONGEST_HOST:
            self._places[key] = place
        return place


def _is_own_news(entry: Entry) -> bool:
    """Whether it is a line by which Pyruse tells of a ban, an unban or its start.

    Anybody may log such a field; the user who has logged it is known to journald.
    """
    return entry.get("PYRUSE_EVENT") is not None and entry.text("_UID") == str(os.geteuid())


def event_of(entry: Entry, event: str | None = None) -> tuple[str, str]:
    """What an entry means and what has caused it, as they are filed; nothing: two empty texts.

    :param entry: at this point of its journey.
    :param event: what it means, where that is known already.
    """
    if event is None:
        event = _name(entry, "meaning") if computed(entry, "meaning") else ""
    program = _name(entry, "SYSLOG_IDENTIFIER") or _name(entry, "_COMM")
    return event, _cause(entry, event, program)


def _name(entry: Entry, field: str) -> str:
    value = entry.text(field)
    return "" if value is None else value if len(value) <= _LONGEST_NAME else value[:_LONGEST_NAME]


def _cause(entry: Entry, event: str, program: str) -> str:
    known = EVENTS.get(event)
    if known is None or known.subject is None:
        return ""
    value = entry.text(known.subject)
    # A program of which it is not known what its fault is about has one fault, however it tells.
    found = cause(event, known.subject, value) if value else f"{event} {program}"
    return found[:_LONGEST_CAUSE]


def _message_id(value: str) -> str | None:
    """What programs call this message, whatever its text says; anybody may log such a field."""
    return value if len(value) == 32 and value.isalnum() else None


def _quote(entry: Entry, message: str) -> str | None:
    """The line of an entry, where a message does not have it."""
    line = entry.text("MESSAGE")
    if not line:
        return None
    line = one_line(line[:_LONGEST_QUOTE])
    return None if line in message else line
