"""The state's file: one transaction for everything, or nothing at all."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from pyruse.api.bans import Ban
from pyruse.api.firewall import Target
from pyruse.state import removal
from pyruse.state.damage import StateError
from pyruse.state.database import State
from pyruse.state.migrations import VERSION
from pyruse.state.outbox import Outbox
from pyruse.state.outbox_item import OutboxItem
from pyruse.testing.waiting import TIME_LIMIT
from tests.state.filed import file_event

T0 = 1_773_489_600_000_000
CURSOR = ("s=1;i=2", T0)


def fill(state: State, at: int = T0) -> None:
    """Something of everything."""
    state.counters.count("c", "k", at=at, within=1000)
    state.counters.count("ever", "k", at=at)
    state.counters.reset("grace", "k", at=at, grace=1000)
    state.tables.table("t").put("k", 1)
    state.days.saw("2026-03-14", 1, at, at)
    file_event(state.days, "2026-03-14", "important", "message", "ALL", at, "host")
    state.days.note("2026-03-14", "note")
    state.outbox.put(OutboxItem("log", {"message": "hello"}, at, at))
    mail = {"subject": "s", "to": [], "parts": ["x"], "count": 1, "html": None}
    state.outbox.put_gathered(OutboxItem("mail", mail, at, at, group="g"), 1000)


def held(state: State) -> dict[str, int]:
    """How many rows each table has."""
    tables = state.db.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    return {
        name: state.db.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in tables
    }


FILLED = {
    "positions": 1, "counts": 2, "graces": 1, "remembered": 1, "days": 1, "event_heads": 1,
    "event_ranges": 1, "event_texts": 1, "notes": 1, "outbox": 2, "gatherings": 1,
}  # fmt: skip


def rows(state: State) -> dict[str, int]:
    """The same of the tables that hold something; those of bans are seen to in tests/bans.

    By ``owners``, a state tells itself from others from its first commit on.
    """
    return {name: number for name, number in held(state).items() if number and name != "owners"}


def test_everything_and_the_cursor_are_there_at_the_next_start(opened):
    state = opened()
    fill(state)
    state.positions.update({"": CURSOR})
    state.commit()
    assert rows(state) == FILLED
    state = opened()
    assert state.positions.get("") == CURSOR
    assert state.counters.count("c", "k", at=T0, within=1000) == 2
    assert state.counters.count("ever", "k", at=T0) == 2
    assert state.counters.count("grace", "k", at=T0) == 0
    assert state.tables.table("t").get("k", at=T0) == 1
    assert state.days.unreported() == ["2026-03-14"]
    assert [item.kind for item in state.outbox.items()] == ["log", "mail"]


def test_a_commit_without_a_cursor_keeps_the_last_one(opened):
    state = opened()
    state.positions.update({"": CURSOR})
    state.commit()
    fill(state)
    state.commit()
    assert opened().positions.get("") == CURSOR


@pytest.mark.parametrize("part", ["counters", "tables", "days", "bans", "outbox"])
def test_when_a_part_fails_nothing_is_written_and_nothing_forgotten(opened, monkeypatch, part):
    state = opened()
    fill(state)

    def fail(db):
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(getattr(state, part), "save", fail)
        state.positions.update({"": CURSOR})
        for _ in range(2):
            with pytest.raises(sqlite3.OperationalError):
                state.commit()
            assert rows(state) == {}
    state.commit()
    assert rows(state) == FILLED


def test_a_disk_that_is_full(opened):
    state = opened()
    state.commit()
    (pages,) = state.db.execute("PRAGMA page_count").fetchone()
    state.db.execute(f"PRAGMA max_page_count = {pages + 2}")
    fill(state)
    for number in range(1000):
        state.days.note("2026-03-14", f"{number} " + "x" * 100)
    state.positions.update({"": CURSOR})
    with pytest.raises(sqlite3.OperationalError, match="full"):
        state.commit()
    assert rows(state) == {}
    state.db.execute("PRAGMA max_page_count = 1000000")
    state.commit()
    assert rows(state) == {**FILLED, "notes": 1001}


def test_a_reader_sees_a_batch_whole_or_not_at_all(opened, tmp_path):
    state = opened()
    fill(state)
    state.positions.update({"": CURSOR})
    state.commit()
    reader = State(str(tmp_path / "state.sqlite"), read_only=True)
    fill(state, T0 + 1)
    state.db.execute("BEGIN IMMEDIATE")
    state.days.events.save(state.db)
    assert rows(state)["event_texts"] == 2
    assert rows(reader) == FILLED
    state.db.execute("ROLLBACK")
    state.commit()
    assert rows(reader)["event_texts"] == 2
    reader.close()


def test_read_only_it_is_never_written(opened, tmp_path):
    state = opened()
    fill(state)
    state.positions.update({"": CURSOR})
    state.commit()
    reader = State(str(tmp_path / "state.sqlite"), read_only=True)
    reader.load()
    assert reader.positions.get("") == CURSOR
    reader.positions.update({"": ("other", T0)})
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.commit()
    assert reader.db.execute("SELECT cursor, time FROM positions").fetchone() == CURSOR
    reader.close()


def test_read_only_it_is_never_made(tmp_path):
    path = tmp_path / "folder" / "state.sqlite"
    with pytest.raises(StateError) as refused:
        State(str(path), read_only=True)
    assert str(refused.value) == (
        f"{path}: the state cannot be used: unable to open database file (expected a file that "
        "this user may read and write; another one is chosen by [state] url)"
    )
    assert not path.parent.exists()


def test_there_is_nothing_to_read_in_an_empty_file(tmp_path):
    path = tmp_path / "state.sqlite"
    path.touch()
    with pytest.raises(StateError) as refused:
        State(str(path), read_only=True)
    expected = f"{path}: there is nothing in it (expected a state of Pyruse's)"
    assert str(refused.value) == expected
    assert path.stat().st_size == 0


def test_the_folder_is_made_and_others_may_not_read_it(tmp_path):
    path = tmp_path / "one" / "two" / "state.sqlite"
    before = os.umask(0o022)
    try:
        state = State(str(path))
        fill(state)
        state.commit()
        modes = {file.name: oct(file.stat().st_mode & 0o777) for file in path.parent.iterdir()}
        assert modes == dict.fromkeys(
            ("state.sqlite", "state.sqlite-wal", "state.sqlite-shm"), "0o640"
        )
        assert path.parent.stat().st_mode & 0o777 == 0o750
        state.close()
    finally:
        os.umask(before)


def test_a_path_with_odd_characters(tmp_path):
    path = str(tmp_path / "a b%20?#é" / "state.sqlite")
    state = State(path)
    state.positions.update({"": CURSOR})
    state.commit()
    reader = State(path, read_only=True)
    reader.load()
    assert reader.positions.get("") == CURSOR
    reader.close()
    state.close()


def foreign_database(path):
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE theirs (x)")
    db.close()


@pytest.mark.parametrize("read_only", [False, True])
def test_a_database_of_another_program_is_left_alone(tmp_path, read_only):
    path = tmp_path / "theirs.sqlite"
    foreign_database(path)
    before = path.read_bytes()
    with pytest.raises(StateError) as refused:
        State(str(path), read_only=read_only)
    assert str(refused.value) == f"{path}: not a database of Pyruse's (expected another file)"
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["theirs.sqlite"]


@pytest.mark.parametrize("content", [b"hello, I am a text\n" * 100, b"\0" * 4096])
def test_a_file_that_is_no_database_is_left_alone(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(StateError) as refused:
        State(str(path))
    assert str(refused.value).startswith(f"{path}: the state cannot be used: file is not a data")
    assert path.read_bytes() == content


def test_a_folder_in_its_place(tmp_path):
    with pytest.raises(StateError, match="the state cannot be used: unable to open database"):
        State(str(tmp_path))


def test_no_folder_can_be_made_there(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="the state cannot be used: File exists"):
        State(str(tmp_path / "file" / "state.sqlite"))


def test_a_newer_schema_is_refused(opened, tmp_path):
    state = opened()
    fill(state)
    state.commit()
    state.db.execute("PRAGMA user_version = 99")
    state.close()
    path = tmp_path / "state.sqlite"
    before = path.read_bytes()
    with pytest.raises(StateError) as refused:
        State(str(path))
    assert str(refused.value) == (
        f"{path}: written by a newer Pyruse, schema 99 (expected at most {VERSION}: upgrade Pyruse)"
    )
    assert path.read_bytes() == before


def test_a_schema_that_cannot_be_made_leaves_nothing_behind(tmp_path, monkeypatch):
    path = str(tmp_path / "state.sqlite")
    with monkeypatch.context() as patched:
        patched.setattr(Outbox, "SCHEMA", "CREATE TABLE outbox (oops;")
        with pytest.raises(StateError):
            State(path)
    with closing(sqlite3.connect(path)) as db, db:
        assert db.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
    db.close()
    state = State(path)
    assert "outbox" in held(state)
    state.close()


KILLED = """
import os, signal, sys
from pyruse.state import database, outbox
connect = database.connect
def connect_to_kill(path, **more):
    db = connect(path, **more)
    db.create_function("kill", 0, lambda: os.kill(os.getpid(), signal.SIGKILL))
    return db
database.connect = connect_to_kill
outbox.Outbox.SCHEMA += "INSERT INTO gatherings VALUES ('x', kill());"
database.State(sys.argv[1])
"""


def test_a_kill_in_the_middle_of_making_it(tmp_path):
    path = tmp_path / "state.sqlite"
    done = subprocess.run([sys.executable, "-c", KILLED, path], check=False, timeout=TIME_LIMIT)
    assert done.returncode == -signal.SIGKILL
    assert path.exists()
    state = State(str(path))
    assert rows(state) == {}
    fill(state)
    state.positions.update({"": CURSOR})
    state.commit()
    assert rows(state) == FILLED
    state.close()


def test_room_that_a_flood_had_taken_is_given_back_once_it_is_forgotten(opened, tmp_path):
    state = opened()
    path = tmp_path / "state.sqlite"
    for number in range(20_000):
        file_event(state.days, "2026-03-10", "other", f"{number} " + "x" * 500, "ALL", T0, None)
    state.days.end("2026-03-10", T0)
    fill(state)
    state.positions.update({"": CURSOR})
    state.commit()
    state.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert path.stat().st_size > 10_000_000
    state.remove_before(T0, date(2026, 3, 14))
    state.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert path.stat().st_size < 300_000
    assert rows(state)["event_texts"] == 1
    assert opened().positions.get("") == CURSOR


def test_what_is_older_is_removed_in_slices(opened, tmp_path):
    state = opened()
    for number in range(20_000):
        file_event(state.days, "2026-03-10", "other", f"{number} " + "x" * 500, "ALL", T0, None)
    state.days.end("2026-03-10", T0)
    state.commit()
    left, pages = [20_000], []
    for _ in state.removal(T0, date(2026, 3, 14)):
        left.append(state.db.execute("SELECT count(*) FROM events").fetchone()[0])
        pages.append(state.db.execute("PRAGMA page_count").fetchone()[0])
        state.positions.update({"": (str(len(left)), T0)})
        state.commit()  # as the daemon does it meanwhile
    assert left[-1] == 0
    assert max(before - after for before, after in pairwise(left)) <= 200
    assert max(before - after for before, after in pairwise(pages)) <= 501
    assert pages[-1] < pages[0] / 10
    assert state.db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_large_state_of_an_older_pyruse_is_written_anew_at_a_start_and_never_meanwhile(
    opened, tmp_path, monkeypatch
):
    monkeypatch.setattr(removal, "_QUICK", 9_000_000)
    state = opened()
    for number in range(20_000):
        file_event(state.days, "2026-03-10", "other", f"{number} " + "x" * 500, "ALL", T0, None)
    state.days.end("2026-03-10", T0)
    state.commit()
    state.db.execute("PRAGMA auto_vacuum = 0")
    state.db.execute("VACUUM")  # as an older Pyruse has made it
    state.close()
    state = opened()
    assert state.db.execute("PRAGMA auto_vacuum").fetchone() == (0,), "that would take long"
    done: list[str] = []
    state.db.set_trace_callback(done.append)
    state.remove_before(T0, date(2026, 3, 14))
    assert "event_texts" not in rows(state)
    assert not [one for one in done if "VACUUM" in one.upper().split()]
    state.close()
    state = opened()
    assert state.db.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    state.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert Path(state.path).stat().st_size < 300_000


def test_what_is_older_than_it_should_be_kept_is_removed(opened):
    state = opened()
    for number in range(5):
        day = date(2026, 3, 10 + number)
        file_event(state.days, day.isoformat(), "other", "x", "ALL", T0, None)
        state.days.end(day.isoformat(), T0)
        ban = Ban(f"203.0.113.{number}", "", T0, None, "", "", 1, Target("nftables"))
        state.ban_history.add(ban, T0 + number)
    state.commit()
    state.remove_before(T0 + 2, date(2026, 3, 13))
    assert state.db.execute("SELECT day FROM events ORDER BY day").fetchall() == [
        ("2026-03-13",),
        ("2026-03-14",),
    ]
    networks = [ban.network for _, ban in state.ban_history.read(state.db)]
    assert networks == ["203.0.113.2", "203.0.113.3", "203.0.113.4"]
