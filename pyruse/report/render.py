"""A report as text or HTML, by templates, or as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from heapq import merge
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, to_builtins
from msgspec.structs import asdict

from pyruse.api.findings import Summary
from pyruse.api.report import DETAILS, Line, Report, Row, Times, shown_times
from pyruse.report.room import Room
from pyruse.report.stored import Instants, KeptLines
from pyruse.text import one_line, shortened

if TYPE_CHECKING:
    from jinja2 import Environment

    from pyruse.report.choice import Offer  # a command that renders nothing does without its 50 ms

_TEMPLATES = {"text": "report.txt.j2", "html": "report.html.j2"}
"""The forms that have a template, each with its file."""
_LONGEST = 4_000_000
"""Bytes of a report for people, at most, by an administrator's own template."""
_LINES = 300
"""Lines of our own text: more is not read."""
_BYTES = {"text": 100_000, "html": 90_000}
"""Bytes of our own forms: of a longer mail, some mail programs hide the end (Gmail: 102 KB)."""
_ATTEMPTS = 6
"""How much room rows take is an estimate: where it was wrong, there are fewer the next time."""


class Renderer:
    """Renders reports, by the administrator's templates where there are any."""

    def __init__(self, templates: Path | None, limit: int) -> None:
        """Render by the administrator's templates where there are any.

        :param templates: the folder of the templates.
        :param limit: the number of rows of a section that people are shown.
        """
        self._folder = templates
        self._limit = limit

    def render(self, report: Report, form: str, largest: int | None = None) -> str:
        """The report as ``text``, ``html``, ``json`` or ``full`` (text, with nothing cut).

        The text has 300 lines at most, the HTML 90 kB, whatever the day. A fault in a template of
        the administrator's never costs the report: the built-in template renders it then, and a
        note in the report tells of the fault.

        :param report: the report.
        :param form: its form.
        :param largest: of text and HTML: it has no more bytes, in UTF-8. What is cut is counted in
            it, the important part last (see `pyruse.report.choice`).
        :raises ValueError: there is no such form.
        """
        if form in ("json", "full"):
            return "".join(self.pieces(report, form))
        if form not in _TEMPLATES:
            raise ValueError(f'"{form}" is no form of a report (expected text, full, html or json)')
        longest = min(largest or _LONGEST, _LONGEST)
        try:
            text = self._fitted_own(report, form, longest)
            if text is not None and len(text.encode()) <= longest:
                return text
            if text is not None:
                raise _TemplateError(
                    f"{self._folder}/{_TEMPLATES[form]}: gives {len(text):,} characters, where "
                    f"there is room for {longest:,} (expected what `shown` has, not the report's "
                    "rows)"
                )
        except _TemplateError as fault:
            note = f"{fault} (the built-in template was used instead)"
            if note not in report.notes:
                report.notes.append(note)
        return self._fitted(report, form, min(longest, _BYTES[form]))

    def _fitted(self, report: Report, form: str, longest: int) -> str:
        """The report by our own template, with as much as there is room for."""
        offer = self._offer(report, form)
        whole = _LINES if form == "text" else longest

        def excess(text: str) -> float:
            """How much less there has to be, in the unit of the form."""
            part = len(text.encode()) / longest
            if form == "text":
                part = max(part, (text.count("\n") + 1) / _LINES)
            return (part - 1) * whole

        for is_tight in (False, True):
            least = self._by(self._builtin, offer, Room(0, 0, is_tight=is_tight))
            left = flexible = -excess(least)
            if left >= 0:
                break
        # What is left out may be shorter than the line that tells of it: whatever fits is better.
        best, best_over = None, -math.inf
        for _ in range(_ATTEMPTS):
            if left <= 0:
                break
            text = self._by(self._builtin, offer, Room(flexible, 0, is_tight=is_tight))
            over = excess(text)
            if best_over <= over <= 0:
                best, best_over = text, over
            if over <= 0 and (flexible >= offer.need or over > -0.05 * whole):
                break
            # What parts take is an estimate: there may be room for more of them, or for less.
            flexible *= 0.98 * left / (left + over)
        return best or least

    def _fitted_own(self, report: Report, form: str, longest: int) -> str | None:
        """The same by the administrator's template; None where there is none."""
        if self._folder is None:
            return None
        offer = self._offer(report, form)
        room = longest * 0.9
        for _ in range(_ATTEMPTS):
            # What it has of our blocks takes no more than these do.
            flexible = min(room, _LINES if form == "text" else _BYTES[form])
            text = self._by_own(offer, Room(flexible, room, is_own=True))
            if text is None or (size := len(text.encode())) <= longest:
                return text
            room *= 0.9 * longest / size
        return text

    def pieces(self, report: Report, form: str, width: int | None = None) -> Iterator[str]:
        """The same piece by piece: JSON and ``full`` may be of any length.

        The lines of ``full`` have so many columns at most; None: as in mails.
        """
        if form == "json":
            return _json(report)
        if form == "full":
            return self._full(report, width)
        return iter([self.render(report, form)])

    def _full(self, report: Report, width: int | None) -> Iterator[str]:
        from pyruse.report.environment import variables

        template = self._builtin.get_template("full.txt.j2")
        from pyruse.report.choice import Choice, Offer

        shown = Choice(Offer(report, "text", 1), Room(0, 0))  # the first screen, and no more
        stream = template.stream(variables(report, self._limit, shown, width))
        stream.enable_buffering(100)
        return stream

    def faults(self) -> list[str]:
        """What is wrong with the administrator's templates, found by rendering a small report."""
        found = []
        for form in _TEMPLATES:
            try:
                self._by_own(self._offer(_sample(), form), Room(_LINES, _LONGEST, is_own=True))
            except _TemplateError as fault:
                found.append(str(fault))
        return found

    def _by_own(self, offer: Offer, room: Room) -> str | None:
        """By the administrator's template, or None where there is none.

        :raises _TemplateError: it is faulty.
        """
        if self._folder is None:
            return None
        file = self._folder / _TEMPLATES[offer.form]
        try:
            if not file.is_file():
                return None
            return self._by(self._environment, offer, room)
        except Exception as fault:
            from pyruse.report.environment import fault_in

            raise _TemplateError(one_line(shortened(fault_in(fault, file), 500))) from fault

    def _by(self, environment: Environment, offer: Offer, room: Room) -> str:
        from pyruse.report.choice import Choice
        from pyruse.report.environment import variables

        template = environment.get_template(_TEMPLATES[offer.form])
        return template.render(variables(offer.report, self._limit, Choice(offer, room)))

    def _offer(self, report: Report, form: str) -> Offer:
        from pyruse.report.choice import Offer

        return Offer(report, form, self._limit)

    @cached_property
    def _environment(self) -> Environment:
        from pyruse.report.environment import environment

        return environment(self._folder)

    @cached_property
    def _builtin(self) -> Environment:
        from pyruse.report.environment import environment

        return environment(None)


class _TemplateError(Exception):
    """A template of the administrator's is faulty: where, and how."""


class _LineText(Struct, gc=False):
    """A line as JSON has it."""

    time: str
    message: str


def report_data(report: Report) -> dict[str, Any]:
    """The three sections, whole, as JSON has them. Times are in ISO 8601 with their offset."""
    return to_builtins({name: list(rows) for name, rows in report_rows(report).items()})  # type: ignore[no-any-return]


def report_rows(report: Report) -> dict[str, Iterator[Any]]:
    """The same, row by row."""
    return {
        "important": map(_row_data, report.important),
        "interesting": map(_row_data, report.interesting),
        "other": starmap(_LineText, _lines(report.other)),
    }


def _lines(lines: Sequence[Line]) -> Iterable[tuple[str, str]]:
    if isinstance(lines, KeptLines):
        return lines.texts()
    return ((line.time.isoformat(), line.message) for line in lines)


def _row_data(row: Row) -> dict[str, Any]:
    return {"message": row.message, "count": row.count, "times": list(_times(row))}


def _json(report: Report) -> Iterator[str]:
    """All of it, piece by piece: a day of attack has a million rows."""
    # In ASCII: what a log line may do to a terminal stays an escape, and yet nothing is lost.
    return (piece.replace("\x7f", "\\u007f") for piece in _json_pieces(report))


def _json_pieces(report: Report) -> Iterator[str]:
    facts = {
        "day": report.title,
        "hosts": report.hosts,
        "begin": report.begin.isoformat(),
        "end": report.end.isoformat(),
        "entries": report.entries,
    }
    yield json.dumps(facts, indent=2).removesuffix("\n}") + ',\n  "report": {\n    "important": '
    yield from _json_list(map(_json_row, report.important))
    yield ',\n    "interesting": '
    yield from _json_list(map(_json_row, report.interesting))
    yield ',\n    "other": '
    yield from _json_list(map(_json_line, report.other))
    rest = {
        "bans": report.bans,
        "headline": report.headline,
        "learning": report.learning,
        "attention": [{"id": item.id} | asdict(item) for item in report.attention],
        "unusual": [asdict(item) for item in report.unusual],
        "glance": [asdict(item) for item in report.glance],
        "hours": report.hours,
        "summaries": [_summary(one) for one in report.summaries],
        "kinds": [asdict(kind) for kind in report.kinds],
        "notes": report.notes,
    }
    yield "\n  }," + json.dumps(rest, indent=2, default=_as_json).removeprefix("{") + "\n"


def _summary(summary: Summary) -> dict[str, Any]:
    columns = [asdict(column) for column in summary.columns]
    return asdict(summary) | {"columns": columns, "emphasis": sorted(summary.emphasis)}


def _as_json(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _json_list(items: Iterator[str]) -> Iterator[str]:
    comma = "["
    for item in items:
        yield f"{comma}\n{item}"
        comma = ","
    yield "[]" if comma == "[" else "\n    ]"


def _json_row(row: Row) -> str:
    times = ",".join(f'\n          "{time}"' for time in _times(row))
    return (
        f'      {{\n        "message": {json.dumps(row.message)},\n        "count": {row.count},\n'
        f'        "times": [{times}' + ("\n        ]" if times else "]") + "\n      }"
    )


def _times(row: Row) -> Iterator[str]:
    """All the times of a row, in order, in ISO 8601."""
    shown = [times.shown for times in row.details]
    if len(shown) == 1 and isinstance(shown[0], Instants):
        return shown[0].texts()
    return (time.isoformat() for time in merge(*shown, key=datetime.timestamp))


def _json_line(line: Line) -> str:
    return (
        f'      {{\n        "time": "{line.time.isoformat()}",\n'
        f'        "message": {json.dumps(line.message)}\n      }}'
    )


def _sample() -> Report:
    """A report that has something of everything."""
    begin = datetime(2026, 3, 5, tzinfo=UTC)
    times = [begin, begin + timedelta(hours=1)]
    modes = [Times(mode, 2, shown_times(mode, times)) for mode in DETAILS]
    report = Report("2026-03-05", ["host"], begin, begin + timedelta(days=1))
    report.first, report.last = times
    report.important = [Row("important", 10, modes)]
    report.interesting = [Row("interesting", 2, modes[:1])]
    report.other = [Line(begin, "other")]
    report.add_table("Table", ["Column"], [["value"]])
    report.notes = ["note"]
    return report
