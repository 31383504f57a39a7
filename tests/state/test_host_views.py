"""A connection that shows one machine alone shows nothing of the others, and then all again."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pyruse.state.database import State
from pyruse.state.days import kept_days, notes_of
from pyruse.state.events import (
    count_events,
    events_by_message,
    events_in_time,
    hosts_of,
)
from pyruse.state.faults import faults_of
from pyruse.state.host_views import all_but, only_of
from tests.state.filed import file_event

DAY = "2026-03-14"
T = 1_773_489_600_000_000


def test_the_events_of_one_machine(tmp_path: Path) -> None:
    with State(str(tmp_path / "state.sqlite")) as state:
        state.load()
        days = state.days
        days.open_day(date.fromisoformat(DAY))
        days.saw(DAY, 40, T, T + 40)
        for number, host in enumerate(["web1", "it's", None, "web1", "own"]):
            file_event(days, DAY, "other", f"{number}", "ALL", T + number, host)
            file_event(days, DAY, "important", "same", "ALL", T + number, host)
        days.note(DAY, "a note")
        state.faults.add(DAY, "journal", "x", "a fault", T)
        state.commit()
    with State(str(tmp_path / "state.sqlite"), read_only=True) as state:
        db = state.db
        with only_of(db, "web1"):
            assert [event.message for _, event in events_in_time(db, [DAY], "other")] == ["0", "3"]
            (same,) = events_by_message(db, [DAY], "important")
            assert list(same.times["ALL"]) == [T, T + 3]
            assert hosts_of(db, [DAY]) == ["web1"]
            (day,) = kept_days(db)
            assert (day.entries, day.first, day.last) == (4, T, T + 3)
            assert (notes_of(db, [DAY]), faults_of(db, [DAY])) == ([], [])
        with only_of(db, "it's"):
            assert [event.message for _, event in events_in_time(db, [DAY], "other")] == ["1"]
        with all_but(db, ["web1", "it's"]):
            assert [event.message for _, event in events_in_time(db, [DAY], "other")] == ["2", "4"]
            (day,) = kept_days(db)
            assert (day.entries, notes_of(db, [DAY])) == (40, ["a note"])
            assert len(faults_of(db, [DAY])) == 1
        assert count_events(db, [DAY])["other"] == 5
