"""The command `pyruse` itself."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from pyruse.registry.kinds import PLUGINS
from pyruse.registry.packages import OWN
from pyruse.registry.registry import Registry
from pyruse.system.native import at_work
from pyruse.testing.plugin import need
from pyruse.testing.waiting import TIME_LIMIT

COMMANDS = ["run", "check", "replay", "explain", "report", "stats", "plugins", "schema", "demo"]


def test_help(process, pyruse):
    done = process("--help")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Usage: pyruse ")
    assert all(f"\n  {command} " in done.out for command in COMMANDS)
    assert pyruse("-h").out == done.out


def test_version(process):
    done = process("--version")
    native = f", entries by {at_work()}" if at_work() else ""
    assert (done.code, done.out, done.err) == (0, f"pyruse {version('pyruse')}{native}\n", "")


def test_a_command_that_there_is_not(process):
    done = process("chekc")
    assert (done.code, done.out) == (2, "")
    assert 'Error: there is no command "chekc" (expected one of: ' in done.err
    assert done.err.endswith('; did you mean "check"?)\n')


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["replay", "--no-such-option"], "No such option"),
        (["status", "surplus"], "unexpected extra argument"),
        (["replay", "surplus"], '"surplus" is no field (expected FIELD=VALUE'),
        (["replay", "--since", "whenever"], '--since: "whenever" is no point in time'),
        (["replay", "--boot", "x"], '--boot: "x" is no boot'),
        (["replay", "--since", "today", "--until", "yesterday"], "--since is after --until"),
        (["replay", "-D", ".", "--namespace", "x"], "expected one of them at most"),
        (["explain", "hello"], '"hello" is no field (expected FIELD=VALUE'),
        (["import"], "import"),
    ],
)
def test_faulty_use_exits_with_2(pyruse, config, monkeypatch, arguments, told):
    monkeypatch.setenv("PYRUSE_CONFIG", str(config))
    done = pyruse(*arguments)
    assert done.code == 2
    assert told in done.out + done.err


@pytest.mark.parametrize("command", ["run", "check", "replay", "explain", "report"])
def test_without_a_configuration(pyruse, tmp_path, monkeypatch, command):
    monkeypatch.setenv("PYRUSE_CONFIG", str(tmp_path / "none"))
    done = pyruse(command)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"{tmp_path}/none: cannot be read: No such file or directory (expected a TOML file; "
        "another place is chosen with -c PATH or PYRUSE_CONFIG)\n"
    )


def test_all_the_faults_of_a_configuration(pyruse, tmp_path):
    file = tmp_path / "faulty.toml"
    file.write_text('[emial]\nx = 1\n[chains]\n"a" = [ { filter = "equal", field = "\x1b" } ]\n')
    file.write_text(file.read_text().replace("\x1b", "\\u001b"))
    done = pyruse("check", "-c", file)
    assert (done.code, done.out) == (2, "")
    lines = done.err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"{file}: ") and "(expected" in line for line in lines)
    assert "\x1b" not in done.err


def imported(code: str) -> set[str]:
    """The top-level names of all modules that some code imports."""
    program = f"{code}\nimport sys; print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=TIME_LIMIT,
    )
    return {name.partition(".")[0] for name in done.stderr.split()}


MAIN = """
import sys
from pyruse.cli import main
sys.argv = ["pyruse", *{arguments}]
try:
    main()
except SystemExit as end:
    assert not end.code
"""
HEAVY = {"jinja2", "rich", "smtplib", "ssl", "xml", "asyncio", "http", "unittest", "tomli_w"}
"""Each takes tens of milliseconds, and is for those who need it."""
RARE = {"email", "hashlib", "lzma", "subprocess", "tempfile"}
"""Each takes milliseconds, and a replay of which no mail comes has no use for them."""


def test_what_is_heavy_is_imported_when_it_is_needed(config, journal):
    assert not imported("import pyruse") & (HEAVY | {"email", "click"})
    for arguments in (["--help"], ["--version"]):
        assert not imported(MAIN.format(arguments=arguments)) & HEAVY
    assert "email" not in imported(MAIN.format(arguments=["--help"]))
    replay = ["replay", "-c", str(config), "--file", str(journal), "--format", "json"]
    assert not imported(MAIN.format(arguments=replay)) & RARE
    for arguments in (replay, ["stats", "--file", str(journal)], ["check", "-c", str(config)]):
        assert not imported(MAIN.format(arguments=arguments)) & (HEAVY - {"ssl"})


COMPILED = """
import re, sys
compiled, as_ever = [], re.compile
def compile(*arguments, **options):
    place = sys._getframe(1)
    if place.f_code.co_name == "<module>" and "/pyruse/" in place.f_code.co_filename:
        compiled.append(f"{place.f_code.co_filename}:{place.f_lineno}")
    return as_ever(*arguments, **options)
re.compile = compile
"""


def test_no_pattern_of_ours_is_compiled_before_it_is_used(config, journal):
    replay = ["replay", "-c", str(config), "--file", str(journal), "--format", "json"]
    program = f"{COMPILED}{MAIN.format(arguments=replay)}\nprint(*compiled, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=True, timeout=TIME_LIMIT,
    )  # fmt: skip
    assert done.stderr.split() == []


def test_steps_of_ours_are_not_made_to_be_compared():
    """Two of three functions that a dataclass makes, at each start, for nobody."""
    registry = Registry()
    ours = [
        registry.find(group, name).load()
        for group in PLUGINS
        for name in registry.names(group)
        if registry.find(group, name).distribution == OWN
    ]
    assert len(ours) > 50
    assert [one for one in ours if {"__eq__", "__repr__"} & vars(one).keys()] == []


def test_whoever_reads_may_have_seen_enough(config, journal):
    """As with ``| head -1``."""
    for arguments in (
        ["replay", "-c", config, "--file", journal, "--format", "json"],
        ["replay", "-c", config, "--file", journal],
        ["schema"],
        ["plugins"],
    ):
        command = [sys.executable, "-m", "pyruse", *map(str, arguments)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()  # before anything is written
        err = process.stderr.read().decode()
        process.stderr.close()
        assert (process.wait(TIME_LIMIT), err) == (1, "")


def test_an_encoding_that_has_not_every_letter(config):
    command = [sys.executable, "-m", "pyruse", "explain", "-c", str(config), "MESSAGE=日本 …"]
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(
        command, env=environment, capture_output=True, check=True, timeout=TIME_LIMIT
    )
    assert b"\n  report, other: [/] \\u65e5\\u672c \\u2026\n" in done.stdout
    assert done.stderr == b""


def test_python_m_pyruse_and_the_script_are_the_same(pyruse):
    script = Path(sys.executable).with_name("pyruse")
    need(None if script.exists() else "Pyruse is not installed as a script here")
    done = subprocess.run([script, "--help"], capture_output=True, text=True, check=True)
    assert done.stdout == pyruse("--help").out


@pytest.mark.parametrize("mode", [0o646, 0o664])
def test_check_warns_of_a_configuration_that_others_may_write(pyruse, tmp_path, mode):
    folder = tmp_path / "conf.d"
    folder.mkdir()
    file, other = folder / "a.toml", folder / "b.toml"
    file.write_text('[chains]\n"c" = [{ action = "discard" }]\n')
    other.write_text('[chains]\n"d" = [{ action = "discard" }]\n')
    file.chmod(mode)
    other.chmod(0o644)
    done = pyruse("check", "-c", str(tmp_path))
    assert done.code == 0
    [told] = [line for line in done.err.splitlines() if "others" in line]
    assert told == (
        f"warning: {file}: others than its owner may write there, and so choose the programs that "
        f"Pyruse runs (expected that they may not: chmod go-w {file})"
    )
    file.chmod(0o644)
    assert "others" not in pyruse("check", "-c", str(tmp_path)).err


@pytest.mark.parametrize("name", ["", "conf.d", "../above"])
def test_check_warns_of_folders_in_which_others_may_put_a_configuration(pyruse, tmp_path, name):
    above = tmp_path / "above"
    path = above / "pyruse"
    (path / "conf.d").mkdir(parents=True)
    (path / "conf.d" / "a.toml").write_text('[chains]\n"c" = [{ action = "discard" }]\n')
    folder = (path / name).resolve() if name != "../above" else above
    assert "others" not in pyruse("check", "-c", str(path)).err
    folder.chmod(0o777)
    done = pyruse("check", "-c", str(path))
    assert done.code == 0
    [told] = [line for line in done.err.splitlines() if "others" in line]
    assert told == (
        f"warning: {folder}: others than its owner may write there, and so choose the programs "
        f"that Pyruse runs (expected that they may not: chmod go-w {folder})"
    )
    if folder == above:  # as /tmp is: nobody can replace what is another's
        folder.chmod(0o1777)
        assert "others" not in pyruse("check", "-c", str(path)).err
