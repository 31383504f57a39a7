"""The report as JSON, for programs: all of it, as it was."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from pyruse.api.report import Line
from pyruse.report.render import Renderer, report_data
from tests.report.sample import HOSTILE, at, empty, full, row


def test_the_three_sections():
    report = empty()
    report.important = [row("a", FIRSTLAST=[at(1), at(2), at(3)])]
    report.interesting = [row("b", NONE=[at(1), at(2)])]
    report.other = [Line(at(4) + timedelta(microseconds=5), "c")]
    assert report_data(report) == {
        "important": [
            {
                "message": "a",
                "count": 3,
                "times": ["2026-03-14T01:00:00+01:00", "2026-03-14T03:00:00+01:00"],
            }
        ],
        "interesting": [{"message": "b", "count": 2, "times": []}],
        "other": [{"time": "2026-03-14T04:00:00.000005+01:00", "message": "c"}],
    }


def test_what_is_around_them():
    report = full()
    data = json.loads(Renderer(None, 1).render(report, "json"))
    assert data.pop("report") == report_data(report)
    assert data == {
        "day": "2026-03-14",
        "hosts": ["aubergine"],
        "begin": "2026-03-14T00:00:00+01:00",
        "end": "2026-03-15T00:00:00+01:00",
        "entries": 12_345,
        "bans": 0,
        "headline": None,
        "learning": 0,
        "attention": [],
        "unusual": [],
        "glance": [],
        "hours": [],
        "summaries": [
            {
                "id": "bans",
                "title": "Bans",
                "columns": [
                    {"name": "Address", "type": "text"},
                    {"name": "Bans", "type": "text"},
                    {"name": "Until", "type": "text"},
                ],
                "rows": [["192.0.2.7", "3", "for ever"], ["2001:db8::/64", "12", ""]],
                "facts": [],
                "left_out": 0,
                "emphasis": [],
            }
        ],
        "kinds": [],
        "notes": ["From 01:00 to 02:00 the journal has no entries: was the machine down?"],
    }


def test_nothing_is_shortened_or_left_out():
    report = empty()
    times = [at(1) + timedelta(seconds=number) for number in range(5_000)]
    report.important = [row("x" * 1_000_000, ALL=times)]
    report.other = [Line(at(1), "line")] * 3
    data = json.loads(Renderer(None, 1).render(report, "json"))["report"]
    assert data["important"][0]["message"] == "x" * 1_000_000
    assert len(data["important"][0]["times"]) == 5_000
    assert len(data["other"]) == 3


def test_a_hostile_message_is_whole_and_yet_harmless_on_a_terminal():
    hostile = f"{HOSTILE}\x7f\x9c\udc80 é"
    report = empty()
    report.other = [Line(at(1), hostile)]
    text = Renderer(None, 1).render(report, "json")
    assert json.loads(text)["report"]["other"][0]["message"] == hostile
    assert {char for char in text if not " " <= char <= "~"} == {"\n"}


def test_another_form_is_refused():
    with pytest.raises(
        ValueError, match='"pdf" is no form of a report \\(expected text, full, html or'
    ):
        Renderer(None, 1).render(empty(), "pdf")
