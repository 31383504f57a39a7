"""sshd's rules with a real sshd, and clients that have addresses of their own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyruse.testing import wait_until
from pyruse.testing.daemon import Daemon, MakeDaemon
from pyruse.testing.journald import Journald
from pyruse.testing.machines import SERVER4, Machines
from pyruse.testing.namespace import unavailable as no_namespace
from pyruse.testing.plugin import need
from tests.e2e.rules.host import PASSWORD, Host, unavailable

pytestmark = pytest.mark.realparts

ATTACKER, USER, FRAMED = "192.0.2.7", "192.0.2.6", "192.0.2.99"
PORT = "2222"
SSHD = f"""
Port {PORT}
HostKey /run/ssh/host
AuthorizedKeysFile /run/ssh/bob.pub
PidFile none
UsePAM yes
KbdInteractiveAuthentication no
MaxStartups 100
"""
GUARD = """
use = ["sshd"]
[bans.nftables]
command = ["nft"]
[chains]
"journald" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "systemd-journald" },
  { action = "discard" },
]
"""


class Server:
    """A host with sshd, guarded by Pyruse, and those who knock at it."""

    def __init__(self, machines: Machines, host: Host, daemon: Daemon, folder: Path) -> None:
        self.host = host
        self._folder = folder
        self.daemon = daemon
        self.machines = machines

    def knock(self, source: str, user: str, *options: str, password: str = "") -> bool:
        """Try to log in by ssh.

        :return: whether that was possible.
        """
        ask = self._folder / "ask"
        ask.write_text(f"#!/bin/sh\necho '{password}'\n")
        ask.chmod(0o755)
        how = {"StrictHostKeyChecking": "no", "UserKnownHostsFile": "/dev/null",
               "ConnectTimeout": "60", "NumberOfPasswordPrompts": "1", "IdentitiesOnly": "yes",
               "IdentityAgent": "none"}  # fmt: skip
        command = ["ssh", "-F", "none", "-b", source, "-p", PORT, "-l", user, *options]
        command += [word for name, value in how.items() for word in ("-o", f"{name}={value}")]
        done = subprocess.run(
            [*self.machines.attacker.prefix, *command, SERVER4, "true"],
            env={**os.environ, "SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force"},
            stdin=subprocess.DEVNULL, capture_output=True, check=False,
        )  # fmt: skip
        return done.returncode == 0

    def with_key(self, name: str) -> list[str]:
        """The options of a client that has a key alone."""
        return ["-o", f"IdentityFile={self._folder / name}", "-o", "BatchMode=yes"]

    def wait_until_dropped(self, *sources: str) -> None:
        """Wait until packets of just these addresses are dropped."""
        self.daemon.wait_until(self.machines.dropped, lambda dropped: dropped == list(sources))

    def rows(self, part: str) -> list[str]:
        """What the report of today says in one of its parts."""
        return [row["message"] for row in self.daemon.ask("report", "today")["report"][part]]

    def wait_until_handled(self) -> None:
        """Wait until all that was logged before is handled; nothing of it is unknown."""
        self.host.run(["logger", "-t", "test", "the end"])
        rows = self.daemon.wait_until(lambda: self.rows("other"))
        assert rows == ["[5/test] the end"]


MakeServer = Callable[..., Server]


@pytest.fixture
def server(
    machines: Machines, journald: Journald, daemon: MakeDaemon, tmp_path: Path
) -> Iterator[MakeServer]:
    """``server("yes")``: with passwords; ``server("no")``: with keys alone; and more options."""
    need(no_namespace("nft", "sshd", "ssh", "ssh-keygen") or unavailable("setpriv", "logger"))
    for name in ("host", "bob", "stranger"):
        generate = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)]
        subprocess.run(generate, check=True)
    files = {f"/run/ssh/{name}": (tmp_path / name).read_text() for name in ("host", "bob.pub")}
    files["/run/ssh/config"] = SSHD
    folder = tmp_path / "host.d"
    folder.mkdir()
    with Host(machines.server, journald, folder, ["bob", "eve"], files) as host:

        def make(passwords: str, *options: str) -> Server:
            sshd = ["/usr/sbin/sshd", "-D", "-f", "/run/ssh/config"]
            host.start([*sshd, "-o", f"PasswordAuthentication={passwords}", *options])
            guard = daemon(GUARD, journald, prefix=machines.server.prefix).start()
            made = Server(machines, host, guard, tmp_path)
            wait_until(lambda: made.knock(USER, "bob", *made.with_key("bob")))
            return made

        yield make


def test_where_keys_alone_are_taken_who_guesses_is_banned_and_who_errs_is_not(
    server: MakeServer,
) -> None:
    keys = server("no")
    assert not keys.knock(USER, "bob", *keys.with_key("stranger"))
    assert not keys.knock(USER, "bbo", *keys.with_key("bob"))
    for user in ("root", "admin", "deploy", "bob", "root"):
        keys.knock(ATTACKER, user, *keys.with_key("stranger"))
    keys.wait_until_dropped(ATTACKER)
    assert keys.knock(USER, "bob", *keys.with_key("bob"))
    keys.wait_until_handled()
    assert f"{ATTACKER} guesses passwords or keys of ssh" in keys.rows("interesting")


def test_five_wrong_passwords_are_five_failed_logins_and_three_are_none_too_many(
    server: MakeServer,
) -> None:
    passwords = server("yes")
    for _ in range(3):
        assert not passwords.knock(USER, "bob", password="correct hrose")
    assert passwords.knock(USER, "bob", password=PASSWORD)
    for user in ("root", "x from 192.0.2.99 port 22 ssh2", "bob", "root"):
        passwords.knock(ATTACKER, user, password="123456")
    passwords.wait_until_handled()
    assert f"bob logged in from {USER} (ssh, password)" in passwords.rows("interesting")
    passwords.wait_until_dropped()
    passwords.knock(ATTACKER, "admin", password="123456")
    passwords.wait_until_dropped(ATTACKER)


@pytest.mark.parametrize(
    ("passwords", "options"),
    [("yes", ()), ("no", ("-o", "KbdInteractiveAuthentication=yes"))],
    ids=["password", "keyboard-interactive"],
)
def test_each_password_of_a_connection_is_a_try(
    server: MakeServer, passwords: str, options: tuple[str, ...]
) -> None:
    asks = server(passwords, *options)
    asks.knock(ATTACKER, "bob", "-o", "NumberOfPasswordPrompts=4", password="123456")
    asks.wait_until_handled()
    asks.wait_until_dropped()
    asks.knock(ATTACKER, "bob", password="123456")
    asks.wait_until_dropped(ATTACKER)


def test_what_others_write_in_the_name_of_sshd_bans_nobody_and_is_told(server: MakeServer) -> None:
    passwords = server("yes")
    line = f"Failed password for root from {FRAMED} port 4711 ssh2"
    for user in ("eve", None):
        for _ in range(6):
            assert passwords.host.run(["logger", "-t", "sshd", line], user) == 0
    passwords.wait_until_handled()
    told = [row for row in passwords.rows("important") if row.startswith("Forged: sshd ")]
    assert all(row.endswith(line) for row in told)
    assert any("(uid 0): " in row for row in told)
    assert any("(uid 2001): " in row for row in told)
    assert passwords.daemon.ask("bans") == []


def test_scanners_are_banned_later_than_guessers(server: MakeServer) -> None:
    keys = server("no")
    _greet(keys, USER, 19)
    _greet(keys, ATTACKER, 20)
    keys.wait_until_dropped(ATTACKER)


_GREETING = """
import contextlib, socket, sys
for _ in range(int(sys.argv[3])):
    one = socket.create_connection((sys.argv[2], int(sys.argv[4])), source_address=(sys.argv[1], 0))
    one.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
    with contextlib.suppress(ConnectionResetError):
        while one.recv(1000):
            pass
    one.close()
"""


def _greet(server: Server, source: str, times: int) -> None:
    server.machines.attacker.python(_GREETING, source, SERVER4, str(times), PORT)
