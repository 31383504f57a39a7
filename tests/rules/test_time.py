"""No line that a stranger, or a user, can write keeps a pattern of the rules busy."""

from __future__ import annotations

import time

import pytest

from pyruse.testing.pipeline import Pipeline

LONG = 1 << 16
PAM = "authentication failure; logname= uid=0 euid=0 tty=ftp ruser=bob rhost=203.0.113.9"
MOST = 100
"""So many times as long as a plain line of this length: a pattern that tries each end for each
beginning takes thousands of times as long."""


@pytest.mark.parametrize(
    ("rules", "identifier", "message"),
    [
        ("pam", "vsftpd", f"pam_unix(vsftpd:auth): {PAM}" + " " * LONG + "\0"),
        ("pam", "vsftpd", f"pam_unix(vsftpd:auth): {PAM}" + " rhost=" * (LONG // 7) + "\0"),
        ("sshd", "sshd", "error: PAM: Authentication fa" + " for " * (LONG // 5) + "\0"),
        ("login", "login", "FAILED LOGIN 1 FROM tty1 FOR a" + ", " * (LONG // 2) + "\0"),
        ("dovecot", "dovecot", "imap-login: Disconnected" + " alert " * (LONG // 7) + "\0"),
        ("sendmail", "sm-mta", "rA37ZTSC026254: from=<a>, size=0, class=0, nrcpts=" + "1" * LONG),
        ("mariadb", "mariadbd", "1 [Warning] Access denied for user '" + "'@'" * (LONG // 3)),
        ("postgresql", "postgres", "[8-1] " + "LOG:  " * (LONG // 6)),
        ("samba", "smbd", "  Auth: [x] user [x]\\[" + "] at [" * (LONG // 6)),
        ("certbot", "certbot", "Attempting to renew cert (" + "." * LONG + "\0"),
    ],
)
def test_long_lines(rules: str, identifier: str, message: str) -> None:
    def took(text: str) -> float:
        pipeline = Pipeline(f'use = ["{rules}"]')
        began = time.process_time()
        for _ in range(3):
            pipeline.feed(
                SYSLOG_IDENTIFIER=identifier,
                _UID=0,
                _COMM={"dovecot": "log"}.get(identifier, identifier),
                PRIORITY=6,
                MESSAGE=text,
            )
        return time.process_time() - began

    plain = took("x" * len(message))
    assert took(message) < MOST * plain + 0.5
