"""The samples of rules are tests, and strangers' texts are put into them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pyruse.registry.files import PluginFiles
from pyruse.registry.kinds import RULES
from pyruse.registry.registry import Registry
from pyruse.replay.samples import sample_faults
from pyruse.rules.library import Library

PATTERN = r"^refused (?P<user>.*) from (?P<ip>\S+) port \d+$"
WATCH = """
title = "Watch"
[chains]
"watch" = [ { action = "ban", ip = "ip", duration = "1h" } ]
"""


def door(pattern: str = PATTERN) -> str:
    return f"""
title = "Doors"
programs = ["doord"]
[chains]
"door" = [
  {{ filter = "equals", field = "SYSLOG_IDENTIFIER", value = "doord" }},
  {{ filter = "equals", field = "_UID", value = 0 }},
  {{ filter = "regex", pattern = ['{pattern}'], then = "door failed" }},
]
"door failed" = [ {{ action = "event", name = "login failed", then = "watch" }} ]
[[samples]]
entry = {{ SYSLOG_IDENTIFIER = "doord", _UID = 0, MESSAGE = "refused ann from 203.0.113.9 port 4" }}
event = "login failed"
fields = {{ user = "ann", ip = "203.0.113.9" }}
[[samples]]
entry = {{ SYSLOG_IDENTIFIER = "doord", _UID = 0, MESSAGE = "squeaks" }}
"""


def faults_of(text: str, folder: Path) -> list[str]:
    (folder / "door.toml").write_text(text)
    (folder / "watch.toml").write_text(WATCH)
    registry = Registry(PluginFiles(folder, trusted=True))
    faults = sample_faults(Library(registry).rules("door"), registry)
    return [fault.replace(f"{folder}/", "") for fault in faults]


def test_sound_rules(tmp_path: Path) -> None:
    assert faults_of(door(), tmp_path) == []


def test_samples_that_are_something_else(tmp_path: Path) -> None:
    text = door().replace('event = "login failed"', 'event = "login"')
    text = text.replace('"ann", ip', '"bob", ip')
    text = text.replace('"squeaks"', '"refused eve from 203.0.113.7 port 1"')
    line = "refused ann from 203.0.113.9 port 4"
    assert faults_of(text, tmp_path) == [
        f'door.toml: samples[0]: "{line}" is "login failed" (expected "login")',
        f'door.toml: samples[0]: "{line}": user is "ann" (expected "bob")',
        'door.toml: samples[1]: "refused eve from 203.0.113.7 port 1" is "login failed" '
        "(expected nothing)",
    ]


def test_a_pattern_that_no_sample_shows(tmp_path: Path) -> None:
    (fault,) = faults_of(door(rf"{PATTERN}', '^thrown out (?P<user>\S+)$"), tmp_path)
    assert fault == (
        """door.toml: chains."door"[2]: '^thrown out (?P<user>\\S+)$': no sample shows it """
        "(expected [[samples]] with one)"
    )


def test_samples_that_are_all_recognised(tmp_path: Path) -> None:
    (fault,) = faults_of(door().rpartition("[[samples]]")[0], tmp_path)
    assert fault == (
        "door.toml: samples: all of them are recognised (expected one, at least, that is like the "
        "others, and must not be: without event)"
    )


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        (r"^refused (?P<user>.*?) from (?P<ip>\S+)", "would hit 198.51.100.66"),
        (r"^refused (?P<user>ann).* from (?P<ip>[\d.]+)", "has no name"),
        (r"from (?P<ip>\S+) port \d+$", "may be found anywhere"),
    ],
)
def test_what_a_stranger_can_make_of_a_line(tmp_path: Path, pattern: str, fault: str) -> None:
    """The faults that are known from many a filter for sshd."""
    faults = faults_of(door(pattern), tmp_path)
    assert any(fault in one for one in faults), faults


def test_a_ban_for_what_anybody_could_have_written(tmp_path: Path) -> None:
    text = door().replace('{ filter = "equals", field = "_UID", value = 0 },', "")
    assert faults_of(text, tmp_path) == [
        'watch.toml: chains."door watch"[0]: anybody who may log can have anybody banned (expected '
        "a filter of a field that begins with _, such as _UID or _SYSTEMD_UNIT)"
    ]


@pytest.mark.parametrize("name", Registry().names(RULES))
def test_our_own_rules(name: str) -> None:
    registry = Registry()
    assert sample_faults(Library(registry).rules(name), registry) == []


TESTS = """
from pathlib import Path

def test_door(check_rules):
    check_rules(Path("door.toml"))
"""


@pytest.mark.parametrize(("pattern", "code"), [(PATTERN, 0), ("^refused (?P<ip>.*)$", 1)])
def test_the_fixture(tmp_path: Path, pattern: str, code: int) -> None:
    text = door(pattern).replace(', then = "watch"', "")
    (tmp_path / "door.toml").write_text(text)
    (tmp_path / "test_door.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_door.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout
