"""rsync's rules with a real rsync daemon, and clients that have addresses of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyruse.testing import wait_until
from pyruse.testing.daemon import MakeDaemon
from pyruse.testing.journald import Journald
from pyruse.testing.machines import SERVER4, Machines
from tests.e2e.rules.guarded import ATTACKER, FRAMED, USER, Guarded, guarded

pytestmark = pytest.mark.realparts

CONFIG = """
use chroot = no
[backup]
path = /run/backup
auth users = bob
secrets file = /run/secrets
[internal]
path = /run/backup
hosts allow = 192.0.2.200
"""
FILES = {
    "/run/rsyncd.conf": CONFIG,
    "/run/secrets": "bob:secret\n",
    "/run/backup/file": "hello",
}
START = "chmod 600 /run/secrets; exec /usr/bin/rsync --daemon --no-detach --config=/run/rsyncd.conf"


def lists(server: Guarded, source: str, module: str, user: str = "", password: str = "") -> bool:
    """Whether somebody is shown a module."""
    script = 'RSYNC_PASSWORD="$1" exec /usr/bin/rsync --contimeout=60 --address="$2" "$3"'
    place = f"rsync://{f'{user}@' if user else ''}{SERVER4}/{module}/"
    return server.client(["sh", "-c", script, "sh", password, source, place]) == 0


def test_who_guesses_is_banned_and_nobody_else(
    machines: Machines, journald: Journald, daemon: MakeDaemon, tmp_path: Path
) -> None:
    with guarded(
        "rsync", machines, journald, daemon, tmp_path, package="rsync",
        command=["sh", "-c", START], unit="rsync.service", files=FILES, users={},
    ) as server:  # fmt: skip
        wait_until(lambda: "RSYNCD" in server.greeting(USER, 873))
        server.assert_forgery_is_told(
            "rsyncd",
            f"auth failed on module backup from host ({FRAMED}) for bob: password mismatch",
            f"unknown module 'x' tried from host ({FRAMED})",
        )
        for _ in range(2):
            assert not lists(server, USER, "backup", "bob", "scret")
            assert lists(server, USER, "backup", "bob", "secret")
        assert not lists(server, USER, "internal")
        for user in ("bob", "root", f"x from h ({FRAMED}) for y"):
            assert not lists(server, ATTACKER, "backup", user, "123456")
        assert not lists(server, ATTACKER, f"x' tried from h ({FRAMED})")
        server.wait_until_handled()
        server.wait_until_dropped()
        for user in ("bob", "ann"):
            assert not lists(server, ATTACKER, "backup", user, "123456")
        server.wait_until_dropped(ATTACKER)
