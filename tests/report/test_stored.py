"""A day of attack: a report is made row by row, and what people are shown of it is chosen."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pyruse.api.report import Report
from pyruse.report.choice import divided
from pyruse.report.plaintext import WIDTH
from pyruse.report.render import Renderer
from pyruse.report.rows import fill
from pyruse.report.stored import Instants, KeptLines
from pyruse.state.database import State
from pyruse.state.days import kept_days
from pyruse.times import time_us_of
from tests.report.sample import MIDNIGHT, PARIS, empty
from tests.state.filed import file_event

DAY = "2026-03-14"
ROWS = 20_000
MB = 1 << 20


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """A state with a day on which a stranger tried 20,000 names; and a little else happened."""
    path = tmp_path_factory.mktemp("state") / "state.sqlite"
    at = time_us_of(MIDNIGHT)
    with State(str(path)) as state:
        state.load()
        state.days.saw(DAY, 3 * ROWS, at, at + 1)
        for number in range(ROWS):
            name = f"{number * 7919 % ROWS:05}" + "x" * 150
            for section, step in (("interesting", "ssh"), ("other", "rest")):
                file_event(
                    state.days, DAY, section, f"host tried {name}", "ALL", at + number, None, step
                )
        file_event(state.days, DAY, "important", "root logged in", "ALL", at + 5, None, "login")
        file_event(state.days, DAY, "interesting", "zfs: scrub is done", "ALL", at + 6, None, "zfs")
        file_event(state.days, DAY, "other", "zfs is fine", "ALL", at + 9, None, "rest")
        for _ in range(3):
            file_event(
                state.days, DAY, "interesting", "host tried root", "ALL", at + 7, None, "ssh"
            )
        state.commit()
        yield state


def report_of(state: State, *, at_once: bool = False) -> Report:
    report = empty()
    fill(report, state.db, kept_days(state.db), PARIS, at_once=at_once)
    return report


@pytest.mark.parametrize(("form", "ours"), [("text", 100_000), ("html", 90_000)])
@pytest.mark.parametrize("largest", [10_000, 40_000, 1_000_000, None])
def test_a_report_for_people_has_room_for_all_who_report(
    attacked: State, form: str, ours: int, largest: int | None
) -> None:
    report = report_of(attacked)
    text = Renderer(None, 10_000).render(report, form, largest)
    room = min(largest or ours, ours)
    assert len(text.encode()) <= room
    assert form == "html" or len(text.splitlines()) <= 300
    assert form == "html" or len(text.splitlines()) > 270 or len(text) > 0.9 * room
    assert form == "text" or len(text.encode()) > room * 0.7
    for row in ("root logged in", "zfs: scrub is done", "host tried root", "zfs is fine"):
        assert row in text, "no stranger pushes it out"
    shown = text.count("host tried 0") + text.count("host tried 1")
    assert "20,001" in text
    assert "20,002 messages, 20,004 events" in text
    assert text.count("--full") == 2, "what is left out is counted, in both sections"
    assert 5 < shown < 2 * ROWS


def test_what_is_left_out_and_what_is_shown_is_all(attacked: State) -> None:
    text = Renderer(None, 10_000).render(report_of(attacked), "text")
    interesting = text.partition("INTERESTING")[2].partition("OTHER")[0]
    left_out = int(interesting.partition("… and ")[2].split()[0].replace(",", ""))
    assert interesting.count(" × ") + left_out == ROWS + 2


def test_in_full_nothing_is_left_out(attacked: State) -> None:
    report = report_of(attacked)
    text = Renderer(None, 10_000).render(report, "full")
    assert "--full" not in text
    assert text.count("host tried ") == 2 * ROWS + 1
    assert text.count("\n3 × host tried root  ") == 1
    assert max(map(len, text.splitlines())) <= WIDTH


def test_json_is_the_same_row_by_row(attacked: State) -> None:
    renderer = Renderer(None, 10_000)
    stored, whole = report_of(attacked), report_of(attacked, at_once=True)
    text = "".join(renderer.pieces(stored, "json"))
    assert text == renderer.render(whole, "json")
    data = json.loads(text)
    assert text == json.dumps(data, indent=2) + "\n"
    assert len(data["report"]["interesting"]) == ROWS + 2
    assert len(data["report"]["other"]) == ROWS + 1
    assert stored.events == whole.events == 2 * ROWS + 6


def test_no_form_takes_much_memory(attacked: State) -> None:
    renderer = Renderer(None, 10_000)
    renderer.render(report_of(attacked), "html", 20_000)  # what is imported once stays
    renderer.render(report_of(attacked), "text", 20_000)
    renderer.render(empty(), "full")
    tracemalloc.start()
    try:
        report = report_of(attacked)
        for form in ("json", "full"):
            for _ in renderer.pieces(report, form):
                pass
        _, peak_whole = tracemalloc.get_traced_memory()
        renderer.render(report, "html", 100_000)
        renderer.render(report, "text", 100_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_whole < 1 * MB
    assert peak < 6 * MB


def test_rows_are_a_sequence(attacked: State) -> None:
    report = report_of(attacked)
    rows = report.interesting
    assert len(rows) == ROWS + 2
    assert rows[0].message.startswith("host tried 00000")
    assert rows[-1].message == "zfs: scrub is done"
    assert [row.message for row in rows[-2:]] == ["host tried root", "zfs: scrub is done"]
    assert rows[-2].count == 3
    assert len(rows[-2].times) == 3
    assert [row.message for row in rows[:2]] == [rows[0].message, rows[1].message]
    with pytest.raises(IndexError):
        rows[ROWS + 2]
    assert rows == list(rows)
    assert rows != list(rows)[:-1]
    assert report.important == report_of(attacked, at_once=True).important


def test_lines_in_memory_are_a_sequence_too(attacked: State) -> None:
    stored, kept = report_of(attacked).other, report_of(attacked, at_once=True).other
    assert list(kept) == list(stored) == kept
    assert kept[-2:] == [kept[ROWS - 1], kept[ROWS]] == stored[-2:]
    with pytest.raises(IndexError):
        kept[ROWS + 1]


def test_each_part_gets_its_share_or_what_it_needs() -> None:
    many = {"important": 1e9, "interesting": 1e9, "tables": 1e9, "notes": 1e9, "other": 1e9}
    assert divided(1000, many) == {
        "important": 350, "interesting": 200, "tables": 250, "notes": 50, "other": 150,
    }  # fmt: skip
    few = {**many, "important": 10, "tables": 0, "notes": 0}
    found = divided(1000, few)
    assert found["important"] == 10
    assert round(found["interesting"] + found["other"]) == 990
    assert found["interesting"] > found["other"] > 400
    assert sum(divided(1e12, many).values()) == 5e9


def test_a_template_that_shows_more_than_there_is_room_for_is_replaced(
    attacked: State, tmp_path: Path
) -> None:
    (tmp_path / "report.txt.j2").write_text(
        "{% for line in report.other %}{{ line.message }}\n{% endfor %}"
    )
    report = report_of(attacked)
    text = Renderer(tmp_path, 10_000).render(report, "text", 50_000)
    assert len(text) <= 50_000
    assert "root logged in" in text
    assert "where there is room for 50,000 (expected what `shown` has" in report.notes[0]


@pytest.mark.parametrize("name", ["UTC", "Europe/Paris", "Asia/Kolkata", "Africa/Monrovia"])
def test_the_texts_of_times_are_those_of_their_datetimes(name: str) -> None:
    zone = ZoneInfo(name)
    begins = [datetime(1969, 12, 31, tzinfo=UTC), datetime(2026, 3, 29, tzinfo=UTC)]
    times_us = [time_us_of(begin) + step * 977_000_300 for begin in begins for step in range(200)]
    times_us += [0, -1, times_us[-1], times_us[-1] - 1, times_us[-1] // 1_000_000 * 1_000_000]
    times = Instants(times_us, zone)
    assert list(times.texts()) == [time.isoformat() for time in times]
    lines = KeptLines([(time_us, f"at {time_us}") for time_us in times_us], zone)
    assert list(lines.texts()) == [(line.time.isoformat(), line.message) for line in lines]
