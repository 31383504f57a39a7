"""A program in the place of firewall-cmd keeps sets in a file, as firewalld does in the kernel."""

from __future__ import annotations

import json
import sys

import pytest
from pyruse_firewalld import Firewalld

from pyruse import Element, FirewallError, Sets, Target
from pyruse.testing import ConfigError

FIREWALL_CMD = """
import json, sys
path, which, action = sys.argv[1:]
sets = json.load(open(path))
name = which.removeprefix("--ipset=")
if name not in sets:
    sys.exit(f"Error: INVALID_IPSET: '{name}' is not a valid ipset")
entries = set(sets[name])
if action == "--get-entries":
    print("\\n".join(sorted(entries)))
else:
    verb, _, file = action.partition("-entries-from-file=")
    listed = set(open(file).read().split())
    entries = entries | listed if verb == "--add" else entries - listed
    sets[name] = sorted(entries)
    sets["runs"] += 1
    json.dump(sets, open(path, "w"))
"""


class Machine:
    """A firewalld with two sets, and the firewall that fills them."""

    def __init__(self, folder) -> None:
        self._path = folder / "sets.json"
        self._path.write_text(json.dumps({"pyruse4": [], "pyruse6": [], "runs": 0}))
        self.command = [sys.executable, "-c", FIREWALL_CMD, str(self._path)]
        self.firewall = opened(command=self.command)

    def __getitem__(self, name):
        return json.loads(self._path.read_text())[name]


def opened(**options):
    return Firewalld(**options).open_firewall("firewalld")


def elements(*networks, seconds=600):
    target = Target("firewalld")
    return [Element(network, target, seconds) for network in networks]


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_who_is_banned_is_in_the_set_of_his_family_until_unbanned(machine):
    machine.firewall.apply(elements("192.0.2.7", "198.51.100.0/24", "2001:db8::/64"), [])
    assert machine["pyruse4"] == ["192.0.2.7", "198.51.100.0/24"]
    assert machine["pyruse6"] == ["2001:db8::/64"]
    machine.firewall.apply([], elements("192.0.2.7", "203.0.113.9"))
    assert machine["pyruse4"] == ["198.51.100.0/24"]


def test_many_bans_are_one_run(machine):
    many = [f"10.0.{high}.{low}" for high in range(8) for low in range(256)]
    machine.firewall.apply(elements(*many), [])
    assert len(machine["pyruse4"]) == 2048
    assert machine["runs"] == 1


def test_reconciling_leaves_what_is_wanted_and_nothing_else(machine):
    machine.firewall.apply(elements("192.0.2.6", "192.0.2.7", "2001:db8::7"), [])
    machine.firewall.reconcile(elements("192.0.2.7", "192.0.2.8"), [])
    assert machine["pyruse4"] == ["192.0.2.7", "192.0.2.8"]
    assert machine["pyruse6"] == []


def test_reconciling_what_is_right_changes_nothing(machine):
    machine.firewall.apply(elements("192.0.2.7"), [])
    machine.firewall.reconcile(elements("192.0.2.7"), [])
    assert machine["runs"] == 1


def test_a_teardown_leaves_empty_sets(machine):
    machine.firewall.apply(elements("192.0.2.7", "2001:db8::7"), [])
    machine.firewall.teardown(elements("192.0.2.7"))
    assert machine["pyruse4"] == machine["pyruse6"] == []


def test_what_firewalld_says_reaches_the_administrator(machine):
    firewall = opened(command=machine.command, ipv4="nosuch")
    with pytest.raises(FirewallError) as caught:
        firewall.apply(elements("192.0.2.7"), [])
    assert str(caught.value) == (
        "firewalld: nosuch: 192.0.2.7: Error: INVALID_IPSET: 'nosuch' is not a valid ipset"
    )
    assert caught.value.failed == elements("192.0.2.7")


def test_a_program_that_is_missing_is_named():
    with pytest.raises(FirewallError, match="no-such-program: No such file or directory"):
        opened(command=["no-such-program"]).apply(elements("192.0.2.7"), [])


@pytest.mark.parametrize("target", [{"ports": (22,)}, {"sets": Sets(ipv4="mail")}])
def test_ports_and_sets_are_refused(machine, target):
    with pytest.raises(ValueError, match="expected neither sets nor ports"):
        machine.firewall.check(Target("firewalld", **target))


def test_it_is_the_firewall_of_its_own_name_alone():
    assert Firewalld().open_firewall("nftables") is None


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """The plugin is installed, as far as Pyruse can tell."""
    metadata = tmp_path / "pyruse_firewalld-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: pyruse-firewalld\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[pyruse]\nfirewalld = pyruse_firewalld:Firewalld\n")
    monkeypatch.syspath_prepend(tmp_path)


CONFIGURATION = """
[bans]
backend = "firewalld"
[bans.firewalld]
{}
[chains]
"all" = [{{ action = "ban", ip = "ip" }}]
"""


@pytest.mark.usefixtures("installed")
def test_a_configuration_with_it_bans(pipeline, machine):
    chains = pipeline(CONFIGURATION.format(f"command = {json.dumps(machine.command)}"))
    chains.feed(ip="203.0.113.7")
    assert chains.enforce() == []
    assert machine["pyruse4"] == ["203.0.113.7"]


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("option", "said"),
    [
        ('zone = "drop"', r"\.zone: unknown option \(expected one of: command, ipv4, ipv6\)"),
        (
            'command = "x"',
            r'\.command: "x" is no program \(expected a list: the program and its first arguments',
        ),
        ("command = []", r"\.command: \[\] is no program \(expected a list: the program and"),
        (
            'ipv4 = "two words"',
            r"\.ipv4: 'two words' is no name of a set \(expected one word of at",
        ),
    ],
)
def test_faulty_options(option, said, pipeline):
    with pytest.raises(ConfigError, match=r"bans\.firewalld" + said):
        pipeline(CONFIGURATION.format(option))
