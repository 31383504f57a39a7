"""A fleet of three on one machine, with a PostgreSQL of its own; nothing of the machine is changed.

Its daemons read a journal of their own folder, and their firewall is a program that does nothing.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from pyruse import UserError
from pyruse_fleet import hosts, report, schema, status
from pyruse_fleet.server import Server, binaries

_HOSTS = ("web1", "web2", "mail1")
_CONFIGURATION = """
[journal]
directory = "{folder}/journal"
[state]
url = "sqlite://{folder}/state.sqlite"
[bans]
log = false
[bans.nftables]
command = ["true"]
[email]
to = ["root"]
sendmail = ["true"]
[report]
archive = "{folder}/reports"
[chains]
"ssh" = [
  {{ filter = "regex", pattern = '^Failed for .* from {{address}}$' }},
  {{ action = "ban", ip = "ip", duration = "1h" }},
]
[plugins.fleet]
url = "{url}"
share = ["ssh", "manual"]
accept = ["ssh", "manual"]
counters = ["ssh"]
report = true
"""
_LONGEST_S = 60.0


def run() -> None:
    """Show a ban that travels; then leave the fleet running until Enter is pressed.

    :raises UserError: there is no PostgreSQL, or a daemon does not start.
    """
    if binaries() is None:
        raise UserError("PostgreSQL is not installed (expected Debian's package postgresql)")
    with ExitStack() as end:
        server = end.enter_context(Server())
        with server.connection() as connection:
            schema.migrate(connection)
            for name in _HOSTS:
                hosts.add(connection, name)
        _say(f"a PostgreSQL is there: psql '{server.url()}'")
        folder = Path(tempfile.mkdtemp(prefix="pyruse-fleet-"))
        end.callback(shutil.rmtree, folder, ignore_errors=True)
        configurations = {name: _configure(folder / name, server.url(name)) for name in _HOSTS}
        for file in configurations.values():
            daemon = subprocess.Popen(
                [*_pyruse(), "run", "-c", str(file)], stdin=subprocess.DEVNULL
            )
            end.callback(daemon.wait)
            end.callback(daemon.terminate)
        _wait_for(server, "SELECT count(*) = 3 FROM fleet.hosts WHERE seen IS NOT NULL")
        _say("three hosts are there: web1, web2, mail1")
        first, *others = configurations.values()
        _say("on web1: pyruse ban 192.0.2.7 --for 1h")
        _run("ban", "192.0.2.7", "--for", "1h", file=first)
        for name, file in zip(_HOSTS[1:], others, strict=True):
            _wait_until_banned(file)
            _say(f"on {name}, pyruse bans:\n  {_run('bans', file=file).strip()}")
        with server.connection() as connection:
            _say(f"pyruse-fleet status:\n{_indented(status.text(status.read(connection)))}")
            today = report.text(report.read(connection, datetime.now().astimezone().date()))
            _say(f"pyruse-fleet report today, before any host's day is over:\n{_indented(today)}")
        if sys.stdin.isatty():
            _say(f"try it: {' '.join(_pyruse())} unban 192.0.2.7 -c {first}")
            input("Enter ends the demo. ")
    _say("all is removed")


def _configure(folder: Path, url: str) -> Path:
    (folder / "journal").mkdir(parents=True)
    (folder / "reports").mkdir()
    file = folder / "pyruse.toml"
    file.write_text(_CONFIGURATION.format(folder=folder, url=url))
    return file


def _wait_for(server: Server, query: str) -> None:
    deadline = time.monotonic() + _LONGEST_S
    while time.monotonic() < deadline:
        with server.connection() as connection:
            if connection.execute(query.encode()).fetchone() == (True,):
                return
        time.sleep(0.1)
    raise UserError("the hosts do not come (see above what they say)")


def _wait_until_banned(file: Path) -> None:
    deadline = time.monotonic() + _LONGEST_S
    while time.monotonic() < deadline and not _run("bans", file=file):
        time.sleep(0.1)


def _run(*command: str, file: Path) -> str:
    done = subprocess.run(
        [*_pyruse(), *command, "-c", str(file)], capture_output=True, text=True, check=False
    )
    return done.stdout


def _pyruse() -> list[str]:
    return [sys.executable, "-m", "pyruse"]


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
