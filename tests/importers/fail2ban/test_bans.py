"""Imported jails at work: lines in, bans out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pyruse.importers.fail2ban.convert import convert
from pyruse.importers.outcome_text import to_toml
from pyruse.testing.pipeline import Pipeline
from tests.importers.fail2ban.test_folders import known

FOLDERS = Path(__file__).parent / "folders"
Line = Callable[..., dict[str, Any]]


@pytest.fixture
def sshd() -> Pipeline:
    """The folder of Debian: five failures in ten minutes."""
    return Pipeline(to_toml(convert(FOLDERS / "debian"), "debian"))


def line(pipeline: Pipeline, message: str, pid: int = 811, **fields: Any) -> int | None:
    """Feed a line of sshd; gives the number of failures of its address, where it is one."""
    entry = {
        "SYSLOG_IDENTIFIER": "sshd", "_UID": 0, "_COMM": "sshd", "_SYSTEMD_UNIT": "ssh.service",
        "_HOSTNAME": "host", "_MACHINE_ID": "0" * 32, "_PID": pid, "MESSAGE": message, **fields,
    }  # fmt: skip
    given = {name: value for name, value in entry.items() if value is not None}
    return pipeline.feed(**given).get("failures")


FAILED = "Failed password for root from 203.0.113.9 port 4711 ssh2"


def test_five_failures_are_a_ban_and_counting_begins_anew(sshd):
    assert [line(sshd, FAILED, pid) for pid in range(6)] == [1, 2, 3, 4, 5, 1]
    assert [(ban.ip, ban.label, ban.duration) for ban in sshd.bans] == [
        ("203.0.113.9", "sshd", 600)
    ]


@pytest.mark.parametrize(
    "writer",
    [
        {"_UID": 1000},
        {"_COMM": "logger", "_SYSTEMD_UNIT": "session-1.scope"},
        {"SYSLOG_IDENTIFIER": "other"},
    ],
)
def test_a_line_that_somebody_else_has_written_counts_for_nothing(sshd, writer):
    assert line(sshd, FAILED, **writer) is None


@pytest.mark.parametrize(
    "message",
    [
        f"  {FAILED}", f"\t{FAILED}", f"{FAILED}\n", f"error: {FAILED}",
        "Failed password for ro\not from 203.0.113.9 port 4711 ssh2",
        "Failed password for x from 198.51.100.1 port 22 ssh2 from 203.0.113.9 port 4711 ssh2",
        "Failed password for root from ::ffff:203.0.113.9 port 4711 ssh2",
    ],
)  # fmt: skip
def test_nobody_is_evaded_or_blamed_by_a_strange_line(sshd, message):
    assert line(sshd, message) == 1
    assert [line(sshd, FAILED, pid) for pid in range(900, 904)][-1] == 5


def test_a_host_name_bans_nobody_and_no_other_address_is_taken_for_it(sshd):
    assert line(sshd, "Failed password for 198.51.100.1 from pc.example.org port 22 ssh2") is None


def test_of_roots_lines_the_user_is_enough_where_the_process_has_ended(sshd):
    unseen: dict[str, Any] = {"_COMM": None, "_SYSTEMD_UNIT": None}
    assert line(sshd, FAILED, **unseen) == 1
    assert line(sshd, FAILED, **unseen, _UID=33) is None


# Sessions


def test_a_failure_without_an_address_waits_for_it(sshd):
    assert line(sshd, "User root not allowed because account is locked") is None
    assert line(sshd, "Connection closed by 203.0.113.9") == 1
    # The session is over.
    assert line(sshd, "Connection closed by 203.0.113.9") is None


def test_a_failure_has_the_address_that_its_session_has_told(sshd):
    pam = "pam_unix(sshd:auth): authentication failure; tty=ssh ruser= rhost=203.0.113.9 user=bob"
    assert line(sshd, pam) is None
    assert line(sshd, "User bob not allowed because account is locked", 812) is None
    assert line(sshd, "User bob not allowed because account is locked") == 1


def test_a_login_is_no_failure_and_forgives_what_waits(sshd):
    assert line(sshd, "User bob not allowed because account is locked") is None
    assert line(sshd, "Accepted password for bob from 203.0.113.9 port 4711 ssh2") is None
    assert line(sshd, "Connection closed by 203.0.113.9") is None


def test_who_tries_several_users_in_one_session_is_not_forgiven(sshd):
    pam = "pam_unix(sshd:auth): authentication failure; tty=ssh ruser={} rhost=203.0.113.9"
    assert line(sshd, pam.format("bob")) is None
    assert line(sshd, pam.format("bob")) is None
    assert line(sshd, pam.format("carol")) == 1
    assert line(sshd, "Connection closed by 203.0.113.9") == 2
    assert line(sshd, pam.format("bob")) is None


def test_sessions_of_other_processes_and_machines_are_others(sshd):
    locked = "User root not allowed because account is locked"
    assert line(sshd, locked) is None
    assert line(sshd, "Connection closed by 203.0.113.9", 812) is None
    assert line(sshd, "Connection closed by 203.0.113.9", _MACHINE_ID="1" * 32) is None


def test_two_lines_that_fail2ban_looks_at_together():
    game = Pipeline(to_toml(convert(FOLDERS / "own"), "own"))
    entry: dict[str, Any] = {
        "SYSLOG_IDENTIFIER": "game", "_SYSTEMD_UNIT": "game.service", "_UID": 990, "_PID": 7,
        "_HOSTNAME": "host", "_MACHINE_ID": "0" * 32,
    }  # fmt: skip
    for number in range(5):
        assert not game.bans
        game.feed(**entry, MESSAGE=f"s{number} joins from 203.0.113.9")
        game.feed(**entry, MESSAGE=f"s{number} cheats")
    assert [(ban.ip, ban.label) for ban in game.bans] == [("203.0.113.9", "game")]


@pytest.mark.parametrize(
    "message",
    [
        '203.0.113.9 - bob "AUTH" 535',
        '2026-03-14 12:00:00,123 203.0.113.9 - bob "AUTH" 535',
        '14/Mar/2026:12:00:00 +0100 203.0.113.9 - bob "AUTH" 535',
        'Sat Mar 14 12:00:00.5 2026 203.0.113.9 - bob "AUTH" 535',
        '1773489600.123 203.0.113.9 - bob "AUTH" 535',
    ],
)
def test_the_date_of_a_program_s_own_files_is_cut_out_first(message):
    pipeline = Pipeline(to_toml(convert(FOLDERS / "own"), "own"))
    assert pipeline.feed(_UID=990, MESSAGE=message).get("failures_3") == 1
    assert pipeline.feed(_UID=1990, MESSAGE=message).get("failures_3") is None


def test_where_nothing_says_who_writes_the_kernel_may_too():
    pipeline = Pipeline(to_toml(convert(FOLDERS / "own"), "own"))
    message = "BLOCK IN=eth0 SRC=203.0.113.9"
    kernel: dict[str, Any] = {
        "SYSLOG_IDENTIFIER": "kernel",
        "_TRANSPORT": "kernel",
        "_HOSTNAME": "host",
    }
    assert pipeline.feed(**{**kernel, "MESSAGE": message})["failures_7"] == 1
    forged = {**kernel, "_TRANSPORT": "syslog", "_UID": 1000, "MESSAGE": message}
    assert "failures_7" not in pipeline.feed(**forged)
    service = {**forged, "_UID": 0, "_PID": 1}
    assert "failures_7" not in pipeline.feed(**service)  # the time of the kernel is missing


# Several jails


@pytest.fixture
def dropins() -> Pipeline:
    return Pipeline(to_toml(convert(FOLDERS / "dropins"), "dropins"))


def test_jails_of_one_filter_count_for_themselves(dropins):
    for pid in range(3):
        line(dropins, "Failed password for root from 203.0.113.9 port 4711 ssh2", pid)
    assert {ban.label for ban in dropins.bans} == {"sshd"}
    for pid in range(20):
        dropins.clock.advance("1h")
        line(dropins, "Failed password for root from 203.0.113.10 port 4711 ssh2", pid)
    assert [(ban.ip, ban.label) for ban in dropins.bans if ban.ip.endswith(".10")] == [
        ("203.0.113.10", "sshd-slow")
    ]


def shop(pipeline: Pipeline, message: str, **fields: Any) -> dict[str, Any]:
    writer = {"SYSLOG_IDENTIFIER": "shop", "_UID": 33, "_SYSTEMD_UNIT": "shop.service", "_PID": 7}
    return pipeline.feed(**{**writer, "MESSAGE": message, **fields})


def test_jails_on_the_same_entries_do_not_take_each_others_fields(dropins):
    fields = shop(dropins, "login: alice wrong password 203.0.113.9")
    assert (fields["ip"], fields["failures"]) == ("203.0.113.9", 1)
    assert "ip_2" not in fields
    fields = shop(dropins, "404 /wp-login 203.0.113.9")
    assert "ip" not in fields
    assert (fields["ip_2"], fields["failures_2"]) == ("203.0.113.9", 1)


def test_what_is_ignored_and_who_is_spared_by_one_jail(dropins):
    assert "failures" not in shop(dropins, "login: monitor wrong password 203.0.113.9")
    assert "failures" not in shop(dropins, "login: alice wrong password 198.51.100.7")
    assert "failures" in shop(dropins, "login: alice wrong password 198.51.100.8")


def test_several_ways_of_journalmatch(dropins):
    message = "404 /xmlrpc 203.0.113.9"
    assert "failures_2" in shop(dropins, message)
    assert "failures_2" in shop(dropins, message, _SYSTEMD_UNIT="shop-admin.service", _UID=34)
    assert "failures_2" not in shop(dropins, message, _UID=34)
    assert "failures_2" not in shop(dropins, message, _SYSTEMD_UNIT="x.service")


def test_bans_grow_from_one_to_the_next(dropins):
    spans = []
    for _ in range(5):
        for pid in range(3):
            line(dropins, FAILED, pid)
        spans.append(max(ban.duration for ban in dropins.bans if ban.label == "sshd"))
        dropins.clock.advance("1d")
        dropins.engine.expire(dropins.clock.us)
    assert spans == [600, 3000, 18000, 36000, 36000]


def test_recidive_counts_the_bans_that_pyruse_tells_of(dropins):
    told: dict[str, Any] = {
        "SYSLOG_IDENTIFIER": "pyruse", "PYRUSE_EVENT": "ban", "PYRUSE_ADDRESS": "203.0.113.9",
        "PYRUSE_LABEL": "sshd",
    }  # fmt: skip
    for _ in range(5):
        dropins.feed(**told, _SYSTEMD_UNIT="pyruse.service")
    assert [(ban.ip, ban.label, ban.duration) for ban in dropins.bans] == [
        ("203.0.113.9", "recidive", 604800)
    ]
    for _ in range(9):
        dropins.feed(**{**told, "PYRUSE_ADDRESS": "203.0.113.10"}, _SYSTEMD_UNIT="x.service")
        dropins.feed(
            **{**told, "PYRUSE_ADDRESS": "203.0.113.11", "PYRUSE_LABEL": "recidive"},
            _SYSTEMD_UNIT="pyruse.service",
        )
    assert len(dropins.bans) == 1


def test_recidive_counts_the_networks_that_rules_ban(tmp_path):
    folder = tmp_path / "mail"
    shutil.copytree(FOLDERS / "mail", folder)
    (folder / "filter.d" / "recidive.conf").write_text("[Definition]\nfailregex = ^Ban <ADDR>$\n")
    (folder / "jail.d").mkdir()
    (folder / "jail.d" / "recidive.conf").write_text(
        "[recidive]\nenabled = true\nfilter = recidive\naction = iptables-allports\nmaxretry = 2\n"
    )
    pipeline = Pipeline(to_toml(convert(folder, known(folder, "dovecot")), "mail"))
    for address in ("2001:db8:0:7::/64", "2001:db8:0:7::9"):
        pipeline.feed(
            SYSLOG_IDENTIFIER="pyruse", _SYSTEMD_UNIT="pyruse.service", PYRUSE_EVENT="ban",
            PYRUSE_ADDRESS=address, PYRUSE_LABEL="dovecot",
        )  # fmt: skip
    assert [(ban.ip, ban.label) for ban in pipeline.bans] == [("2001:db8:0:7::/64", "recidive")]
