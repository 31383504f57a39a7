"""A state that is stopped and started."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyruse.state.database import State


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[], State]]:
    """``opened()``: the state as the next start finds it."""
    states: list[State] = []

    def start() -> State:
        for state in states:
            state.close()
        states.append(State(str(tmp_path / "state.sqlite")))
        states[-1].load()
        return states[-1]

    yield start
    for state in states:
        state.close()
