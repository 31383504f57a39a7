"""What tests make on a machine is gone afterwards, also when their process is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pyruse.testing import journald, namespace, smtp, wait_until
from pyruse.testing.keeper import Keeper
from pyruse.testing.plugin import need
from pyruse.testing.processes import Mark, has_ended

KILLED = """
import json, os, signal, sys
from pathlib import Path
from pyruse.testing import Daemon, Journald, NetworkNamespace, SmtpServer
folder = Path(sys.argv[1])
program = folder / "program"
program.write_text(f"#!/bin/sh\\necho $$ > {folder}/pid.new; mv {folder}/pid.new {folder}/pid; sleep 1000")
program.chmod(0o755)
with Journald() as journald, NetworkNamespace() as network, SmtpServer() as mail, Daemon(folder) as daemon:
    daemon.surround(journald)
    daemon.configure(f'[chains]\\n"all" = [ {{ action = "run", command = ["{program}"] }} ]')
    journald.send(MESSAGE="hello")
    daemon.start()
    daemon.wait_until((folder / "pid").exists)
    in_network = network.start(["sleep", "1000"])
    made = {
        "folders": [str(journald.directory), str(journald.socket.parent), mail._folder.path,
                    os.path.dirname(daemon._manager.address), f"/run/netns/{network.name}"],
        "processes": [journald._process.pid, daemon.process.pid, in_network.pid,
                      int((folder / "pid").read_text())],
    }
    print(json.dumps(made), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""  # noqa: E501 -- a program


@pytest.mark.realparts
def test_of_a_test_that_is_killed_nothing_stays(tmp_path: Path) -> None:
    need(journald.unavailable() or namespace.unavailable() or smtp.unavailable())
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    made = json.loads(killed.stdout)
    assert len(made["folders"]) == 5
    wait_until(
        lambda: [one for one in made["folders"] if os.path.lexists(one)], lambda left: not left
    )
    wait_until(lambda: all(map(has_ended, made["processes"])))


def test_what_a_program_started_is_found_and_killed() -> None:
    with Mark() as mark:
        started = subprocess.Popen(
            ["/bin/sh", "-c", "sleep 1000 & exec sleep 1000"],
            env={**os.environ, **mark.environment},
        )
        both = wait_until(mark.processes, lambda found: len(found) == 2)
        assert started.pid in both
    assert all(map(has_ended, both))
    assert started.wait() == -signal.SIGKILL
    mark.wait()


def test_a_keeper_tidies_up_at_the_end(tmp_path: Path) -> None:
    keeper = Keeper('rm "$1"; touch "$2"', tmp_path / "one", tmp_path / "two words")
    (tmp_path / "one").touch()
    keeper.close()
    assert os.listdir(tmp_path) == ["two words"]


def test_what_is_waited_for_in_vain_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert wait_until(lambda: 3) == 3
    looks = iter(range(10))
    assert wait_until(lambda: next(looks), lambda look: look == 4) == 4
    with pytest.raises(AssertionError, match=r"^it has ended: 0 is not enough, as it said$"):
        wait_until(lambda: 0, hopeless=lambda: "it has ended", said=lambda: ", as it said")
    monkeypatch.setattr("pyruse.testing.waiting.TIME_LIMIT", 0.0)
    with pytest.raises(AssertionError, match=r"^0 s are over: \[\] is not enough$"):
        wait_until(list)
