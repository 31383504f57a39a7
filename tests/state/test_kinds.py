"""Kinds are counted with the entries, exactly once, and never more than there is room for."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from pyruse.state import counted_kinds
from pyruse.state.database import State
from pyruse.state.host_views import only_of
from pyruse.state.kinds import (
    KindOfDay,
    days_with_counts,
    events_by_kind,
    kind_history,
    kinds_of_day,
    messages_of_kind,
)
from pyruse.testing.waiting import TIME_LIMIT
from tests.state.filed import About, count_kind, file_event

DAY, NEXT = "2026-03-14", "2026-03-15"
T = 1_773_489_600_000_000
Opened = Callable[[], State]


def add(
    state: State,
    template: str,
    time: int = T,
    *,
    day: str = DAY,
    host: str = "here",
    section: str = "other",
    program: str = "sshd",
    level: int | None = 6,
    of_program: bool = True,
) -> int:
    return count_kind(state.kinds,
        day, host, section, "", program, template, level, f"{template}, in full", time,
        is_of_program=of_program,
    )  # fmt: skip


def found(state: State, day: str = DAY) -> dict[str, KindOfDay]:
    return {kind.template: kind for kind in kinds_of_day(state.db, [day])}


def test_what_is_committed_is_there_and_adds_up(opened: Opened) -> None:
    state = opened()
    add(state, "a *", T + 5)
    add(state, "a *", T + 1, level=3)
    state.commit()
    add(state, "lost")
    state = opened()
    add(state, "a *", T + 9)
    state.commit()
    (kind,) = kinds_of_day(opened().db, [DAY])
    assert (kind.template, kind.program, kind.level, kind.events) == ("a *", "sshd", 3, 3)
    assert (kind.first, kind.last, kind.since) == (T + 1, T + 9, DAY)
    assert kind.example == "a *, in full"


def test_a_commit_that_fails_counts_nothing_twice(opened: Opened) -> None:
    state = opened()
    add(state, "a *")
    state.db.execute("CREATE TEMP TRIGGER full BEFORE INSERT ON main.kind_counts BEGIN "
                     "SELECT RAISE(ABORT, 'full'); END")  # fmt: skip
    with pytest.raises(Exception, match="full"):
        state.commit()
    state.db.execute("DROP TRIGGER full")
    state.commit()
    state.commit()
    assert found(opened())["a *"].events == 1


def test_section_meaning_program_and_text_make_a_kind(opened: Opened) -> None:
    state = opened()
    ids = {
        add(state, "a *"),
        add(state, "b *"),
        add(state, "a *", section="important"),
        add(state, "a *", program="sshd-session"),
        count_kind(state.kinds, DAY, "", "other", "login", "sshd", "a *", 6, "", T),
        count_kind(state.kinds, DAY, "", "other", "", "sshd", "a *", 6, "", T, message_id="f" * 32),
    }
    assert len(ids) == 6
    assert add(state, "a *", day=NEXT, host="there", level=1) in ids


def test_a_template_with_words_of_its_own_is_one_kind_whichever_program(opened: Opened) -> None:
    state = opened()
    assert add(state, "{user} left", of_program=False) == add(
        state, "{user} left", program="dovecot", of_program=False
    )
    state.commit()
    add(state, "{user} left", of_program=False)
    state.commit()
    kind = found(state)["{user} left"]
    assert (kind.program, kind.events) == ("", 3)


def test_counts_are_of_the_day_and_the_machine(opened: Opened) -> None:
    state = opened()
    add(state, "a *", T)
    add(state, "a *", T + 1, host="there")
    add(state, "a *", T + 2, day=NEXT)
    state.commit()
    assert (found(state)["a *"].events, found(state, NEXT)["a *"].events) == (2, 1)
    with only_of(state.db, "there"):
        assert (found(state)["a *"].events, found(state, NEXT)) == (1, {})
    (history,) = kind_history(state.db)
    assert history.days == {DAY: 2, NEXT: 1}
    assert [kind.days for kind in kind_history(state.db, DAY)] == [{DAY: 2}]
    assert days_with_counts(state.db) == [DAY, NEXT]


def test_what_is_too_old_goes(opened: Opened) -> None:
    state = opened()
    add(state, "old")
    add(state, "both")
    add(state, "both", day=NEXT)
    state.commit()
    state.remove_before(T, date.fromisoformat(NEXT))
    assert {kind.template: kind.days for kind in kind_history(state.db)} == {"both": {NEXT: 1}}
    add(state, "old", day=NEXT)
    state.commit()
    assert found(state, NEXT)["old"].since == NEXT, "it is as new"


# Where there are too many


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted_kinds, "MOST", 5)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_what_comes_often_and_what_warns_stays_in_a_flood(opened: Opened, batch: int) -> None:
    state = opened()
    for number in range(100):
        if number % 3 == 0:
            add(state, "often", T + number)
        if number == 3:
            add(state, "warning", T + number, level=4)
        add(state, f"text {number}", T + number)
        if number % batch == 0:
            state.commit()
        if number == 50:
            state.commit()
            state = opened()  # as after a crash
    state.commit()
    kinds = found(state)
    assert {name: kind.events for name, kind in kinds.items()} == {
        "often": 34, "warning": 1, "text 97": 1, "text 98": 1, "text 99": 1, "": 97,
    }  # fmt: skip
    assert kinds[""].is_rest
    assert sum(kind.events for kind in kinds.values()) == 135
    (stored,) = state.db.execute("SELECT sum(count) FROM kinds").fetchone()
    assert stored == 135


@pytest.mark.usefixtures("few")
def test_who_makes_up_texts_twice_does_not_close_the_door_to_what_is_new(opened: Opened) -> None:
    state = opened()
    for number in range(50):
        add(state, f"text {number}", T + number)
        add(state, f"text {number}", T + number)
    add(state, "new", T + 99)
    state.commit()
    assert "new" in found(state)


@pytest.mark.usefixtures("few")
def test_who_makes_up_warnings_does_not_push_out_what_comes_often(opened: Opened) -> None:
    state = opened()
    for number in range(40):
        add(state, "often", T + number)
    for number in range(40):
        add(state, f"text {number}", T + number, level=3)
    state.commit()
    assert found(state)["often"].events == 40


@pytest.mark.usefixtures("few")
def test_a_program_that_makes_up_texts_pushes_out_none_of_another(opened: Opened) -> None:
    state = opened()
    add(state, "failed once", T, program="quiet")
    for number in range(40):
        for _ in range(3):
            add(state, f"text {number}", T + number, program="loud", level=2)
        add(state, f"word {number}", T + number, program="shrill")
        if number == 20:
            state.commit()
            state = opened()  # as after a crash
    state.commit()
    kinds = found(state)
    assert kinds["failed once"].events == 1
    programs = Counter(kind.program for kind in kinds.values() if not kind.is_rest)
    assert programs == {"quiet": 1, "loud": 2, "shrill": 2}


@pytest.mark.usefixtures("few")
def test_as_many_programs_as_texts_push_out_one_another(opened: Opened) -> None:
    state = opened()
    for number in range(40):
        add(state, "text", T + number, program=f"forged {number}")
    state.commit()
    assert len(kinds_of_day(state.db, [DAY])) == 6


@pytest.mark.usefixtures("few")
def test_each_section_has_others_of_its_own(opened: Opened) -> None:
    state = opened()
    for number in range(20):
        section = "important" if number % 2 else "other"
        add(state, f"text {number}", T + number, section=section)
    state.commit()
    rest = {kind.section: kind.events for kind in kinds_of_day(state.db, [DAY]) if kind.is_rest}
    assert rest == {"important": 7, "other": 8}
    assert len(kinds_of_day(state.db, [DAY], "other")) == 3


def test_many_texts_take_bounded_room(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted_kinds, "MOST", 200)
    state = opened()
    for number in range(5_000):
        add(state, f"text {number}", T + number)
        if number % 500 == 0:
            state.commit()
    state.commit()
    (rows,) = state.db.execute("SELECT count(*) FROM kind_counts").fetchone()
    assert rows == 201
    crowd = state.kinds._known
    assert crowd is not None
    assert len(crowd.kinds) == 200
    assert sum(map(len, crowd._ranks.values())) <= 200
    assert len(crowd._of_size) == 1


FEED = """
import os, signal, sys
from pyruse.state import counted_kinds
from pyruse.state.database import State
from tests.state.filed import count_kind
counted_kinds.MOST = 20
path, statements = sys.argv[1], int(sys.argv[2])
with State(path) as state:
    state.load()
    def countdown(statement):
        global statements
        statements -= 1
        if not statements:
            os.kill(os.getpid(), signal.SIGKILL)
    state.db.set_trace_callback(countdown)
    cursor, _ = state.positions.get("") or ("0", 0)
    for number in range(int(cursor), 600):
        text = f"text {number % 7 if number % 3 else number}"
        level = 4 if number % 50 == 0 else 6
        count_kind(state.kinds, "2026-03-14", "h", "other", "", "app", text, level, text, number)
        state.positions.update({"": (str(number + 1), number)})
        if number % 60 == 59:
            state.commit()
    state.commit()
"""
"""Goes on where it was killed, and dies before an SQL statement; 0: it does not."""


def test_killed_at_any_statement_it_counts_as_one_that_is_not(tmp_path: Path) -> None:
    def feed(name: str, statements: int) -> int:
        command = [sys.executable, "-c", FEED, str(tmp_path / name), str(statements)]
        return subprocess.run(command, check=False, timeout=TIME_LIMIT).returncode

    def rows(name: str) -> list[list[tuple[object, ...]]]:
        with State(str(tmp_path / name), read_only=True) as state:
            tables = ("kinds ORDER BY id", "kind_counts ORDER BY kind, day, host")
            return [state.db.execute(f"SELECT * FROM {table}").fetchall() for table in tables]

    assert feed("undisturbed", 0) == 0
    killed = 0
    for statements in (2, 7, 19, 53, 90, 140, 60, 31, 77):
        killed += feed("killed", statements) == -signal.SIGKILL
    assert killed > 5
    assert feed("killed", 0) == 0
    assert rows("killed") == rows("undisturbed")


# Muted


def test_muted_until_it_is_not(opened: Opened) -> None:
    state = opened()
    kind = add(state, "a *")
    state.kinds.mute(kind, T)
    state.commit()
    state = opened()
    assert found(state)["a *"].is_muted
    state.kinds.mute(kind, None)
    state.commit()
    assert not found(opened())["a *"].is_muted


# Events by kind


def test_events_are_grouped_by_kind_and_cause(opened: Opened) -> None:
    state = opened()
    disk = About(7, "kernel", 3, "disk fault", "device sda")
    for number, message in enumerate(["sda: 1", "sda: 2", "sda: 1"]):
        file_event(state.days, DAY, "important", message, "ALL", T + number, "here", "step", disk)
    other = disk._replace(cause="device sdb", level=2)
    file_event(state.days, DAY, "important", "sdb: 1", "ALL", T + 5, "here", "step", other)
    file_event(state.days, DAY, "important", "by an older Pyruse", "ALL", T + 6, "here")
    file_event(state.days, DAY, "important", "by an older Pyruse", "ALL", T + 7, "here")
    state.commit()
    rows = events_by_kind(state.db, [DAY], "important")
    assert [(row.kind, row.cause, row.events, row.messages, row.message) for row in rows] == [
        (7, "device sda", 3, 2, "sda: 1"),
        (0, "", 2, 1, "by an older Pyruse"),
        (7, "device sdb", 1, 1, "sdb: 1"),
    ]
    assert (rows[0].first, rows[0].last, rows[0].level) == (T, T + 2, 3)
    assert messages_of_kind(state.db, [DAY], "important", 7, 1) == [("sda: 1", 2)]
