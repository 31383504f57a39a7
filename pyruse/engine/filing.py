"""What an event of the report is about: its kind, its program, its cause."""

from __future__ import annotations

from typing import NamedTuple

from pyruse.api.vocabulary import EVENTS
from pyruse.entry.entry import Entry
from pyruse.kinds.causes import cause
from pyruse.kinds.masks import LONGEST, Masks
from pyruse.state.counted_kinds import CountedKinds
from pyruse.state.days import About

_LONGEST_NAME = 100  # characters
_LONGEST_CAUSE = 200  # characters
_OWN = "pyruse"
"""The program of what no entry has caused."""


class Filed(NamedTuple):
    """An event that is filed."""

    day: str
    host: str
    section: str
    message: str
    time: int
    template: str | None
    text: str | None


class Kinds:
    """Counts each event that is filed, and says what it is about."""

    def __init__(self, counted: CountedKinds) -> None:
        """Begin with nothing in the cache of masks.

        :param counted: where the kinds are counted.
        """
        self._counted = counted
        self._masks = Masks()

    def about(self, entry: Entry | None, filed: Filed) -> About:
        """Count an event, which an entry may have caused, and say what it is about."""
        program, level, event, why, message_id = _OWN, None, "", "", ""
        if entry is not None:
            program = _name(entry, "SYSLOG_IDENTIFIER") or _name(entry, "_COMM")
            priority = entry.get("PRIORITY")
            if type(priority) is int and 0 <= priority <= 7:
                level = priority
            event = _name(entry, "meaning")
            if event:
                why = _cause(entry, event, program)
        template = filed.template
        is_of_program = template is None
        if template is None:
            if entry is not None and filed.text is not None:
                message_id = _message_id(entry)
            template = self._masks.template_of(filed.message if filed.text is None else filed.text)
        kind = self._counted.add(
            filed.day,
            filed.host,
            filed.section,
            event,
            program,
            template[:LONGEST],
            level,
            filed.message,
            filed.time,
            message_id=message_id,
            is_of_program=is_of_program,
        )
        return About(kind, program, level, event, why)


def _name(entry: Entry, field: str) -> str:
    value = entry.text(field)
    return "" if value is None else value[:_LONGEST_NAME]


def _cause(entry: Entry, event: str, program: str) -> str:
    known = EVENTS.get(event)
    if known is None or known.subject is None:
        return ""
    value = entry.text(known.subject)
    # A program of which it is not known what its fault is about has one fault, however it tells.
    found = cause(event, known.subject, value) if value else f"{event} {program}"
    return found[:_LONGEST_CAUSE]


def _message_id(entry: Entry) -> str:
    """What programs call this message, whatever its text says; anybody may log such a field."""
    value = entry.text("MESSAGE_ID") or ""
    return value if len(value) == 32 and value.isalnum() else ""
