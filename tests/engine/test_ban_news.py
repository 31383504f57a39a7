"""Bans are told once they are committed, at least once, and in few lines if they are many."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from pyruse import Ban, Target
from pyruse.engine.ban_lines import BanLines
from pyruse.engine.ban_news import BanNews
from pyruse.hookspecs import hookimpl
from pyruse.registry.broadcasts import Broadcasts
from pyruse.state.ban_events import BanEvent
from pyruse.state.database import State
from pyruse.testing.daemon import MakeDaemon
from pyruse.testing.pipeline import MakePipeline

NOON = 1_773_489_600_000_000
TARGET = Target("nftables")


class Witness:
    """Notes whom it is told of."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    @hookimpl
    def on_ban(self, ban: Ban) -> None:
        self.heard.append(f"+{ban.network}")

    @hookimpl
    def on_unban(self, ban: Ban, why: str) -> None:
        self.heard.append(f"-{ban.network} {why}")


@pytest.fixture
def witness() -> Witness:
    return Witness()


def news(state: State, witness: Witness) -> BanNews:
    broadcasts = Broadcasts(lambda *fault: pytest.fail(str(fault)))
    broadcasts.register(witness, "witness", None)
    state.ban_events.wanted = True
    return BanNews(state.ban_events, broadcasts, BanLines(state.outbox, lambda: NOON))


def ban(number: int, until: int | None = NOON + 60_000_000) -> Ban:
    network = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    return Ban(network, "ssh", NOON, until, "Failed password", "ssh", 1, TARGET)


def lines(state: State) -> list[str]:
    return [item.payload["message"] for item in state.outbox.items("log")]


def test_nothing_is_told_before_it_is_committed(witness: Witness) -> None:
    with State() as state:
        told = news(state, witness)
        state.ban_events.add(BanEvent("ban", ban(7)))
        assert not told.tell()
        state.commit()
        assert told.tell()
        assert witness.heard == ["+10.0.0.7"]
        assert not told.tell()


def test_what_was_told_but_not_committed_is_told_again(witness: Witness, tmp_path: Path) -> None:
    path = str(tmp_path / "state.sqlite")
    with State(path) as state:
        told = news(state, witness)
        for number in (7, 8):
            state.ban_events.add(BanEvent("ban", ban(number)))
        state.ban_events.add(BanEvent("unban", ban(7), "over"))
        state.commit()
        assert told.tell(most=1)
        state.commit()
        assert told.tell(most=1)  # and then it is killed
    with State(path) as state:
        state.load()
        again = news(state, witness)
        assert again.waiting == 2
        again.tell()
        state.ban_events.add(BanEvent("ban", ban(9)))
        state.commit()
        again.tell()
        state.commit()
        assert state.db.execute("SELECT count(*) FROM ban_events").fetchone() == (0,)
    assert witness.heard == [
        "+10.0.0.7", "+10.0.0.8", "+10.0.0.8", "-10.0.0.7 over", "+10.0.0.9"
    ]  # fmt: skip


def test_a_flood_is_told_in_slices_each_with_one_line(
    witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pyruse.engine.ban_news._SLICE_S", float("inf"))
    with State() as state:
        told = news(state, witness)
        for number in range(10_500):
            state.ban_events.add(BanEvent("ban", ban(number)))
        state.commit()
        assert told.waiting == 10_500
        assert told.too_many, "entries wait meanwhile"
        rounds = 0
        while told.tell():
            state.commit()
            rounds += 1
        assert rounds == 11
        assert len(witness.heard) == 10_500
        assert len(lines(state)) == 11
        assert lines(state)[0] == "1,000 were banned: 10.0.0.0, 10.0.0.1, 10.0.0.2 and 997 more"


def test_a_line_tells_who_is_banned_until_when_and_nothing_that_was_logged(
    witness: Witness,
) -> None:
    with State() as state:
        told = news(state, witness)
        state.ban_events.add(BanEvent("ban", ban(7)))
        state.ban_events.add(BanEvent("ban", ban(8, None), hops=4))
        state.ban_events.add(BanEvent("ban", ban(9), hops=5))
        state.ban_events.add(BanEvent("unban", ban(7), "unbanned"))
        state.commit()
        told.tell()
        assert lines(state) == [
            "10.0.0.7 is banned until 2026-03-14T12:01:00Z (ssh, ban 1 of this network)",
            "10.0.0.8 is banned for ever (ssh, ban 1 of this network)",
            "the ban of 10.0.0.7 (ssh) is lifted",
        ]
        first, for_ever, lifted = (item.payload["fields"] for item in state.outbox.items("log"))
        assert first["PYRUSE_UNTIL"] == "2026-03-14T12:01:00Z"
        assert "PYRUSE_UNTIL" not in for_ever
        assert lifted["PYRUSE_WHY"] == "unbanned"


def test_events_that_a_damaged_state_has_lost_leave_no_trace(
    witness: Witness, tmp_path: Path
) -> None:
    path = str(tmp_path / "state.sqlite")
    with State(path) as state:
        news(state, witness)
        for number in range(1, 6):
            state.ban_events.add(BanEvent("ban", ban(number)))
        state.commit()
        state.db.execute("DELETE FROM ban_events WHERE number IN (1, 3)")
    with State(path) as state:
        state.load()
        again = news(state, witness)
        assert again.tell(most=2)
        state.ban_events.add(BanEvent("ban", ban(6)))
        state.commit()
        left = "SELECT number FROM ban_events ORDER BY number"
        assert state.db.execute(left).fetchall() == [(5,), (6,)]
        again.tell()
        state.commit()
        assert state.db.execute(left).fetchall() == []
    assert witness.heard == ["+10.0.0.2", "+10.0.0.4", "+10.0.0.5", "+10.0.0.6"]


NEXT = '''
from ipaddress import ip_address
from pyruse import Ban, BanRequest, hookimpl


class Neighbours:
    """Bans the next address, too, and the next one."""

    @hookimpl
    def on_ban(self, ban: Ban, context) -> None:
        context.log(None, f"after {ban.network}", "info")
        context.ban(None, BanRequest(ip_address(ban.network) + 1))
'''


def test_bans_that_lead_to_bans_come_to_an_end_and_have_their_plugins_name(
    pipeline: MakePipeline, tmp_path: Path
) -> None:
    plugin = tmp_path / "neighbours.py"
    plugin.write_text(NEXT)
    made = pipeline(CONFIG, plugins=plugin)
    made.feed(MESSAGE="203.0.113.7")
    assert [(one.ip, one.label) for one in made.bans] == [
        ("203.0.113.7", "ssh"), *((f"203.0.113.{last}", "neighbours") for last in range(8, 13))
    ]  # fmt: skip
    assert [fault.text[:60] for fault in made.faults] == [
        "on_ban: RuntimeError: 5 bans have led to this one, each made"
    ]
    hops = [
        (item.payload["message"], item.payload["fields"]["PYRUSE_HOPS"])
        for item in made.state.outbox.items("log")
    ]
    assert hops == [(f"after 203.0.113.{7 + hop}", 1 + hop) for hop in range(5)]
    ban = next(iter(made.engine.bans.in_force.all(0)))
    assert ban.chain == "ssh"
    assert {one.chain for one in made.engine.bans.in_force.all(0)} == {"ssh", "plugins.neighbours"}


HANGING = '''
import time
from pathlib import Path
from pyruse import Ban, hookimpl


class Sleepy:
    """Hangs when it is told of a ban."""

    @hookimpl
    def on_ban(self, ban: Ban) -> None:
        Path("{file}").touch()
        time.sleep(1000)
'''


@pytest.mark.realparts
def test_a_plugin_that_hangs_when_it_is_told_of_a_ban_is_interrupted(
    daemon: MakeDaemon, journal_file: Any, tmp_path: Path
) -> None:
    made = daemon(CONFIG, journal=journal_file([{"MESSAGE": "203.0.113.7"}]))
    plugins = made.folder / "plugins"
    plugins.mkdir()
    (plugins / "sleepy.py").write_text(HANGING.replace("{file}", str(tmp_path / "hangs")))
    made.start()
    made.wait_until((tmp_path / "hangs").exists)
    made.wait_for_line("on_ban: StepTooSlow: took too long (over 1 s)")
    assert made.stop() == 0


PLUGIN = '''
from dataclasses import dataclass
from pathlib import Path

from pyruse import Ban, hookimpl


@dataclass
class Witness:
    """Writes down whom it is told of."""

    name = "witness"

    @hookimpl
    def on_ban(self, ban: Ban) -> None:
        with Path("{file}").open("a") as file:
            file.write(ban.network + "\\n")
'''
CONFIG = """
[chains]
"ssh" = [{ action = "ban", ip = "MESSAGE", duration = "1h" }]
"""
KILLED = """
import os, signal
from pyruse.daemon.daemon import Daemon
from pyruse.engine.ban_news import BanNews

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)
"""
BEFORE = f"""{KILLED}
tell = BanNews.tell
BanNews.tell = lambda self: kill() if self.waiting else tell(self)
"""
AFTER = f"""{KILLED}
tell = BanNews.tell
BanNews.tell = lambda self: tell(self) and kill()
"""


@pytest.mark.realparts
@pytest.mark.parametrize(("prelude", "times"), [(BEFORE, 1), (AFTER, 2)])
def test_a_daemon_that_is_killed_around_the_call_tells_after_its_next_start(
    daemon: MakeDaemon, journal_file: Any, tmp_path: Path, prelude: str, times: int
) -> None:
    made = daemon(CONFIG, journal=journal_file([{"MESSAGE": "203.0.113.7"}]))
    file = tmp_path / "heard"
    plugins = made.folder / "plugins"
    plugins.mkdir()
    (plugins / "witness.py").write_text(PLUGIN.replace("{file}", str(file)))
    made.prelude = prelude
    assert made.command("run", "--once").returncode == -signal.SIGKILL
    made.prelude = ""
    assert made.command("run", "--once").returncode == 0
    assert file.read_text().split() == ["203.0.113.7"] * times
    assert made.command("run", "--once").returncode == 0
    assert file.read_text().split() == ["203.0.113.7"] * times


def test_of_any_number_of_events_some_are_in_memory_and_all_are_told_in_order() -> None:
    with State() as state:
        events = state.ban_events
        events.wanted = True
        for number in range(2_500):
            events.add(BanEvent("ban", ban(number)))
            if number % 900 == 0:
                state.commit()
        state.commit()
        told: list[BanEvent] = []
        for most in (700, 1, 900):
            told += events.take(most)
            assert len(events) == 2_500 - len(told)
            state.commit()
        told += events.take(5_000)
        assert [event.ban for event in told] == [ban(number) for number in range(2_500)]
        state.commit()
        assert not events.take(1)
        assert state.db.execute("SELECT count(*) FROM ban_events").fetchone() == (0,)
