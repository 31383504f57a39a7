"""How a report puts things: times, messages, headings. The same in every form."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from pyruse.api.findings import Attention, Unusual
from pyruse.api.report import Report, Row, Section, Times, events_of
from pyruse.columns import columns, cut
from pyruse.text import brief_line, counted, one_line, shortened

MESSAGE_CHARACTERS = 2_000
"""A message in a report for people is cut after so much of it; JSON has the whole."""
MESSAGE_LINES = 20
TIMES_AT_EACH_END = 20
"""Of the times of a row, so many are shown at the beginning and at the end."""

_HOSTS = 3
_LONGEST_NAME = 64
_LONGEST_VERDICT = 200
_REASONS = 3


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
        return self._written(moment, "seconds")

    def minute(self, moment: datetime) -> str:
        """The same without seconds: ``02:30``."""
        return self._written(moment, "minutes")

    def span(self, first: datetime, last: datetime) -> str:
        """From when until when, to the minute: ``02:30–04:10``."""
        ends = dict.fromkeys((self.minute(first), self.minute(last)))
        return "–".join(ends) if len("".join(ends)) <= 10 else " – ".join(ends)

    def _written(self, moment: datetime, unit: str) -> str:
        text = moment.isoformat(" ", unit)
        length = 19 if unit == "seconds" else 16
        local, offset = text[:length], text[length:]
        if self.one_day and self._begin <= moment.astimezone(UTC) < self._end:
            local = local[11:]
        twice = moment.replace(fold=0).utcoffset() != moment.replace(fold=1).utcoffset()
        return local + offset if twice else local


def when(row: Row, clock: Clock, *, every: bool = False) -> list[str]:
    """When the events of a row happened: one text for each details mode that shows times.

    Of many times, the first and the last are there, unless it is to be every one.
    """
    texts = []
    for times in row.details:
        if times.shown:
            # With several modes, the row's own count does not tell how many each stands for.
            count = f"{times.count:,} × " if len(row.details) > 1 else ""
            texts.append(count + _when(times, clock, every))
    return texts


def _when(times: Times, clock: Clock, every: bool) -> str:
    match times.details, times.shown:
        case "FIRST", [first]:
            return f"from {clock(first)}"
        case "LAST", [last]:
            return f"until {clock(last)}"
        case "FIRSTLAST", [first, last]:
            return f"from {clock(first)} until {clock(last)}"
        case _, shown:
            return ", ".join(_runs(shown, clock) if every else _listed(shown, clock))


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


def heading(report: Report) -> str:
    """What the report is about: ``Pyruse report for Thursday 2026-03-05``."""
    day = _day(report)
    return f"Pyruse report: {report.title}" if day is None else f"Pyruse report for {day:%A} {day}"


def where(report: Report) -> str:
    """The machines, few of them by name: ``web1, web2 and 7 more``."""
    names = [brief_line(name, _LONGEST_NAME) for name in report.hosts[:_HOSTS]]
    more = len(report.hosts) - len(names)
    return (", ".join(names) or "unknown") + (f" and {more:,} more" if more else "")


def about(report: Report) -> str:
    """Machines and day: ``mercury, Friday 2026-11-27``."""
    day = _day(report)
    title = one_line(report.title) if day is None else f"{day:%A} {day}"
    return f"{where(report)}, {title}"


def verdict(report: Report) -> str:
    """Whether anything needs doing: ``7 things need attention``."""
    if "attention" not in report.parts:  # a report of some parts for people who want no more
        return one_line(", ".join(report.parts))
    if report.headline:
        return brief_line(report.headline, _LONGEST_VERDICT)
    if count := len(report.attention):
        return f"{counted(count, 'thing')} {'needs' if count == 1 else 'need'} attention"
    if important := events_in(report, "important"):
        return f"{important:,} important"
    return "nothing unusual"


def reasons(report: Report) -> list[str]:
    """The first things that need attention, on a line each, and how many more there are."""
    lines = [
        f"{number:>2}. {brief_line(item.text, _LONGEST_VERDICT)}"
        for number, item in enumerate(report.attention[:_REASONS], 1)
    ]
    if more := len(report.attention) - len(lines):
        lines.append(f"    … and {more:,} more")
    return lines


def marks(item: Attention) -> str:
    """Remarks on an item: ``new address, 140 times``."""
    times = f"{item.count:,} times" if item.count > 1 else ""
    return ", ".join(filter(None, (brief_line(item.mark, _LONGEST_NAME), times)))


def quoted(line: str, limit: int) -> str:
    """The beginning of a line of the log, without spaces around it, in so many columns."""
    text = one_line(line[: 2 * limit]).strip()
    is_whole = columns(text) <= limit and len(line) <= 2 * limit
    return text if is_whole else f"{cut(text, limit - 1)[0]}…"


def unlike(unusual: Iterable[Unusual]) -> str:
    """What is unlike other days: ``8 kinds never seen before, 3 daily ones absent, 1 rate``."""
    count: Counter[str] = Counter(one.what for one in unusual)
    texts = {
        "new": f"{counted(count['new'], 'kind')} never seen before",
        "gone": f"{count['gone']:,} daily {'one' if count['gone'] == 1 else 'ones'} absent",
        "rate": counted(count["rate"], "rate"),
    }
    return ", ".join(text for what, text in texts.items() if count[what])


def learns(report: Report) -> str:
    """How long it takes until it is known what is usual; empty where it is known."""
    if not report.learning:
        return ""
    return f"What is usual is not known yet: that takes {counted(report.learning, 'more day')}"


def events_in(report: Report, section: Section) -> int:
    """How many events a section has, however they are told."""
    rows: Sequence[Row] = {"important": report.important, "interesting": report.interesting}.get(
        section, []
    )
    filed = events_of(rows) if section != "other" else len(report.other)
    filed += report.left_out.get(section, 0)
    return filed or sum(kind.count for kind in report.kinds if kind.section == section)


def anchor(id_: str) -> str:
    """The name of a place in a page, of any text."""
    return "s-" + re.sub(r"[^a-z0-9]+", "-", id_.lower()[:_LONGEST_NAME])


def tells_of_loss(note: str) -> bool:
    """Whether a note says that there were entries which nobody has read."""
    return "entries" in note and not note.startswith("fault:")


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
    return f"… and {counted(count, f'more {noun}')}: “{command(report)}” has them all"


def command(report: Report) -> str:
    """What shows all of it."""
    if not report.kept:  # a replay, which may be of anything: the same command has it
        return "--full"
    host = ""
    if report.machine is not None:
        host = f" --host {shlex.quote(brief_line(report.machine, _LONGEST_NAME))}"
    return f"pyruse report {report.title}{host} --full"


def _day(report: Report) -> date | None:
    """The day whose report it is, None for another period."""
    try:
        day = date.fromisoformat(report.title)
    except ValueError:
        return None
    return day if day.isoformat() == report.title else None
