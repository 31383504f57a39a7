"""A report as text or HTML, by templates, or as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyruse.api.report import DETAILS, Line, Report, Row, Times, shown_times
from pyruse.text import one_line, shortened

if TYPE_CHECKING:
    from jinja2 import Environment  # a command that renders nothing does without its 50 ms

_TEMPLATES = {"text": "report.txt.j2", "html": "report.html.j2"}
"""The forms that have a template, each with its file."""


class Renderer:
    """Renders reports, by the administrator's templates where there are any."""

    def __init__(self, templates: Path | None, limit: int) -> None:
        """Render by the administrator's templates where there are any.

        :param templates: the folder of the templates.
        :param limit: the number of rows of a section that people are shown.
        """
        self._folder = templates
        self._limit = limit

    def render(self, report: Report, form: str) -> str:
        """The report as ``text``, ``html`` or ``json``.

        A fault in a template of the administrator's never costs the report: the built-in template
        renders it then, and a note in the report tells of the fault.

        :raises ValueError: there is no such form.
        """
        if form == "json":
            return _json(report)
        if form not in _TEMPLATES:
            raise ValueError(f'"{form}" is no form of a report (expected text, html or json)')
        try:
            return self._by_own(report, form) or self._by(self._builtin, report, form)
        except _TemplateError as fault:
            note = f"{fault} (the built-in template was used instead)"
            if note not in report.notes:
                report.notes.append(note)
            return self._by(self._builtin, report, form)

    def faults(self) -> list[str]:
        """What is wrong with the administrator's templates, found by rendering a small report."""
        found = []
        for form in _TEMPLATES:
            try:
                self._by_own(_sample(), form)
            except _TemplateError as fault:
                found.append(str(fault))
        return found

    def _by_own(self, report: Report, form: str) -> str | None:
        """By the administrator's template, or None where there is none.

        :raises _TemplateError: it is faulty.
        """
        if self._folder is None:
            return None
        file = self._folder / _TEMPLATES[form]
        try:
            if not file.is_file():
                return None
            return self._by(self._environment, report, form)
        except Exception as fault:
            from pyruse.report.environment import fault_in

            raise _TemplateError(one_line(shortened(fault_in(fault, file), 500))) from fault

    def _by(self, environment: Environment, report: Report, form: str) -> str:
        from pyruse.report.environment import variables

        template = environment.get_template(_TEMPLATES[form])
        return template.render(variables(report, self._limit))

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


def report_data(report: Report) -> dict[str, Any]:
    """The three sections, whole, as JSON has them. Times are in ISO 8601 with their offset."""
    sections: dict[str, Any] = {
        section: [
            {
                "message": row.message,
                "count": row.count,
                "times": [time.isoformat() for time in row.times],
            }
            for row in rows
        ]
        for section, rows in (("important", report.important), ("interesting", report.interesting))
    }
    other = [{"time": line.time.isoformat(), "message": line.message} for line in report.other]
    return {**sections, "other": other}


def _json(report: Report) -> str:
    data = {
        "day": report.title,
        "hosts": report.hosts,
        "begin": report.begin.isoformat(),
        "end": report.end.isoformat(),
        "entries": report.entries,
        "report": report_data(report),
        "tables": [asdict(table) for table in report.tables],
        "notes": report.notes,
    }
    # In ASCII: what a log line may do to a terminal stays an escape, and yet nothing is lost.
    return json.dumps(data, indent=2).replace("\x7f", "\\u007f") + "\n"


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
