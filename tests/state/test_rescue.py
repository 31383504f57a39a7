"""A state whose file is damaged: what can be read of it goes on, and the file is kept beside it."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

import pytest

from pyruse.api.bans import Ban
from pyruse.api.firewall import Target
from pyruse.state.damage import DamagedError, StateError, is_damage
from pyruse.state.database import State
from pyruse.state.days import notes_of
from pyruse.state.events import (
    events_by_message,
)
from pyruse.state.expectations import absences_of, expected_of
from pyruse.state.outbox_item import OutboxItem
from pyruse.state.rescue import kept_state
from pyruse.state.shared_bans import BanKey
from tests.state.filed import file_event

T0 = 1_773_489_600_000_000
DAY = "2026-03-14"
EVENTS, BANS = 5_000, 1_000
PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A state of several hundred pages, closed."""
    path = tmp_path / "state.sqlite"
    with State(str(path)) as state:
        fill(state)
    return path


def fill(state: State) -> None:
    for number in range(EVENTS):
        file_event(state.days, DAY, "important", f"event {number:04}", "ALL", T0 + number, "host")
    state.days.saw(DAY, EVENTS, T0, T0 + EVENTS)
    target = Target("nftables")
    for number in range(BANS):
        address = f"203.0.{number // 250}.{number % 250}"
        ban = Ban(address, "ssh", T0, None, "x" * 50, "", 1, target)
        state.bans.put(BanKey(address, target), ban)
        state.ban_history.add(ban, T0)
    state.counters.count("ssh", "203.0.113.7", at=T0)
    state.tables.table("nat").put("key", 1)
    state.expectations.expect({"backup": 5, "renewal": 10}, set(), T0)
    state.expectations.overdue(T0 + 7)
    mail = {"subject": "s", "to": [], "parts": ["x"], "count": 1, "html": None}
    state.outbox.put(OutboxItem("mail", mail, T0, T0))
    state.positions.update({"": ("s=1;i=2", T0)})
    state.commit()


@contextmanager
def daemon(path: Path) -> Iterator[tuple[State, list[str]]]:
    """What a daemon starts with, and what it tells."""
    told: list[str] = []
    with kept_state(str(path), told.append) as state:
        yield state, told


def aside(path: Path) -> Path:
    (found,) = path.parent.glob("*.damaged-????????T??????Z")
    return found


def messages(state: State) -> list[str]:
    return [event.message for event in events_by_message(state.db, [DAY], "important")]


def root_page(path: Path, name: str) -> int:
    with closing(sqlite3.connect(path)) as db:
        query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        (page,) = db.execute(query, (name,)).fetchone()
    return int(page)


def garble(path: Path, page: int, after: int = 0) -> None:
    """Write garbage over a page (the first one has the number 1), after so many of its bytes."""
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE + after)
        file.write(random.Random(1).randbytes(PAGE - after))


def page_with(path: Path, text: bytes) -> int:
    """The page in the middle of those that hold a text."""
    data = path.read_bytes()
    found = [at // PAGE + 1 for at in range(0, len(data), PAGE) if text in data[at : at + PAGE]]
    return found[len(found) // 2]


def mistaken_for_whole(path: Path) -> None:
    """As after a power cut: the log is there still."""
    Path(f"{path}-wal").write_bytes(b"\0" * 100)


def test_a_whole_state_is_opened_as_it_is(path: Path) -> None:
    before = path.read_bytes()
    with daemon(path) as (state, told):
        assert state.positions.get("") == ("s=1;i=2", T0)
        assert (len(messages(state)), len(state.bans)) == (EVENTS, BANS)
    assert told == []
    assert path.read_bytes() == before


@pytest.mark.parametrize("table", ["event_heads", "event_ranges"])
def test_events_outlive_what_they_have_in_common(path: Path, table: str) -> None:
    garble(path, root_page(path, table))
    mistaken_for_whole(path)
    with daemon(path) as (state, (line,)):
        assert f"all but a part of {table}; " in line
        assert len(messages(state)) == EVENTS
        file_event(state.days, DAY, "important", "new", "NONE", T0 + EVENTS, "other host", "step")
        state.commit()
        *_, (host, step, message) = state.db.execute("SELECT host, step, message FROM events")
        assert (host, step, message) == ("other host", "step", "new")
        (hosts,) = state.db.execute("SELECT count(*) FROM events WHERE host = 'host'").fetchone()
        assert hosts == (0 if table == "event_heads" else EVENTS)


def test_a_garbled_page_costs_what_was_on_it(path: Path) -> None:
    garble(path, page_with(path, b"event 2"))
    mistaken_for_whole(path)
    damaged = path.read_bytes()
    with daemon(path) as (state, told):
        left = messages(state)
        assert EVENTS - 200 < len(left) < EVENTS
        assert left[0] == "event 0000"
        assert left[-1] == f"event {EVENTS - 1}"
        assert len(state.bans) == BANS
        assert state.positions.get("") == ("s=1;i=2", T0)
        assert len(state.outbox.items()) == 1
        assert state.tables.table("nat").get("key", at=T0) == 1
        assert [(one.name, one.absent) for one in expected_of(state.db)] == [
            ("backup", T0 + 5), ("renewal", None),
        ]  # fmt: skip
        assert [one.name for one in absences_of(state.db, T0, T0 + 9)] == ["backup"]
        assert state.counters.count("ssh", "203.0.113.7", at=T0) == 2
        (line,) = told
        assert notes_of(state.db, [DAY]) == [line]
        state.commit()
        state.check()
    assert line.startswith(f"{path}: the state was damaged: ")
    kept = "what could be read is kept: all but a part of event_texts"
    assert line.endswith(f"{kept}; the damaged file is {aside(path)}")
    assert aside(path).read_bytes() == damaged
    with daemon(path) as (_, told):
        assert told == [], "the next start finds it whole"


def test_a_garbled_index_costs_nothing(path: Path) -> None:
    garble(path, root_page(path, "ban_history_by_time"))
    mistaken_for_whole(path)
    with daemon(path) as (state, told):
        assert (len(messages(state)), len(state.bans)) == (EVENTS, BANS)
        assert "what could be read is kept: all of it;" in told[0]


def test_garbled_bans_cost_nothing_but_bans(path: Path) -> None:
    garble(path, root_page(path, "bans"))
    with daemon(path) as (state, told):
        assert len(messages(state)) == EVENTS
        assert len(state.bans) == 0
        assert len(state.ban_history.read(state.db)) == BANS
        assert "all but a part of bans;" in told[0]


def test_a_file_that_was_cut_off_has_its_first_part_still(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)
    with daemon(path) as (state, told):
        assert state.positions.get("") == ("s=1;i=2", T0)
        assert len(messages(state)) > 100
        assert "database disk image is malformed" in told[0]
        state.positions.update({"": ("s=1;i=3", T0 + 1)})
        state.commit()
        state.check()


def test_a_garbled_list_of_tables_leaves_a_new_state_that_begins_when_the_old_one_ended(
    path: Path,
) -> None:
    garble(path, 1, after=100)
    os.utime(path, ns=(T0 * 1000, T0 * 1000))
    with daemon(path) as (state, told):
        assert messages(state) == []
        assert state.positions.get("") == (f"t={T0:x}", T0)
        (day,) = state.days.unreported()
        assert notes_of(state.db, [day]) == told
    assert aside(path).exists()


def test_what_makes_no_sense_is_dropped_part_by_part(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE bans SET network = '203.0.x' WHERE network = '203.0.0.7'")
        db.execute("UPDATE outbox SET payload = x'ff00'")
    with daemon(path) as (state, told):
        assert (len(state.bans), state.outbox.items()) == (0, [])
        assert len(messages(state)) == EVENTS
        assert state.counters.count("ssh", "203.0.113.7", at=T0) == 2
        assert "all but a part of bans, " in told[0]
        assert ", outbox, gatherings, reports_sent;" in told[0]


def test_text_in_no_encoding_is_kept_as_far_as_it_can_be_read(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE counts SET key = CAST(x'66ff6f' AS TEXT)")
    with daemon(path) as (state, told):
        assert state.counters.count("ssh", "f\ufffdo", at=T0) == 2
        assert len(told) == 1


def test_a_log_of_garbage_means_the_state_before_it(path: Path) -> None:
    Path(f"{path}-wal").write_bytes(random.Random(1).randbytes(100_000))
    Path(f"{path}-shm").write_bytes(random.Random(1).randbytes(32_768))
    with daemon(path) as (state, told):
        assert state.positions.get("") == ("s=1;i=2", T0)
        assert len(messages(state)) == EVENTS
    assert told == []


def as_after_a_kill(path: Path, target: Path) -> Path:
    """A state with all that matters in its log."""
    with State(str(path)) as state:
        state.db.execute("PRAGMA wal_autocheckpoint = 0")
        fill(state)
        state.db.execute("UPDATE remembered SET value = x'00'")
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", f"{target}{suffix}")
    return target


def test_what_is_in_the_log_is_kept_too(tmp_path: Path) -> None:
    path = as_after_a_kill(tmp_path / "living.sqlite", tmp_path / "state.sqlite")
    assert path.stat().st_size == PAGE
    with daemon(path) as (state, told):
        assert (len(messages(state)), len(state.bans)) == (EVENTS, BANS)
        assert "all but a part of remembered;" in told[0]


@pytest.mark.parametrize("gone", [False, True])
def test_an_empty_file_with_a_log_is_set_aside_with_it(tmp_path: Path, gone: bool) -> None:
    path = as_after_a_kill(tmp_path / "living.sqlite", tmp_path / "state.sqlite")
    log = Path(f"{path}-wal").read_bytes()
    if gone:
        path.unlink()
    else:
        os.truncate(path, 0)
    with pytest.raises(DamagedError, match="its file is empty or gone"):
        State(str(path), read_only=True)
    with daemon(path) as (state, told):
        assert messages(state) == []
        assert len(told) == 1
    (kept,) = tmp_path.glob("*.damaged-*-wal")
    assert kept.read_bytes() == log


def test_an_empty_file_is_a_new_state(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    path.touch()
    with daemon(path) as (state, told):
        assert state.positions.get("") is None
    assert told == []


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE theirs (x)")
        db.executemany("INSERT INTO theirs VALUES (?)", [("x" * 1000,)] * 100)


def cut_foreign(path: Path) -> None:
    foreign(path)
    os.truncate(path, 3 * PAGE)


def without_header(path: Path) -> None:
    with State(str(path)) as state:
        fill(state)
    garble(path, 1)


@pytest.mark.parametrize(
    "make",
    [foreign, cut_foreign, without_header, lambda path: path.write_text("a\n" * 999), Path.mkdir],
    ids=["database", "damaged database", "no header", "text", "folder"],
)
def test_what_may_be_somebody_elses_is_never_touched(
    tmp_path: Path, make: Callable[[Path], object]
) -> None:
    path = tmp_path / "file"
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(StateError) as refused, daemon(path):
        pass
    assert str(refused.value).startswith(f"{path}: ")
    assert not isinstance(refused.value, DamagedError)
    assert path.read_bytes() == before if before else path.is_dir()
    assert list(tmp_path.iterdir()) == [path]


def test_commands_say_that_it_is_damaged_and_leave_it_alone(path: Path) -> None:
    garble(path, page_with(path, b"event 2"))
    before = path.read_bytes()
    with pytest.raises(DamagedError) as told, State(str(path), read_only=True) as state:
        messages(state)
    assert str(told.value) == (
        f"{path}: the state is damaged: database disk image is malformed (expected a whole one: "
        "when `pyruse run` starts, it keeps what can be read of it, and sets the file aside)"
    )
    assert path.read_bytes() == before


def run(path: Path, meanwhile: Callable[[], object]) -> str:
    """Start with what nothing is told of, and commit; :return: what ended it."""
    with pytest.raises(StateError) as ended, daemon(path) as (state, told):
        commit(state, meanwhile)
    assert told == []
    return str(ended.value)


def commit(state: State, meanwhile: Callable[[], object]) -> None:
    meanwhile()
    file_event(state.days, DAY, "important", "not committed", "ALL", T0, None)
    state.positions.update({"": ("s=1;i=3", T0 + 1)})
    state.commit()


def test_damage_that_shows_while_it_runs_ends_the_run_and_is_put_right(path: Path) -> None:
    garble(path, root_page(path, "event_ranges_by_day"))
    fault = run(path, lambda: None)
    assert fault.endswith(f"the damaged file is {aside(path)} (start Pyruse again)")
    with daemon(path) as (state, told):
        assert state.positions.get("") == ("s=1;i=2", T0), "the same entries come again"
        assert len(messages(state)) == EVENTS
        assert told == []


def test_damage_that_a_report_finds_is_put_right_too(path: Path) -> None:
    garble(path, page_with(path, b"event 2"))
    with pytest.raises(StateError, match="start Pyruse again"), daemon(path) as (state, _):
        messages(state)
    with daemon(path) as (state, _):
        assert len(messages(state)) > EVENTS - 200


def test_a_file_that_was_removed_is_written_again(path: Path) -> None:
    fault = run(path, lambda: shutil.rmtree(path.parent))
    assert fault == (
        f"{path}: was moved or removed while Pyruse ran (expected that this file is touched only "
        "while Pyruse is stopped); it was written again, and nothing is lost (start Pyruse again)"
    )
    with daemon(path) as (state, told):
        assert state.positions.get("") == ("s=1;i=2", T0)
        assert (len(messages(state)), len(state.bans)) == (EVENTS, BANS)
        assert state.db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert told == []
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_file_that_was_replaced_is_left_to_who_did_it(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "backup.sqlite"
    with State(str(other)) as backup:
        backup.positions.update({"": ("s=1;i=1", T0 - 1)})
        backup.commit()
    fault = run(path, lambda: other.rename(path))
    assert "another file is there now" in fault
    with daemon(path) as (state, _):
        assert state.positions.get("") == ("s=1;i=1", T0 - 1)


def test_days_that_are_lost_leave_no_events_for_ever(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DELETE FROM days")
    with daemon(path) as (state, _):
        state.remove_before(T0, date(2026, 3, 15))
        assert messages(state) == []


@pytest.mark.parametrize(
    ("code", "damage"),
    [
        (sqlite3.SQLITE_CORRUPT_INDEX, True),
        (sqlite3.SQLITE_NOTADB, True),
        (sqlite3.SQLITE_IOERR_READ, True),  # a bad sector
        (sqlite3.SQLITE_IOERR_WRITE, False),
        (sqlite3.SQLITE_FULL, False),
        (sqlite3.SQLITE_READONLY, False),
        (sqlite3.SQLITE_BUSY, False),
    ],
)
def test_what_is_damage(code: int, damage: bool) -> None:
    fault = sqlite3.OperationalError("a fault")
    fault.sqlite_errorcode = code
    assert is_damage(fault) is damage
