"""``pyruse init``: the first configuration of a machine."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib

import pytest

from pyruse.addresses import parse_address
from pyruse.setup.first_configuration import FirstConfiguration
from pyruse.setup.machine import network_of, session_address


def test_it_writes_a_configuration_that_works(pyruse, tmp_path, monkeypatch):
    monkeypatch.setenv("SSH_CONNECTION", "192.168.7.9 51234 192.168.7.1 22")
    place = tmp_path / "etc"
    done = pyruse("init", "-c", place, "--yes", "--smtp", "smtp://localhost", "--to", "root")
    assert done.code == 0, done.err
    assert f"{place}/pyruse.toml: written\n" in done.out
    made = tomllib.loads((place / "pyruse.toml").read_text())
    assert "kernel" in made["use"]
    assert made["email"] == {"to": ["root"], "smtp": "smtp://localhost"}
    assert made["bans"]["never"] == ["192.168.7.0/24"]
    assert pyruse("check", "-c", place).code == 0


def test_what_is_there_stays(pyruse, tmp_path):
    file = tmp_path / "pyruse.toml"
    file.write_text('use = ["cron"]\n')
    done = pyruse("init", "-c", tmp_path, "--yes")
    assert done.code == 0, done.err
    assert f"{file}: is there already, and stays as it is\n" in done.out
    assert file.read_text() == 'use = ["cron"]\n'


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
