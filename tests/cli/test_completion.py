"""Completion by value, in the real shells."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pyruse.cli import COMMANDS
from pyruse.testing.journal import make_journal, unavailable
from pyruse.testing.plugin import need
from pyruse.testing.waiting import TIME_LIMIT

CONFIG = """
[journal]
files = ["{journal}"]
start = "head"
[state]
url = "sqlite://{folder}/state.sqlite"
[email]
to = ["root"]
smtp = "smtp://127.0.0.1:1"
[bans]
backend = "command"
command = {{ ban = ["/bin/true", "{{ip}}"], unban = ["/bin/true", "{{ip}}"] }}
[chains]
"my chain" = [ {{ action = "report", section = "other", message = "{{MESSAGE}}" }} ]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a configuration, a state, and a program `pyruse` that is this one."""
    need(unavailable())
    folder = tmp_path_factory.mktemp("completion")
    entries = [
        {"SYSLOG_IDENTIFIER": name, "_SYSTEMD_UNIT": f"{name}.service", "MESSAGE": "x",
         "_HOSTNAME": "aubergine"}
        for name in ("sshd", "sslh", "cron")
    ]  # fmt: skip
    journal = make_journal(folder / "day.journal", entries)
    (folder / "pyruse.toml").write_text(CONFIG.format(journal=journal, folder=folder))
    program = folder / "bin" / "pyruse"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m pyruse "$@"\n')
    program.chmod(0o755)
    for arguments in (
        ["run", "--once"],
        ["ban", "203.0.113.7", "2001:db8::7", "--label", "by hand"],
        ["ban", "198.51.100.9", "--force"],
    ):
        done = subprocess.run(
            [str(program), "-c", str(folder / "pyruse.toml"), *arguments],
            capture_output=True, text=True, timeout=TIME_LIMIT, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def offered(place, pyruse, monkeypatch) -> Callable[[str], list[str]]:
    """``offered("pyruse unban ")``: what may stand at the end of a command line."""
    monkeypatch.setenv("PYRUSE_CONFIG", str(place / "pyruse.toml"))

    def run(line: str) -> list[str]:
        done = pyruse("completion", "--line", line)
        assert (done.code, done.err) == (0, "")
        return [one.partition("\t")[0] for one in done.out.splitlines()]

    return run


def test_what_is_in_the_outbox(offered):
    ids = offered("pyruse outbox --drop ")
    assert ids
    assert all(re.fullmatch("[0-9a-f]{8}", one) for one in ids)
    assert offered(f"pyruse outbox {ids[0][:4]}") == [ids[0]]


def test_commands_and_options(offered):
    assert offered("pyruse ") == list(COMMANDS)
    assert offered("pyruse ba") == ["bans", "ban"]
    assert offered("sudo -E /usr/bin/pyruse unb") == ["unban"]
    assert offered("pyruse bans --fo") == ["--format", "--for", "--force"]
    assert offered("pyruse bans --format ") == ["text", "json"]
    assert "--config" in offered("pyruse --")
    assert offered("pyruse check ") == [":files"]


def test_values_of_the_state(offered):
    assert offered("pyruse unban ") == ["198.51.100.9", "2001:db8::7", "203.0.113.7"]
    assert offered("pyruse bans 2001:") == ["2001:db8::7"]
    assert offered("pyruse unban 203.0.113.7 203") == []  # it is there already
    assert offered("pyruse unban --all --label ") == ["by hand", "manual"]
    days = offered("pyruse report ")
    assert days[:2] == ["today", "yesterday"]
    assert "2026-03-14" in days
    assert offered("pyruse report --host ") == ["aubergine"]
    assert offered("pyruse kinds --day 2026-03-") == ["2026-03-14"]
    assert {len(one) for one in offered("pyruse kinds --mute ")} == {12}


def test_values_of_the_journal(offered, place):
    assert offered("pyruse replay -u ss") == ["sshd.service", "sslh.service"]
    assert offered("pyruse explain -t ") == ["cron", "sshd", "sslh"]
    assert offered("pyruse stats --by _SYS") == ["_SYSTEMD_UNIT"]
    assert offered("pyruse stats _SYSTEMD_U") == ["_SYSTEMD_UNIT="]
    assert offered("pyruse stats _SYSTEMD_UNIT=c") == ["_SYSTEMD_UNIT=cron.service"]
    assert offered("pyruse stats -p w") == ["warning"]
    assert offered(f"pyruse stats --file {place}/day.journal -t c") == ["cron"]
    assert offered(f"pyruse stats -D {place}/bin -t c") == []  # there is no journal


def test_plugins_rules_and_chains(offered, place):
    assert offered("pyruse rules ssh") == ["sshd"]
    assert offered("pyruse plugins reg") == ["regex"]
    assert offered("pyruse try my") == ["my chain"]
    assert offered("pyruse try sshd") == ["sshd"]


@pytest.mark.parametrize(
    "line",
    ["pyruse unban ", "pyruse report ", "pyruse stats -u ", "pyruse nothing of the kind ",
     "pyruse unban 'open", "", "pyruse", "x"],
)  # fmt: skip
def test_nobody_is_disturbed_while_typing(pyruse, tmp_path, monkeypatch, line):
    (tmp_path / "bad.toml").write_text("[state\n")
    for name in ("bad.toml", "none.toml"):
        monkeypatch.setenv("PYRUSE_CONFIG", str(tmp_path / name))
        done = pyruse("completion", "--line", line)
        assert (done.code, done.err) == (0, "")


def test_a_shell_that_there_is_not(pyruse):
    assert "expected a shell" in pyruse("completion").err
    assert pyruse("completion", "tcsh").code == 2


def shell(place: Path, *command: str) -> list[str]:
    """What a shell prints that finds this `pyruse` and its configuration."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    environment = {
        **os.environ,
        "PATH": f"{place}/bin:{os.environ['PATH']}",
        "PYRUSE_CONFIG": str(place / "pyruse.toml"),
        "HOME": str(place),
    }
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=TIME_LIMIT, check=False,
        cwd=place,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.splitlines()


BASH = r"""
source <(pyruse completion bash)
complete_line() {
    COMP_LINE=$1 COMP_POINT=${#1}
    # As bash splits a line, ":" and "=" end words.
    COMP_WORDS=($(printf '%s' "$1" | sed 's/[:=]/ & /g')) COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    [[ $1 == *[[:space:]] ]] && { COMP_WORDS+=(""); COMP_CWORD=$((COMP_CWORD + 1)); }
    COMPREPLY=()
    _pyruse pyruse 2>/dev/null
    printf '%s\n' "${COMPREPLY[@]}"
}
"""


@pytest.mark.parametrize(
    ("line", "replies"),
    [
        ("pyruse unb", ["unban"]),
        ("pyruse unban 203", ["203.0.113.7"]),
        ("pyruse unban 2001:db8:", [":7"]),  # what stands before it is there already
        ("pyruse unban 2001:d", ["db8::7"]),
        ("pyruse bans --label by", [r"by\ hand"]),
        ("pyruse stats _SYSTEMD_UNIT=cr", ["cron.service"]),
        ("pyruse rules ssh", ["sshd"]),
    ],
)
def test_bash(place, line, replies):
    found = shell(place, "bash", "--norc", "-c", f"{BASH}\ncomplete_line {line!r}")
    assert found == replies


def test_zsh(place):
    """As zsh calls it: with the words before the cursor, and what is typed of the last one."""
    script = r"""
autoload -U compinit && compinit -u -D
source <(pyruse completion zsh)
compadd() { local all=("$@"); print -l -- ${(P)all[-1]} }
words=(pyruse unban 2001:) CURRENT=3 PREFIX=2001: _pyruse
words=(pyruse stats _SYSTEMD_U) CURRENT=3 PREFIX=_SYSTEMD_U _pyruse
words=(pyruse unban --label x) CURRENT=4 PREFIX=by _pyruse
print $_comps[pyruse]
"""
    found = shell(place, "zsh", "-f", "-c", script)
    assert found == ["2001:db8::7", "_SYSTEMD_UNIT=", "by hand", "_pyruse"]


def test_fish(place):
    script = "pyruse completion fish | source; complete -C 'pyruse unban 2001:'"
    assert shell(place, "fish", "--no-config", "-c", script) == ["2001:db8::7"]
    script = "pyruse completion fish | source; complete -C 'pyruse ba'"
    found = shell(place, "fish", "--no-config", "-c", script)
    assert [one.partition("\t")[0] for one in found] == ["ban", "bans"]
