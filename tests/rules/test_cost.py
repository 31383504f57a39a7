"""A hundred rules cost an entry no more than ten: counted operations, not time."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.engine.assembly import assemble
from pyruse.engine.faults import Faults
from pyruse.engine.modes import DRY
from pyruse.registry.files import PluginFiles
from pyruse.registry.registry import Registry
from pyruse.rules.library import Library
from pyruse.state.database import State
from tests.rules.counted import cost_of_entry

RULES = """
title = "Program {number}"
programs = ["prog{number}"]
[chains]
"prog{number}" = [
  {{ filter = "in", field = "SYSLOG_IDENTIFIER", values = ["prog{number}", "{number}"] }},
  {{ filter = "equals", field = "_UID", value = 0, else = "prog{number} forged" }},
  {{ filter = "regex", pattern = '^hello (?P<user>\\S+)$' }},
  {{ action = "event", name = "login", service = "$rules" }},
]
"prog{number} forged" = [ {{ action = "event", name = "noise" }} ]
"""


def operations(folder: Path, rules: int, **fields: object) -> tuple[int, int]:
    """Opcodes and calls into C for an entry, on its second way."""
    folder.mkdir()
    for number in range(rules):
        (folder / f"prog{number}.toml").write_text(RULES.format(number=number))
    use = [f"prog{number}" for number in range(rules)]
    return counted(use, Registry(PluginFiles(folder, trusted=True)), fields)


def counted(use: list[str], registry: Registry, fields: dict[str, object]) -> tuple[int, int]:
    """Opcodes and calls into C for an entry, once the patterns that it needs are compiled."""
    configuration = configure(from_text(f"use = {use}"), registry)
    with State() as state:
        return cost_of_entry(assemble(configuration, state, Faults(lambda *_: None), DRY), fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"SYSLOG_IDENTIFIER": "nobody", "MESSAGE": "hello"},
        {"SYSLOG_IDENTIFIER": "prog7", "_UID": 0, "MESSAGE": "hello ann"},
        {"SYSLOG_IDENTIFIER": "prog7", "_UID": 0, "MESSAGE": "good bye"},
        {"MESSAGE": "of no program"},
    ],
)
def test_a_hundred_rules_cost_no_more_than_ten(tmp_path: Path, fields: dict[str, object]) -> None:
    ten = operations(tmp_path / "ten", 10, **fields)
    hundred = operations(tmp_path / "hundred", 100, **fields)
    assert hundred == ten
    assert ten[0] > 50  # something was counted


TEN = ["sshd", "postfix", "dovecot", "nginx", "sudo", "systemd", "kernel", "cron", "apt", "pam"]


@pytest.mark.parametrize(
    ("fields", "more"),
    [
        ({"SYSLOG_IDENTIFIER": "CRON", "_UID": 0, "MESSAGE": "(root) CMD (x)"}, 1.05),
        ({"SYSLOG_IDENTIFIER": "kernel", "_TRANSPORT": "kernel", "MESSAGE": "eth0: up"}, 1.05),
        ({"SYSLOG_IDENTIFIER": "sshd", "_UID": 0, "_COMM": "sshd", "MESSAGE": "x"}, 1.05),
        ({"SYSLOG_IDENTIFIER": "nobody", "_COMM": "nobody", "MESSAGE": "hello"}, 1.05),
    ],
)
def test_all_our_rules_cost_what_ten_cost(fields: dict[str, object], more: float) -> None:
    registry = Registry()
    library = Library(registry)
    use = [name for name in library.names if not library.rules(name).is_policy]
    ten, everything = counted(TEN, registry, fields), counted(use, registry, fields)
    assert len(use) >= 60
    assert everything[0] <= ten[0] * more
