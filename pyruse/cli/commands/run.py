"""``pyruse run``."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyruse.cli.options import config_option, configuration
from pyruse.errors import ConfigError, UserError

if TYPE_CHECKING:
    from pyruse.config.settings import Settings
    from pyruse.state.database import State

_ERROR, _WARNING = 3, 4  # syslog(3)
_LONGEST_FAULT = 400


@click.command("run")
@config_option
@click.option("--once", is_flag=True, help="Handle all that is pending, then exit.")
def command(config: Path | None, once: bool) -> None:
    """Follow the journal: filter, count, ban, mail, and report once a day.

    Begins where the last run ended, so no entry is lost or handled twice. The very first run
    begins where "[journal] start" says. SIGTERM and SIGINT end it; SIGHUP makes it read the
    configuration again.

    \b
    pyruse run --once -c /etc/pyruse
    """  # noqa: D301 -- click takes this one character for "as it stands"
    from pyruse.daemon.daemon import Daemon
    from pyruse.engine.assembly import assemble
    from pyruse.engine.faults import Faults
    from pyruse.engine.modes import LIVE
    from pyruse.state.hand_over import hand_over
    from pyruse.state.lock import StateLock
    from pyruse.state.rescue import kept_state
    from pyruse.system.allocator import share_one_heap
    from pyruse.system.collector import collect_as_usual
    from pyruse.system.log import tell
    from pyruse.system.native import refusal

    try:
        loaded = configuration(config, whole=False)
    except ConfigError as refused:
        _keep_failed_start(config, refused)
        raise
    share_one_heap()
    path = loaded.settings.state.url.path
    if fault := refusal():
        tell(fault, _WARNING, {})
    faults = Faults(tell)
    lock = StateLock(path)
    try:
        with kept_state(path, lambda text: tell(text, _ERROR, {})) as state:
            try:
                engine = assemble(loaded, state, faults, LIVE)
            except ConfigError as refused:
                _keep(state, loaded.settings, refused)
                raise
            remake = lambda: assemble(configuration(config, whole=False), state, faults, LIVE)  # noqa: E731
            collect_as_usual()
            Daemon(engine, remake).run(once=once)
    finally:
        hand_over(path)
        lock.release()


def _keep_failed_start(config: Path | None, fault: ConfigError) -> None:
    """Have `pyruse status` and the report tell of a start that failed, if there is a state."""
    from pyruse.config.sections import sound_settings
    from pyruse.state.database import State
    from pyruse.state.hand_over import hand_over
    from pyruse.state.lock import StateLock

    with suppress(UserError, OSError, sqlite3.Error):  # what failed is told in any case
        settings = sound_settings(config)
        path = settings.state.url.path
        if not Path(path).exists():
            return
        lock = StateLock(path)
        try:
            with State(path) as state:
                state.load()
                _keep(state, settings, fault)
        finally:
            hand_over(path)
            lock.release()


def _keep(state: State, settings: Settings, fault: ConfigError) -> None:
    from pyruse.text import shortened
    from pyruse.times import now_us

    now = now_us()
    day = state.days.open_day(settings.report.calendar.day_of(now))
    text = f"Pyruse did not start: {shortened(fault.faults[0], _LONGEST_FAULT)}"
    state.faults.add(day, "configuration", "start", text, now)
    state.commit()
