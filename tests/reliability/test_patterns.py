"""Regular expressions that take for ever: found by `check`, and interrupted where they are used."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import pyruse
from pyruse.chains.ambiguity import can_take_for_ever
from pyruse.chains.lint import warnings
from pyruse.config.files import from_text, read
from pyruse.config.load import configure
from pyruse.registry.registry import Registry
from pyruse.testing import Journald, MakeDaemon
from tests.conftest import ROOT

CATASTROPHIC = [
    r"(a+)+$",
    r"(a|a)*b",
    r"(.*,)*x",
    r"(\w+\s?)*$",
    r"(a*)*b",
    r"(?:a|aa)+$",
    r"^(\S+\s*)+x$",
    r"(?:\d{1,3})+x",
    r"([a-z]+)*\d",
    r"(a|b|ab)*c",
    r"(?:ab|ab)*c",
    r'(?:"[^"]*"|\S+)*x',
    r"((a+)?b?)*c",
    r"(?:a{2,}){3,}b",
    r"^(?:(?:\d+)\.?)+$",
    r"(?i)(?:a|A+)*b",
    r"(?:.|\s)*x",
    r"(?=(a+)+$)b",
    r"(?:ё|[^\n])*x",
]

HARMLESS = [
    r"^Failed password for (?:invalid user )?(?P<user>.*) from (?P<ip>\S+) port \d+ ssh2$",
    r"(\w+ )*x",
    r"(?:\d+\.)*x",
    r"(?:[^,]*,)*x",
    r".*a.*b.*c$",
    r"(?:\d{3})+x",
    r"(?:a{3}){2}b",
    r"(a+)+",  # nothing comes after it that could fail
    r"(\w+\s?)*",
    r"(?>a+)+$",  # matched in one way only
    r"(a++)+$",
    r"(?:[0-9a-f]{1,4}:){7}x",
    r"(?:\d{1,3}\.){3}\d{1,3}$",
    r"^(?:\S+ )*\S+$",
    r"(?:a|b)*c",
    r"(?:\\.|[^\"\\])*\"",
    r"(a)(?:\1b)*c",
    "(?:" + "|".join(f"word{number}" for number in range(100)) + ")*$",
]


@pytest.mark.parametrize("pattern", CATASTROPHIC)
def test_a_pattern_that_can_take_for_ever_is_found(pattern: str) -> None:
    """By a part of CPython that is private: this test tells when another version changes it."""
    assert can_take_for_ever(re.compile(pattern))


@pytest.mark.parametrize("pattern", HARMLESS)
def test_a_pattern_that_cannot_is_not_suspected(pattern: str) -> None:
    assert not can_take_for_ever(re.compile(pattern))


def test_check_tells_of_it() -> None:
    text = """[chains]
    "a" = [ { filter = "regex", pattern = ['^ok$', '^(\\w+\\s?)*$'] }, { action = "discard" } ]"""
    assert warnings(configure(from_text(text), Registry()).chains) == [
        """pyruse.toml: chains."a"[0]: '^(\\w+\\s?)*$': a line that is made for it can keep it """
        "busy for ever, as a repeated part can match one text in several ways (expected only one "
        "way, such as (?:\\w+\\s)* and not (?:\\w+\\s?)*)"
    ]


CONFIGURATIONS = [
    *sorted((ROOT / "deploy" / "examples").glob("*.toml")),
    *sorted(Path(pyruse.__file__).parent.glob("demo/*.toml")),
    Path(__file__).parents[2] / "bench" / "day.toml",
]


@pytest.mark.parametrize("file", CONFIGURATIONS, ids=lambda file: file.name)
def test_no_pattern_of_ours_can_take_for_ever(file: Path) -> None:
    warned = warnings(configure(read(file), Registry()).chains)
    assert [line for line in warned if "busy for ever" in line] == []


CHAINS = r"""
[chains]
"catastrophe" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "test" },
  { filter = "regex", pattern = '^(a+)+$' },
  { action = "report", section = "important", message = "only a's" },
]
"others" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "test" },
  { action = "report", section = "other", message = "{MESSAGE}" },
]
"""


@pytest.mark.realparts
def test_with_each_hostile_line_the_next_one_has_less_time(
    daemon: MakeDaemon, journald: Journald
) -> None:
    one = daemon(CHAINS, journald)
    hostile = "a" * 60 + "!"
    messages = [*[hostile] * 100, "aaa", "the next one"]
    journald.send_all([{"SYSLOG_IDENTIFIER": "test", "MESSAGE": text} for text in messages])
    journald.sync()
    done = one.command("run", "--once")
    assert done.returncode == 0
    with closing(sqlite3.connect(one.state)) as db, db:
        events = list(db.execute("SELECT message FROM events ORDER BY time"))
    # The lines that the step was made for are not missed meanwhile.
    assert events == [*[(hostile,)] * 100, ("only a's",), ("the next one",)]
    told = [line for line in done.stderr.splitlines() if "StepTooSlow" in line]
    place = '<3>pyruse: chains."catastrophe"[1]: filter regex: StepTooSlow: took too long with '
    assert told[0] == f"{place}this entry (over 1 s)"
    assert told[1:] == [f"{place}this entry (over 0.005 s) ({count} times)" for count in (10, 100)]
