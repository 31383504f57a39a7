"""What the tests share: they use the fixtures that authors of plugins use (pyruse.testing)."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyruse.state.database import State

ROOT = Path(__file__).parent.parent

# The generators under tools/ are no part of the wheel. Appended, so that an installed Pyruse wins.
sys.path.append(str(ROOT))


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
