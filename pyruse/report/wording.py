"""How a report puts things: times, messages, headings. The same in every form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from pyruse.api.report import Report, Row, Times
from pyruse.text import shortened

MESSAGE_CHARACTERS = 2_000
"""A message in a report for people is cut after so much of it; JSON has the whole."""
MESSAGE_LINES = 20
TIMES_AT_EACH_END = 20
"""Of the times of a row, so many are shown at the beginning and at the end."""

_WHOLE_DAY = timedelta(hours=23)
"""By the wall clock; less than 24 hours where a day begins at an hour that the clocks leave out."""


class Clock:
    """Writes times as briefly as a report's period allows.

    The date is left out where it goes without saying, and the offset from UTC is there where the
    same time of day happens twice: when the clocks are put back.
    """

    def __init__(self, begin: datetime, end: datetime) -> None:
        # By the wall clock: no day is longer than 24 hours then, also when the clocks change.
        self.one_day = end.replace(tzinfo=None) - begin.replace(tzinfo=None) <= timedelta(days=1)
        # In UTC, because datetimes of one time zone are compared by the wall clock.
        self._begin, self._end = begin.astimezone(UTC), end.astimezone(UTC)

    def __call__(self, moment: datetime) -> str:
        """Such as ``02:30:00``, ``02:30:00+01:00`` or ``2026-03-06 02:30:00``."""
        text = moment.isoformat(" ", "seconds")
        local, offset = text[:19], text[19:]
        if self.one_day and self._begin <= moment.astimezone(UTC) < self._end:
            local = local[11:]
        twice = moment.replace(fold=0).utcoffset() != moment.replace(fold=1).utcoffset()
        return local + offset if twice else local


def when(row: Row, clock: Clock) -> list[str]:
    """When the events of a row happened: one text for each details mode that shows times."""
    texts = []
    for times in row.details:
        if times.shown:
            # With several modes, the row's own count does not tell how many each stands for.
            count = f"{times.count:,} × " if len(row.details) > 1 else ""
            texts.append(count + _when(times, clock))
    return texts


def _when(times: Times, clock: Clock) -> str:
    match times.details, times.shown:
        case "FIRST", [first]:
            return f"from {clock(first)}"
        case "LAST", [last]:
            return f"until {clock(last)}"
        case "FIRSTLAST", [first, last]:
            return f"from {clock(first)} until {clock(last)}"
        case _, shown:
            return ", ".join(_listed(shown, clock))


def _listed(times: Sequence[datetime], clock: Clock) -> Iterator[str]:
    between = len(times) - 2 * TIMES_AT_EACH_END
    if between <= 0:
        yield from _runs(times, clock)
    else:
        yield from _runs(times[:TIMES_AT_EACH_END], clock)
        yield f"… {between:,} more …"
        yield from _runs(times[-TIMES_AT_EACH_END:], clock)


def _runs(times: Iterable[datetime], clock: Clock) -> Iterator[str]:
    """The times; what happened several times in a second is written once, with its number."""
    for text, run in groupby(map(clock, times)):
        count = sum(1 for _ in run)
        yield text if count == 1 else f"{text}\N{NO-BREAK SPACE}(×{count:,})"


def brief(message: str) -> str:
    """The message, cut where it has too many characters or lines for people to read."""
    message = message.strip("\n")
    lines = message[:MESSAGE_CHARACTERS].split("\n")
    return shortened(message, len("\n".join(lines[:MESSAGE_LINES])))


def counted(count: int, noun: str) -> str:
    """A number with its noun: ``1 event``, ``12,345 events``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def heading(report: Report) -> str:
    """What the report is about: ``Pyruse report for Thursday 2026-03-05``."""
    day = _day(report)
    return f"Pyruse report: {report.title}" if day is None else f"Pyruse report for {day:%A} {day}"


def period(report: Report) -> str:
    """The period: ``2026-03-05 00:00 to 2026-03-06 00:00, Europe/Paris``."""
    begin, end = report.begin, report.end
    if begin == end:
        return "empty"
    unit = "seconds" if begin.second or end.second else "minutes"
    ends = " to ".join(moment.replace(tzinfo=None).isoformat(" ", unit) for moment in (begin, end))
    zone = getattr(begin.tzinfo, "key", None)
    if zone in (None, "localtime"):  # a zone without a name, such as that of /etc/localtime
        zone = begin.tzname()
    text = f"{ends}, {zone}"
    length = end.astimezone(UTC) - begin.astimezone(UTC)
    if Clock(begin, end).one_day and begin.utcoffset() != end.utcoffset():
        text += f" ({length / timedelta(hours=1):g} hours, for the clocks changed)"
    return text


def remainder(report: Report, count: int, noun: str) -> str:
    """A line that stands for what a report for people leaves out."""
    # A replay may be of a part of a day, of which nothing is kept: there, the same command has it.
    whole_day = report.end.replace(tzinfo=None) - report.begin.replace(tzinfo=None) >= _WHOLE_DAY
    kept = whole_day and _day(report) is not None
    command = f"pyruse report {report.title} --format json" if kept else "--format json"
    return f"… and {counted(count, f'more {noun}')}: “{command}” has them all"


def _day(report: Report) -> date | None:
    """The day whose report it is, None for another period."""
    try:
        day = date.fromisoformat(report.title)
    except ValueError:
        return None
    return day if day.isoformat() == report.title else None
