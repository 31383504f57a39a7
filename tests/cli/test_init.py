"""``pyruse init``: the first configuration of a machine."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path

import pytest

from pyruse.addresses import parse_address
from pyruse.setup import machine, web_logs
from pyruse.setup.first_configuration import FirstConfiguration
from pyruse.setup.machine import network_of, session_address
from pyruse.setup.mail_way import no_mail


def test_it_writes_a_configuration_that_works(pyruse, tmp_path, monkeypatch):
    monkeypatch.setenv("SSH_CONNECTION", "192.168.7.9 51234 192.168.7.1 22")
    place = tmp_path / "etc"
    done = pyruse("init", "-c", place, "--yes", "--smtp", "smtp://localhost", "--to", "root")
    assert done.code == 0, done.err
    assert f"{place}/pyruse.toml: written\n" in done.out
    made = tomllib.loads((place / "pyruse.toml").read_text())
    assert "kernel" in made["use"]
    assert made["email"] == {"to": ["root"], "at_once": 70, "smtp": "smtp://localhost"}
    assert made["bans"]["never"] == ["192.168.7.0/24"]
    assert pyruse("check", "-c", place).code == 0


def test_what_is_there_stays(pyruse, tmp_path):
    file = tmp_path / "pyruse.toml"
    file.write_text('use = ["cron"]\n')
    done = pyruse("init", "-c", tmp_path, "--yes")
    assert done.code == 0, done.err
    assert f"{file}: is there already, and stays as it is\n" in done.out
    assert file.read_text() == 'use = ["cron"]\n'


def test_options_that_come_too_late_are_told(pyruse, tmp_path):
    file = tmp_path / "pyruse.toml"
    file.write_text('use = ["cron"]\n')
    given = ("--to", "root", "--smtp", "smtp://localhost", "--never", "192.0.2.0/24")
    done = pyruse("init", "-c", tmp_path, "--yes", *given)
    assert done.code == 0
    for name in given[::2]:
        text = f"warning: {name} has no effect: {file} is there already (expected a change of it)\n"
        assert text in done.err
    assert file.read_text() == 'use = ["cron"]\n'
    assert "has no effect" not in pyruse("init", "-c", tmp_path, "--yes").err


def test_options_that_are_wrong_are_told_before_anything_is_written(pyruse, tmp_path):
    place = tmp_path / "etc"
    given = ("--to", "foo bar", "--to", "root", "--smtp", "mail.example.org", "--never", "192.0.2")
    done = pyruse("init", "-c", place, "--yes", *given)
    assert done.code == 2
    for text in (
        '--to: "foo bar" is no mail address (expected "name@example.org" or a local user)\n',
        '--smtp: "mail.example.org" is no mail server (expected ',
        '--never: "192.0.2" is no ',
    ):
        assert text in done.err
    assert '"root"' not in done.err
    assert not place.exists()


def test_a_mail_server_that_does_not_answer_is_told_and_written(pyruse, tmp_path):
    place = tmp_path / "etc"
    server = f"smtp://127.0.0.2:{1}"  # loopback; nobody listens
    done = pyruse("init", "-c", place, "--yes", "--smtp", server, "--to", "a@example.org")
    assert done.code == 0
    assert f"warning: {server}: does not answer: Connection refused (expected a mail" in done.err
    assert tomllib.loads((place / "pyruse.toml").read_text())["email"]["smtp"] == server


def test_what_is_to_be_done_about_mail_is_not_what_was_done():
    file = Path("/etc/pyruse/pyruse.toml")
    assert "; then set `to` in [email] of /etc/pyruse/pyruse.toml, and try" in no_mail(file, (), "")
    told = no_mail(file, ["me@example.org"], "localhost takes no mail")
    assert "set `to`" not in told
    assert "your provider (`smtp` in [email] of /etc/pyruse/pyruse.toml), and try it" in told
    assert told.endswith(" (localhost takes no mail)")


@pytest.mark.parametrize(
    ("programs", "found"),
    [
        ({}, (None, False)),
        ({"nft": "true"}, ("nftables", False)),
        ({"nft": "echo Operation not permitted >&2; exit 1"}, ("nftables", True)),
        ({"nft": "echo No such file or directory >&2; exit 1"}, (None, False)),
        ({"nft": "echo Operation not permitted >&2; exit 1", "ipset": "true"}, ("nftables", True)),
        (
            {"nft": "exit 1", "ipset": "echo Operation not permitted >&2; exit 1", "iptables": ""},
            ("ipset", True),
        ),
        ({"nft": "exit 1", "ipset": "true", "iptables": ""}, ("ipset", False)),
    ],
)
def test_a_firewall_that_refuses_is_there(tmp_path, monkeypatch, programs, found):
    for name, script in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(machine, "PATH", str(tmp_path))
    assert machine.firewall() == found


def test_a_user_without_rights_is_told_so(pyruse, tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "firewall", lambda: ("nftables", True))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    done = pyruse("init", "-c", tmp_path / "etc", "--yes", "--smtp", "smtp://localhost")
    assert (
        "warning: nftables is here, but gives no rights to the user who asks, so whether it can "
        "ban is not known (expected root's rights: sudo pyruse init)\n"
    ) in done.out
    assert "neither" not in done.out


@pytest.mark.parametrize("command", ["init --yes", "check"])
def test_a_web_server_that_writes_files_is_told(pyruse, tmp_path, monkeypatch, command):
    (tmp_path / "nginx").mkdir()
    (tmp_path / "nginx/nginx.conf").write_text("http { access_log /var/log/nginx/access.log; }\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/nginx").touch(mode=0o755)
    there = partial(web_logs.unseen_logs, etc=tmp_path, path=str(tmp_path / "bin"))
    monkeypatch.setattr(web_logs, "unseen_logs", there)
    file = tmp_path / "pyruse.toml"
    file.write_text('use = ["nginx"]\n')
    told = f"warning: {tmp_path}/nginx/nginx.conf: no log of nginx goes to the journal, so"
    assert told in pyruse(*command.split(), "-c", file).err
    file.write_text('use = ["cron"]\n')
    assert told not in pyruse(*command.split(), "-c", file).err


def test_without_anybody_to_ask_nothing_is_written(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "pyruse", "init", "-c", tmp_path],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "there is nobody to ask (expected a terminal, or --yes)" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(pyruse, tmp_path):
    (tmp_path / "etc").write_text("")
    done = pyruse("init", "-c", tmp_path / "etc" / "pyruse", "--yes")
    assert done.code == 1
    assert "cannot be written: Not a directory (expected root: sudo pyruse init" in done.err


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.168.7.9", "192.168.7.0/24"),
        ("8.8.8.8", "8.8.8.8"),
        ("2a01:db8::7", "2a01:db8::/64"),
    ],
)
def test_the_network_that_is_spared(address, network):
    parsed = parse_address(address)
    assert parsed is not None
    assert network_of(parsed) == network


def test_the_session_is_found_behind_sudo(tmp_path):
    """sudo takes the variable out of the environment; the shell that it is called from has it."""
    code = "from pyruse.setup.machine import session_address; print(session_address())"
    command = f"env -u SSH_CONNECTION {sys.executable} -c '{code}'; true"
    environment = {**os.environ, "SSH_CONNECTION": "203.0.113.7 51234 192.0.2.1 22"}
    said = subprocess.check_output(["sh", "-c", command], env=environment, text=True)
    assert said == "203.0.113.7\n"


def test_without_a_session_there_is_none(monkeypatch):
    monkeypatch.setenv("SSH_CONNECTION", "127.0.0.1 51234 127.0.0.1 22")
    assert session_address() is None


def test_many_rules_are_on_several_lines():
    text = FirstConfiguration([f"program{number}" for number in range(20)]).text("2026-03-14")
    assert max(map(len, text.splitlines())) <= 100
    assert len(tomllib.loads(text)["use"]) == 20
