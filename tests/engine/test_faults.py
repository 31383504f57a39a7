"""What goes wrong is told, and not with every entry."""

from __future__ import annotations

import time

import pytest

from pyruse.engine.faults import Faults


def logged(faults: list[str]) -> Faults:
    return Faults(lambda message, level, fields: faults.append(message))


def test_a_fault_is_logged_the_first_time_and_then_ever_less_often() -> None:
    lines: list[str] = []
    faults = logged(lines)
    for _ in range(100):
        faults.report("mail", "delivery", "no server")
    assert lines == ["mail: no server", "mail: no server (10 times)", "mail: no server (100 times)"]


def test_where_nobody_hears_of_it_otherwise_each_one_is_logged() -> None:
    lines: list[str] = []
    faults = logged(lines)
    for number in range(20):
        faults.report("mail", "given up", f"mail {number}", each=True)
    assert [line.partition(" (")[0] for line in lines] == [
        f"mail: mail {number}" for number in range(20)
    ]


def test_a_loop_of_what_is_logged_and_its_own_faults_comes_to_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines: list[str] = []
    faults = logged(lines)
    for _ in range(1_000):
        faults.report("mail", "given up", "refused", each=True)
    assert len(lines) == 20 + 2, "the 100th, and the 1000th"
    hours = time.monotonic() + 3700
    monkeypatch.setattr(time, "monotonic", lambda: hours)
    faults.report("mail", "given up", "refused again", each=True)
    assert lines[-1] == "mail: refused again (1001 times)"
