"""What the tests share: they use the fixtures that authors of plugins use (pyruse.testing)."""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pyruse.state.database import State
from pyruse.testing.processes import Mark

ROOT = Path(__file__).parent.parent

# The generators under tools/ are no part of the wheel. Appended, so that an installed Pyruse wins.
sys.path.append(str(ROOT))

with suppress(ModuleNotFoundError):  # where the README of a package in pyruse-contrib is tried
    import hypothesis

    # How long an example takes, or how many are made in a second, is the machine's.
    hypothesis.settings.register_profile(
        "pyruse", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("pyruse")


@pytest.fixture(scope="session", autouse=True)
def _no_process_stays() -> Iterator[None]:
    """Fail at the end where a program of any test still runs; kill it if the tests are killed."""
    with Mark() as mark, pytest.MonkeyPatch.context() as patch:
        for name, value in mark.environment.items():
            patch.setenv(name, value)
        yield
        mark.wait()


@pytest.fixture
def over_once(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """``over_once((tmp_path / "pid").exists)``: from then on, time limits of programs are over.

    Not before, however slow the machine is.
    """

    def stop_clock(there: Callable[[], object]) -> None:
        ages = itertools.count(1e9, 1e9)  # at each look at the clock, every time limit is over
        clock = SimpleNamespace(monotonic=lambda: next(ages) if there() else 0.0)
        monkeypatch.setattr("pyruse.system.programs.time", clock)

    return stop_clock


@pytest.fixture(autouse=True)
def _modules_are_forgotten(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Forget the plugins that a test has written and loaded: the next one has others."""
    before = set(sys.modules)
    yield
    folder = str(tmp_path_factory.getbasetemp())
    for name in sys.modules.keys() - before:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(folder):
            del sys.modules[name]


@pytest.fixture(autouse=True)
def _states_are_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close what a test leaves open: Python 3.13 warns of a database that is left open."""
    made: list[State] = []
    connect = State.__init__

    def keeping(self: State, *arguments: Any, **options: Any) -> None:
        connect(self, *arguments, **options)
        if threading.current_thread() is threading.main_thread():  # others close their own
            made.append(self)

    monkeypatch.setattr(State, "__init__", keeping)
    yield
    for state in made:
        state.close()
