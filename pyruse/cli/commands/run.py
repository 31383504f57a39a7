"""``pyruse run``."""

from __future__ import annotations

from pathlib import Path

import click

from pyruse.cli.options import config_option, configuration

_ERROR, _WARNING = 3, 4  # syslog(3)


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
    from pyruse.system.log import tell
    from pyruse.system.native import refusal

    loaded = configuration(config, whole=False)
    path = loaded.settings.state.url.path
    if fault := refusal():
        tell(fault, _WARNING, {})
    faults = Faults(tell)
    lock = StateLock(path)
    try:
        with kept_state(path, lambda text: tell(text, _ERROR, {})) as state:
            engine = assemble(loaded, state, faults, LIVE)
            remake = lambda: assemble(configuration(config, whole=False), state, faults, LIVE)  # noqa: E731
            Daemon(engine, remake).run(once=once)
    finally:
        hand_over(path)
        lock.release()
