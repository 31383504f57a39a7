"""A daemon's firewall notices what others do to its rules: real netlink, in a network namespace."""

from __future__ import annotations

import os
import sys

import pytest

from pyruse.testing import wait_until
from pyruse.testing.plugin import need

pytestmark = pytest.mark.realparts

# What the daemon does, without a journal: waits for the firewall alone, and says when it was woken.
_KEEPER = """
import select, sys
from ipaddress import ip_address
from pyruse import BanRequest, Networks, Sets, Target
from pyruse.bans.in_force import Cause
from pyruse.bans.policy import Policy
from pyruse.bans.service import Bans
from pyruse.daemon.wake import Wake
from pyruse.state.database import State
from pyruse.times import now_us
from pyruse_plugins.firewalls.ipset import Ipset
from pyruse_plugins.firewalls.nftables import Nftables

def opener(name):
    return (Nftables() if name == "nftables" else Ipset()).open_firewall(name)

backend, *names = sys.argv[1:]
sets = Sets(names[0]) if names else None
bans = Bans(State(), Policy(backend, Networks([]), set), opener)
wake = Wake()
bans.enforcement.beside(wake)
waiting = select.poll()
waiting.register(sys.stdin.fileno())
waiting.register(wake.fileno(), select.POLLIN)

def tell(fault):
    print("fault:", fault, flush=True)

def ban(address):
    request = BanRequest(ip_address(address), target=Target(backend, sets))
    bans.ban(request, Cause(now_us()))
    bans.enforce(tell)
    finish()

def finish():
    # Wait for the answer of the firewall.
    while bans.enforcement.busy:
        wake.sleep(1000)
        bans.enforce(tell)

ban("192.0.2.7")
bans.enforcement.prepare(tell)
finish()
print("ready", flush=True)
while True:
    bans.enforcement.prepare(tell)
    finish()
    due = bans.next_due()
    # Rounded up, as the daemon does: else it would go round and round in the last millisecond.
    woken = waiting.poll(None if due is None else max(0, -(-(due - now_us()) // 1000)))
    if sys.stdin.fileno() in dict(woken):
        address = sys.stdin.readline().strip()
        if not address:
            break
        ban(address)
        print("banned", flush=True)
    else:
        wake.clear()
        bans.enforce(tell)
        finish()
        print("woken", flush=True)
bans.enforcement.close()
"""


class Keeper:
    """The program above, on the server."""

    def __init__(self, machines, *arguments) -> None:
        self._process = machines.server.start([sys.executable, "-c", _KEEPER, *arguments])
        assert self.says() == "ready"

    def says(self):
        return self._process.stdout.readline().strip()

    def ban(self, address):
        print(address, file=self._process.stdin, flush=True)
        return self.says()

    def stop(self):
        """What it said that nobody has heard yet."""
        rest, _ = self._process.communicate("\n", timeout=30)
        return rest

    def close(self):
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


@pytest.fixture
def keep(machines):
    """Start a keeper."""
    started: list[Keeper] = []

    def start(*arguments):
        started.append(Keeper(machines, *arguments))
        return started[-1]

    yield start
    for keeper in started:
        keeper.close()


@pytest.fixture
def nft(machines):
    return lambda *words: machines.server.run(["nft", *words])


@pytest.mark.parametrize(
    "removal",
    [
        "flush ruleset",
        "delete table inet pyruse",
        "flush chain inet pyruse ipv4",
        "delete element inet pyruse ipv4 { 192.0.2.7 }",
        "flush set inet pyruse ipv4",
        "delete table inet pyruse; add table inet pyruse; add set inet pyruse ipv4 { type "
        "ipv4_addr; flags timeout; }",
    ],
)
def test_bans_that_somebody_removed_are_back_without_any_entry(machines, keep, nft, removal):
    keeper = keep("nftables")
    assert machines.dropped(sources=["192.0.2.7"]) == ["192.0.2.7"]
    nft(removal)
    while keeper.says() != "woken":
        pass
    assert machines.dropped() == ["192.0.2.7"]


def test_an_address_that_somebody_takes_out_of_the_administrators_set_is_back(machines, keep, nft):
    nft("add table ip mail; add set ip mail banned { type ipv4_addr; flags timeout; }")
    nft("add element ip mail banned { 192.0.2.99 }")
    keeper = keep("nftables", "ip mail banned")
    nft("flush set ip mail banned")
    said = [keeper.says(), keeper.says()]
    assert "woken" in said
    assert (
        "fault: nftables: somebody has taken 192.0.2.7 out: put back (expected `pyruse unban` for "
        "a ban that is to end)"
    ) in said
    assert "192.0.2.7" in nft("list set ip mail banned")
    assert "192.0.2.99" not in nft("list set ip mail banned")


def test_a_reload_that_makes_the_administrators_sets_anew_is_noticed(machines, keep, nft, tmp_path):
    rules = tmp_path / "nftables.conf"
    rules.write_text(
        "flush ruleset\n"
        "table ip mail { set banned { type ipv4_addr; flags timeout; }\n"
        "chain in { type filter hook input priority 0; ip saddr @banned drop; }\n}\n"
    )
    nft("-f", str(rules))
    keeper = keep("nftables", "ip mail banned")
    nft("-f", str(rules))
    assert keeper.says() == "woken"
    assert machines.dropped() == ["192.0.2.7"]


_FIRST_PID_NAMESPACE = 0xEFFFFFFC
"""The first PID namespace (linux/proc_ns.h, PROC_PID_INIT_INO): in others, as of containers, the
kernel's process numbers are not those that programs see."""


def test_changes_of_its_own_do_not_wake_it(machines, keep, nft):
    numbers_are_the_kernels = os.stat("/proc/self/ns/pid").st_ino == _FIRST_PID_NAMESPACE
    keeper = keep("nftables")
    said = [keeper.ban("192.0.2.6"), keeper.ban("2001:db8::7")]
    # The change that wakes it next is somebody else's.
    nft("flush ruleset")
    banned = ["192.0.2.6", "192.0.2.7", "2001:db8::7"]
    wait_until(machines.dropped, lambda dropped: dropped == banned)
    woken = [*said, *keeper.stop().split()].count("woken")
    if numbers_are_the_kernels:
        assert woken <= 1, "none but for the flush"
    else:
        assert woken <= 6, "a look for each change at most, and no end of them"


def test_rules_of_iptables_are_watched_too(machines, keep):
    version = machines.server.run(["iptables", "--version"])
    need(None if "nf_tables" in version else "this iptables does not keep its rules in nftables")
    keeper = keep("ipset")
    machines.server.run(["iptables", "-t", "raw", "-F"])
    assert keeper.says() == "woken"
    assert machines.dropped() == ["192.0.2.7"]
