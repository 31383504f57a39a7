"""dropbear's rules with a real dropbear, and clients that have addresses of their own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pyruse.testing import wait_until
from pyruse.testing.daemon import MakeDaemon
from pyruse.testing.journald import Journald
from pyruse.testing.machines import SERVER4, Machines
from tests.e2e.rules.guarded import ATTACKER, FRAMED, USER, Guarded, guarded
from tests.e2e.rules.host import PASSWORD

pytestmark = pytest.mark.realparts

DROPBEAR = """
dropbearkey -t ed25519 -f /run/key >/dev/null 2>&1
exec /usr/sbin/dropbear -F -p 2222 -r /run/key
"""


def logs_in(server: Guarded, folder: Path, source: str, user: str, password: str) -> bool:
    """Whether somebody can log in by ssh."""
    ask = folder / f"ask-{source}"
    ask.write_text(f"#!/bin/sh\necho '{password}'\n")
    ask.chmod(0o755)
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "ConnectTimeout=60"]
    options += ["NumberOfPasswordPrompts=1", "PubkeyAuthentication=no", "IdentityAgent=none"]
    command = ["ssh", "-F", "none", "-b", source, "-p", "2222", "-l", user]
    command += [word for option in options for word in ("-o", option)]
    done = subprocess.run(
        [*server.machines.attacker.prefix, *command, SERVER4, "true"],
        env={**os.environ, "SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force"},
        stdin=subprocess.DEVNULL, capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode == 0


def test_who_guesses_is_banned_and_nobody_else(
    machines: Machines, journald: Journald, daemon: MakeDaemon, tmp_path: Path
) -> None:
    with guarded(
        "dropbear", machines, journald, daemon, tmp_path, package="dropbear-bin",
        command=["sh", "-c", DROPBEAR], unit="dropbear.service", files={"/run/made": ""},
        users={}, people=["bob"],
    ) as server:  # fmt: skip
        wait_until(lambda: "SSH" in server.greeting(USER, 2222))
        server.assert_forgery_is_told(
            "dropbear",
            f"Child connection from {FRAMED}:22",
            f"Bad password attempt for 'root' from {FRAMED}:22",
        )
        for _ in range(2):
            assert not logs_in(server, tmp_path, USER, "bob", "scret")
            assert logs_in(server, tmp_path, USER, "bob", PASSWORD)
        for user in ("bob", "root", "nobody1", f"x' from {FRAMED}:2"):
            assert not logs_in(server, tmp_path, ATTACKER, user, "123456")
        server.wait_until_handled()
        server.wait_until_dropped()
        for user in ("bob", "nobody2"):
            assert not logs_in(server, tmp_path, ATTACKER, user, "123456")
        server.wait_until_dropped(ATTACKER)
