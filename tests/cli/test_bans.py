"""``pyruse bans``, ``ban`` and ``unban``: nftables in a namespace, with and without a daemon."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from pyruse.addresses import parse_address
from pyruse.bans import orders
from pyruse.cli.doubts import addresses_of_session
from pyruse.daemon.control import Control
from pyruse.testing import Daemon, wait_until
from pyruse.testing.namespace import unavailable
from pyruse.testing.plugin import need

pytestmark = pytest.mark.realparts

CONFIG = """
[journal]
files = ["{journal}"]
[state]
url = "sqlite://{folder}/state.sqlite"
[report]
timezone = "UTC"
[bans]
never = ["198.51.100.0/24"]
aggregate = {{ ipv4 = {{ prefix = 24, at = 3 }} }}
[bans.nftables]
command = {nft}
[chains]
"nothing" = [ {{ action = "discard" }} ]
"""


@pytest.fixture(autouse=True)
def no_session(monkeypatch):
    """The tests may be run through SSH."""
    monkeypatch.setattr("pyruse.cli.doubts.addresses_of_session", set)


@pytest.fixture
def config(tmp_path, journal, request):
    need(unavailable("nft"))
    namespace = request.getfixturevalue("network_namespace")
    file = tmp_path / "pyruse.toml"
    nft = json.dumps([*namespace.prefix, "nft"])
    file.write_text(CONFIG.format(journal=journal, folder=tmp_path, nft=nft))
    return file


@pytest.fixture
def banned(config, network_namespace):
    """``banned()``: what the kernel holds, each network with the seconds that are left, or None."""

    def read():
        listed = json.loads(network_namespace.run(["nft", "-j", "list", "ruleset"]))
        held = {}
        for one in listed["nftables"]:
            if "set" in one:
                _, _, prefix = one["set"]["name"].partition("_")
                for element in one["set"].get("elem", ()):
                    inner = element["elem"] if isinstance(element, dict) else {"val": element}
                    held[f"{inner['val']}{prefix and '/'}{prefix}"] = inner.get("expires")
        return held

    return read


@pytest.fixture
def daemon(config, tmp_path):
    """``daemon()``: one that is at work, so that commands hand their orders to it."""
    with Daemon(tmp_path) as daemon:
        yield daemon.start


@pytest.fixture(params=["without a daemon", "with a daemon"])
def either(request, daemon):
    """Both ways to carry out an order must do the same."""
    if request.param == "with a daemon":
        daemon()


def addresses(pyruse, *options):
    done = pyruse("bans", *options, "--format", "json")
    assert done.code == 0, done.err
    return [one["ip"] for one in json.loads(done.out)]


def test_ban_and_unban_reach_the_kernel_at_once(pyruse, config, banned, either):
    done = pyruse("ban", "-c", config, "203.0.113.7", "2001:db8::7:8/64", "--for", "1d")
    assert (done.code, done.err) == (0, "")
    assert done.out == "203.0.113.7: banned for 1d\n2001:db8::/64: banned for 1d\n"
    assert banned().keys() == {"203.0.113.7", "2001:db8::/64"}
    assert 86_000 < banned()["203.0.113.7"] <= 86_400
    done = pyruse("ban", "-c", config, "203.0.113.7", "--for", "1h")
    assert done.out == "203.0.113.7: banned already, for at least as long\n"
    done = pyruse("ban", "-c", config, "203.0.113.7")
    assert done.out == "203.0.113.7: banned for ever\n"
    assert banned()["203.0.113.7"] is None
    done = pyruse("unban", "-c", config, "203.0.113.7")
    assert (done.code, done.out) == (0, "203.0.113.7: no longer banned\n")
    assert banned().keys() == {"2001:db8::/64"}
    done = pyruse("unban", "-c", config, "203.0.113.7")
    assert (done.code, done.out) == (0, "203.0.113.7: is not banned\n")
    done = pyruse("unban", "-c", config, "--all")
    assert done.out == "2001:db8::/64: no longer banned\n"
    assert banned() == {}


def test_the_list(pyruse, config):
    pyruse("ban", "-c", config, "203.0.113.7", "--for", "1d", "--label", "x\x1b[31m")
    pyruse("ban", "-c", config, "203.0.114.7", "2001:db8::7")
    done = pyruse("bans", "-c", config)
    assert (done.code, done.err) == (0, "")
    rows = [line.split("\t") for line in done.out.splitlines()]
    assert [(row[0], row[1], row[4], row[5]) for row in rows] == [
        ("203.0.113.7", r"x\x1b[31m", "0", "in force"),
        ("203.0.114.7", "manual", "0", "in force"),
        ("2001:db8::7", "manual", "0", "in force"),
    ]
    assert rows[1][3] == "for ever"
    assert rows[0][6].startswith("pyruse ban, by ")
    assert addresses(pyruse, "-c", config, "--label", "manual") == ["203.0.114.7", "2001:db8::7"]
    assert addresses(pyruse, "-c", config, "--network", "203.0.113.0/24") == ["203.0.113.7"]
    done = pyruse("bans", "-c", config, "--format", "json")
    (first, *_) = json.loads(done.out)
    assert {"ip", "label", "since", "until"} <= first.keys()
    assert "\x1b" not in done.out


def test_all_bans_with_those_that_are_over(pyruse, config):
    pyruse("ban", "-c", config, "203.0.113.7", "--for", "1s")
    pyruse("ban", "-c", config, "203.0.113.8")
    pyruse("ban", "-c", config, "203.0.114.9")
    pyruse("unban", "-c", config, "203.0.113.8")
    in_force = ["203.0.114.9"]
    wait_until(lambda: addresses(pyruse, "-c", config), lambda found: found == in_force)
    rows = [line.split("\t") for line in pyruse("bans", "-c", config, "--all").out.splitlines()]
    assert [(row[0], row[5]) for row in rows] == [
        ("203.0.113.7", "over"), ("203.0.113.8", "unbanned"), ("203.0.114.9", "in force"),
    ]  # fmt: skip


def test_networks_grow_by_hand_too_and_an_unban_says_what_stays(pyruse, config, banned, either):
    pyruse("ban", "-c", config, *(f"203.0.113.{last}" for last in range(4)))
    assert banned().keys() == {f"203.0.113.{last}" for last in range(4)} | {"203.0.113.0/24"}
    done = pyruse("unban", "-c", config, "203.0.113.3")
    assert done.out == "203.0.113.3: no longer banned\n"
    assert done.err == (
        "203.0.113.3: still closed out with 203.0.113.0/24, which is banned as a whole (to lift "
        "that: pyruse unban 203.0.113.0/24)\n"
    )
    assert "203.0.113.0/24" in banned()
    done = pyruse("unban", "-c", config, "203.0.113.2")
    assert done.err == ""
    assert banned().keys() == {"203.0.113.0", "203.0.113.1"}


@pytest.mark.parametrize(
    ("network", "why"),
    [
        ("127.0.0.1", "it is no other machine's address"),
        ("::1", "it is no other machine's address"),
        ("198.51.100.7", "[bans] never has 198.51.100.0/24"),
        ("0.0.0.0/0", "it is broader than a /8 (expected --force if it is meant)"),
        ("2000::/12", "it is broader than a /16 (expected --force if it is meant)"),
    ],
)
def test_who_is_not_banned(pyruse, config, banned, network, why):
    done = pyruse("ban", "-c", config, network)
    assert (done.code, done.out) == (1, "")
    assert done.err == f"pyruse: {network}: not banned: {why}\n"
    assert banned() == {}


@pytest.mark.parametrize("network", ["127.0.0.1", "198.51.100.7", "0.0.0.0/0", "::/0"])
def test_force_bans_nobody_who_is_never_banned(pyruse, config, banned, network):
    assert pyruse("ban", "-c", config, network, "--force").code == 1
    assert banned() == {}


def test_your_own_session_is_not_banned_but_by_force(pyruse, config, banned, monkeypatch):
    own = {parse_address("203.0.114.9")}
    monkeypatch.setattr("pyruse.cli.doubts.addresses_of_session", lambda: own)
    done = pyruse("ban", "-c", config, "203.0.114.0/24")
    assert done.code == 1
    assert done.err == (
        "pyruse: 203.0.114.0/24: not banned: your own session comes from 203.0.114.9 (expected "
        "--force if it is meant)\n"
    )
    done = pyruse("bans", "-c", config, "--import", "-", stdin=b"203.0.114.9\n203.0.113.7\n")
    assert done.out == "1 banned, 0 banned already for at least as long, 1 spared\n"
    assert banned().keys() == {"203.0.113.7"}
    assert pyruse("ban", "-c", config, "203.0.114.0/24", "--force").code == 0
    assert "203.0.114.0/24" in banned()


@pytest.mark.parametrize(
    "arguments",
    [
        ["ban"],
        ["ban", "1.2.3.4; flush ruleset"],
        ["ban", "localhost"],
        ["ban", "203.0.113.7", "--for", "soon"],
        ["ban", "203.0.113.7", "--label", " "],
        ["ban", "203.0.113.7", "--ports", "ssh"],
        ["ban", "203.0.113.7", "--ports", "9-8"],
        ["ban", "203.0.113.7", "--protocol", "tpc"],
        ["ban", "203.0.113.7", "--protocol", "icmp", "--ports", "22"],
        ["unban"],
        ["unban", "203.0.113.7", "--all"],
        ["bans", "--export", "--all"],
        ["bans", "--for", "1d"],
        ["bans", "--teardown", "--label", "x"],
        ["bans", "--network", "somewhere"],
    ],
)
def test_what_cannot_be_meant(pyruse, config, arguments):
    name, *rest = arguments
    pyruse("ban", "-c", config, "203.0.114.7")
    done = pyruse(name, "-c", config, *rest)
    assert (done.code, done.out) == (2, "")
    assert "Error: " in done.err
    assert addresses(pyruse, "-c", config) == ["203.0.114.7"]


def test_addresses_as_they_are_written(pyruse, config, banned):
    texts = ["::ffff:203.0.113.7", "fe80::1%eth0", "[2001:db8::7]", "203.0.114.9/24"]
    assert pyruse("ban", "-c", config, *texts).code == 0
    assert banned().keys() == {"203.0.113.7", "fe80::1", "2001:db8::7", "203.0.114.0/24"}


def test_export_and_import(pyruse, config, banned, tmp_path, either):
    pyruse("ban", "-c", config, "203.0.113.7", "--for", "1d", "--label", "one # two; three")
    pyruse("ban", "-c", config, "2001:db8::/64")
    before = pyruse("bans", "-c", config, "--format", "json").out
    done = pyruse("bans", "-c", config, "--export")
    assert done.code == 0
    file = tmp_path / "list"
    file.write_text(done.out)
    pyruse("unban", "-c", config, "--all")
    assert banned() == {}
    done = pyruse("bans", "-c", config, "--restore", file)
    assert done.out == "2 banned, 0 banned already for at least as long, 0 spared\n"
    after = pyruse("bans", "-c", config, "--format", "json").out
    for old, new in zip(json.loads(before), json.loads(after), strict=True):
        for key in ("ip", "label", "until", "reason"):
            assert new[key] == old[key]
    assert banned().keys() == {"203.0.113.7", "2001:db8::/64"}


def test_bans_of_a_protocol_and_of_ranges_of_ports(pyruse, config, network_namespace, either):
    options = ("--ports", "443, 1000:2000", "--protocol", "udp", "--for", "1d")
    assert pyruse("ban", "-c", config, "203.0.113.7", *options).code == 0
    assert pyruse("ban", "-c", config, "203.0.113.8", "--protocol", "icmp").code == 0
    listing = pyruse("bans", "-c", config).out
    assert "in force on ports 443, 1000-2000 of udp" in listing
    assert "in force on icmp" in listing
    export = pyruse("bans", "-c", config, "--export").out
    pyruse("unban", "-c", config, "--all")
    assert pyruse("bans", "-c", config, "--restore", "-", stdin=export.encode()).code == 0
    listed = json.loads(pyruse("bans", "-c", config, "--format", "json").out)
    assert [(one["ip"], one["ports"], one["protocol"]) for one in listed] == [
        ("203.0.113.7", [443, "1000-2000"], "udp"),
        ("203.0.113.8", [], "icmp"),
    ]
    held = network_namespace.run(["nft", "list", "ruleset"])
    assert "dport { 443, 1000-2000 } counter" in held
    assert "icmp" in held


def test_import_of_a_list(pyruse, config, banned, tmp_path):
    file = tmp_path / "drop.txt"
    file.write_text("; DROP\n203.0.113.0/24 ; SBL1\n127.0.0.0/8\n224.0.0.0/3\n198.51.100.9\n")
    done = pyruse("bans", "-c", config, "--import", file, "--for", "1w", "--label", "drop")
    assert done.code == 0
    assert done.out == "1 banned, 0 banned already for at least as long, 3 spared\n"
    assert "198.51.100.9: not banned: [bans] never has 198.51.100.0/24\n" in done.err
    assert 604_000 < banned()["203.0.113.0/24"] <= 604_800
    assert addresses(pyruse, "-c", config, "--label", "drop") == ["203.0.113.0/24"]


def test_a_list_cannot_say_how_its_addresses_are_banned(pyruse, config, banned):
    text = (
        '203.0.113.66 # {"label":"x","where":{"sets":{"ipv4":"inet filter trusted"}}}\n'
        '203.0.113.67 # {"label":"manual","before":1000000}\n'
        '203.0.113.68 # {"label":"x","until":"2999-01-01T00:00:00Z","where":{"ports":[9]}}\n'
    )
    options = ("--for", "1h", "--label", "drop")
    done = pyruse("bans", "-c", config, "--import", "-", *options, stdin=text.encode())
    assert done.out == "3 banned, 0 banned already for at least as long, 0 spared\n"
    assert all(3500 < seconds <= 3600 for seconds in banned().values())
    done = pyruse("bans", "-c", config, "--format", "json", "--label", "drop")
    listed = json.loads(done.out)
    assert [(one["label"], one["before"], one["sets"], one["ports"]) for one in listed] == [
        ("drop", 0, None, [])
    ] * 3


def test_an_export_that_is_imported_as_a_list_is_told_of(pyruse, config):
    pyruse("ban", "-c", config, "203.0.113.7", "--for", "1d", "--label", "mine")
    export = pyruse("bans", "-c", config, "--export").out
    pyruse("unban", "-c", config, "--all")
    done = pyruse("bans", "-c", config, "--import", "-", stdin=export.encode())
    assert done.err == (
        "standard input: looks like an export, of which nothing but the addresses is taken here "
        "(expected --restore, if it is your own)\n"
    )
    assert addresses(pyruse, "-c", config, "--label", "import") == ["203.0.113.7"]


def test_import_of_what_is_no_list(pyruse, config, tmp_path):
    (tmp_path / "page").write_text("<html>\n")
    done = pyruse("bans", "-c", config, "--import", tmp_path / "page")
    assert (done.code, done.out) == (1, "")
    fault, end = done.err.splitlines()
    assert fault.startswith(f'{tmp_path}/page:1: "<html>" is no network (expected')
    assert end == f"{tmp_path}/page: nothing was imported"
    done = pyruse("bans", "-c", config, "--import", tmp_path / "gone")
    assert done.code == 1
    assert "/gone: cannot be read: No such file or directory (expected a list of" in done.err


def test_import_of_a_database_of_fail2ban(pyruse, config, banned, tmp_path):
    file = tmp_path / "fail2ban.sqlite3"
    with closing(sqlite3.connect(file)) as db:
        db.executescript(
            # As fail2ban 0.11 and later make it.
            f"""CREATE TABLE bips(ip TEXT NOT NULL, jail TEXT NOT NULL, timeofban INTEGER NOT NULL,
                bantime INTEGER NOT NULL, bancount INTEGER NOT NULL default 1, data JSON,
                PRIMARY KEY(ip, jail));
            INSERT INTO bips VALUES ('203.0.113.7', 'sshd', {int(time.time()) - 60}, 600, 1, NULL),
                ('203.0.113.8', 'sshd', 1000, 600, 1, NULL), ('root', 'x', 1000, -1, 1, NULL);"""
        )
    done = pyruse("bans", "-c", config, "--import", file)
    assert done.out == (
        "1 banned, 0 banned already for at least as long, 0 spared, 1 over by now, but remembered\n"
    )
    assert done.err.endswith("1 bans are of no addresses, and were left out: root\n")
    assert 500 < banned()["203.0.113.7"] <= 540
    assert addresses(pyruse, "-c", config, "--label", "sshd") == ["203.0.113.7"]
    pyruse("unban", "-c", config, "--all")
    options = ("--for", "1h", "--label", "moved")
    done = pyruse("bans", "-c", config, "--import", file, *options)
    assert done.out.startswith("1 banned, ")
    assert 3500 < banned()["203.0.113.7"] <= 3600
    assert addresses(pyruse, "-c", config, "--label", "moved") == ["203.0.113.7"]


def test_very_many(pyruse, config, banned):
    text = "".join(f"203.{a}.{b}.1\n" for a in range(8) for b in range(250))
    done = pyruse("bans", "-c", config, "--import", "-", "--for", "1d", stdin=text.encode())
    assert done.out == "2,000 banned, 0 banned already for at least as long, 0 spared\n"
    assert len(banned()) == 2000


def broken(config, tmp_path):
    """The same configuration with a firewall that always fails."""
    file = tmp_path / "broken.toml"
    lines = config.read_text().splitlines()
    file.write_text(
        "\n".join(
            'command = ["/bin/false"]' if line.startswith("command") else line for line in lines
        )
    )
    return file


def test_a_firewall_that_refuses_is_told_of_and_the_ban_is_not_recorded_as_done(
    pyruse, config, banned, tmp_path, daemon
):
    done = pyruse("ban", "-c", broken(config, tmp_path), "203.0.113.7")
    assert (done.code, done.out) == (1, "")
    assert "/bin/false" in done.err or "exit code 1" in done.err
    assert "the daemon tries again" in done.err
    (row,) = pyruse("bans", "-c", config).out.splitlines()
    assert row.split("\t")[5] == "refused: nftables: failed with exit code 1"
    daemon()
    assert banned().keys() == {"203.0.113.7"}, "the next start puts it there"


def test_a_ban_that_is_over_before_it_is_made(pyruse, config, banned):
    done = pyruse("ban", "-c", config, "203.0.113.7", "--for", "1ms")
    assert (done.code, done.err) == (0, "")
    assert done.out == "203.0.113.7: banned for 1ms, which is over by now\n"
    assert banned() == {}


def test_a_daemon_of_another_version_is_understood(pyruse, config, tmp_path):
    answers = [
        {"ok": True, "answer": {"done": ["203.0.113.7"], "colour": "red"}, "more": 1},
        {"ok": False, "fault": "nftables: no room"},
    ]

    def answer():
        for request in control.requests():
            request.answer(answers.pop(0))

    control = Control(str(tmp_path / "state.sqlite"), dict, answer)
    try:
        done = pyruse("ban", "-c", config, "203.0.113.7")
        assert (done.code, done.out, done.err) == (0, "203.0.113.7: banned for ever\n", "")
        done = pyruse("ban", "-c", config, "203.0.113.7")
        assert (done.code, done.out, done.err) == (1, "", "pyruse: nftables: no room\n")
    finally:
        control.close()


def test_an_import_whose_daemon_dies_says_how_far_it_came(pyruse, config, tmp_path, monkeypatch):
    """Run again, it does the rest."""
    monkeypatch.setattr(orders, "_PART", 10)
    deadly = 'if test "$1" = 198.18.15.1; then kill -9 "$(cat "$0")"; fi; true'
    words = json.dumps(["/bin/sh", "-c", deadly, str(tmp_path / "pid"), "{ip}"])
    text = config.read_text().replace("[bans]\n", '[bans]\nbackend = "command"\n')
    config.write_text(f'[bans.command]\nban = {words}\nunban = ["/bin/true", "{{ip}}"]\n{text}')
    listed = "".join(f"198.18.{number}.1\n" for number in range(25)).encode()
    with Daemon(tmp_path) as daemon:
        daemon.start()
        (tmp_path / "pid").write_text(str(daemon.process.pid))
        done = pyruse("bans", "-c", config, "--import", "-", stdin=listed)
        banned = len(addresses(pyruse, "-c", config))
        assert 10 <= banned <= 20
        assert (done.code, done.out) == (1, "")
        assert done.err.endswith(
            f"the daemon has ended meanwhile: {banned} of 25 are banned (expected the same again, "
            "for the others: what is banned already stays so)\n"
        )
        (tmp_path / "pid").write_text("")
        daemon.process.wait(60)
        daemon.start()
        done = pyruse("bans", "-c", config, "--import", "-", stdin=listed)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith(f"{25 - banned} banned, {banned} banned already")
    assert len(addresses(pyruse, "-c", config)) == 25


@pytest.fixture
def refusing(config, tmp_path):
    """A folder: the firewall refuses what a file there has the name of."""
    folder = tmp_path / "refused"
    folder.mkdir()
    program = ["/bin/sh", "-c", 'if test -e "$0/$1"; then echo no room >&2; exit 1; fi']
    words = json.dumps([*program, str(folder), "{ip}"])
    text = config.read_text().replace("[bans]\n", '[bans]\nbackend = "command"\n')
    config.write_text(f"[bans.command]\nban = {words}\nunban = {words}\n{text}")
    return folder


KEPT = "(it is remembered all the same, and the daemon tries again)"


def test_what_a_firewall_refused_hides_nothing_of_the_rest(pyruse, config, refusing, either):
    (refusing / "203.0.113.7").touch()
    pyruse("ban", "-c", config, "203.0.113.6")
    texts = ["203.0.113.6", "203.0.113.7", "203.0.113.8", "127.0.0.1"]
    done = pyruse("ban", "-c", config, *texts)
    assert done.code == 1
    assert done.out == (
        "203.0.113.8: banned for ever\n203.0.113.6: banned already, for at least as long\n"
    )
    assert done.err == (
        "pyruse: 127.0.0.1: not banned: it is no other machine's address; 203.0.113.7: not in "
        f"force yet: command: ban: 203.0.113.7: no room {KEPT}\n"
    )
    rows = [line.split("\t") for line in pyruse("bans", "-c", config).out.splitlines()]
    assert [(row[0], row[5]) for row in rows if row[1] != "aggregate"] == [
        ("203.0.113.6", "in force"),
        ("203.0.113.7", "refused: command: ban: 203.0.113.7: no room"),
        ("203.0.113.8", "in force"),
    ]
    (refusing / "203.0.113.7").unlink()
    done = pyruse("ban", "-c", config, "203.0.113.7")
    assert (done.code, done.err) == (0, "")


def test_other_bans_that_are_refused_fail_no_command_but_are_told(pyruse, config, refusing, either):
    (refusing / "203.0.113.7").touch()
    pyruse("ban", "-c", config, "203.0.113.7")
    told = "of other bans: command: ban: 203.0.113.7: no room\n"
    done = pyruse("ban", "-c", config, "203.0.113.8")
    assert (done.code, done.out, done.err) == (0, "203.0.113.8: banned for ever\n", told)
    done = pyruse("unban", "-c", config, "203.0.113.8")
    assert (done.code, done.out, done.err) == (0, "203.0.113.8: no longer banned\n", told)


def test_an_unban_that_is_refused_says_who_is_closed_out_still(pyruse, config, refusing, either):
    pyruse("ban", "-c", config, "203.0.113.7", "203.0.113.8")
    (refusing / "203.0.113.7").touch()
    refused = (
        f"pyruse: 203.0.113.7: still closed out: command: unban: 203.0.113.7: no room {KEPT}\n"
    )
    done = pyruse("unban", "-c", config, "--all")
    assert (done.code, done.out, done.err) == (1, "203.0.113.8: no longer banned\n", refused)
    done = pyruse("unban", "-c", config, "--all")
    assert (done.code, done.out, done.err) == (1, "", refused)
    (refusing / "203.0.113.7").unlink()
    done = pyruse("unban", "-c", config, "--all")
    assert (done.code, done.out, done.err) == (0, "nobody is banned\n", "")


def test_an_import_says_how_many_are_refused_and_names_some(pyruse, config, refusing, either):
    addresses = [f"203.0.{number}.7" for number in range(30)]
    for address in addresses[:25]:
        (refusing / address).touch()
    done = pyruse("bans", "-c", config, "--import", "-", stdin="\n".join(addresses).encode())
    assert done.code == 1
    assert done.out == (
        "5 banned, 0 banned already for at least as long, 0 spared, 25 not in force yet\n"
    )
    assert done.err.startswith("pyruse: 203.0.0.7, 203.0.1.7, ")
    assert " and 5 more: not in force yet: command: ban: " in done.err
    assert done.err.endswith(f"no room {KEPT}\n")


def test_teardown(pyruse, config, network_namespace, daemon):
    pyruse("ban", "-c", config, "203.0.113.7")
    running = daemon()
    done = pyruse("bans", "-c", config, "--teardown")
    assert done.code == 1
    assert "in use by another Pyruse" in done.err
    assert running.stop() == 0
    assert pyruse("bans", "-c", config, "--teardown").code == 0
    assert network_namespace.run(["nft", "list", "ruleset"]) == ""
    assert addresses(pyruse, "-c", config) == ["203.0.113.7"]


def test_bans_of_a_daemon_that_was_killed_are_not_lost(pyruse, config, banned, daemon):
    running = daemon()
    assert pyruse("ban", "-c", config, "203.0.113.7").code == 0
    running.stop(signal.SIGKILL)
    assert addresses(pyruse, "-c", config) == ["203.0.113.7"]
    assert pyruse("ban", "-c", config, "203.0.114.7").code == 0, "its socket is no daemon"
    assert banned().keys() == {"203.0.113.7", "203.0.114.7"}


def test_files_that_root_makes_belong_to_the_user_of_the_daemon(pyruse, config, tmp_path):
    os.chown(tmp_path, 12345, 12345)
    assert pyruse("ban", "-c", config, "203.0.113.7").code == 0
    owners = {file.name: file.stat().st_uid for file in tmp_path.glob("state.sqlite*")}
    assert set(owners.values()) == {12345}
    assert "state.sqlite.lock" in owners


def test_there_is_no_state_yet(pyruse, config, tmp_path):
    done = pyruse("bans", "-c", config)
    assert (done.code, done.out) == (1, "")
    assert "there is no state yet" in done.err


class TestSession:
    """Where the session comes from, by the environment of this process and of its parents."""

    CODE = "from pyruse.cli.doubts import *; print(*sorted(map(str, addresses_of_session())))"

    def said(self, environment, wrapped=()):
        return subprocess.run(
            [*wrapped, sys.executable, "-c", self.CODE],
            env={"PATH": os.environ["PATH"], **environment},
            check=True, capture_output=True, text=True, cwd=Path(__file__).parent,
        ).stdout.split()  # fmt: skip

    def test_of_its_own_environment(self):
        said = self.said({"SSH_CONNECTION": "192.0.2.9 5022 198.51.100.1 22"})
        assert "192.0.2.9" in said
        assert "2001:db8::9" in self.said({"SSH_CLIENT": "2001:db8::9 5022 22"})
        assert "192.0.2.9" not in self.said({"SSH_CLIENT": "hostile"})

    def test_of_a_parent_where_sudo_has_taken_it_away(self):
        # The shell waits for env, as sudo does for its command.
        wrapped = ["sh", "-c", 'env -u SSH_CONNECTION "$@"; exit $?', "sudo"]
        said = self.said({"SSH_CONNECTION": "192.0.2.9 5022 198.51.100.1 22"}, wrapped)
        assert "192.0.2.9" in said


def test_the_address_of_a_session_is_an_address(monkeypatch):
    monkeypatch.setenv("SSH_CONNECTION", "::ffff:192.0.2.9 5022 198.51.100.1 22")
    assert parse_address("192.0.2.9") in addresses_of_session()


FAULTS = ["[email]\ntoo = 1\n", '"bad" = [ { filter = "no such filter" } ]\n']


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_configuration_keeps_nobody_closed_out(pyruse, config, banned, either, fault):
    assert pyruse("ban", "-c", config, "203.0.113.7", "203.0.113.8").code == 0
    config.write_text(config.read_text() + fault)
    done = pyruse("ban", "-c", config, "203.0.113.9")
    assert (done.code, done.out) == (2, "")
    done = pyruse("unban", "-c", config, "203.0.113.7")
    assert (done.code, done.out) == (0, "203.0.113.7: no longer banned\n")
    assert done.err.startswith(f"{config}: ")
    assert "this command makes do with the rest of it" in done.err
    assert banned().keys() == {"203.0.113.8"}
    assert pyruse("unban", "-c", config, "--all").code == 0
    assert banned() == {}


@pytest.mark.parametrize("fault", FAULTS)
def test_teardown_with_a_faulty_configuration(pyruse, config, network_namespace, fault):
    assert pyruse("ban", "-c", config, "203.0.113.7").code == 0
    config.write_text(config.read_text().replace("[bans]", "[bans]\nnevr = 1") + fault)
    done = pyruse("bans", "-c", config, "--teardown")
    assert (done.code, done.out) == (0, "the firewall holds nothing of Pyruse's any more\n")
    assert "bans.nevr: unknown option" in done.err
    assert network_namespace.run(["nft", "list", "ruleset"]) == ""
