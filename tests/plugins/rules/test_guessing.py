"""The policy ``guessing``: who is banned, when, for how long; and who never is."""

from __future__ import annotations

import itertools

import pytest

PIDS = itertools.count(1000)
SSHD = {"SYSLOG_IDENTIFIER": "sshd", "_UID": 0, "_COMM": "sshd"}


class Server:
    """What sshd writes of those who knock, each in a connection of its own."""

    def __init__(self, pipeline, clock, toml: str = "") -> None:
        self.chains = pipeline(f'use = ["sshd"]\n{toml}')
        self._clock = clock

    def _says(self, *lines: str) -> None:
        pid = next(PIDS)
        for line in lines:
            self.chains.feed(**SSHD, _PID=pid, MESSAGE=line)

    def wrong(self, ip: str, times: int = 1, user: str = "bob", every: str = "10s") -> None:
        """Wrong passwords, as sshd with PAM logs them."""
        pam = "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser="
        for _ in range(times):
            self._says(
                f"{pam} rhost={ip}  user={user}",
                f"Failed password for {user} from {ip} port 4711 ssh2",
                f"Connection closed by authenticating user {user} {ip} port 4711 [preauth]",
            )
            self._clock.advance(every)

    def wrong_key(self, ip: str, times: int = 1, user: str = "root") -> None:
        for _ in range(times):
            self._says(f"Connection closed by authenticating user {user} {ip} port 4711 [preauth]")
            self._clock.advance("10s")

    def login(self, ip: str, user: str = "bob") -> None:
        self._says(f"Accepted password for {user} from {ip} port 4711 ssh2")

    @property
    def bans(self) -> list[tuple[str, int | None]]:
        return [(ban.ip, ban.duration) for ban in self.chains.bans]

    @property
    def closed(self) -> list[tuple[int, ...]]:
        """The ports that are closed to each of the banned; none: all of them."""
        return [key.target.ports for key, _ in self.chains.state.bans.all()]


@pytest.fixture
def server(pipeline, clock):
    return lambda toml="": Server(pipeline, clock, toml)


def test_five_wrong_passwords_are_too_many_and_four_are_not(server):
    here = server()
    here.wrong("203.0.113.7", times=4)
    here.wrong("203.0.113.8", times=5)
    assert here.bans == [("203.0.113.8", 3600)]
    (ban,) = here.chains.bans
    assert ban.label == "sshd"
    (row,) = here.chains.report.interesting
    assert row.message == "203.0.113.8 guesses passwords or keys of ssh"


def test_five_wrong_keys_are_too_many(server):
    here = server()
    here.wrong_key("203.0.113.7", times=4)
    assert here.bans == []
    here.wrong_key("203.0.113.7")
    assert here.bans == [("203.0.113.7", 3600)]


def test_who_tries_once_an_hour_for_a_day_is_banned(server):
    here = server()
    here.wrong("203.0.113.7", times=24, every="1h")
    assert here.bans == [("203.0.113.7", 3600)]


def test_who_mistypes_twice_and_logs_in_three_times_a_day_is_never_banned(server):
    here = server()
    for _ in range(30 * 3):
        here.wrong("192.0.2.7", times=2)
        here.login("192.0.2.7")
        here._clock.advance("8h")
    assert here.bans == []


def test_who_mistypes_three_times_and_gives_up_is_not_banned_the_next_day_either(server):
    here = server()
    for _ in range(5):
        here.wrong("192.0.2.7", times=3)
        here._clock.advance("1d")
    assert here.bans == []


def test_a_login_forgives_what_was_typed_before_it(server):
    here = server()
    here.wrong("192.0.2.7", times=4)
    here.login("192.0.2.7")
    here.wrong("192.0.2.7", times=4)
    assert here.bans == []


def test_guessers_with_a_network_of_ipv6_are_counted_together_and_banned_with_it(server):
    here = server()
    for number in range(1, 6):
        here.wrong(f"2001:db8:0:7::{number}")
    assert here.bans == [("2001:db8:0:7::/64", 3600)]


def test_bans_grow_longer(server, clock):
    here = server()
    for _ in range(4):
        here.wrong("203.0.113.7", times=5)
        clock.advance("10d")
    assert [duration for _, duration in here.bans] == [3600, 86_400, 604_800, 604_800]


def test_lines_that_were_under_way_do_not_ban_again(server):
    here = server()
    here.wrong("203.0.113.7", times=12, every="1s")
    assert [duration for _, duration in here.bans] == [3600]


def test_options(server):
    here = server("""
        [rules]
        failures = 4
        [rules.sshd]
        failures = 3
        within = "1m"
        ban = ["2h"]
        ports = [22, 2222]
    """)
    here.wrong("203.0.113.8", times=3, every="31s")
    assert here.bans == []
    here.wrong("203.0.113.7", times=3)
    assert here.bans == [("203.0.113.7", 7200)]
    assert here.closed == [(22, 2222)]


def test_without_ports_everything_is_closed(server):
    here = server()
    here.wrong("203.0.113.7", times=5)
    assert here.closed == [()]


def test_who_fails_at_the_console_is_told_of(pipeline):
    chains = pipeline('use = ["login"]')
    for number in range(1, 7):
        line = f"FAILED LOGIN ({number}) on 'tty1' FOR 'root', Authentication failure"
        chains.feed(SYSLOG_IDENTIFIER="login", _UID=0, _COMM="login", MESSAGE=line)
    assert chains.bans == []
    (row,) = chains.report.interesting
    assert row.message == "root has failed to log in (login), again and again"


def test_a_line_that_is_of_several_tries_counts_for_all_of_them(pipeline):
    chains = pipeline('use = ["dovecot"]')
    for ip, tries in (("203.0.113.7", 2), ("203.0.113.7", 2), ("203.0.113.8", 5)):
        line = (
            f"imap-login: Disconnected (auth failed, {tries} attempts in 9 secs): user=<bob>,"
            f" method=PLAIN, rip={ip}, lip=192.0.2.1, TLS, session=<abc>"
        )
        chains.feed(
            SYSLOG_IDENTIFIER="dovecot", _UID=0, _COMM="log", _EXE="/usr/lib/dovecot/log",
            _SYSTEMD_UNIT="dovecot.service", PRIORITY=6, MESSAGE=line,
        )  # fmt: skip
    assert [(ban.ip, ban.label) for ban in chains.bans] == [("203.0.113.8", "dovecot")]


@pytest.mark.parametrize("ip", ["fe80::9", "64:ff9b::cb00:7109"])
def test_one_neighbour_does_not_ban_all_of_a_link_or_of_the_world(pipeline, ip):
    chains = pipeline('use = ["sshd"]')
    for number in range(5):
        chains.feed(
            SYSLOG_IDENTIFIER="sshd",
            _UID=0,
            _COMM="sshd",
            _PID=number,
            MESSAGE=f"Failed password for root from {ip} port 4711 ssh2",
        )
    assert [ban.ip for ban in chains.bans] == [ip]
