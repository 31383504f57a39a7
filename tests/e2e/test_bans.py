"""The whole way: sshd logs failures, and packets of the attacker no longer arrive.

The daemon follows a real journald, and its firewall is that of a network namespace, to which the
attacker's machine is connected.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pyruse.testing import wait_until
from pyruse.testing.journald import Journald
from pyruse.testing.machines import Machines
from pyruse.testing.namespace import unavailable
from pyruse.testing.plugin import need
from pyruse.testing.waiting import TIME_LIMIT

pytestmark = pytest.mark.realparts

CONFIG = """
[journal]
namespace = "{namespace}"
start = "head"
[state]
url = "sqlite://{folder}/state.sqlite"
[email]
sendmail = ["/bin/false"]
[bans]
backend = "{backend}"
never = ["192.0.2.99"]
[chains]
"ssh" = [
  {{ filter = "equals", field = "SYSLOG_IDENTIFIER", value = "sshd" }},
  {{ filter = "regex", pattern = '^Failed password for .* from (?P<ip>.+) port \\d+ ssh2$' }},
  {{ action = "count", counter = "ssh", key = "ip", within = "10m", into = "failures" }},
  {{ filter = "at_least", field = "failures", value = 3 }},
  {{ action = "ban", ip = "ip", {ban} }},
]
"""


class Guard:
    """A `pyruse run` on the server, and its administrator."""

    def __init__(self, machines: Machines, journald: Journald, folder: Path) -> None:
        self.machines = machines
        self.nft = lambda *words: machines.server.run(["nft", *words])
        self._journald = journald
        self._folder = folder
        self._config = folder / "pyruse.toml"
        self._process: subprocess.Popen[str] | None = None

    def start(self, ban: str = 'duration = "1h"', backend: str = "nftables") -> None:
        self._config.write_text(
            CONFIG.format(
                namespace=self._journald.namespace, folder=self._folder, ban=ban, backend=backend
            )
        )
        self.start_as_it_is()

    def start_as_it_is(self) -> None:
        """With the configuration that is there."""
        self._process = self.machines.server.start([*self.pyruse("run")])

    def without_ban_steps(self) -> None:
        """Take the last step out of the configuration."""
        text = self._config.read_text()
        self._config.write_text(text[: text.index('  { action = "ban"')] + "]\n")

    def pyruse(self, command: str, *arguments: str) -> list[str]:
        program = [sys.executable, "-m", "pyruse", command, "-c", str(self._config)]
        return [*program, *arguments]

    def run(self, command: str, *arguments: str) -> str:
        return self.machines.server.run(self.pyruse(command, *arguments))

    def send_signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.send_signal(number)
        assert self._process is not None
        self._process.wait(TIME_LIMIT)

    def failed_login(self, address: str, times: int = 3) -> None:
        message = f"Failed password for root from {address} port 4711 ssh2"
        self._journald.send_all([{"SYSLOG_IDENTIFIER": "sshd", "MESSAGE": message}] * times)

    def wait_until_dropped(self, *sources: str) -> None:
        """Wait until packets of just these of the attacker's addresses are dropped."""
        wait_until(self.machines.dropped, lambda dropped: dropped == list(sources))

    def wait_until_banned_once(self, network: str) -> None:
        """Wait until a ban was made, which may be over again."""
        wait_until(lambda: network in self.run("bans", "--all"))


@pytest.fixture
def guard(machines: Machines, journald: Journald, tmp_path: Path) -> Guard:
    need(unavailable("nft", "ipset", "iptables", "ip6tables"))
    return Guard(machines, journald, tmp_path)


@pytest.mark.parametrize("backend", ["nftables", "ipset"])
def test_who_fails_to_log_in_is_banned_and_others_are_not_until_unbanned(guard, backend):
    guard.start(backend=backend)
    guard.failed_login("192.0.2.7")
    guard.failed_login("2001:db8::6")
    guard.failed_login("192.0.2.6", times=2)
    guard.failed_login("192.0.2.99")  # whom [bans] never has
    guard.failed_login("192.0.2.1")  # the server itself
    guard.wait_until_dropped("192.0.2.7", "2001:db8::6")
    guard.run("unban", "192.0.2.7")
    assert guard.machines.dropped() == ["2001:db8::6"]
    guard.run("ban", "192.0.2.6")
    assert guard.machines.dropped() == ["192.0.2.6", "2001:db8::6"]


def test_a_ban_of_networks_and_ports_hits_the_neighbour_and_no_other_port_and_ends(guard):
    ban = 'duration = "{}", prefix4 = 31, prefix6 = 127, ports = [22]'
    guard.start(ban.format("1h"))
    guard.failed_login("192.0.2.7")
    guard.failed_login("2001:db8::6")
    guard.wait_until_dropped("192.0.2.6", "192.0.2.7", "2001:db8::6", "2001:db8::7")
    assert guard.machines.dropped(80) == []
    guard.run("unban", "192.0.2.6/31", "2001:db8::6/127")
    guard.stop()
    guard.start(ban.format("2s"))
    guard.failed_login("2001:db8::99")
    guard.wait_until_banned_once("2001:db8::98/127")
    guard.wait_until_dropped()


def test_what_an_attacker_writes_into_a_log_line_changes_nothing_but_his_own_ban(guard):
    guard.nft("add table inet mine")
    guard.start()
    for address in (
        "1.2.3.4; flush ruleset", "192.0.2.6 }; delete table inet mine", "192.0.2.6/0", "0.0.0.0",
        "$(reboot)", "192.0.2.6 port 22 ssh2\nfrom 192.0.2.6", "fe80::1%veth", "127.0.0.1", "::1",
        "-f", "192.0.2.6,192.0.2.7", "@ipv4", "::ffff:192.0.2.6.",
    ):  # fmt: skip
        guard.failed_login(address)
    guard.failed_login("::ffff:192.0.2.7")  # that is 192.0.2.7
    guard.wait_until_dropped("192.0.2.7")
    assert "table inet mine" in guard.nft("list tables")
    assert "192.0.2.7 timeout" in guard.nft("list set inet pyruse ipv4")


def test_after_a_flush_bans_are_back_though_nothing_is_logged(guard):
    guard.start()
    guard.failed_login("192.0.2.7")
    guard.failed_login("2001:db8::7")
    guard.wait_until_dropped("192.0.2.7", "2001:db8::7")
    guard.nft("flush ruleset")
    guard.wait_until_dropped("192.0.2.7", "2001:db8::7")


def test_after_a_flush_bans_are_back_with_the_next_one(guard):
    guard.start()
    guard.failed_login("192.0.2.7")
    guard.wait_until_dropped("192.0.2.7")
    guard.nft("flush ruleset")
    guard.failed_login("192.0.2.6")
    guard.wait_until_dropped("192.0.2.6", "192.0.2.7")


def test_after_a_flush_bans_are_back_with_a_reload(guard):
    guard.start()
    guard.failed_login("192.0.2.7")
    guard.wait_until_dropped("192.0.2.7")
    guard.nft("flush ruleset")
    guard.send_signal(signal.SIGHUP)
    guard.wait_until_dropped("192.0.2.7")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_start_brings_back_what_is_missing_and_removes_what_should_not_be_there(guard, number):
    guard.start()
    guard.failed_login("192.0.2.7")
    guard.failed_login("2001:db8::7")
    guard.wait_until_dropped("192.0.2.7", "2001:db8::7")
    guard.stop(number)
    assert guard.machines.dropped() == ["192.0.2.7", "2001:db8::7"]
    guard.nft("delete element inet pyruse ipv6 { 2001:db8::7 }")
    guard.nft("add element inet pyruse ipv4 { 192.0.2.6 }")
    guard.start()
    guard.wait_until_dropped("192.0.2.7", "2001:db8::7")
    assert "192.0.2.7 timeout" in guard.nft("list set inet pyruse ipv4")


def test_a_start_brings_back_what_was_typed_though_no_step_bans(guard):
    guard.start()
    guard.failed_login("192.0.2.7")
    guard.wait_until_dropped("192.0.2.7")
    guard.run("unban", "192.0.2.7")
    guard.wait_until_dropped()
    guard.stop()
    guard.without_ban_steps()
    guard.run("ban", "192.0.2.7")
    guard.wait_until_dropped("192.0.2.7")
    guard.nft("flush ruleset")  # as a restart of the machine does
    guard.start_as_it_is()
    guard.wait_until_dropped("192.0.2.7")
