"""An entry over which each process dies at once costs itself alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pyruse.daemon.at_work import AtWork
from pyruse.entry.entry import Entry
from pyruse.entry.made import make_entry
from pyruse.testing import Daemon, MakeDaemon
from pyruse.testing.journal import FIRST_TIME, FieldValue, make_journal, unavailable
from pyruse.testing.plugin import need
from tests.reliability import moving_journal
from tests.reliability.moving_journal import handled

SECOND = 1_000_000

FATAL = '''
import ctypes, os, signal
from dataclasses import dataclass
from pyruse import Entry, hookimpl

@dataclass
class Fatal:
    """Ends the process over an entry with "bomb"."""

    @hookimpl
    def match_entry(self, entry: Entry) -> bool:
        """Never passes."""
        if "bomb" in entry.get("MESSAGE", ""):
            {end}
        return False
'''
DEADLY = '''
import ctypes, os, signal
from dataclasses import dataclass
from pyruse import Context, Entry, Field, WorkedOut, hookimpl

@dataclass
class Fatal:
    """Does the same, and the reader may call it."""
    field: Field = Field("MESSAGE")

    @hookimpl
    def worked_out(self, context: Context) -> WorkedOut:
        return WorkedOut((self.field,), self._work)

    @hookimpl
    def act_on_entry(self, entry: Entry) -> None:
        self._work(entry.text(self.field) or "", entry.time_us)

    def _work(self, text: str, at: int) -> None:
        if "bomb" in text:
            {end}
'''
CHAINS = """
[chains]
"x" = [
  {{ filter = "fatal", else = "y" }},
]
"y" = [ {{ action = "report", section = "other", message = "{{MESSAGE}}" }} ]
"""
ENDS = {
    "a crash": "ctypes.string_at(0)",
    "an end without a word": "os._exit(1)",
    "a kill": "os.kill(os.getpid(), signal.SIGKILL)",  # as for want of memory
}


@pytest.mark.realparts
@pytest.mark.parametrize(
    ("end", "machines"), [("a crash", 3), ("an end without a word", 1), ("a kill", 1)]
)
def test_an_entry_that_kills_is_stepped_over_and_told(
    daemon: MakeDaemon, tmp_path: Path, end: str, machines: int
) -> None:
    need(unavailable())
    folder = tmp_path / "journal"
    folder.mkdir()
    for number in range(machines):
        entries: list[dict[str, FieldValue]] = [
            {"MESSAGE": f"{number} {index}{' bomb' * (index == 7 and not number)}",
             "__REALTIME_TIMESTAMP": FIRST_TIME + (index * 10 + number) * SECOND}
            for index in range(20)
        ]  # fmt: skip
        make_journal(folder / f"remote-{number}.journal", entries)
    one = with_plugin(daemon(CHAINS.format(), folder), ENDS[end])
    codes = [one.command("run", "--once").returncode for _ in range(4)]
    assert codes[-1] == 0
    assert 0 not in codes[:-1]
    assert len(handled(one)) == 20 * machines - 1
    assert set(handled(one).values()) == {1}
    (fault,) = one.ask("status")["faults"]
    whose = " of remote-0" if machines > 1 else ""
    assert re.match(
        rf"the entry{whose} from 2026-03-14 12:01:10 is stepped over: 2 times Pyruse has died "
        r"over it \(see it: journalctl --cursor='s=.*' -n 1\)$",
        fault["text"],
    )
    reports = [one.command("report", day).stdout for day in ("2026-03-14", "today")]
    told = "".join(fault["text"].split())  # the report has shorter lines
    assert any(told in "".join(report.split()) for report in reports)


@pytest.mark.realparts
def test_so_is_one_over_which_an_action_kills_that_the_reader_calls(
    daemon: MakeDaemon, tmp_path: Path
) -> None:
    """With pyruse-native, before the engine has been given the entry."""
    need(unavailable())
    entries = [{"MESSAGE": f"{index}{' bomb' * (index == 7)}"} for index in range(20)]
    chain = '{ action = "fatal" }, { action = "report", section = "other", message = "{MESSAGE}" }'
    file = make_journal(tmp_path / "x.journal", entries)
    one = with_plugin(
        daemon(f'[chains]\n"x" = [ {chain} ]\n', file), ENDS["an end without a word"], DEADLY
    )
    codes = [one.command("run", "--once").returncode for _ in range(4)]
    assert codes == [1, 1, 1, 0]
    assert handled(one) == {str(index): 1 for index in range(20) if index != 7}


@pytest.mark.realparts
def test_a_kill_from_outside_steps_over_nothing(daemon: MakeDaemon, tmp_path: Path) -> None:
    """Killed again and again while what an entry led to is committed, and at the start."""
    need(unavailable())
    entries = [{"SYSLOG_IDENTIFIER": "test", "MESSAGE": str(number)} for number in range(10)]
    one = daemon(moving_journal.CHAINS, make_journal(tmp_path / "x.journal", entries))
    dies = (
        "import os, signal\nfrom pyruse.state.database import State\n"
        "commit, done = State.commit, 0\n"
        "def dying(state):\n  global done\n  done += 1\n  if done == {number}: "
        "os.kill(os.getpid(), signal.SIGKILL)\n  commit(state)\nState.commit = dying"
    )
    for number in (1, 2, 2, 2, 3, 4, 4, 1, 2):
        one.prelude = dies.format(number=number)
        one.command("run", "--once")
    one.prelude = ""
    assert one.command("run", "--once").returncode == 0
    assert handled(one) == {str(number): 1 for number in range(10)}


def entry(number: int) -> Entry:
    return make_entry({"__CURSOR": f"s=1;i={number:x};b=1;m={number:x};t={number:x};x={number:x}"})


def lives_until(state: Path, dies_at: str, *numbers: int) -> list[int]:
    """A life that handles these entries, and dies over the last one.

    :param dies_at: "handling" or "keeping"; "": it ends as it should.
    :return: which were handled.
    """
    work, found = AtWork(str(state)), []
    rest = list(numbers)
    while rest:
        most = work.begin(5)
        batch, rest = rest[:most], rest[most:]
        for number, _ in zip(batch, work.watched(map(entry, batch)), strict=False):
            found.append(number)
        is_last = not rest and work.over is None
        if dies_at == "handling" and is_last:
            break
        work.keep()
        if dies_at == "keeping" and is_last:
            break
        work.end()
    work.close()
    return found


@pytest.mark.parametrize(("dies_at", "lives"), [("handling", 3), ("keeping", 6)])
def test_it_takes_several_deaths_at_one_entry(tmp_path: Path, dies_at: str, lives: int) -> None:
    lives_until(tmp_path / "state", dies_at, 1, 2)
    for _ in range(lives - 1):
        assert lives_until(tmp_path / "state", dies_at, 2) == [2]
    assert lives_until(tmp_path / "state", "", 2) == []
    assert (tmp_path / "state.at-work").read_bytes()[:1] == b"-"


def test_deaths_at_several_entries_are_chance(tmp_path: Path) -> None:
    for number in range(20):
        assert lives_until(tmp_path / "state", "handling", number % 3) == [number % 3]


def test_an_end_as_it_should_be_forgets_deaths(tmp_path: Path) -> None:
    for _ in range(5):
        lives_until(tmp_path / "state", "handling", 1)
        lives_until(tmp_path / "state", "", 1, 2)


def test_a_power_cut_is_no_death(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(10):
        boot = tmp_path / "boot_id"
        boot.write_text(f"{number}")
        monkeypatch.setattr("pyruse.daemon.at_work._BOOT", boot)
        assert lives_until(tmp_path / "state", "handling", 1) == [1]


@pytest.mark.parametrize("text", [b"", b"h", b"h{}", b"h[1, 2]", b"\xff" * 99, b'k["", 1, 2, 3]\n'])
def test_a_file_that_says_nothing_is_no_fault(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "state.at-work").write_bytes(text)
    assert lives_until(tmp_path / "state", "", 1, 2) == [1, 2]


def test_a_file_that_cannot_be_made_is_no_fault(tmp_path: Path) -> None:
    assert lives_until(tmp_path / "missing" / "state", "", 1, 2) == [1, 2]


def with_plugin(daemon: Daemon, end: str, plugin: str = FATAL) -> Daemon:
    plugins = daemon.folder / "plugins"
    plugins.mkdir()
    (plugins / "fatal.py").write_text(plugin.replace("{end}", end))
    return daemon
