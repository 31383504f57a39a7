"""The policy ``logins``: which logins are important, which are new, which are nothing."""

from __future__ import annotations

import pytest


class Server:
    """Where people log in."""

    def __init__(self, pipeline, toml: str = "") -> None:
        self.chains = pipeline(f'use = ["sshd", "login"]\n{toml}')

    def __call__(self, user: str, ip: str, failures: int = 0):
        """A login by ssh, after so many failed ones."""
        for _ in range(failures):
            self._says(f"Failed password for {user} from {ip} port 4711 ssh2")
        self._says(f"Accepted publickey for {user} from {ip} port 4711 ssh2: RSA SHA256:c2hh")
        return self.chains

    def _says(self, line: str) -> None:
        self.chains.feed(SYSLOG_IDENTIFIER="sshd", _UID=0, _COMM="sshd", MESSAGE=line)


@pytest.fixture
def login(pipeline):
    return lambda toml="": Server(pipeline, toml)


def rows(chains, part: str = "important") -> list[str]:
    return [row.message for row in getattr(chains.report, part)]


def test_root_is_important_each_time(login):
    enter = login()
    enter("root", "192.0.2.7")
    chains = enter("root", "192.0.2.7")
    assert rows(chains) == [
        "root logged in from 192.0.2.7 (ssh, publickey)",
        "root logged in from 192.0.2.7 (ssh, publickey), for the first time from there",
    ]


def test_a_new_address_is_important_and_a_known_one_is_not(login, clock):
    enter = login()
    enter("bob", "192.0.2.7")
    clock.advance("170d")
    enter("bob", "192.0.2.7")
    clock.advance("170d")
    chains = enter("bob", "192.0.2.7")
    (first,) = chains.report.important
    assert first.message.endswith("for the first time from there")
    assert first.count == 1
    assert rows(chains, "interesting") == ["bob logged in from 192.0.2.7 (ssh, publickey)"]
    clock.advance("181d")
    (first,) = enter("bob", "192.0.2.7").report.important
    assert first.count == 2


def test_who_has_a_network_of_ipv6_is_known_in_all_of_it(login, clock):
    enter = login()
    enter("bob", "2001:db8:0:7::1")
    clock.advance("1d")
    chains = enter("bob", "2001:db8:0:7:1:2:3:4")
    assert rows(chains, "interesting") == [
        "bob logged in from 2001:db8:0:7:1:2:3:4 (ssh, publickey)"
    ]
    assert len(rows(chains)) == 1
    assert len(rows(enter("bob", "2001:db8:0:8::1"))) == 2


def test_a_login_after_failures_is_important_and_says_how_many(login):
    enter = login("[rules]\nfailures = 100")
    enter("bob", "192.0.2.7")
    enter("bob", "192.0.2.7", failures=4)
    assert len(rows(enter("bob", "192.0.2.7"))) == 1  # the first one
    assert rows(enter("bob", "192.0.2.7", failures=7)) == [
        "bob logged in from 192.0.2.7 (ssh, publickey), after 7 failed logins from there",
        "bob logged in from 192.0.2.7 (ssh, publickey), for the first time from there",
    ]
    assert rows(enter("bob", "192.0.2.7"), "interesting") == [
        "bob logged in from 192.0.2.7 (ssh, publickey)"
    ]


def test_a_login_from_a_banned_address_is_important(login, clock):
    enter = login()
    enter("bob", "203.0.113.66", failures=5)
    chains = enter("bob", "203.0.113.66")
    clock.advance("1h")
    enter("bob", "203.0.113.66")
    where = "bob logged in from 203.0.113.66 (ssh, publickey)"
    assert rows(chains) == [
        f"{where}, after 5 failed logins from there, which is banned",
        f"{where}, which is banned",
    ]
    assert rows(chains, "interesting") == [
        "203.0.113.66 guesses passwords or keys of ssh",
        where,
    ]


def test_failures_before_a_ban_are_told_when_who_was_banned_logs_in(login):
    enter = login()
    chains = enter("root", "203.0.113.66", failures=140)
    assert rows(chains) == [
        "root logged in from 203.0.113.66 (ssh, publickey), after 140 failed logins from there,"
        " which is banned"
    ]


def test_options(login):
    enter = login('[rules]\nprivileged = ["bob"]\nnew_address = "interesting"')
    enter("ann", "192.0.2.7")
    enter("bob", "192.0.2.7")
    chains = enter("bob", "192.0.2.7")
    assert rows(chains) == [
        "bob logged in from 192.0.2.7 (ssh, publickey)",
        "bob logged in from 192.0.2.7 (ssh, publickey), for the first time from there",
    ]
    assert rows(chains, "interesting") == [
        "ann logged in from 192.0.2.7 (ssh, publickey), for the first time from there"
    ]


def test_at_the_console_root_is_important(login):
    chains = login().chains
    for user in ("bob", "root"):
        line = f"pam_unix(login:session): session opened for user {user}(uid=0) by (uid=0)"
        chains.feed(SYSLOG_IDENTIFIER="login", _UID=0, _COMM="login", MESSAGE=line)
    assert rows(chains) == ["root logged in (login)"]
    assert rows(chains, "interesting") == ["bob logged in (login)"]


def test_of_services_for_many_only_what_is_remarkable_is_told(pipeline):
    chains = pipeline("""
        use = ["sshd"]
        [chains]
        "mail" = [
          { filter = "exists", field = "ip" },
          { action = "event", name = "login", service = "imap", then = "sshd logins" },
        ]
    """)
    for user in ("ann", "bob", "root"):
        chains.feed(user=user, ip="192.0.2.7", method="PLAIN")
    chains.feed(ip="192.0.2.7")  # who does not say who has logged in
    assert rows(chains) == [
        "root logged in from 192.0.2.7 (imap, PLAIN), for the first time from there"
    ]
    assert chains.report.interesting == []
    assert chains.faults == []
