"""The policy ``scanning``: scans have a number of their own, and are no failed logins."""

from __future__ import annotations


def scan(chains, ip: str, times: int) -> None:
    line = f"banner exchange: Connection from {ip} port 4711: invalid format"
    for _ in range(times):
        chains.feed(SYSLOG_IDENTIFIER="sshd", _UID=0, _COMM="sshd", MESSAGE=line)


def test_twenty_scans_ban_and_nineteen_do_not(pipeline):
    chains = pipeline('use = ["sshd"]')
    scan(chains, "203.0.113.7", 19)
    scan(chains, "203.0.113.8", 20)
    assert [(ban.ip, ban.label, ban.duration) for ban in chains.bans] == [
        ("203.0.113.8", "sshd", 3600)
    ]
    assert {tally.event for tally in chains.events} == {"scan"}


def test_whoever_looks_once_a_minute_is_no_scanner(pipeline, clock):
    chains = pipeline('use = ["sshd"]')
    for _ in range(60 * 24):
        scan(chains, "192.0.2.9", 1)
        clock.advance("1m")
    assert chains.bans == []


def test_networks_of_ipv6_and_options(pipeline):
    chains = pipeline('use = ["sshd"]\n[rules]\nscans = 3\nban = ["1d"]')
    for number in range(1, 4):
        scan(chains, f"2001:db8:0:7::{number}", 1)
    assert [(ban.ip, ban.duration) for ban in chains.bans] == [("2001:db8:0:7::/64", 86_400)]


def test_a_name_so_long_that_sshd_cuts_the_line_behind_it_names_nobody(pipeline):
    chains = pipeline('use = ["sshd"]')
    begin = "ssh_dispatch_run_fatal: Connection from invalid user "
    end = " 198.51.100.66 port 1: message authentication code incorrect [preauth]"
    for number in range(30):
        chains.feed(
            SYSLOG_IDENTIFIER="sshd",
            _UID=0,
            _COMM="sshd",
            _PID=number,
            MESSAGE=begin + "x" * (1023 - len(begin) - len(end)) + end,
        )
    assert chains.bans == []


def test_a_header_so_long_that_nginx_cuts_the_line_behind_it_names_nobody(pipeline):
    chains = pipeline('use = ["nginx"]')
    begin = '2026/11/29 06:25:01 [info] 811#811: *7 client sent invalid header line: "'
    end = ", client: 198.51.100.66, server: x"
    for _ in range(30):
        chains.feed(
            SYSLOG_IDENTIFIER="nginx",
            _UID=33,
            _EXE="/usr/sbin/nginx",
            _SYSTEMD_UNIT="nginx.service",
            MESSAGE=begin + end + "x" * (2048 - len(begin) - len(end)),
        )
    assert chains.bans == []
