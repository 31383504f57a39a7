"""What people type first: it works, or the command says what to type instead."""

from __future__ import annotations

import grp
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from pyruse.testing.waiting import TIME_LIMIT

NOWHERE = """
[journal]
files = ["{journal}"]
start = "head"
[state]
url = "sqlite://{folder}/state/state.sqlite"
[report]
timezone = "UTC"
[bans]
backend = "command"
command = {{ ban = ["/bin/true", "{{ip}}"], unban = ["/bin/true", "{{ip}}"] }}
[chains]
"nothing" = [ {{ action = "discard" }} ]
"""
"""Bans go to a program that does nothing."""


@pytest.fixture(autouse=True)
def no_session(monkeypatch):
    """The tests may be run through SSH."""
    monkeypatch.setattr("pyruse.cli.doubts.addresses_of_session", set)


@pytest.fixture
def config(tmp_path, journal, pyruse):
    file = tmp_path / "pyruse.toml"
    file.write_text(NOWHERE.format(journal=journal, folder=tmp_path))
    assert pyruse("run", "--once", "-c", file).code == 0
    return file


def test_the_configuration_may_be_chosen_before_the_command(pyruse, config):
    before, behind = pyruse("-c", config, "check"), pyruse("check", "-c", config)
    assert (before.code, before.out) == (behind.code, behind.out) == (0, before.out)
    assert str(config) in before.out
    assert pyruse("--config", config, "bans").code == 0
    nowhere = config.parent / "none.toml"
    assert f"{nowhere}: cannot be read" in pyruse("-c", nowhere, "status").err
    assert pyruse("-c", nowhere, "check", "-c", config).code == 0


def test_a_file_to_check(pyruse, config):
    assert pyruse("check", config).out == f"{config}: 1 chain with 1 step: no faults\n"
    assert pyruse("check", config.name).code == 0  # beside the place where it is called
    assert pyruse("check", config.parent).code == 0
    assert "FILE and --config: expected one of them" in pyruse("check", config, "-c", config).err


@pytest.mark.parametrize("command", [["report"], ["kinds", "--day"]])
def test_days_ago(pyruse, config, command):
    done = pyruse(*command, "-3", "-c", config)
    day = datetime.now(UTC).date() - timedelta(3)
    if command == ["report"]:
        assert done.err.startswith(f"pyruse: no report of {day} is kept (expected one of: ")
        assert pyruse("report", "--", "-3", "-c", config).err.startswith("Usage: ")
        assert pyruse("report", "-c", config, "--", "-3").err == done.err
    else:
        assert (done.code, done.err) == (0, "")
    assert "No such option" in pyruse("report", "-x", "-c", config).err


def test_a_duration_is_told_with_its_unit(pyruse, config):
    assert pyruse("ban", "203.0.113.7", "--for", "600", "-c", config).out == (
        "203.0.113.7: banned for 10m\n"
    )
    assert pyruse("ban", "203.0.113.8", "--for", "10x", "-c", config).err.endswith(
        'Error: --for: "10x" is no duration (expected seconds, or "90s", "15m", "2h", "5d", "1w", '
        '"1h30m")\n'
    )


def test_whether_an_address_is_banned(pyruse, config):
    pyruse("ban", "203.0.113.7", "2001:db8:7::/48", "--label", "by hand", "-c", config)
    assert pyruse("bans", "203.0.113.7", "-c", config).code == 0
    done = pyruse("bans", "2001:db8:7::1", "--format", "json", "-c", config)  # a part of it
    assert (done.code, [one["ip"] for one in json.loads(done.out)]) == (0, ["2001:db8:7::/48"])
    done = pyruse("bans", "203.0.113.8", "-c", config)
    assert (done.code, done.out, done.err) == (1, "", "203.0.113.8: is not banned\n")
    done = pyruse("bans", "203.0.113.8", "--format", "json", "-c", config)
    assert (done.code, json.loads(done.out)) == (1, [])
    done = pyruse("bans", "203.0.113.8", "203.0.113.7", "-c", config)
    assert (done.code, done.out.split("\t")[0]) == (1, "203.0.113.7")
    done = pyruse("bans", "203.0.113.0/24", "-c", config)  # a part of it is, which is listed
    assert (done.code, done.out.split("\t")[0]) == (1, "203.0.113.7")
    assert done.err == "203.0.113.0/24: is not banned\n"
    assert pyruse("bans", "203.0.113.7", "--label", "sshd", "-c", config).code == 1
    assert pyruse("bans", "203.0.113.7", "--all", "-c", config).code == 0
    pyruse("unban", "203.0.113.7", "-c", config)
    assert pyruse("bans", "203.0.113.7", "--all", "-c", config).code == 1  # it was, but is not
    done = pyruse("bans", "nobody", "-c", config)
    assert (done.code, done.err.splitlines()[-1][:6]) == (2, "Error:")


def test_a_field_that_there_is_not(pyruse, journal, config):
    done = pyruse("stats", "--by", "syslog_identifer", "--file", journal)
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "pyruse: --by: no entry has a field syslog_identifer (expected one of: MESSAGE, PRIORITY, "
        'SYSLOG_IDENTIFIER, _BOOT_ID; did you mean "SYSLOG_IDENTIFIER"?)\n'
    )
    none = pyruse("stats", "--by", "_PID", "--file", journal, "--since", "2001-01-01")
    assert none.code == 1  # the journal has none, whatever is selected of it
    assert pyruse("stats", "--by", "_PID", "--file", journal, "--since", "now").code == 0


def test_a_namespace_that_there_is_not(pyruse, config, monkeypatch):
    here: list[str] = []
    monkeypatch.setattr(
        "pyruse.journal.whereabouts.Whereabouts.namespaces_here", lambda _: list(here)
    )
    done = pyruse("replay", "--namespace", "wbe", "-c", config)
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "pyruse: journal namespace wbe: this machine has none (expected no --namespace, and no "
        "namespace in [journal])\n"
    )
    here += ["mail", "web"]
    assert pyruse("stats", "--namespace", "wbe", "-c", config).err == (
        "pyruse: journal namespace wbe: there is none of this name (expected one of: mail, web; or "
        '"*", which is all of them; did you mean "web"?)\n'
    )


@pytest.mark.realparts
def test_who_may_not_read_the_state_is_told_who_may(powerless, close, config, tmp_path):
    folder = tmp_path / "state"
    for file in folder.iterdir():
        close(file, 0o640)
    close(folder, 0o700)
    state = folder / "state.sqlite"
    for command in ("status", "bans", "report", "kinds"):
        done = powerless(command, "-c", config)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(
            f"pyruse: {state}: this user may not read it (expected root: sudo "
        )
        assert done.stderr.endswith(f" {command} -c {config})\n")
    for words in (["ban", "203.0.113.7"], ["unban", "--all"], ["bans", "--teardown"]):
        done = powerless(*words, "-c", config)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"pyruse: {state}: this user may not change it (expected ")
    done = powerless("test-mail", "--to", "root", "-c", config)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        f"pyruse: {state}: this user may not change it (expected root: sudo "
    )
    assert done.stderr.endswith(f" test-mail --to root -c {config})\n")


@pytest.mark.realparts
def test_the_group_of_the_state_may_read_it(powerless, config, tmp_path):
    folder, group = tmp_path / "state", 65534
    for file in [folder, *folder.iterdir()]:
        os.chown(file, group, group)
        file.chmod(0o750 if file.is_dir() else 0o640)
    done = powerless("bans", "-c", config)
    name = grp.getgrgid(group).gr_name
    assert f"; or a member of the group {name}: sudo usermod --append --groups {name} " in (
        done.stderr
    )
    done = powerless("bans", "-c", config, group=group)  # while no daemon runs
    assert (done.returncode, done.stderr) == (0, "nobody is banned\n")
    assert powerless("status", "-c", config, group=group).stdout.startswith("Daemon   not running")
    socket = folder / "state.sqlite.socket"  # the daemon may be asked, but not for this
    socket.touch(0o660)
    os.chown(socket, group, group)
    done = powerless("bans", "--teardown", "-c", config, group=group)
    assert "state.sqlite: this user may not change it (expected root: sudo " in done.stderr


def test_no_entry_is_selected(pyruse, journal, config):
    for command in (["stats", "--file", journal], ["replay", "-c", config]):
        done = pyruse(*command, "-t", "nobody")
        assert done.code == 0
        assert "no entry is selected (expected other options" in done.err
        assert "no entry is selected" not in pyruse(*command).err


def test_what_is_not_found_is_named(pyruse, journal, config):
    assert pyruse("ban", "203.0.113.7", "-c", config).code == 0
    done = pyruse("bans", "--label", "nope", "-c", config)
    assert (done.code, done.out, done.err) == (0, "", 'nobody is banned with the label "nope"\n')
    done = pyruse("bans", "--network", "192.0.2.0/24", "-c", config)
    assert done.err == "nobody is banned in 192.0.2.0/24\n"
    assert pyruse("kinds", "nope", "-c", config).err == "no kind has these words\n"
    done = pyruse("try", "x", "-t", "nobody", "-c", config)
    assert "no entry is selected" in done.err
    assert "-t NAME" not in done.out
    done = pyruse("import", "logwatc", "x")
    assert done.code == 2
    assert 'did you mean "logwatch"?' in done.err


def test_who_may_not_put_the_service_in_place_is_told_how(pyruse, config, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    done = pyruse("init", "--service", "--yes", "-c", config)
    assert done.code == 1
    assert "--service: this user may not do it (expected root: sudo " in done.err


def test_nothing_is_configured_yet(pyruse, monkeypatch, tmp_path):
    nowhere = tmp_path / "etc"
    monkeypatch.delenv("PYRUSE_CONFIG", raising=False)
    monkeypatch.setattr("pyruse.config.files.DEFAULT", nowhere)
    for command in ("status", "bans", "check", "report"):
        done = pyruse(command)
        assert (done.code, done.out) == (2, "")
        assert done.err.replace("sudo ", "") == (
            f"{nowhere}: there is no configuration yet (expected one: `pyruse init` writes it; "
            "another place is chosen with -c PATH or PYRUSE_CONFIG)\n"
        )


NEEDLESS = {
    "jinja2", "rich", "email", "smtplib", "ssl", "pluggy", "importlib.metadata", "statistics",
    "subprocess", "pyruse.chains", "pyruse.engine", "pyruse.rules", "pyruse.registry",
    "pyruse.delivery.mail.message", "pyruse_plugins",
}  # fmt: skip
"""What takes its time to be imported, and is of no use to those who ask how Pyruse is doing."""


@pytest.mark.parametrize(
    ("command", "allowed"),
    [
        (["--version"], set()),
        (["bans"], set()),
        (["kinds"], set()),
        (["completion", "--line", "pyruse unban "], set()),
        (["status"], {"subprocess"}),
    ],
)
def test_what_is_looked_at_often_starts_fast(config, command, allowed):
    """No time is measured, which would be the machine's: what is not imported takes none."""
    program = (
        "import sys\nfrom pyruse.cli import main\n"
        f"sys.argv = ['pyruse', *{command!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        timeout=TIME_LIMIT, env={**os.environ, "PYRUSE_CONFIG": str(config)},
    )  # fmt: skip
    assert set(done.stderr.split()) & NEEDLESS <= allowed


def test_a_faulty_chain_hides_neither_status_nor_bans(pyruse, config):
    """Whoever has broken the configuration wants to know what Pyruse does meanwhile."""
    pyruse("ban", "203.0.113.7", "-c", config)
    config.write_text(config.read_text() + '"bad" = [ { filter = "no such filter" } ]\n')
    assert pyruse("check", "-c", config).code == 2
    assert pyruse("bans", "-c", config).out.startswith("203.0.113.7\t")
    assert pyruse("status", "-c", config).out.startswith("Daemon   not running\n")
    assert pyruse("kinds", "-c", config).code == 0


REST = (
    "pyruse: the configuration has faults: this command makes do with the rest of it (expected "
    "none: see `pyruse check`)\n"
)


@pytest.mark.parametrize("typo", ["[email]\ntoo = 1\n", "[report\n"])
def test_a_typo_in_a_file_keeps_nobody_from_looking(pyruse, config, tmp_path, typo):
    folder = tmp_path / "etc"
    (folder / "conf.d").mkdir(parents=True)
    config = config.rename(folder / "pyruse.toml")
    assert pyruse("ban", "203.0.113.7", "-c", folder).code == 0
    file = folder / "conf.d/typo.toml"
    file.write_text(typo)
    assert pyruse("check", "-c", folder).code == 2
    for command in (["bans"], ["status"], ["outbox"], ["report", "--list"], ["kinds"]):
        done = pyruse(*command, "-c", folder)
        assert done.code == (command == ["status"]), "no daemon runs"
        assert done.err.startswith(f"{file}: ")
        assert REST in done.err
    assert pyruse("bans", "-c", folder).out.startswith("203.0.113.7\t")
    assert "Settings 1 fault; no daemon starts so (see: pyruse check)\n" in (
        pyruse("status", "-c", folder).out
    )
    for command in (["ban", "203.0.113.8"], ["report", "--send", "today"], ["test-mail"]):
        done = pyruse(*command, "-c", folder)
        assert (done.code, done.out, REST in done.err) == (2, "", False)


def test_a_configuration_that_is_tried_out_is_never_about_the_state_of_the_machine(
    pyruse, tmp_path
):
    file = tmp_path / "tried.toml"
    for text in ("[state\n", "[state]\nurl = 1\n", "[stat]\nurl = 'sqlite:///x'\n"):
        file.write_text(text)
        for command in (["unban", "--all"], ["bans", "--teardown"], ["status"]):
            done = pyruse(*command, "-c", file)
            assert (done.code, done.out, REST in done.err) == (2, "", False)


def test_a_failed_start_is_told_by_the_status(pyruse, config):
    assert pyruse("ban", "203.0.113.7", "-c", config).code == 0
    whole = config.read_text()
    config.write_text(whole + '"bad" = [ { filter = "no such filter" } ]\n')
    assert pyruse("run", "--once", "-c", config).code == 2
    out = " ".join(pyruse("status", "-c", config).out.split())
    assert "Faults 1 kind since yesterday" in out
    assert f'configuration: Pyruse did not start: {config}: chains."bad"[0]' in out
