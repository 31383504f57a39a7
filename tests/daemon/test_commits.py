"""Commits that are tried again and again."""

from __future__ import annotations

import select
import sqlite3
from types import SimpleNamespace
from typing import cast

from pyruse.daemon.commits import Commits
from pyruse.daemon.signals import Signals
from pyruse.daemon.status.activity import Activity
from pyruse.daemon.wake import Wake
from pyruse.state.database import State
from pyruse.system.service_manager import Watchdog


def test_what_wakes_the_main_loop_while_the_disk_is_full_is_not_forgotten() -> None:
    """A report that is made meanwhile, say: the main loop would not look, and sleep for ever."""
    wake = Wake()
    attempts = 0

    def commit() -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            wake()
            raise sqlite3.OperationalError("database or disk is full")

    state = cast(State, SimpleNamespace(commit=commit, path="state.sqlite"))
    signals = cast(Signals, SimpleNamespace(stop=False))
    activity = Activity(0)
    Commits(state, activity, signals, wake, Watchdog(), lambda _: None)()
    assert attempts == 2
    assert not activity.held_up_by
    assert select.select([wake], [], [], 0)[0], "the main loop is awake"
