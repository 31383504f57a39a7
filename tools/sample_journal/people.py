"""Who comes to the sample's machine: its users, its visitors, and those who attack it.

All addresses are of the ranges for documentation (RFC 5737, RFC 3849) or private (RFC 1918).
"""

from __future__ import annotations

from typing import NamedTuple

SERVER = "192.0.2.10"
SERVER6 = "2001:db8:10::10"

UIDS = {"root": 0, "alice": 1000, "bob": 1001, "carol": 1002}

HOMES = {
    "alice": "203.0.113.80",
    "bob": "198.51.100.61",
    "carol": "192.168.1.23",
    "root": "192.168.1.2",  # the backup server, by key
}
"""Where the users are. Carol sits in the office, and mistypes more than anybody; that network is
exempt from bans."""
PHONES = {"alice": "2001:db8:a11c:e::5", "bob": "198.51.100.62", "carol": "203.0.113.91"}

VISITORS = (
    *(f"198.51.100.{n}" for n in range(100, 150)),
    *(f"203.0.113.{n}" for n in range(210, 240)),
    *(f"2001:db8:{n:x}::{n * 7:x}" for n in range(0x41, 0x57)),
)
"""Whoever reads the web site."""

SSH_FAST = "203.0.113.66"
"""The attackers."""
SSH_DICTIONARY = "198.51.100.23"
SSH_IPV6 = "2001:db8:bad:cafe::17"
SSH_SLOW = "192.0.2.144"
SSH_PROXIED = "203.0.113.201"  # comes through the port of https, by way of sslh
PORT_SCAN = "198.51.100.77"
IMAP_FAST = "203.0.113.140"
POP3_SLOW = "198.51.100.190"
SASL_FAST = "198.51.100.45"
SASL_SLOW = "203.0.113.45"
WEB_SCAN = "203.0.113.12"
WEB_GUESSES = "198.51.100.200"
WEB_IPV6 = "2001:db8:5ca:1::bad"

BANNED = {
    SSH_FAST: "sshd",
    SSH_DICTIONARY: "sshd",
    SSH_IPV6: "sshd",
    SSH_SLOW: "sshd",
    SSH_PROXIED: "sshd",
    PORT_SCAN: "scan",
    IMAP_FAST: "dovecot",
    POP3_SLOW: "dovecot",
    SASL_FAST: "postfix",
    SASL_SLOW: "postfix",
    WEB_SCAN: "nginx",
    WEB_GUESSES: "web",
    WEB_IPV6: "nginx",
}
"""Whom the demonstration's configuration must ban, and with which label."""


class Login(NamedTuple):
    """A user's session over ssh, after some mistyped passwords."""

    at: str
    user: str
    address: str
    minutes: int
    method: str = "password"
    errors: int = 0


LOGINS = (
    Login("01:30", "root", HOMES["root"], 4, method="publickey"),
    Login("07:52", "alice", PHONES["alice"], 9, method="publickey"),
    Login("08:31", "alice", HOMES["alice"], 96, errors=1),
    Login("08:58", "carol", HOMES["carol"], 41, errors=6),
    Login("09:14", "bob", HOMES["bob"], 27, errors=2),
    Login("10:40", "bob", HOMES["bob"], 12),
    Login("11:37", "alice", HOMES["alice"], 31, method="publickey"),
    Login("13:46", "carol", HOMES["carol"], 75),
    Login("14:22", "alice", HOMES["alice"], 18, method="publickey"),
    Login("15:05", "bob", HOMES["bob"], 55, errors=1),
    Login("16:33", "carol", HOMES["carol"], 8),
    Login("17:21", "alice", HOMES["alice"], 44, method="publickey"),
    Login("20:47", "bob", HOMES["bob"], 21, errors=2),
    Login("21:58", "alice", PHONES["alice"], 6, method="publickey"),
)
