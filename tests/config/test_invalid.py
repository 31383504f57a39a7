"""Each faulty configuration is refused, with exactly the lines that it states itself.

A file of `invalid/` begins with them: ``#! FILE: address: fault (expected …)``. FILE stands for
the path as it is given to the command. A folder states them in its pyruse.toml.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pyruse.testing.waiting import TIME_LIMIT

INVALID = Path(__file__).parent / "invalid"
CASES = sorted(path.name for path in INVALID.iterdir())

# Each case is a process of its own, as if started by `python -m pyruse`; they are forked after the
# imports, since 200 starts of Python would take a minute.
_FORKED = """
import gc, json, os, runpy, sys, tempfile
import pyruse.cli.commands.check, pyruse.engine.engine, pyruse.chains.lint
from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.registry.registry import Registry

registry = Registry()
for plugin in registry.all():
    plugin.load()
configure(from_text("[chains]\\na = []"), registry)
gc.freeze()

outcomes = {}
for name in json.load(sys.stdin):
    output, errors = tempfile.TemporaryFile(), tempfile.TemporaryFile()
    process = os.fork()
    if not process:
        os.dup2(output.fileno(), 1)
        os.dup2(errors.fileno(), 2)
        sys.argv = ["pyruse", "check", "-c", name]
        break
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    texts = []
    for file in (output, errors):
        file.seek(0)
        texts.append(file.read().decode(errors="backslashreplace"))
        file.close()
    outcomes[name] = [status, *texts]
else:
    json.dump(outcomes, sys.stdout)
    sys.exit()
runpy.run_module("pyruse", run_name="__main__", alter_sys=True)
"""


def expected(case: str) -> list[str]:
    file = INVALID / case
    if file.is_dir():
        file /= "pyruse.toml"
    lines = file.read_text(errors="replace").splitlines()
    return [line.removeprefix("#! ") for line in lines if line.startswith("#! ")]


def check(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=INVALID, capture_output=True, text=True, check=False, timeout=TIME_LIMIT,
    )  # fmt: skip


def run_forked(cases: list[str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", _FORKED],
        input=json.dumps(cases), cwd=INVALID, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="session")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Exit code, output and errors of each case; run once, also for many workers of xdist."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    file = shared / "outcomes-of-invalid.json"
    with (shared / "outcomes-of-invalid.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            with ThreadPoolExecutor() as pool:
                parts = list(pool.map(run_forked, [CASES[::2], CASES[1::2]]))
            file.write_text(json.dumps(parts[0] | parts[1]))
    found: dict[str, Any] = json.loads(file.read_text())
    return found


@pytest.mark.parametrize("case", CASES)
def test_a_faulty_configuration_is_refused_in_its_own_words(
    case: str, outcomes: dict[str, Any]
) -> None:
    status, output, errors = outcomes[case]
    lines = [line.replace("FILE", case) for line in expected(case)]
    assert lines, f"{case} states no fault"
    assert errors.splitlines() == lines
    assert (status, output) == (2, "")


@pytest.mark.parametrize("case", CASES)
def test_each_fault_has_its_address_and_says_what_is_expected(case: str) -> None:
    lines = expected(case)
    assert lines
    for line in lines:
        assert line.startswith(("FILE: ", "FILE/"))
        assert "(expected " in line
        assert line.endswith(")")
        assert line.isprintable()
        assert len(line) < 350
        for jargon in ("`int`", "`str`", "`array`", "NoneType", "Traceback", "dict", "[type="):
            assert jargon not in line


@pytest.mark.parametrize("case", ["many-faults.toml", "chain-in-two-files"])
def test_the_forked_commands_say_what_a_plainly_started_one_says(
    case: str, outcomes: dict[str, Any]
) -> None:
    done = check("-m", "pyruse", "check", "-c", case)
    assert [done.returncode, done.stdout, done.stderr] == outcomes[case]


def test_there_are_many_of_them() -> None:
    assert len(CASES) > 150
