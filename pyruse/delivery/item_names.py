"""Names items of the outbox for the administrator: in faults, reports and `pyruse status`."""

from __future__ import annotations

import shlex
from typing import Any

from pyruse.state.outbox_item import OutboxItem
from pyruse.text import one_line, shortened

_LONGEST_NAME = 200  # characters of a subject or a command, in a report of a fault
_LONGEST_REASON = 300
SHORT_ID = 8
"""Characters of an id that people are shown, and type."""
_NAMED = 5  # of the items that cannot be sent


def named(item: OutboxItem) -> str:
    """The item with its article: ``the mail "Ban of 192.0.2.7"``; a program by its command.

    A parcel is named by its plugin alone: what is in it is for its receiver.
    """
    payload: dict[str, Any] = item.payload
    if item.plugin is not None:
        return f"the parcel of {item.plugin}"
    if item.kind == "command":
        command = one_line(shlex.join(payload["command"])) or "an empty command"
        return shortened(command, _LONGEST_NAME)
    text = payload.get("subject") or payload.get("message") or ""
    return f'the {item.kind} "{shortened(one_line(text), _LONGEST_NAME)}"'


def set_aside_in_words(items: list[OutboxItem]) -> str:
    """What the reader of a report should know of items that are set aside, one at least."""
    kinds = {"parcel" if item.plugin is not None else item.kind for item in items}
    noun = kinds.pop() if len(kinds) == 1 else "item"
    number = f"a {noun}" if len(items) == 1 else f"{len(items)} {noun}s"
    told = [
        f"{named(item)} ({shortened(one_line(item.error or ''), _LONGEST_REASON)})"
        for item in items[:_NAMED]
    ]
    if len(items) > _NAMED:
        told.append(f"and {len(items) - _NAMED} more")
    return f"{number} could not be sent: {', '.join(told)}"
