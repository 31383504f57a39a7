"""The rules of sudo and su with the real programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyruse.testing.daemon import Daemon, MakeDaemon
from pyruse.testing.journald import Journald
from pyruse.testing.namespace import NetworkNamespace
from pyruse.testing.plugin import need
from tests.e2e.rules.host import PASSWORD, Host, unavailable

pytestmark = pytest.mark.realparts

SUDOERS = """
root ALL=(ALL:ALL) ALL
bob ALL=(ALL:ALL) NOPASSWD:SETENV: ALL
carl ALL=(root) NOPASSWD: /usr/bin/id, PASSWD: /usr/bin/true
"""
GUARD = """
use = ["sudo", "su"]
[chains]
"journald" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "systemd-journald" },
  { action = "discard" },
]
"""
TAIL = "echo evil ; : ; USER=root ; COMMAND=/usr/bin/apt true"


@pytest.fixture
def host(network_namespace: NetworkNamespace, journald: Journald, tmp_path: Path) -> Iterator[Host]:
    need(unavailable("sudo", "su", "setpriv", "logger"))
    folder = tmp_path / "host"
    folder.mkdir()
    files = {"/etc/sudoers": SUDOERS}
    with Host(network_namespace, journald, folder, ["bob", "carl", "eve"], files) as made:
        yield made


def rows(daemon: Daemon, host: Host) -> dict[str, list[str]]:
    """What the report says once all that was logged before is handled; nothing is unknown.

    A program may have ended before journald looks at it: then the report says so.
    """
    host.run(["logger", "-t", "test", "the end"])
    other = daemon.wait_until(lambda: daemon.ask("report", "today")["report"]["other"])
    assert [row["message"] for row in other] == ["[5/test] the end"]
    report = daemon.ask("report", "today")["report"]
    return {
        part: [row["message"].partition(" [not sure")[0] for row in report[part]]
        for part in ("important", "interesting")
    }


def test_the_true_command_is_told_of_whoever_may(
    host: Host, journald: Journald, daemon: MakeDaemon
) -> None:
    guard = daemon(GUARD, journald).start()
    for command in (
        ["sudo", "A=1", "sh", "-c", "echo one"],
        ["sudo", "-g", "adm", "sh", "-c", "echo two"],
        ["sudo", "sh", "-c", TAIL],
        ["sudo", "-u", "eve", "id"],
    ):
        assert host.run(command, "bob") == 0, command
    assert host.run(["su", "eve", "-c", "id"], "bob", text=f"{PASSWORD}\n") == 0
    told = rows(guard, host)
    assert told["important"] == []
    assert sorted(told["interesting"]) == [
        "bob became bob: /usr/bin/sh -c 'echo two'",
        "bob became eve (su)",
        "bob became eve: /usr/bin/id",
        f"bob became root: /usr/bin/sh -c '{TAIL}'",
        "bob became root: A=1 /usr/bin/sh -c 'echo one'",
    ]


def test_who_may_not_is_important(host: Host, journald: Journald, daemon: MakeDaemon) -> None:
    guard = daemon(GUARD, journald).start()
    assert host.run(["sudo", "-S", "id"], "eve", text=f"{PASSWORD}\n") != 0
    assert host.run(["sudo", "-S", "cat", "/etc/shadow"], "carl", text=f"{PASSWORD}\n") != 0
    assert host.run(["sudo", "-k", "-n", "true"], "carl") != 0
    assert host.run(["su", "-c", "id"], "eve", text="wrong\n") != 0
    told = rows(guard, host)
    assert sorted(told["important"]) == [
        "carl may not become root (command not allowed): /usr/bin/cat /etc/shadow",
        "eve did not become root (su: wrong password)",
        "eve may not become root (user NOT in sudoers): /usr/bin/id",
    ]
    assert told["interesting"] == ["carl may not, without a password: /usr/bin/true"]


def test_what_others_write_in_the_name_of_sudo_is_forged(
    host: Host, journald: Journald, daemon: MakeDaemon
) -> None:
    guard = daemon(GUARD, journald).start()
    line = "carl : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh"
    assert host.run(["mkdir", "/run/eve"]) == 0
    assert host.run(["cp", "/usr/bin/logger", "/run/eve/sudo"]) == 0
    for program in ("logger", "/run/eve/sudo"):
        assert host.run([program, "-t", "sudo", line], "eve") == 0
        assert host.run([program, "-t", "su", "(to root) carl on pts/0"], "eve") == 0
    told = rows(guard, host)
    assert told["interesting"] == []
    assert len(told["important"]) >= 2
    assert all(row.startswith("Forged: su") for row in told["important"])
