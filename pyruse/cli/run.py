"""``pyruse run``."""

from __future__ import annotations

from pathlib import Path

import click

from pyruse.cli.options import config_option, configuration


@click.command("run")
@config_option
@click.option("--once", is_flag=True, help="Handle all that is pending, then exit.")
def command(config: Path | None, once: bool) -> None:
    """Follow the journal: filter, count, ban, mail, and report once a day.

    Begins where the last run ended, so no entry is lost or handled twice; the very first run
    begins where "[journal] start" says. SIGTERM and SIGINT end it; SIGHUP has the configuration
    read again.
    """
    from pyruse.daemon import Daemon
    from pyruse.engine import Engine
    from pyruse.faults import Faults
    from pyruse.log import to_journal
    from pyruse.state.database import State
    from pyruse.state.lock import StateLock

    loaded = configuration(config)
    path = loaded.settings.state.url.path
    faults = Faults(to_journal)
    lock = StateLock(path)
    state = State(path)
    try:
        state.load()
        engine = Engine(loaded, state, faults)
        Daemon(engine, lambda: Engine(configuration(config), state, faults)).run(once=once)
    finally:
        state.close()
        lock.release()
