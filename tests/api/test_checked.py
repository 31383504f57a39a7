"""What a plugin gives that no report can hold is refused where the plugin gives it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from pyruse.api.findings import CellType, Column
from pyruse.api.report import Report
from pyruse.report.render import Renderer
from pyruse.report.subject import verdict
from tests.report.eventful import eventful


class Nameless:
    def __str__(self) -> str:
        raise RuntimeError("no text")


ANY: Any = None
REFUSED: dict[str, tuple[Callable[[Report], object], str]] = {
    "no text": (lambda report: report.attend(ANY, 50), "text is of type NoneType (expected str)"),
    "text as time": (
        lambda report: report.attend("x", 50, time="12:00"),  # type: ignore[arg-type]
        "time is of type str (expected datetime)",
    ),
    "day as time": (
        lambda report: report.attend("x", 50, time=date(2026, 3, 14)),  # type: ignore[arg-type]
        "time is of type date (expected datetime)",
    ),
    "no count": (
        lambda report: report.attend("x", 50, count=ANY),
        "count is of type NoneType (expected int)",
    ),
    "number as mark": (
        lambda report: report.attend("x", 50, mark=3),  # type: ignore[arg-type]
        "mark is of type int (expected str)",
    ),
    "names as columns": (
        lambda report: report.add_summary("id", "Title", ["a"], [[1]]),  # type: ignore[list-item]
        "a column is of type str (expected Column)",
    ),
    "a fact": (
        lambda report: report.add_summary("id", "Title", facts="a fact"),
        "facts is a text (expected several)",
    ),
    "no title": (
        lambda report: report.add_summary("id", ANY, facts=["a fact"]),
        "title is of type NoneType (expected str)",
    ),
    "text as emphasis": (
        lambda report: report.add_summary(
            "id", "Title", [Column("a")], [[1]], emphasis="0"  # type: ignore[arg-type]
        ),
        "emphasis is of type str (expected int)",
    ),
    "text as number": (
        lambda report: report.compare("x", "7", 8),  # type: ignore[arg-type]
        "today is of type str (expected int or float)",
    ),
    "infinite": (
        lambda report: report.compare("x", 1, float("inf"), "duration"),
        "usual is no number that can be written",
    ),
    "a cell without text": (
        lambda report: report.add_summary("id", "Title", [Column("a")], [[Nameless()]]),
        "no text",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("give", "text"), REFUSED.values(), ids=REFUSED)
def test_what_is_of_a_wrong_type_is_refused(give: Callable[[Report], object], text: str) -> None:
    report = eventful()
    with pytest.raises((TypeError, ValueError, RuntimeError)) as fault:
        give(report)
    assert str(fault.value) == text


@pytest.mark.parametrize("type_", ["number", "bytes", "duration", "share", "bar", "text", "time"])
def test_cells_that_are_no_numbers_cost_no_report(type_: CellType) -> None:
    report = eventful()
    cells = [float("nan"), float("inf"), 10**400, 10**5_000, -1, True, 1j, [1], b"x", "x", None]
    report.add_summary("odd", "Odd", [Column("cell", type_)], [[cell] for cell in cells])
    renderer = Renderer(None, 100)
    for form in ("text", "html", "full"):
        assert "Odd" in renderer.render(report, form) or "ODD" in renderer.render(report, form)

    def no_number(name: str) -> None:
        raise ValueError(f"{name} is not JSON (RFC 8259)")

    data = json.loads(renderer.render(report, "json"), parse_constant=no_number)
    rows = data["summaries"][-1]["rows"]
    assert [row[0] for row in rows[:6]] == [None, None, None, None, -1, True]
    assert verdict(report)
