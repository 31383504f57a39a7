"""A state that an older Pyruse wrote goes on with everything that it holds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from pyruse.api.firewall import Sets, Target
from pyruse.state import migrations
from pyruse.state.damage import StateError
from pyruse.state.database import State
from pyruse.state.days import kept_days, notes_of
from pyruse.state.events import (
    events_by_message,
    events_in_time,
)
from pyruse.state.kinds import events_by_kind
from pyruse.state.shared_bans import BanKey
from tests.state.filed import About, count_kind, file_event
from tests.state.schema import FILE, schema, schema_of_today

FOLDER = Path(__file__).parent
T = 1_773_489_600_000_000  # µs: 2026-03-14 12:00 UTC, when all of it happened


@pytest.fixture
def first(tmp_path: Path) -> str:
    """A state in schema 1."""
    path = str(tmp_path / "state.sqlite")
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript((FOLDER / "schema_1.sql").read_text())
    return path


def test_everything_of_schema_1_is_there(first: str) -> None:
    with State(first) as state:
        state.load()
        assert state.positions.get("anybody") == ("s=abc;i=1", T + 1)
        count = state.counters.count
        assert count("ssh", "203.0.113.7", at=T + 2, within=600_000_000) == 3
        assert count("ssh", "192.0.2.1", at=T + 2, within=1) == 0, "its grace lasts"
        assert count("all", "é", at=T + 2) == 2
        assert state.tables.table("nat").get("key", at=T) == {"a": 1}
        (day,) = kept_days(state.db)
        assert (day.day, day.entries) == ("2026-03-14", 4)
        assert state.days.unreported() == ["2026-03-14"]
        assert [event.message for event in events_by_message(state.db, [day.day], "important")] == [
            'it\'s "quoted"'
        ]
        assert [event.message for _, event in events_in_time(state.db, [day.day], "other")] == [
            "line\nbreak"
        ]
        assert notes_of(state.db, [day.day]) == ["a note"]
        (mail,) = state.outbox.items()
        assert (mail.id, mail.tried) == ("0123456789abcdef0123456789abcdef", None)
        bans = {ban.network: ban for _, ban in state.bans.all()}
        assert bans["203.0.113.7"].target == Target("nftables")
        assert bans["203.0.113.7"].until == T + 10**15
        assert bans["2001:db8::/64"].target == Target("nftables", Sets("ip mail banned"), (25, 587))
        assert [key.network for key in state.bans.untaken["nftables"].add] == ["2001:db8::/64"]
        offender = BanKey("203.0.113.7", Target("nftables"))
        assert state.offenders.bans(offender, T + 10**15 + 1) == 1


def test_what_goes_first_of_what_is_remembered(first: str) -> None:
    """Schema 5 did not keep in which order values were put: what ends first is the oldest."""
    with closing(sqlite3.connect(first)) as db:
        db.executemany(
            "INSERT INTO plugin_tables VALUES ('dnat addr', ?, '1', ?)",
            [("a", None), ("b", T + 3), ("c", T + 1)],
        )
        db.commit()
    with State(first) as state:
        state.load()
        assert list(state.tables.table("dnat addr")) == ["c", "b", "a"]


def test_the_tables_are_those_of_a_new_state(first: str, tmp_path: Path) -> None:
    with State(first) as state, State(str(tmp_path / "new.sqlite")) as new:
        assert schema(state.db) == schema(new.db)
        assert state.db.execute("PRAGMA user_version").fetchone() == (migrations.VERSION,)


def test_of_events_that_are_filed_already_each_message_is_a_kind(first: str) -> None:
    with State(first) as state:
        (row,) = events_by_kind(state.db, ["2026-03-14"], "other")
        assert (row.kind, row.cause, row.message) == (0, "", "line\nbreak")


def test_what_is_new_can_be_kept_in_it(first: str) -> None:
    with State(first) as state:
        state.load()
        state.faults.add("2026-03-14", "state", "commit", "no room", T)
        state.positions.update({"": ("s=abc;i=2", T + 5)})
        state.commit()
    with State(first, read_only=True) as state:
        state.load()
        assert state.positions.get("") == ("s=abc;i=2", T + 5)
        assert kept_days(state.db)[0].day == date(2026, 3, 14).isoformat()


def test_who_only_reads_changes_nothing(first: str) -> None:
    with pytest.raises(StateError) as refused:
        State(first, read_only=True)
    assert str(refused.value) == (
        f"{first}: written by an older Pyruse, schema 1 (expected {migrations.VERSION}: "
        "`pyruse run` brings it up to date when it starts)"
    )


def test_a_migration_that_fails_changes_nothing(
    first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = {**migrations._STEPS, 2: "CREATE TABLE half (n); INSERT INTO nowhere VALUES (1);"}
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "_STEPS", steps)
        with pytest.raises(StateError, match="no such table: nowhere"):
            State(first)
    with closing(sqlite3.connect(first)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
        assert "half" not in schema(db)
    State(first).close()


def test_tables_do_not_change_without_a_new_version() -> None:
    assert FILE.exists(), "a new version: record it (`python -m tests.state.schema`)"
    assert schema_of_today() == FILE.read_text(), (
        "the tables have changed: raise VERSION in pyruse/state/migrations.py, say there how older "
        "ones get there, and record the new ones (`python -m tests.state.schema`)"
    )


_BEFORE_19 = """
    DROP VIEW events; DROP TABLE event_heads; DROP TABLE event_texts; DROP TABLE event_ranges;
    CREATE TABLE events (
        day TEXT NOT NULL, section TEXT NOT NULL, message TEXT NOT NULL, details TEXT NOT NULL,
        time INTEGER NOT NULL, host TEXT, step TEXT, kind INTEGER, program TEXT, level INTEGER,
        event TEXT, cause TEXT, weight INTEGER, quote TEXT
    );
    CREATE INDEX events_by_day ON events (day, section);
"""
_BEFORE_14 = (
    _BEFORE_19
    + "".join(
        f"ALTER TABLE events DROP COLUMN {name};"
        for name in ("kind", "program", "level", "event", "cause", "weight", "quote")
    )
    + "DROP TABLE kinds; DROP TABLE kind_counts; DROP TABLE muted_kinds; "
    "DROP TABLE hours; ALTER TABLE outbox DROP COLUMN tried;"
)


def test_events_of_schema_18_are_all_there(tmp_path: Path) -> None:
    """Of two days and all sections, filed in turn; some have nothing but what is needed."""
    path = str(tmp_path / "state.sqlite")
    known = ("host", "step", 7, "app", 3, "disk fault", "device sda", 90)
    filed = [
        (f"2026-03-{day}", section, f"{message}", details, T + number, *facts, quote)
        for number, (day, section, message, details, facts, quote) in enumerate(
            (day, section, message, details, facts, quote)
            for message in range(5)
            for day in (15, 14)
            for section in ("other", "important", "interesting")
            for details, facts, quote in (("ALL", known, "line"), ("NONE", (None,) * 8, None))
        )
    ]
    with State(path) as state:
        state.db.executescript(f"{_BEFORE_19} PRAGMA user_version = 18;")
        state.db.executemany(f"INSERT INTO events VALUES ({', '.join('?' * 14)})", filed)
    with State(path) as state:
        state.load()
        columns = """day, section, message, details, time, host, step, kind, program, level, event,
                     cause, weight, quote"""
        read = f"SELECT {columns} FROM events ORDER BY day, section, rowid"
        rows = state.db.execute(read).fetchall()
        assert rows == sorted(filed, key=lambda row: (row[0], row[1]))
        assert len(rows) == 60
        file_event(state.days, "2026-03-14", "other", "new", "ALL", T, "new host")
        state.commit()
        assert len(state.db.execute(read).fetchall()) == 61
        assert state.db.execute("SELECT host FROM events WHERE message = 'new'").fetchall() == [
            ("new host",)
        ]
        assert state.db.execute("SELECT count(*) FROM event_heads").fetchone() == (13,)


def test_events_of_schema_13_are_of_no_kind_and_new_ones_are(tmp_path: Path) -> None:
    path = str(tmp_path / "state.sqlite")
    with State(path) as state:
        state.days.saw("2026-03-14", 1, T, T)
        state.commit()
        state.db.executescript(
            f"""{_BEFORE_14} PRAGMA user_version = 13;
               INSERT INTO events VALUES ('2026-03-14', 'other', 'old', 'ALL', {T}, 'h', NULL);"""
        )
    with State(path) as state:
        state.load()
        kind = count_kind(state.kinds, "2026-03-14", "h", "other", "", "app", "new", 6, "new", T)
        about = About(kind, "app", 6, "", "")
        file_event(state.days, "2026-03-14", "other", "new", "ALL", T, "h", "step", about)
        state.commit()
        rows = events_by_kind(state.db, ["2026-03-14"], "other")
        assert [(row.kind, row.message) for row in rows] == [(0, "old"), (kind, "new")]


def test_tallies_of_schema_12_have_their_totals(tmp_path: Path) -> None:
    path = str(tmp_path / "state.sqlite")
    with State(path) as state:
        state.db.executescript(
            f"""{_BEFORE_14} DROP TABLE tally_totals;
               INSERT INTO tallies VALUES
                   ('2026-03-14', 'login', 'h', '{{"user":"a"}}', 2, 7, 1, 2),
                   ('2026-03-14', 'login', 'h', '{{"user":"b"}}', 3, 7, 1, 2);
               PRAGMA user_version = 12;"""
        )
    with State(path) as state:
        found = state.db.execute("SELECT * FROM tally_totals").fetchall()
    assert found == [("2026-03-14", "login", "h", 5, 14)]
