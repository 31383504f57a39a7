"""Commands change the state by themselves, where no daemon runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from pyruse.errors import UserError
from pyruse.state.database import State
from pyruse.state.hand_over import hand_over
from pyruse.state.lock import StateLock


@contextmanager
def changed_here(path: str) -> Iterator[State]:
    """The state, loaded; what changes in the block is committed at its end.

    :param path: of the state.
    :raises UserError: another process has it, or it cannot be written.
    """
    lock = StateLock(path)
    try:
        with State(path) as state:
            state.load()
            yield state
            state.commit()
    except sqlite3.Error as fault:
        raise UserError(f"{path}: cannot be written: {fault} (expected room on the disk)") from None
    finally:
        hand_over(path)
        lock.release()
