"""Rules of others: what is wrong with them costs a line each, and nobody who does not use them.

A folder on PYTHONPATH with a package and a ``NAME-1.0.dist-info`` is an installed distribution, so
the commands are run as they are.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from pyruse.testing.waiting import TIME_LIMIT

LOCK = """
title = "Locks: who may not open them"
programs = ["lockd"]
[chains]
"lock" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "lockd" },
  { filter = "equals", field = "_UID", value = 0 },
  { filter = "regex", pattern = '^wrong key of (?P<user>.*) from {address}$', then = "lock wrong" },
]
"lock wrong" = [ { action = "event", name = "login failed", then = "guessing" } ]
[[samples]]
entry = { SYSLOG_IDENTIFIER = "lockd", _UID = 0, MESSAGE = "wrong key of ann from 203.0.113.9" }
event = "login failed"
[[samples]]
entry = { SYSLOG_IDENTIFIER = "lockd", _UID = 0, MESSAGE = "squeaks" }
"""
WRONG_KEY = "MESSAGE=wrong key of ann from 203.0.113.9"


@dataclass
class Site:
    """A folder with installed distributions, and with a configuration."""

    folder: Path

    def install(self, name: str, rules: str, text: str | None, code: str = "") -> Path:
        """Install a distribution with rules; gives their file, which is not made for None."""
        module = name.replace("-", "_")
        (self.folder / module).mkdir(parents=True)
        (self.folder / module / "__init__.py").write_text(code)
        file = self.folder / module / f"{rules}.toml"
        if text is not None:
            file.write_text(text)
        info = self.folder / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[pyruse.rules]\n{rules} = {module}\n")
        return file

    def pyruse(self, *arguments: str, use: str = "lock") -> subprocess.CompletedProcess[str]:
        config = self.folder / "pyruse.toml"
        config.write_text(
            f'use = ["{use}"]\n[state]\nurl = "sqlite:///{self.folder}/state.sqlite"\n'
            '[email]\nto = ["root@example.org"]\nsendmail = ["/bin/true"]\n'
        )
        return subprocess.run(
            [sys.executable, "-m", "pyruse", *arguments],
            env={**os.environ, "PYTHONPATH": str(self.folder), "PYRUSE_CONFIG": str(config)},
            capture_output=True, text=True, check=False, timeout=TIME_LIMIT,
        )  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Site:
    found = Site(tmp_path)
    found.install("acme-lock", "lock", LOCK)
    return found


BROKEN: dict[str, tuple[str | None, str, str]] = {
    "no-toml": (
        "title = ",
        "",
        'rules "bad" of acme-bad 1.0: {file}: Invalid value (at end of document) (expected a file '
        "of rules, in TOML: see https://toml.io)",
    ),
    "wrong-type": (
        LOCK.replace('["lockd"]', "7").replace('"lock', '"bad'),
        "",
        'rules "bad" of acme-bad 1.0: {file}: programs: 7 is of the wrong type (expected a list of '
        "SYSLOG_IDENTIFIERs)",
    ),
    "chain-of-another-name": (
        'title = "Bad"\n[chains]\n"sshd" = []\n',
        "",
        'rules "bad" of acme-bad 1.0: {file}: chains: "sshd" cannot be the name of a chain of '
        'these rules (expected "bad", or a name that begins with "bad ")',
    ),
    "no-file": (
        None,
        "",
        'rules "bad" of acme-bad 1.0: there is no file bad.toml beside the module acme_bad '
        "(expected a working plugin: upgrade or remove acme-bad)",
    ),
    "raises": (
        LOCK,
        "1 / 0",
        'rules "bad" of acme-bad 1.0: cannot be imported: ZeroDivisionError: division by zero '
        "(expected a working plugin: upgrade or remove acme-bad)",
    ),
    "unknown-step": (
        'title = "Bad"\nprograms = ["bad"]\n[chains]\n"bad" = [ { filter = "equal" } ]\n',
        "",
        '{file}: chains."bad"[0].filter: there is no filter "equal" (expected one that is '
        'installed: see `pyruse plugins`; did you mean "equals"?)',
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_rules_that_are_broken(fault: str, site: Site) -> None:
    text, code, line = BROKEN[fault]
    file = site.install("acme-bad", "bad", text, code)
    line = line.replace("{file}", str(file))
    for command in ("check", "run"):
        done = site.pyruse(command, use="bad")
        assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{line}\n")
    done = site.pyruse("check")
    assert (done.returncode, done.stderr) == (0, "")
    listed = site.pyruse("rules")
    assert listed.returncode == 0
    assert "lock\tLocks: who may not open them\tno\tyes\tacme-lock 1.0\n" in listed.stdout
    if fault != "unknown-step":  # a step is looked at where it is used
        assert listed.stderr == f"pyruse: {line}\n"
        shown = site.pyruse("rules", "bad")
        assert (shown.returncode, shown.stdout, shown.stderr) == (1, "", f"pyruse: {line}\n")
    tested = site.pyruse("rules", "bad", "--test")
    assert tested.returncode == 1
    assert line in tested.stderr


def test_a_name_that_two_packages_claim(site: Site) -> None:
    site.install("acme-locks", "lock", LOCK)
    site.install("acme-door", "door", LOCK.replace('"lock', '"door'))
    line = (
        'rules "lock" are claimed by acme-lock 1.0 and acme-locks 1.0 (expected one claimant: '
        "remove a distribution)"
    )
    for command in ("check", "run"):
        done = site.pyruse(command)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"{site.folder}/pyruse.toml: use[0]: {line}\n"
    done = site.pyruse("check", use="door")
    assert (done.returncode, done.stderr) == (0, f"pyruse: {line}\n")


def test_a_name_of_pyruses_own_stays_pyruses(site: Site) -> None:
    site.install("acme-sshd", "sshd", LOCK.replace('"lock', '"sshd'))
    done = site.pyruse("check", use="sshd")
    assert (done.returncode, done.stderr) == (
        0,
        'pyruse: rules "sshd" are claimed by acme-sshd 1.0, though it is Pyruse\'s own (expected '
        "one claimant: remove a distribution)\n",
    )


def test_a_file_that_others_may_write(site: Site) -> None:
    file = site.folder / "plugins" / "hatch.toml"
    file.parent.mkdir()
    file.write_text(LOCK.replace('"lock', '"hatch'))
    assert site.pyruse("check", use="hatch").returncode == 0
    file.chmod(0o666)
    line = (
        f"{file}: others than its owner may write there, so no plugin is loaded from there "
        f"(expected that they may not: chmod go-w {file})"
    )
    for command in ("check", "run"):
        done = site.pyruse(command, use="hatch")
        assert done.returncode == 2
        assert done.stderr == (
            f'{line}\n{site.folder}/pyruse.toml: use[0]: there are no rules "hatch" (expected '
            "rules that are installed: see `pyruse rules`)\n"
        )
    done = site.pyruse("check")
    assert (done.returncode, done.stderr) == (0, f"pyruse: {line}\n")


def test_every_command_names_the_chains_and_where_they_come_from(site: Site, journal_file) -> None:
    lock = site.folder / "acme_lock" / "lock.toml"
    checked = site.pyruse("check", "-v").stdout
    assert f"lock (main sequence; {lock})\n" in checked
    assert "\nlock guessing (reached by jumps; " in checked
    assert "/rules/guessing.toml)\n" in checked

    explained = site.pyruse("explain", "SYSLOG_IDENTIFIER=lockd", "_UID=0", WRONG_KEY).stdout
    assert f"\nlock ({lock})\n" in explained
    assert f"\nlock wrong ({lock})\n" in explained
    assert "/rules/guessing.toml)\n  [0] exists: passes\n" in explained

    entry = {"SYSLOG_IDENTIFIER": "lockd", "_UID": 0, "MESSAGE": WRONG_KEY.partition("=")[2]}
    journal = ["--file", str(journal_file([entry]))]
    profile = site.pyruse("replay", "--profile", *journal).stdout
    assert "\nlock (lock.toml) " in profile
    assert "\nlock guessing (guessing.toml) " in profile
    data = json.loads(site.pyruse("replay", "--profile", "--format", "json", *journal).stdout)
    files = {chain["chain"]: chain["file"] for chain in data["profile"]["chains"]}
    assert files["lock"] == str(lock)
    assert Path(files["lock guessing"]).name == "guessing.toml"

    shown = site.pyruse("rules", "lock", "--chains").stdout
    assert shown.startswith(f"rules lock (acme-lock 1.0; {lock})\n")
    assert "\n  lock wrong\n" in shown
    properties = json.loads(site.pyruse("schema").stdout)["properties"]
    assert "lock" in properties["rules"]["properties"]
    tested = site.pyruse("rules", "lock", "--test").stdout
    assert tested == "2 samples of 1 file of rules: no faults\n"


def test_broken_rules_are_left_out_of_the_schema(site: Site) -> None:
    site.install("acme-bad", "bad", "title = ")
    done = site.pyruse("schema")
    assert done.returncode == 0
    properties = json.loads(done.stdout)["properties"]["rules"]["properties"]
    assert "lock" in properties
    assert "failures" in properties["lock"]["properties"]


def test_rules_without_an_event_are_no_doubt(site: Site) -> None:
    """The chain "everything else" asks for events all the same."""
    event = 'action = "event", name = "login failed", then = "guessing"'
    text = LOCK.replace(event, 'action = "discard"')
    (site.folder / "acme_lock" / "lock.toml").write_text(text)
    done = site.pyruse("check")
    assert (done.returncode, done.stderr) == (0, "")
