"""The reports as pages: which one, which of its parts, and what of it has a text."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from pyruse import KindRow, Observer, Report, Section, Summary, page_variables
from pyruse_web.finding import finder

ROWS = 300
"""Of a part of a report that is asked for …"""
FIRST_ROWS = 30
"""… and of each part where all of them are shown."""
SIZE = 400_000
"""Bytes of HTML of a report's rows, about."""
_FOUND = 200
"""Messages that have a text."""
_KEPT, _KEPT_S, _LONG_S = 3, 60.0, 0.5
"""Reports that took longer than this, in seconds, are kept for a while: so many, and so long."""
_LONGEST_TEXT = 200
_SECTIONS: tuple[Section, ...] = ("important", "interesting", "other")
_SLOT = re.compile(r"<?\*>?|\{[^{}\s]*\}|\s\s+")
_SHORTEST = 4
"""Characters by which the messages of a kind can be found."""

FILTERS = {
    "attention": "Attention",
    "unusual": "Unlike other days",
    "important": "Important",
    "interesting": "Interesting",
    "summaries": "Summaries",
    "bans": "Bans",
    "other": "Other",
    "notes": "Notes",
}
"""The parts that may be asked for, each with its title."""


class NoSuchReport(Exception):
    """There is no such report."""


@dataclass(frozen=True)
class Asked:
    """What a page is asked for; whatever somebody has typed."""

    day: str | None = None
    """The name of a report; None: today's."""
    machine: str | None = None
    part: str = ""
    """One of `FILTERS`, or the id of a summary; empty: all of them."""
    text: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Asked:
        """What stands in the address of a page."""
        return cls(
            query.get("day"),
            query.get("host") or None,
            query.get("part", "")[:_LONGEST_TEXT],
            query.get("q", "").strip()[:_LONGEST_TEXT],
        )

    @property
    def path(self) -> str:
        """Of the page."""
        return "/" if self.day is None else f"/day/{self.day}"

    @property
    def section(self) -> Section | None:
        """The section that is asked for, if it is one."""
        return next((one for one in _SECTIONS if one == self.part), None)


class Looks:
    """Gives reports. It is asked by one thread at a time."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._made: dict[tuple[str | None, str | None], tuple[float, Report]] = {}
        """Those that took long to make: a flood of events has to be counted. Each with the time
        until which it is shown again."""

    def report(self, day: str | None, machine: str | None) -> Report:
        """A report that may be as old as a minute, where it takes seconds to make it."""
        begun = time.monotonic()
        until, report = self._made.pop((day, machine), (0.0, None))
        if report is None or begun >= until:
            report = self._observer.report(0, day, machine)
            if not report.kinds and any(report.left_out.values()):
                report = self._observer.report(ROWS, day, machine)  # of a Pyruse without kinds
            took = time.monotonic() - begun
            until = time.monotonic() + min(20 * took, _KEPT_S) if took > _LONG_S else 0.0
        if until:
            self._made[day, machine] = until, report
            while len(self._made) > _KEPT:
                del self._made[next(iter(self._made))]
        return report


def look(observer: Observer, looks: Looks, asked: Asked) -> dict[str, Any]:
    """What the template of a report is given.

    :raises NoSuchReport: nothing is kept of the day, or there is no report of the machine alone.
    """
    reports = observer.reports()
    names = [one["name"] for one in reports]
    if asked.day is not None and asked.day not in names:
        raise NoSuchReport(f"No report of {asked.day} is kept.")
    machines = observer.machines(asked.day)
    if asked.machine is not None and asked.machine not in machines:
        raise NoSuchReport(f"There is no report of {asked.machine} alone.")
    whole = looks.report(asked.day, asked.machine)
    report = whole.only({asked.part}) if asked.part else whole
    found = None
    if asked.text:
        report = _with_text(report, asked.text)
        if not asked.part or asked.section:
            found = observer.search(
                asked.text,
                day=whole.title, section=asked.section, machine=asked.machine, limit=_FOUND,
            )  # fmt: skip
    bans = None
    if asked.text and asked.part in ("", "bans"):
        bans = sum(map(finder(asked.text), observer.bans()))
    told = page_variables(whole, FIRST_ROWS, SIZE)
    shown = told if report is whole else page_variables(report, ROWS, SIZE)
    titles = {one.id: one.title for one in whole.summaries if one.id not in FILTERS}
    return {
        **shown,
        "verdict": told["verdict"],
        "totals": told["totals"],
        "title": FILTERS.get(asked.part) or titles.get(asked.part, asked.part),
        "titles": titles,
        "whole": whole,
        "is_open": all(one["reported"] is None for one in reports if one["name"] == whole.title),
        "is_empty": not (
            report.attention
            or report.unusual
            or report.summaries
            or report.notes
            or report.kinds
            or report.important
            or report.interesting
            or report.other
            or (found and found["messages"])
            or bans
        ),
        "found": found,
        "bans": bans,
        "asked": asked,
        "filters": FILTERS,
        "days": _days(reports, whole.title),
        "machines": machines,
        "literal": literal,
    }


def look_for(observer: Observer, asked: Asked) -> dict[str, Any]:
    """What the template of a search in all days is given."""
    found = None
    if asked.text:
        found = observer.search(asked.text, section=asked.section, limit=_FOUND)
    sections = {name: FILTERS[name] for name in _SECTIONS}
    return {"found": found, "asked": asked, "filters": sections}


def _days(reports: Sequence[Mapping[str, Any]], this: str) -> dict[str, Any]:
    """The reports to go to: all of them, the newest first, and those before and after."""
    of_days = [one for one in reports if one["every"] == "day"]
    every = next((one["every"] for one in reports if one["name"] == this), "day")
    same = [one["name"] for one in reports if one["every"] == every]
    at = same.index(this) if this in same else len(same)
    return {
        "before": same[at - 1] if at > 0 else None,
        "after": same[at + 1] if at + 1 < len(same) else None,
        "day": of_days[::-1],
        "week": [one for one in reports if one["every"] == "week"][::-1],
        "month": [one for one in reports if one["every"] == "month"][::-1],
        "this": this,
    }


def literal(kind: KindRow) -> str:
    """The longest text that all messages of a kind have, to find them by; empty: there is none."""
    parts = [part.strip() for part in _SLOT.split(kind.template)]
    longest = max(parts, key=len, default="")
    return longest[:_LONGEST_TEXT] if len(longest) >= _SHORTEST else ""


def _with_text(report: Report, text: str) -> Report:
    """What of a report has a text, whatever its case."""
    wanted = text.casefold()

    def has(*texts: str) -> bool:
        return any(wanted in one.casefold() for one in texts)

    summaries = (_rows_with(one, wanted) for one in report.summaries)
    return replace(
        report,
        attention=[one for one in report.attention if has(one.text, one.mark, one.quote)],
        unusual=[one for one in report.unusual if has(one.text, one.program, one.what)],
        glance=[one for one in report.glance if has(one.name)],
        hours=[],
        important=[row for row in report.important if has(row.message)],
        interesting=[row for row in report.interesting if has(row.message)],
        other=[line for line in report.other if has(line.message)],
        kinds=[
            kind
            for kind in report.kinds
            if has(kind.template, kind.program, kind.event, *(text for text, _ in kind.messages))
        ],
        summaries=[one for one in summaries if one is not None],
        notes=[note for note in report.notes if has(note)],
        left_out={},
    )


def _rows_with(summary: Summary, wanted: str) -> Summary | None:
    """A summary with those rows and sentences that have a text; None: none has it."""
    if wanted in summary.title.casefold():
        return summary
    at = [number for number, row in enumerate(summary.rows) if _in(row, wanted)]
    facts = [fact for fact in summary.facts if wanted in fact.casefold()]
    if not at and not facts:
        return None
    return replace(
        summary,
        rows=[summary.rows[number] for number in at],
        facts=facts,
        left_out=0,
        emphasis={new for new, number in enumerate(at) if number in summary.emphasis},
    )


def _in(row: Iterable[Any], wanted: str) -> bool:
    return any(wanted in str(cell).casefold() for cell in row if cell is not None)
