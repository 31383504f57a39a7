"""Opens a daemon's state, whatever happened to its file: a damaged one is set aside and saved."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from pyruse.state.damage import (
    DamagedError,
    MissingError,
    StateError,
    error_of,
    has_lost_its_file,
    wal_of,
    was_not_closed,
)
from pyruse.state.database import State
from pyruse.state.filed_events import mend
from pyruse.state.opening import MEMORY
from pyruse.state.positions import place_in_time


@contextmanager
def kept_state(path: str, tell: Callable[[str], None]) -> Iterator[State]:
    """The state for the time of a ``with`` block, loaded.

    A damaged one is put right before the block. One that turns out to be damaged, or is removed,
    within the block ends it, and is put right for the next start: what the block had not committed
    is handled again then, as after a crash.

    :param path: the file; its lock is held.
    :param tell: told of what was put right.
    :raises StateError: it cannot be used, or the block has to be begun again.
    """
    try:
        state = _open(path)
    except DamagedError as damage:
        tell(rescue(path, damage))
        state = _open(path)
    try:
        with state:
            try:
                yield state
            except MissingError as fault:
                raise StateError(f"{fault}; {_put_back(state)}") from None
    except DamagedError as damage:
        raise StateError(f"{rescue(path, damage)} (start Pyruse again)") from None


def _open(path: str) -> State:
    suspect = was_not_closed(path)
    state = State(path)
    try:
        # Power cuts and crashes are what damages files. At each start, this would take too long.
        if suspect:
            state.check()
        state.load()
    except BaseException:
        state.close()
        raise
    return state


def rescue(path: str, damage: DamagedError) -> str:
    """Set a damaged database aside; in its place is then what can be read of it.

    The damaged file is kept. At every instant, one of the two stands at the path.

    :return: what was done, for the log; the next report tells it, too.
    :raises StateError: it cannot be done, and nothing has changed.
    """
    aside = f"{path}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    new = f"{path}.rescued"
    try:
        _remove(new)
        with State(new) as rescued:
            lost = _salvage(path, rescued)
            kept = f"all but a part of {', '.join(lost)}" if lost else "all of it"
            told = (
                f"{path}: the state was damaged: {damage.reason}; what could be read is kept: "
                f"{kept}; the damaged file is {aside}"
            )
            _note(rescued, told)
        _exchange(path, new, aside)
    except (sqlite3.Error, OSError) as fault:
        raise StateError(
            f"{path}: the state is damaged: {damage.reason}; it cannot be set aside: "
            f"{error_of(new, fault)}"
        ) from None
    return told


def _exchange(path: str, new: str, aside: str) -> None:
    with suppress(FileNotFoundError):
        os.link(path, aside)
    # Before the new database comes: SQLite would take the old one's log for its own.
    with suppress(FileNotFoundError):
        os.rename(wal_of(path), wal_of(aside))
    with suppress(FileNotFoundError):
        os.unlink(f"{path}-shm")
    os.replace(new, path)


def _salvage(path: str, state: State) -> list[str]:
    """Fill a new state with what can be read of a damaged one.

    :return: the tables of which something was lost.
    """
    # SQLite would remove the log of an empty file, if it were only to read it.
    source = MEMORY if has_lost_its_file(path) else f"{Path(path).absolute().as_uri()}?mode=ro"
    query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    tables = [name for (name,) in state.db.execute(query)]
    with closing(sqlite3.connect(source, uri=source != MEMORY)) as old:
        old.text_factory = lambda data: data.decode(errors="replace")
        with suppress(sqlite3.Error):
            old.execute("PRAGMA writable_schema = ON")  # reads a file that was cut off, too
        state.db.execute("BEGIN")
        lost = [table for table in tables if not _copy(old, state.db, table)]
        lost += _drop_nonsense(state.db)
        mend(state.db)
        _place_in_time(path, state.db)
        state.db.execute("COMMIT")
    return list(dict.fromkeys(lost))


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> bool:
    """Copy the rows of a table: from its begin, and where that ends at damage, from its end.

    :return: whether that was all of them.
    """
    columns = {name: key for _, name, _, _, _, key in new.execute(f"PRAGMA table_info({table})")}
    try:
        known = [name for _, name, *_ in old.execute(f"PRAGMA table_info({table})")]
    except sqlite3.Error:
        return False
    common = [name for name in columns if name in known]
    if not common:
        return False
    keys = sorted((key, name) for name, key in columns.items() if key)
    order = [name for _, name in keys] or ["rowid"]
    names, marks = ", ".join(common), ", ".join("?" * len(common))
    insert = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"
    whole = True
    for direction in ("ASC", "DESC"):
        by = ", ".join(f"{name} {direction}" for name in order)
        try:
            for row in old.execute(f"SELECT {names} FROM {table} ORDER BY {by}"):
                whole &= new.execute(insert, row).rowcount == 1
        except sqlite3.Error:
            whole = False
        else:
            break
    return whole


def _drop_nonsense(db: sqlite3.Connection) -> list[str]:
    """Empty the tables of parts that cannot load them.

    :return: the names of these tables.
    """
    dropped = []
    with State(MEMORY) as scratch:
        for part in scratch.parts:
            try:
                part.load(db)
            except (TypeError, ValueError, sqlite3.Error):
                dropped += re.findall(r"CREATE TABLE IF NOT EXISTS (\w+)", part.SCHEMA)
    for table in dropped:
        db.execute(f"DELETE FROM {table}")
    return dropped


def _place_in_time(path: str, db: sqlite3.Connection) -> None:
    """Where the journal's cursor is lost: go on at the time when the files were last written."""
    written = max(_written_us(file) for file in (path, wal_of(path)))
    place_in_time(db, written)


def _written_us(path: str) -> int:
    try:
        found = os.stat(path)
    except OSError:
        return 0
    return found.st_mtime_ns // 1000 if found.st_size else 0  # opening it makes an empty log


def _note(state: State, text: str) -> None:
    """Tell the reader of the next report."""
    state.load()
    today = datetime.now().astimezone().date()
    days = state.days
    day = next(iter(days.unreported()), days.open_day(today))
    days.begin(day)
    days.note(day, text)
    state.commit()


def _put_back(state: State) -> str:
    """Write the database that was moved or removed again, unless another one is in its place.

    SQLite has it open still, with all that was committed.
    """
    path = Path(state.path)
    if path.exists():
        return "another file is there now: it is used from the next start on (start Pyruse again)"
    new = f"{path}.rescued"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        _remove(new)
        state.db.execute("VACUUM INTO ?", (new,))
        os.chmod(new, 0o640)
        os.rename(new, path)
    except (sqlite3.Error, OSError) as fault:
        return f"it cannot be written again: {fault} (start Pyruse again: a new one is begun)"
    return "it was written again, and nothing is lost (start Pyruse again)"


def _remove(database: str) -> None:
    for file in (database, wal_of(database), f"{database}-shm"):
        with suppress(FileNotFoundError):
            os.unlink(file)
