"""What an event of the vocabulary says to people, where no chain has said it."""

from __future__ import annotations

from collections.abc import Mapping

from pyruse.api.vocabulary import EVENTS
from pyruse.text import one_line

_LONGEST = 100  # characters of a value

_PHRASES: Mapping[str, str] = {
    "denied": "{user} was not allowed to act as {target}: {command}",
    "forged": "somebody (uid {uid}) has written in the name of {claim}",
    "unit failed": "{unit} failed",
    "crashed": "{program} has crashed ({signal})",
    "killed for memory": "the machine ran out of memory: {program} was ended",
    "disk fault": "the disk {device} fails",
    "raid fault": "the array {device} has lost a disk, or data",
    "file system fault": "the file system on {device} has errors",
    "disk full": "there is no room left on {path}",
    "certificate failed": "the certificate {name} could not be renewed",
    "backup failed": "the backup {name} was not made",
    "update failed": "{package} could not be updated",
    "job failed": "the job {name} failed",
}
"""By event."""


def phrase(event: str, fields: Mapping[str, str]) -> str:
    """An event as a short sentence; values may be strangers' text, and are on one line.

    :param event: its name.
    :param fields: what it is counted by.
    """
    known = {name: _value(value) for name, value in fields.items() if value}
    words = _PHRASES.get(event)
    text = None if words is None else _filled(words, known)
    if text is None:
        about = ", ".join(value for name, value in known.items() if name != "reason")
        text = f"{EVENTS[event].meaning if event in EVENTS else event}: {about}".rstrip(": ")
    reason = known.get("reason")
    return f"{text}: {reason}" if reason else text


def _filled(words: str, values: Mapping[str, str]) -> str | None:
    try:
        return words.format_map(values)
    except KeyError:
        return None


def _value(value: str) -> str:
    value = one_line(value[: _LONGEST + 1])
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"
