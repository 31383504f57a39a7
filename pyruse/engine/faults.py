"""Faults of steps, plugins and the world around: reported once a kind, and counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pyruse.text import one_line, shortened

#: Where a fault is logged: message, level (syslog(3)), fields.
JournalLog = Callable[[str, int, Mapping[str, object]], None]

_ERROR = 3
_QUIET_S = 6 * 3600
_LONGEST = 500


@dataclass
class Fault:
    """A kind of fault."""

    place: str
    """The step, plugin or part of Pyruse that it is about."""
    text: str
    """What was said the first time."""
    count: int = 0
    last: float = 0.0
    """When it happened last, by ``time.monotonic``."""


class Faults:
    """Tells of a kind of fault the first time, and then at the 10th, 100th, 1000th time, ….

    After some quiet hours it is the first time again. So a fault that comes with every entry is not
    logged with every entry; and an error message that is an entry itself, and causes the error
    again, comes to rest.
    """

    def __init__(self, log: JournalLog) -> None:
        self._log = log
        self.kinds: dict[tuple[str, str], Fault] = {}

    def report(self, place: str, kind: str, text: str, fields: Mapping[str, object] = {}) -> Fault:
        """A fault has happened.

        :param place: where, such as ``chains."ssh"[3]``; it begins the message.
        :param kind: what makes it the same fault as another one at this place.
        :param text: what went wrong.
        :param fields: more fields for the journal.
        :return: the fault with its text as it was logged: one printable line.
        """
        text = shortened(one_line(text), _LONGEST)
        fault = self.kinds.setdefault((place, kind), Fault(place, text))
        now = time.monotonic()
        if fault.count and now - fault.last > _QUIET_S:
            fault.count, fault.text = 0, text
        fault.last = now
        fault.count += 1
        if _is_power_of_ten(fault.count):
            again = f" ({fault.count} times)" if fault.count > 1 else ""
            self._log(f"{place}: {text}{again}", _ERROR, {"PYRUSE_FAULT": kind, **fields})
        return fault


def _is_power_of_ten(number: int) -> bool:
    return str(number).strip("0") == "1"
