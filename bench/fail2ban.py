"""A fail2ban-server, as it is installed, with configuration, socket and state in a folder."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from bench.measure import Command

INSTALLED = Path("/etc/fail2ban")

_MAIN = """
[Definition]
loglevel = NOTICE
logtarget = {folder}/log
syslogsocket = auto
socket = {folder}/socket
pidfile = {folder}/pid
dbfile = {folder}/state.sqlite3
dbpurgeage = 520w
dbmaxmatches = 10
[Thread]
"""


def unavailable() -> str | None:
    """Why there can be no fail2ban here, or None where it can."""
    return None if shutil.which("fail2ban-server") else "fail2ban-server is not installed"


def version() -> str:
    """The version that is installed."""
    said = subprocess.run(
        ["fail2ban-server", "--version"], capture_output=True, text=True, check=True
    )
    return said.stdout.split()[-1].removeprefix("v")


def server(folder: Path, files: Mapping[str, str]) -> Command:
    """What runs it in the foreground; it is to be run in a network namespace only.

    :param folder: for all that it reads and writes; it sees the stock filters and actions, too.
    :param files: its configuration, by name; beside ``fail2ban.conf``, which is made here.
    """
    for name, text in {"fail2ban.conf": _MAIN.format(folder=folder), **files}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    for kind in ("filter.d", "action.d"):
        (folder / kind).mkdir(exist_ok=True)
        for stock in (INSTALLED / kind).iterdir():
            if not (folder / kind / stock.name).exists():
                (folder / kind / stock.name).symlink_to(stock)
    options = ["-c", folder, "-s", folder / "socket", "-p", folder / "pid"]
    return ["fail2ban-server", "-f", *map(str, options)]
