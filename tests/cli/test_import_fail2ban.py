"""``pyruse import fail2ban``: notes, files, bans in force, a comparison with fail2ban itself."""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from pyruse.testing.plugin import need


@pytest.fixture
def folder(tmp_path):
    home = tmp_path / "fail2ban"
    (home / "filter.d").mkdir(parents=True)
    (home / "action.d").mkdir()
    (home / "jail.conf").write_text(
        "[DEFAULT]\nfilter = %(__name__)s\n"
        "[shop]\nenabled = true\nbackend = systemd\nport = 443\nmaxretry = 3\nfindtime = 10m\n"
        "bantime = 1h\nignoreip = 198.51.100.0/24\naction = iptables-multiport[port=%(port)s]\n"
    )
    (home / "filter.d" / "shop.conf").write_text(
        "[INCLUDES]\nbefore = common.conf\n[Definition]\n_daemon = shopd\n"
        "failregex = ^%(__prefix_line)sdenied <ADDR>$\njournalmatch = _SYSTEMD_UNIT=shop.service\n"
    )
    (home / "filter.d" / "common.conf").write_text(
        "[DEFAULT]\n__prefix_line = <lt_<logtype>/__prefix_line>\nlogtype = file\n"
        "[lt_short]\n__prefix_line = \\s*(?:\\S+ )?(?:<_daemon>(?:\\[\\d+\\])?: )?\n"
        "[lt_journal]\n__prefix_line = %(lt_short/__prefix_line)s\n"
    )
    (home / "action.d" / "iptables-multiport.conf").write_text(
        "[Definition]\nactionban = true\nactionunban = true\n"
    )
    (home / "fail2ban.conf").write_text(f"[DEFAULT]\ndbfile = {home}/bans.sqlite3\n")
    return home


@pytest.fixture
def bans(folder):
    """A database with a ban in force."""
    now = int(time.time())
    with closing(sqlite3.connect(folder / "bans.sqlite3")) as db, db:
        db.execute(
            "CREATE TABLE bips (ip TEXT, jail TEXT, timeofban INTEGER, bantime INTEGER, "
            "bancount INTEGER, data JSON)"
        )
        db.execute(
            "INSERT INTO bips VALUES ('203.0.113.9', 'shop', ?, 36000, 2, '{}')", (now - 60,)
        )
    return folder


def test_a_folder_of_fail2ban_is_printed_with_notes_on_standard_error(process, pyruse, folder):
    with (folder / "jail.conf").open("a") as jail:
        jail.write("ignoreself = false\n")
    done = process("import", "fail2ban", folder)
    note = "[shop]: ignoreself = false: this machine's own addresses are never banned; left out"
    assert (done.code, done.err) == (0, f"{note}\n")
    assert f"# - {note}\n" in done.out
    new = folder / "new.toml"
    new.write_text(done.out)
    checked = pyruse("check", "-c", new)
    assert checked.out.endswith("1 chain with 8 steps: no faults\n")


def test_what_is_no_folder_of_fail2ban_has_exit_code_2(process, tmp_path):
    done = process("import", "fail2ban", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"{tmp_path}: jail.conf: there is no such file that can be read (expected the folder of "
        "fail2ban)\n"
    )


def test_a_folder_without_a_jail_that_is_switched_on_has_exit_code_2(process, folder):
    (folder / "jail.local").write_text("[shop]\nenabled = false\n")
    done = process("import", "fail2ban", folder)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"{folder}: no jail is switched on (expected enabled = true in the section of a jail)\n"
    )


def test_it_is_written_to_a_new_file_only(pyruse, folder, tmp_path):
    new = tmp_path / "new.toml"
    done = pyruse("import", "fail2ban", folder, "-o", new)
    assert done.code == 0
    assert done.out == f"{new}: written; look at its comments, then: pyruse check -c {new}\n"
    again = pyruse("import", "fail2ban", folder, "-o", new)
    assert again.code == 2
    assert again.err.endswith(f"{new}: cannot be written: File exists (expected a new file)\n")


@pytest.fixture
def config(tmp_path):
    """A configuration with a state and a firewall of the test's own."""
    file = tmp_path / "pyruse.toml"
    file.write_text(
        f'[state]\nurl = "sqlite:///{tmp_path}/state.sqlite"\n[bans]\nbackend = "command"\n'
        '[bans.command]\nban = ["true", "{ip}"]\nunban = ["true", "{ip}"]\n'
        '[chains]\n"all" = [ { action = "discard" } ]\n'
    )
    return file


def test_bans_in_force_are_taken_over(process, pyruse, bans, config):
    done = process("import", "fail2ban", bans, "-o", bans / "new.toml", "--with-bans", "-c", config)
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("\n1 banned, 0 banned already for at least as long, 0 spared\n")
    assert pyruse("bans", "-c", config).out.startswith("203.0.113.9\tshop\t")


def test_bans_of_a_database_that_is_not_there_are_told_of(process, folder, config):
    done = process("import", "fail2ban", folder, "--with-bans", "-c", config)
    assert done.code == 1
    assert done.err == (
        f"pyruse: {folder}/bans.sqlite3: cannot be read: No such file or directory (expected a "
        "list of addresses, or a fail2ban.sqlite3)\n"
    )


def test_fail2ban_may_keep_no_database(process, folder, config):
    (folder / "fail2ban.conf").write_text("[DEFAULT]\ndbfile = None\n")
    done = process("import", "fail2ban", folder, "--with-bans", "-c", config)
    assert done.code == 1
    assert done.err == (
        "pyruse: fail2ban keeps no database, so its bans are not known (expected a file as dbfile "
        "in fail2ban.conf)\n"
    )


def test_bans_need_a_file_for_the_configuration(pyruse, folder):
    done = pyruse("import", "fail2ban", folder, "--with-bans")
    assert done.code == 2
    assert done.err.endswith("Error: --with-bans: expected --output FILE, or --config, too\n")


def test_entries_are_chosen_for_a_comparison_alone(pyruse, folder):
    done = pyruse("import", "fail2ban", folder, "--since", "-1h")
    assert done.code == 2
    assert done.err.endswith("which entries: that is for --check (expected --check, too)\n")


def entries(*lines: tuple[str, str]) -> list[dict[str, object]]:
    """Lines of the shop, each with the unit that has written it."""
    return [
        {
            "SYSLOG_IDENTIFIER": "shopd", "_PID": 7, "_UID": 990, "_HOSTNAME": "host",
            "_SYSTEMD_UNIT": unit, "MESSAGE": message,
        }
        for unit, message in lines
    ]  # fmt: skip


def test_a_comparison_shows_the_addresses_on_which_both_differ(process, folder, journal_file):
    need(None if shutil.which("fail2ban-server") else "fail2ban is not installed")
    shop, other = "shop.service", "other.service"
    journal = journal_file(
        entries(
            *[(shop, "denied 203.0.113.7")] * 3,  # by both
            *[(shop, "denied 203.0.113.8")] * 2,  # too few
            *[(shop, "denied 198.51.100.7")] * 3,  # spared
            *[(other, "denied 203.0.113.9")] * 3,  # somebody else's lines
            *[(shop, "  denied 203.0.113.10\n")] * 3,  # fail2ban is evaded by the line feed
        )
    )
    done = process("import", "fail2ban", folder, "--check", "--file", journal)
    assert done.code == 0
    assert done.err == (
        "compared over 14 entries:\n"
        "banned by both: 1\n"
        "by fail2ban alone: 0\n"
        "by Pyruse alone: 1\n"
        "  203.0.113.10 (shop)\n"
    )
    assert '"shop" = [' in done.out


def test_without_fail2ban_the_bans_of_the_import_are_told(
    process, folder, journal_file, monkeypatch, tmp_path
):
    monkeypatch.setenv("PATH", str(tmp_path))
    journal = journal_file(entries(*[("shop.service", "denied 203.0.113.7")] * 3))
    done = process("import", "fail2ban", folder, "--check", "--file", journal)
    assert done.code == 0
    assert done.err == (
        "compared over 3 entries:\n"
        "fail2ban is not installed here, so there is nothing to compare with (expected its program "
        "fail2ban-server). Pyruse would have banned: 1\n"
        "by Pyruse: 1\n"
        "  203.0.113.7 (shop)\n"
    )


def test_the_script_for_fail2ban_imports_nothing_of_pyruse() -> None:
    from pyruse.importers.fail2ban import original

    assert "pyruse" not in Path(original.__file__).read_text().lower().replace(
        "nothing of pyruse", ""
    )


def test_where_there_are_no_entries_nothing_is_said_to_be_equal(process, folder, tmp_path):
    (tmp_path / "empty").mkdir()
    done = process("import", "fail2ban", folder, "--check", "-D", tmp_path / "empty")
    assert done.code == 0
    assert done.err == (
        "nothing is compared: no entries were found there (expected others: --since, --directory, "
        "--file, …; who may not read the journal sees none)\n"
    )
