import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pyruse.system.programs import Finished, Standby, run_program
from pyruse.testing import wait_until
from pyruse.testing.processes import has_ended
from pyruse.testing.waiting import TIME_LIMIT


def sh(script: str, *, timeout: float = TIME_LIMIT, stdin: bytes | None = None) -> Finished:
    return run_program(["/bin/sh", "-c", script], timeout=timeout, stdin=stdin)


ROOT = Path(__file__).parents[2]


def test_what_a_program_says():
    done = sh("echo one; echo two >&2")
    assert (done.status, done.output, done.errors, done.fault) == (0, "one\n", "two\n", None)


def test_arguments_are_no_shell_text():
    done = run_program(["/usr/bin/printf", "%s|", "$HOME; `id`", ""], timeout=TIME_LIMIT)
    assert done.output == "$HOME; `id`||"


def test_a_program_reads_nothing_by_default_and_runs_in_a_session_of_its_own():
    done = sh("cat; pwd; cut -d' ' -f6 /proc/$$/stat >&2; echo $$ >&2; ls /proc/self/fd")
    assert done.output.split() == ["/", "0", "1", "2", "3"]  # 3: the folder that ls reads
    session, pid = done.errors.split()
    assert session == pid


def test_standard_input_of_any_size():
    data = bytes(range(256)) * 4000
    assert sh("cksum; cat >&2", stdin=data).output.split()[1] == str(len(data))
    assert sh("cat", stdin=b"").output == ""
    assert sh("exec <&-; exit 0", stdin=data).status == 0


def test_standard_input_that_nobody_reads():
    data = b"x" * 5_000_000
    assert sh("exit 0", stdin=data).status == 0
    assert sh("sleep 60", stdin=data, timeout=0.2).status is None


def test_a_gigabyte_of_output_takes_no_memory():
    script = (
        "import resource\nfrom pyruse.system.programs import run_program\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "run_program(['/bin/true'], timeout=60)\nbefore = peak()\n"
        "flood = 'head -c 50000000 /dev/zero & head -c 50000000 /dev/zero >&2; wait'\n"
        "done = run_program(['/bin/sh', '-c', flood], timeout=600)\n"
        "print(done.status, len(done.output), len(done.errors), peak() - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    status, output, errors, grown_kb = map(int, done.stdout.split())
    assert (status, output, errors) == (0, 16_384, 16_384)
    assert grown_kb < 10_000


def test_endless_output_is_bounded():
    done = sh("head -c 50000000 /dev/zero; head -c 100000 /dev/zero >&2; echo end >&2")
    assert done.status == 0
    assert len(done.output) == len(done.errors) == 16_384


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("exit 3", "failed with exit code 3"),
        ("echo 'no such\x1b set' >&2; echo >&2; echo b >&2; echo c >&2; echo d >&2; exit 1",
         r"failed with exit code 1: no such\x1b set | b | c"),
        ("echo only output; exit 1", "failed with exit code 1: only output"),
        ("kill -SEGV $$", "was killed by SIGSEGV"),
        ("kill -40 $$", "was killed by signal 40"),
        ("printf '%01000d' 0 >&2; exit 1",
         "failed with exit code 1: " + "0" * 300 + "… (700 more characters)"),
        ("printf '\\377' >&2; exit 1", "failed with exit code 1: \ufffd"),
    ],
)  # fmt: skip
def test_what_went_wrong_is_said(script, fault):
    assert sh(script).fault == fault


def test_a_program_that_hangs_is_killed_with_its_children(tmp_path, over_once):
    pids = tmp_path / "pids"
    over_once(pids.exists)
    script = f"sleep 1000 & echo last words; echo $! $$ > {pids}.new; mv {pids}.new {pids}; wait"
    done = sh(script, timeout=0.5)
    assert done.status is None
    assert done.fault == "was killed after 0.5 s, its time limit: last words"
    wait_until(lambda: all(has_ended(int(pid)) for pid in pids.read_text().split()))


def test_a_program_that_ignores_signals_is_killed(tmp_path, over_once):
    over_once((tmp_path / "deaf").exists)
    script = f"trap '' TERM INT HUP; touch {tmp_path}/deaf; sleep 1000"
    assert sh(script, timeout=0.3).status is None


@pytest.mark.parametrize("linux", ["with pidfd", "before 5.3"])
def test_what_it_leaves_in_the_background_is_not_waited_for(tmp_path, monkeypatch, linux):
    if linux == "before 5.3":
        monkeypatch.setattr(os, "pidfd_open", lambda pid: os.stat("/nowhere"))
    done = sh("sleep 1000 & echo $!; exit 4")
    assert (done.status, done.fault) == (4, f"failed with exit code 4: {done.output.strip()}")
    pid = int(done.output)
    assert not has_ended(pid)
    os.kill(pid, signal.SIGKILL)


def test_what_cannot_be_run_is_an_error():
    with pytest.raises(FileNotFoundError):
        run_program(["/nowhere/program"], timeout=1)
    with pytest.raises(PermissionError):
        run_program(["/"], timeout=1)
    with pytest.raises(ValueError, match="null byte"):
        run_program(["/bin/true", "a\0b"], timeout=1)
    with pytest.raises(ValueError, match="no program is named"):
        run_program([], timeout=1)


def test_a_program_on_standby_does_what_its_input_says_when_it_comes(tmp_path):
    standby = Standby(["/bin/sh", "-c", "echo $$; cat; pwd >&2; exit 3"])
    assert standby.waits()
    done = standby.run(b"now", timeout=TIME_LIMIT)
    assert done is not None
    assert (done.status, done.output, done.errors) == (3, f"{done.pid}\nnow", "/\n")
    assert not standby.waits()


@pytest.mark.parametrize("size", [0, 4_096, 65_536])
def test_a_program_on_standby_gets_all_of_its_input(size):
    done = Standby(["/usr/bin/cksum"]).run(b"x" * size, timeout=TIME_LIMIT)
    assert done is not None
    assert int(done.output.split()[1]) == size


def test_a_program_on_standby_gets_all_of_its_input_or_nothing(tmp_path):
    standby = Standby(["/bin/sh", "-c", f"cat > {tmp_path}/input; touch {tmp_path}/whole"])
    assert standby.run(b"x" * 65_537, timeout=TIME_LIMIT) is None
    assert not standby.waits()
    assert not (tmp_path / "whole").exists()


def test_a_program_on_standby_that_has_ended_is_no_longer_one():
    standby = Standby(["/bin/true"])
    wait_until(lambda: not standby.waits())
    assert standby.run(b"anything", timeout=TIME_LIMIT) is None


def test_a_program_on_standby_has_a_time_limit():
    done = Standby(["/bin/sleep", "60"]).run(b"", timeout=0.2)
    assert done is not None
    assert done.fault == "was killed after 0.2 s, its time limit"


def test_a_program_on_standby_ends_with_who_started_it():
    script = (
        "import os, signal\nfrom pyruse.system.programs import Standby\n"
        "standby = Standby(['/bin/sh', '-c', 'echo $$ >&2; cat'])\n"
        "print(standby._process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=False, cwd=ROOT
    )
    wait_until(lambda: has_ended(int(killed.stdout)))


def test_nothing_stays_open():
    script = (
        "import os\nfrom pyruse.system.programs import Standby, run_program\n"
        "def run():\n"
        "    run_program(['/bin/sh', '-c', 'cat'], timeout=99, stdin=b'x')\n"
        "    Standby(['/bin/cat']).run(b'x', timeout=99)\n"
        "    Standby(['/bin/cat']).run(b'x' * 100_000, timeout=99)\n"
        "    Standby(['/bin/cat']).close()\n"
        "run()\nbefore = len(os.listdir('/proc/self/fd'))\n"
        "for _ in range(5): run()\n"
        "run_program(['/bin/sleep', '999'], timeout=0.05)\n"
        "print(len(os.listdir('/proc/self/fd')) - before)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("0\n", "")
