"""Programs that write down how they were run, and programs that fail."""

from __future__ import annotations

import json
import sys

import pytest

from pyruse import Networks
from pyruse.bans.in_force import Cause
from pyruse.bans.policy import Policy
from pyruse.bans.service import Bans
from pyruse.errors import ConfigError
from pyruse.state.database import State
from pyruse_plugins.firewalls.command import BanCommand, Command
from tests.bans.asked import request
from tests.plugins.firewalls.configured import configured

SECOND = 1_000_000
BOTH = {"ban": ["x"], "unban": ["x"]}

_RECORDER = """
import json, sys
log, *words = sys.argv[1:]
with open(log, "a") as file:
    print(json.dumps([*words, *sys.stdin.read().splitlines()]), file=file)
if any(word in ("192.0.2.66", "--fail") for word in words):
    sys.exit("no route to host")
"""


def opened(**options):
    return configured(Command, "command", options)


class Recorded:
    """The programs of a firewall, and how they were run."""

    def __init__(self, driver, folder) -> None:
        self._driver = driver
        self._log = folder / "log"
        self.program = [sys.executable, "-c", _RECORDER, str(self._log)]

    def open(self, **words):
        """The firewall whose programs have these arguments."""
        commands = {
            name: value if name == "timeout" else [*self.program, *value]
            for name, value in words.items()
        }
        return self._driver(opened(**commands))

    @property
    def runs(self) -> list[str]:
        """The arguments and the lines of the standard input of each run since the last look."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        self._log.unlink(missing_ok=True)
        return [" ".join(json.loads(line)) for line in lines]


@pytest.fixture
def recorded(driver, tmp_path):
    return Recorded(driver, tmp_path)


def test_protocols_and_ranges_of_ports(recorded):
    firewall = recorded.open(ban=["{ip}", "{protocol}", "{ports}"], unban=["{ip}"], restore=["all"])
    firewall.ban("192.0.2.7", protocol="udp", ports=(22, "1000-2000"))
    firewall.ban("192.0.2.8", protocol="icmp")
    assert recorded.runs == ["192.0.2.7 udp 22,1000-2000", "192.0.2.8 icmp "]
    firewall.reconcile("192.0.2.7", protocol="udp", ports=(22, "1000-2000"))
    firewall.reconcile("192.0.2.8", protocol="icmp", seconds=None)
    assert recorded.runs == ["all 192.0.2.7 600 22,1000-2000 udp", "all 192.0.2.8 0 - icmp"]


def test_a_program_that_is_not_told_the_protocol_gets_no_such_ban(recorded):
    firewall = recorded.open(ban=["{ip}"], unban=["{ip}"])
    with pytest.raises(ValueError, match="is not told the protocol"):
        firewall.check(protocol="tcp")


def test_each_ban_is_one_run_and_each_unban(recorded):
    firewall = recorded.open(
        ban=["-a", "{ip}/x", "{network}", "v{family}", "{seconds}s", "{{ports}}", "{ports}"],
        unban=["-d", "{ip}"],
    )
    firewall.ban("192.0.2.7", "2001:db8::/64", seconds=60)
    firewall.ban("192.0.2.8", seconds=None, ports=(22, 443))
    firewall.unban("192.0.2.0/24")
    assert recorded.runs == [
        "-a 192.0.2.7/x 192.0.2.7/32 v4 60s {ports} ",
        "-a 2001:db8::/64/x 2001:db8::/64 v6 60s {ports} ",
        "-a 192.0.2.8/x 192.0.2.8/32 v4 0s {ports} 22,443",
        "-d 192.0.2.0/24",
    ]


def test_who_is_unbanned_goes_before_who_is_banned(recorded):
    firewall = recorded.open(ban=["+", "{ip}"], unban=["-", "{ip}"])
    firewall.firewall.apply(firewall.elements("192.0.2.7"), firewall.elements("192.0.2.6"))
    assert recorded.runs == ["- 192.0.2.6", "+ 192.0.2.7"]


def test_a_program_that_fails_is_named_and_the_others_are_run(recorded):
    firewall = recorded.open(ban=["{ip}"], unban=["{ip}"])
    refusal = firewall.refuses("192.0.2.6", "192.0.2.66", "192.0.2.7")
    assert refusal.networks == ["192.0.2.66/32"]
    assert refusal.text == "command: ban: 192.0.2.66: no route to host"
    assert recorded.runs == ["192.0.2.6", "192.0.2.66", "192.0.2.7"]


def test_what_a_failing_program_says_is_made_harmless(driver):
    code = "import sys; sys.exit('\\x1b[31mno\\npermission')"
    firewall = driver(opened(ban=[sys.executable, "-c", code], unban=["x"]))
    assert firewall.refuses("192.0.2.7").text == "command: ban: 192.0.2.7: \\x1b[31mno permission"


def test_a_program_that_hangs_takes_no_more_than_the_time_of_all(driver):
    firewall = driver(opened(ban=["sleep", "60"], unban=["x"], timeout="300ms"))
    refusal = firewall.refuses("192.0.2.6", "192.0.2.7", "192.0.2.8")
    assert len(refusal.networks) == 3
    assert "192.0.2.6: sleep: no answer in 0." in refusal.text
    assert (
        "192.0.2.7 and 1 more: not run, the 0.3 s for all programs were over (expected faster "
        "programs, or a longer timeout)"
    ) in refusal.text


def test_a_program_that_is_missing_is_named(driver):
    said = driver(opened(ban=["no-such-program"], unban=["x"])).refuses("192.0.2.7").text
    assert said.startswith("command: ban: 192.0.2.7: no-such-program: No such file or directory")


def test_everyone_is_banned_anew_at_the_start(recorded):
    firewall = recorded.open(ban=["+", "{ip}"], unban=["-", "{ip}"])
    firewall.reconcile("192.0.2.6", "192.0.2.7")
    assert recorded.runs == ["+ 192.0.2.6", "+ 192.0.2.7"]


def test_a_program_for_the_start_is_told_all_of_them(recorded):
    firewall = recorded.open(ban=["+", "{ip}", "{ports}"], unban=["-"], restore=["all"])
    firewall.firewall.reconcile(
        [
            *firewall.elements("192.0.2.6", "2001:db8::/64", seconds=60),
            *firewall.elements("192.0.2.7", ports=(22, 80)),
        ],
        [],
    )
    assert recorded.runs == ["all 192.0.2.6 60 2001:db8::/64 60 192.0.2.7 0 22,80"]


def test_a_failing_program_for_the_start_is_told(recorded):
    firewall = recorded.open(ban=["x"], unban=["x"], restore=["--fail"])
    refusal = firewall.refused(lambda: firewall.reconcile("192.0.2.7"))
    assert refusal.text == "command: restore: no route to host"


def test_a_teardown_unbans_everyone_or_flushes(recorded):
    recorded.open(ban=["+"], unban=["-", "{ip}"]).teardown("192.0.2.6", "192.0.2.7")
    assert recorded.runs == ["- 192.0.2.6", "- 192.0.2.7"]
    recorded.open(ban=["+"], unban=["-"], flush=["f"]).teardown("192.0.2.6", "192.0.2.7")
    assert recorded.runs == ["f"]


def test_bans_of_a_program_that_is_not_told_the_time_are_ended_by_pyruse(recorded):
    clock = [1_773_489_600 * SECOND]
    firewall = recorded.open(ban=["+", "{ip}"], unban=["-", "{ip}"]).firewall
    opener = {"command": firewall}.get
    bans = Bans(State(), Policy("command", Networks([]), set), opener, clock=lambda: clock[0])
    for address, seconds in (("192.0.2.6", 60), ("192.0.2.7", 600)):
        bans.ban(request(address, seconds), Cause(clock[0]))
    faults: list[Exception] = []
    bans.enforce(faults.append)
    assert recorded.runs == ["+ 192.0.2.6", "+ 192.0.2.7"]
    assert bans.next_due() == clock[0] + 60 * SECOND
    clock[0] += 60 * SECOND
    bans.expire(clock[0])
    bans.enforce(faults.append)
    assert (recorded.runs, faults) == (["- 192.0.2.6"], [])
    assert bans.next_due() == clock[0] + 540 * SECOND


def test_ports_are_refused_unless_the_program_is_told_them(driver):
    with pytest.raises(ValueError, match=r"is not told the ports \(expected no ports, or \{ports"):
        driver(opened(ban=["x"], unban=["x"])).check(ports=(22,))
    driver(opened(ban=["x", "{ports}"], unban=["x"])).check(ports=(22,))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, ".ban: missing (expected a list: the program and its first arguments)"),
        ({"ban": ["x"]}, ".unban: missing (expected a list: the program and its first arguments)"),
        (
            {**BOTH, "bann": ["x"]},
            ".bann: unknown option (expected one of: ban, unban, restore, flush, ",
        ),
        (
            {**BOTH, "ban": "x {ip}"},
            '.ban: "x {ip}" is no program (expected a list: the program and its ',
        ),
        (
            {**BOTH, "ban": ["x", "{address}"]},
            '.ban: "{address}": there is no {address} here (expected {ip',
        ),
        (
            {**BOTH, "ban": ["{ip}", "x"]},
            '.ban: "{ip}": there is no {ip} here (expected {ip} {network} ',
        ),
        (
            {**BOTH, "ban": ["x", "{ip!r}"]},
            '.ban: "{ip!r}": there is no {ip} here (expected {ip} {network}',
        ),
        (
            {**BOTH, "ban": ["x", "{ip"]},
            ".ban: \"{ip\": expected '}' before end of string (expected {ip} ",
        ),
        (
            {**BOTH, "restore": ["x", "{ip}"]},
            '.restore: "{ip}": there is no {ip} here (expected no braces ',
        ),
        (
            {**BOTH, "timeout": "soon"},
            '.timeout: "soon" is no duration (expected seconds, or "90s", "15m"',
        ),
    ],
)
def test_faulty_options(options, said):
    with pytest.raises(ConfigError) as caught:
        opened(**options)
    assert caught.value.faults[0].startswith(f"bans.command{said}")


def test_it_is_the_firewall_of_its_own_name_alone():
    assert (
        Command(BanCommand.parse(["x"]), BanCommand.parse(["x"])).open_firewall("nftables") is None
    )
