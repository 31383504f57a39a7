"""How the administrator's program behaves among others: pipes, Ctrl-C, numbers that are none."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys

import pytest
from conftest import Fleet
from pyruse_fleet.cli import main
from pyruse_fleet.server import Server

PROGRAM = [sys.executable, "-c", "from pyruse_fleet.cli import main; main()"]


@pytest.mark.parametrize("quota", ["-1", "x", "1.5", "99999999999"])
def test_a_quota_is_a_number_of_bans(quota: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["add-host", "a", f"--quota={quota}"])
    expected = f"--quota: {quota} is no number of bans (expected 0 to 1,000,000,000)"
    assert expected in capsys.readouterr().err


def test_who_is_not_known_to_the_database_is_told_so(server: Server) -> None:
    """As root, who has forgotten `sudo -u postgres`."""
    with pytest.raises(SystemExit, match=r'the database has no role "nobody-here" \(expected'):
        main(["--url", server.url("nobody-here"), "status"])


def test_whoever_reads_it_may_stop_reading(fleet: Fleet) -> None:
    url = fleet.server.url(database=fleet.database)
    command = [*PROGRAM, "--url", url, "status"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


def test_ctrl_c_ends_it_while_it_waits() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://postgres@127.0.0.1:{silent.getsockname()[1]}/x"
        # What is started in the background by a shell ignores it, and so do its children.
        heeding = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
        command = [*PROGRAM[:2], f"{heeding}; {PROGRAM[2]}", "--url", url, "status"]
        with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
            connection, _ = silent.accept()
            with connection:
                process.send_signal(signal.SIGINT)
                assert process.stderr is not None
                assert process.stderr.read() == b""
        assert process.returncode == 130
