"""All rules in use cost an entry no more than ten of them: counted operations, not time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.engine.assembly import assemble
from pyruse.engine.engine import Engine
from pyruse.engine.faults import Faults
from pyruse.engine.modes import DRY
from pyruse.registry.registry import Registry
from pyruse.rules.library import Library
from pyruse.state.database import State
from tests.rules.counted import cost_of_entry

TEN = ["sshd", "postfix", "dovecot", "nginx", "sudo", "su", "pam", "cron", "systemd", "kernel"]
SSHD = {"SYSLOG_IDENTIFIER": "sshd", "_UID": 0, "_COMM": "sshd", "_PID": 811}
SMTPD = {"_UID": 105, "_EXE": "/usr/lib/postfix/sbin/smtpd", "_SYSTEMD_UNIT": "postfix@-.service"}
ENTRIES: list[dict[str, Any]] = [
    {"SYSLOG_IDENTIFIER": "nobody", "MESSAGE": "hello", "PRIORITY": 6},
    {**SSHD, "MESSAGE": "Failed password for root from 203.0.113.9 port 4711 ssh2"},
    {**SSHD, "MESSAGE": "error: kex: the future"},
    {
        **SMTPD,
        "SYSLOG_IDENTIFIER": "postfix/smtpd",
        "MESSAGE": "connect from unknown[203.0.113.9]",
    },
    {
        "SYSLOG_IDENTIFIER": "CRON", "_UID": 0, "_COMM": "cron",
        "MESSAGE": "(root) CMD (run-parts /etc/cron.hourly)",
    },
    {
        "SYSLOG_IDENTIFIER": "systemd", "_UID": 0, "_PID": 1, "_COMM": "systemd", "PRIORITY": 6,
        "MESSAGE": "Started x.service - X.", "UNIT": "x.service",
    },
    {"SYSLOG_IDENTIFIER": "kernel", "_TRANSPORT": "kernel", "MESSAGE": "eth0: link up"},
    {"MESSAGE": "of no program"},
]  # fmt: skip


@contextmanager
def at_work(use: Sequence[str]) -> Iterator[Engine]:
    configuration = configure(from_text(f"use = {list(use)}"), Registry())
    with State() as state:
        yield assemble(configuration, state, Faults(lambda *_: None), DRY)


@pytest.fixture(scope="module")
def engines() -> Iterator[tuple[Engine, Engine]]:
    library = Library(Registry())
    everything = [name for name in library.names if not library.rules(name).is_policy]
    with at_work(TEN) as ten, at_work(everything) as all_:
        yield ten, all_


def test_all_rules_cost_within_a_twentieth_of_ten(engines: tuple[Engine, Engine]) -> None:
    """All kinds together; what no switch decides costs those a little more that nobody knows."""
    ten, all_ = ([cost_of_entry(engine, fields) for fields in ENTRIES] for engine in engines)
    for kind in (0, 1):
        few, many = (sum(one[kind] for one in costs) for costs in (ten, all_))
        assert few > 50  # something was counted
        assert many <= few * 1.05, (few, many)
    for fields, few_, many_ in zip(ENTRIES, ten, all_, strict=True):
        assert many_[0] <= few_[0] * 1.1, fields
