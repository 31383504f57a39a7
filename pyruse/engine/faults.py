"""Tells of faults of steps, plugins and the world around: by kind, and counted."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping

from msgspec import Struct, field

from pyruse.chains.model import Step
from pyruse.entry.entry import Entry
from pyruse.errors import in_words
from pyruse.state.database import State
from pyruse.text import one_line, shortened
from pyruse.times import Calendar, Clock

JournalLog = Callable[[str, int, Mapping[str, object]], None]
"""Where a fault is logged: message, level (syslog(3)), fields."""

_ERROR = 3
_QUIET_S = 6 * 3600
_LONGEST = 500
_EACH = 20
"""Of faults each of which is to be logged, so many are, in an hour."""
_EACH_S = 3600


class Fault(Struct):
    """A kind of fault."""

    place: str
    """The step, plugin or part of Pyruse that it is about."""
    text: str
    """What was said the first time."""
    count: int = 0
    last: float = 0.0
    """When it happened last, by ``time.monotonic``."""
    logged: deque[float] = field(default_factory=lambda: deque(maxlen=_EACH))
    """When it was logged, by ``time.monotonic``."""


class Faults:
    """Tells of a kind of fault the first time, and then at the 10th, 100th, 1000th time, ….

    After some quiet hours, counting begins again. So a fault of every entry is not logged with
    every entry, and an error message that causes the error again, as it is an entry, too, comes to
    rest.
    """

    def __init__(self, log: JournalLog) -> None:
        self._log = log
        self.kinds: dict[tuple[str, str], Fault] = {}

    def report(  # noqa: PLR0913 -- the facts of a fault
        self,
        place: str,
        kind: str,
        text: str,
        fields: Mapping[str, object] = {},
        times: int = 1,
        *,
        each: bool = False,
    ) -> Fault:
        """A fault has happened.

        :param place: where, such as ``chains."ssh"[3]``; it begins the message.
        :param kind: what makes it the same fault as another one at this place.
        :param text: what went wrong.
        :param fields: more fields for the journal.
        :param times: it has happened so often.
        :param each: log every one, as nobody hears of it otherwise: 20 in an hour, for what is
            logged may lead to the same fault again.
        :return: the fault with its text as it was logged: one printable line.
        """
        text = shortened(one_line(text), _LONGEST)
        fault = self.kinds.setdefault((place, kind), Fault(place, text))
        now = time.monotonic()
        if fault.count and now - fault.last > _QUIET_S:
            fault.count, fault.text = 0, text
        fault.last = now
        before, fault.count = fault.count, fault.count + times
        is_due = len(str(fault.count)) > len(str(before)) or not before  # 1, 10, 100, …
        if each and (len(fault.logged) < _EACH or now - fault.logged[0] > _EACH_S):
            is_due = True
        if is_due:
            fault.logged.append(now)
            again = f" ({fault.count} times)" if fault.count > 1 else ""
            self._log(f"{place}: {text}{again}", _ERROR, {"PYRUSE_FAULT": kind, **fields})
        return fault


class FaultReporter:
    """Tells of what goes wrong while an engine works.

    The journal has it at once; the state keeps it for the report and for `pyruse status`.
    """

    def __init__(self, faults: Faults, state: State, calendar: Calendar, clock: Clock) -> None:
        """Tell of faults, and keep them for the report and for `pyruse status`.

        :param clock: the machine's clock: faults are filed by it, whatever entries are dated.
        """
        self._faults = faults
        self._state = state
        self._calendar = calendar
        self._clock = clock

    def tell(  # noqa: PLR0913 -- the facts of a fault
        self,
        place: str,
        kind: str,
        text: str,
        fields: Mapping[str, object] = {},
        times: int = 1,
        *,
        each: bool = False,
    ) -> None:
        """A fault has happened (see `Faults.report`)."""
        fault = self._faults.report(place, kind, text, fields, times, each=each)
        self.keep(place, kind, fault.text, times)

    def keep(self, place: str, kind: str, text: str, times: int = 1) -> None:
        """Keep a fault that the log has already."""
        now = self._clock()
        day = self._state.days.open_day(self._calendar.day_of(now))
        self._state.faults.add(day, place, kind, shortened(one_line(text), _LONGEST), now, times)

    def of_step(self, step: Step, entry: Entry, fault: BaseException) -> None:
        """A step has raised."""
        self.tell(
            step.place,
            type(fault).__name__,
            f"{step.kind} {step.plugin}: {in_words(fault, ValueError)}",
            {
                "PYRUSE_CHAIN": step.chain,
                "PYRUSE_STEP": step.place,
                "PYRUSE_CURSOR": entry.get("__CURSOR") or "",
            },
        )

    def of_plugin(self, place: str, hook: str, fault: BaseException) -> None:
        """A hook that is broadcast has raised."""
        self.tell(place, f"{hook} {type(fault).__name__}", f"{hook}: {in_words(fault, ValueError)}")
