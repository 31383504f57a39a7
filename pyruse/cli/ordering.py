"""How commands change bans: through the daemon, or without one by themselves."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from pyruse.bans.orders import Answer, BanOrder, UnbanOrder, execute
from pyruse.control import ask
from pyruse.errors import UserError
from pyruse.times import now_us

if TYPE_CHECKING:
    from pyruse.bans.service import Bans
    from pyruse.config.load import Configuration

_KEPT = "it is remembered all the same, and the daemon tries again; see `pyruse bans`"


def carry_out(loaded: Configuration, order: BanOrder | UnbanOrder) -> Answer:
    """Have an order carried out, in the firewall at once.

    :raises UserError: a firewall refused it, or the state cannot be used.
    """
    message = msgspec.to_builtins(order)
    path = loaded.settings.state.url.path
    said = ask(path, {"request": "order", "order": message})
    if said is None:
        return msgspec.convert(_without_daemon(loaded, path, message), Answer)
    if not said.get("ok"):
        raise UserError(f"{said.get('fault')} ({_KEPT})")
    return msgspec.convert(said["answer"], Answer)


def teardown(loaded: Configuration) -> None:
    """Take everything that is Pyruse's out of the firewalls; the state keeps the bans.

    :raises UserError: a daemon runs, a firewall refused it, or the state cannot be used.
    """
    from pyruse.engine import Engine
    from pyruse.faults import Faults
    from pyruse.log import to_stderr
    from pyruse.state.database import State
    from pyruse.state.lock import StateLock

    path = loaded.settings.state.url.path
    lock = StateLock(path)
    try:
        with State(path) as state:
            state.bans.load(state.db)
            bans = Engine(loaded, state, Faults(to_stderr), dry_run=True).bans
            bans.enforcement.firewall(bans.backend)  # also when nobody is banned by now
            bans.enforcement.teardown()
            bans.enforcement.close()
    finally:
        _hand_over(path)
        lock.release()


def _without_daemon(loaded: Configuration, path: str, order: dict[str, Any]) -> dict[str, Any]:
    from pyruse.engine import Engine
    from pyruse.faults import Faults
    from pyruse.log import to_stderr
    from pyruse.state.database import State
    from pyruse.state.lock import StateLock

    lock = StateLock(path)
    try:
        with State(path) as state:
            state.load()
            bans = Engine(loaded, state, Faults(to_stderr), dry_run=True).bans
            answer = execute(order, bans, now_us())
            # Remembered first: what the firewall has, the state is to know of.
            state.commit()
            faults = _enforce(bans)
            state.commit()
    except sqlite3.Error as fault:
        raise UserError(f"{path}: cannot be written: {fault} (expected room on the disk)") from None
    finally:
        _hand_over(path)
        lock.release()
    if faults:
        raise UserError(f"{'; '.join(faults)} ({_KEPT})")
    return answer


def _enforce(bans: Bans) -> list[str]:
    faults: list[Exception] = []
    bans.enforce(faults.append)
    bans.enforcement.close()
    return list(map(str, faults))


def _hand_over(path: str) -> None:
    """Let files that root has made belong to the daemon's user: the one whose folder it is."""
    if os.geteuid() != 0:
        return
    with suppress(OSError):
        folder = Path(path).parent.stat()
        for ending in ("", "-wal", "-shm", ".lock"):
            with suppress(FileNotFoundError):
                os.chown(f"{path}{ending}", folder.st_uid, folder.st_gid, follow_symlinks=False)
