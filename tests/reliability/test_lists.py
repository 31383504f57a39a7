"""A daemon whose lists of networks change: files that are written, host names that move."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pyruse.testing import Journald, MakeDaemon
from tests.reliability.machine import Machine

pytestmark = pytest.mark.realparts

SETTINGS = """
[journal]
namespace = "{namespace}"
start = "head"
[state]
url = "sqlite://{{disk}}/state.sqlite"
[bans]
backend = "command"
never = ["{never}"]
[bans.command]
ban = ["true", "{{ip}}"]
unban = ["true", "{{ip}}"]
[chains]
"test" = [
  {{ filter = "equals", field = "SYSLOG_IDENTIFIER", value = "test" }},
  {{ filter = "regex", pattern = '^from (?P<ip>\\S+)$' }},
  {{ filter = "in_networks", field = "ip", nets = ["{never}"], then = "known" }},
  {{ action = "ban", ip = "ip", duration = "1d" }},
]
"known" = [ {{ action = "report", section = "other", message = "known: {{ip}}" }} ]
"""
BANS = "SELECT network FROM bans WHERE state != 'lifted' ORDER BY network"
KNOWN = "SELECT message FROM events ORDER BY message"


@pytest.fixture
def follow(machine: Machine, journald: Journald) -> Callable[[str], Machine]:
    """``follow(never)``: a daemon at work, whose chain and protection have a list of this item."""

    def start(never: str) -> Machine:
        machine.configure(SETTINGS.format(namespace=journald.namespace, never=never))
        return machine.start()

    return start


def attack(journald: Journald, *addresses: str) -> None:
    journald.send_all(
        [{"SYSLOG_IDENTIFIER": "test", "MESSAGE": f"from {one}"} for one in addresses]
    )


def wait_for_bans(machine: Machine, *addresses: str) -> None:
    machine.wait_until(
        lambda: [network for (network,) in machine.rows(BANS)],
        lambda found: found == list(addresses),
    )


def test_whoever_is_written_into_a_file_is_let_in_at_once(
    follow: Callable[[str], Machine], journald: Journald, tmp_path: Path
) -> None:
    file = tmp_path / "never.txt"
    file.write_text("203.0.113.6\n")
    machine = follow(f"file:{file}")
    attack(journald, "203.0.113.6", "203.0.113.7", "203.0.113.8")
    wait_for_bans(machine, "203.0.113.7", "203.0.113.8")
    file.write_text("# nobody logs anything meanwhile\n203.0.113.7\n")
    wait_for_bans(machine, "203.0.113.8")
    attack(journald, "203.0.113.6", "203.0.113.7")
    wait_for_bans(machine, "203.0.113.6", "203.0.113.8")
    assert machine.rows(KNOWN) == [("known: 203.0.113.6",), ("known: 203.0.113.7",)]
    protected = machine.ask("status")["daemon"]["protected"]
    assert protected[0]["what"] == f"file:{file} (203.0.113.7)"
    assert protected[0]["where"].endswith(".toml: bans.never[0]")
    assert machine.stop() == 0


def test_a_host_name_that_moves_and_one_that_cannot_be_resolved(
    follow: Callable[[str], Machine], machine: Machine, journald: Journald, tmp_path: Path
) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("203.0.113.7 home.example.net\n")
    subprocess.run([*machine.prefix, "mount", "--bind", hosts, "/etc/hosts"], check=True)
    follow("home.example.net")
    attack(journald, "203.0.113.7", "203.0.113.8")
    wait_for_bans(machine, "203.0.113.8")
    assert machine.rows(KNOWN) == [("known: 203.0.113.7",)]
    hosts.write_text("203.0.113.8 home.example.net\n")
    machine.reload()
    wait_for_bans(machine)
    assert machine.stop() == 0
    hosts.write_text("")
    machine.start()
    attack(journald, "203.0.113.7", "203.0.113.8")
    wait_for_bans(machine, "203.0.113.7")
    told = machine.wait_for_line("networks: home.example.net: cannot be resolved: ")
    assert "; what it was last still counts: 203.0.113.8" in told
    assert machine.stop() == 0
    assert machine.log.count("cannot be resolved") == 1


_STOPPED_AT_THE_START = """
import os, signal, socket, threading
from pyruse.daemon import daemon

daemon._FIRST_ANSWERS_S = 3600.0

def hang(*_):
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait()

socket.getaddrinfo = hang
"""


def test_a_stop_does_not_wait_for_a_resolver_that_hangs_at_the_start(
    daemon: MakeDaemon, journald: Journald
) -> None:
    one = daemon('[bans]\nnever = ["home.example.org"]\n[chains]\n"x" = []\n', journald)
    one.prelude = _STOPPED_AT_THE_START
    assert one.command("run").returncode == 0
