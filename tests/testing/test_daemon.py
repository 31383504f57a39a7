"""The daemon for tests: what it does for a test, and what it leaves behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from pyruse.testing import Daemon, Journald, MakeDaemon
from pyruse.testing.plugin import need
from pyruse.testing.processes import has_ended
from tests.docs.test_testing_plugins import run_pytest
from tests.reliability.machine import unavailable
from tests.reliability.test_feedback import AS_SYSTEM

pytestmark = pytest.mark.realparts

CHAINS = """
[bans]
log = false
[chains]
"all" = [ { action = "log", message = "seen: {MESSAGE}" } ]
"""


@pytest.fixture
def journal(journal_file: Callable[..., Path]) -> Path:
    return journal_file([{"MESSAGE": "hello"}])


def test_it_says_why_it_does_not_start(daemon: MakeDaemon, journal: Path) -> None:
    one = daemon(CHAINS.replace("message", "massage"), journal)
    with pytest.raises(AssertionError, match=r"does not run: .*\.massage: unknown option"):
        one.start()
    assert one.process.returncode == 2


def test_what_is_waited_for_in_vain_ends_with_the_daemon(daemon: MakeDaemon, journal: Path) -> None:
    one = daemon(CHAINS, journal).start()
    one.wait_for_line("seen: hello")
    one.process.kill()
    with pytest.raises(AssertionError, match=r"does not run: 0 .*seen: hello"):
        one.wait_until(lambda: 0)


def test_several_starts_have_one_state_and_one_log(daemon: MakeDaemon, journal: Path) -> None:
    one = daemon(CHAINS, journal).start()
    one.wait_for_line("seen: hello")
    one.wait_until(lambda: one.ask("status")["outbox"]["waiting"] == {})  # and it is committed
    assert one.stop(signal.SIGKILL) == -signal.SIGKILL
    assert one.told == ["READY=1"]
    assert one.start().stop() == 0
    assert one.told == ["READY=1", "READY=1", "STOPPING=1"]
    assert one.log == "<6>pyruse: seen: hello\n"


def test_after_a_reload_the_new_configuration_counts(
    daemon: MakeDaemon, journald: Journald
) -> None:
    one = daemon(CHAINS, journald).start()
    one.configure(CHAINS.replace("seen", "seen anew"))
    one.reload()
    journald.send(MESSAGE="this")
    one.wait_for_line("seen anew: this")


def test_a_configuration_may_say_other_than_its_surroundings(
    daemon: MakeDaemon, journal: Path
) -> None:
    one = daemon(f'[journal]\nstart = "tail"\n{CHAINS}', journal)
    assert one.command("run", "--once").stderr == ""


HANGING = """#!/bin/sh
echo $$ > {folder}/pid.new
mv {folder}/pid.new {folder}/pid
exec sleep 1000
"""


def test_whatever_a_test_does_nothing_runs_on(
    daemon: MakeDaemon, journal: Path, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    program.write_text(HANGING.format(folder=tmp_path))
    program.chmod(0o755)
    one = daemon(f'[chains]\n"all" = [{{ action = "run", command = ["{program}"] }}]', journal)
    with suppress(KeyboardInterrupt), one:
        one.start()
        one.wait_until((tmp_path / "pid").exists)
        raise KeyboardInterrupt
    assert one.process.returncode == 0
    assert has_ended(int((tmp_path / "pid").read_text()))


def test_a_daemon_that_does_not_end_by_itself_is_killed(
    daemon: MakeDaemon, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pyruse.testing.daemon._LONGEST_END", 0.1)
    one = daemon(CHAINS, journal).start()
    one.process.send_signal(signal.SIGSTOP)
    one.close()
    assert one.process.returncode == -signal.SIGKILL


def test_the_journal_of_this_machine_gets_no_line(
    daemon: MakeDaemon, journal: Path, journald: Journald, tmp_path: Path
) -> None:
    need(unavailable())
    machine = [str(journald.socket.parent), str(tmp_path / "at")]
    prefix = ["unshare", "--mount", "sh", "-c", AS_SYSTEM, "sh", *machine]
    one = daemon(CHAINS, journal, prefix=prefix)
    done = one.command("run", "--once")
    assert (done.returncode, done.stderr) == (0, "<6>pyruse: seen: hello\n")


FAILING = """
def test_of_an_author(daemon, journal_file):
    journal = journal_file([{{"MESSAGE": "hello"}}])
    pyruse = daemon({chains!r}, journal).start()
    pyruse.wait_for_line("seen: hello")
    assert not pyruse
"""


def test_the_log_is_shown_when_a_test_fails(journal: Path, tmp_path: Path) -> None:
    (tmp_path / "test_failing.py").write_text(FAILING.format(chains=CHAINS))
    said = run_pytest(tmp_path, "test_failing.py")
    assert "log of the daemon ---" in said
    assert "\n<6>pyruse: seen: hello\n" in said


def test_a_place_far_down_is_no_obstacle(journal: Path, tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 200)
    folder.mkdir()
    with Daemon(folder) as one:
        one.surround(journal)
        one.configure(CHAINS)
        assert one.start().stop() == 0
    assert os.listdir(folder / "conf.d") == ["test.toml"]
