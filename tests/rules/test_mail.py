"""The rules for mail servers: postfix, dovecot, exim."""

from __future__ import annotations

from typing import Any

from pyruse.testing.pipeline import Pipeline

MAIL = 'use = ["postfix", "dovecot", "exim"]'
SMTPD: dict[str, Any] = {
    "SYSLOG_IDENTIFIER": "postfix/smtps/smtpd",
    "_UID": 105,
    "_COMM": "smtpd",
    "_EXE": "/usr/lib/postfix/sbin/smtpd",
    "_SYSTEMD_UNIT": "postfix@-.service",
    "PRIORITY": 4,
}
DOVECOT: dict[str, Any] = {
    "SYSLOG_IDENTIFIER": "dovecot",
    "_UID": 0,
    "_COMM": "log",
    "_EXE": "/usr/lib/dovecot/log",
    "_SYSTEMD_UNIT": "dovecot.service",
    "PRIORITY": 6,
}
PAM: dict[str, Any] = {
    **DOVECOT,
    "SYSLOG_IDENTIFIER": "auth",
    "_COMM": "auth",
    "_EXE": "/usr/lib/dovecot/auth",
}
EXIM: dict[str, Any] = {
    "SYSLOG_IDENTIFIER": "exim",
    "_UID": 104,
    "_COMM": "exim4",
    "_EXE": "/usr/sbin/exim4",
    "_SYSTEMD_UNIT": "exim4.service",
    "PRIORITY": 5,
}
GONE: dict[str, Any] = {"SYSLOG_IDENTIFIER": "exim", "_UID": 104, "PRIORITY": 5}
ATTACKER = "203.0.113.9"


def counted(pipeline: Pipeline) -> dict[str, int]:
    """How many events of each name there were."""
    numbers: dict[str, int] = {}
    for tally in pipeline.events:
        numbers[tally.event] = numbers.get(tally.event, 0) + tally.count
    return numbers


def sasl(pipeline: Pipeline, times: int, said: str, ip: str = ATTACKER) -> None:
    for port in range(45401, 45401 + times):
        message = f"warning: client.example.net[{ip}]:{port}: SASL PLAIN authentication failed: "
        pipeline.feed(**SMTPD, MESSAGE=message + said)


def test_a_password_that_postfix_dovecot_and_pam_tell_of_counts_once() -> None:
    pipeline = Pipeline('use = ["pam", "postfix", "dovecot"]')
    for _ in range(4):
        pipeline.feed(
            **PAM,
            MESSAGE="pam_unix(dovecot:auth): authentication failure; logname= uid=0 euid=0 "
            f"tty=dovecot ruser=bob rhost={ATTACKER}  user=bob",
        )
        pipeline.feed(
            **DOVECOT,
            MESSAGE=f"auth: passwd-file(bob,{ATTACKER},<a>): Password mismatch",
        )
        sasl(pipeline, 1, "(reason unavailable), sasl_username=bob")
        pipeline.feed(**SMTPD, MESSAGE=f"lost connection after AUTH from unknown[{ATTACKER}]:45401")
    assert pipeline.bans == []
    assert counted(pipeline) == {"login failed": 4, "noise": 12}
    sasl(pipeline, 1, "(reason unavailable), sasl_username=bob")
    assert [(ban.ip, ban.label) for ban in pipeline.bans] == [(ATTACKER, "postfix")]


def test_customers_do_not_pay_for_it_when_dovecot_is_down() -> None:
    pipeline = Pipeline(MAIL)
    sasl(pipeline, 30, "Connection lost to authentication server")
    sasl(pipeline, 30, "(reason unavailable), sasl_username=(unavailable)")  # from 3.7 on
    for port in range(30):
        message = f"lost connection after AUTH from unknown[{ATTACKER}]:{port}"
        pipeline.feed(**SMTPD, MESSAGE=message)
    assert pipeline.bans == []
    assert counted(pipeline) == {"trouble": 30, "login failed": 30, "noise": 30}
    (row,) = pipeline.report.important
    assert row.message.startswith("postfix cannot check passwords: Connection lost")


def test_a_mail_that_stays_in_the_queue_comes_in_once() -> None:
    pipeline = Pipeline(MAIL)
    pipeline.feed(**SMTPD, MESSAGE=f"561974C0: client=mx.example.net[{ATTACKER}]:4711")
    for _ in range(3):
        pipeline.feed(
            **{**SMTPD, "SYSLOG_IDENTIFIER": "postfix/qmgr", "_COMM": "qmgr"},
            MESSAGE="561974C0: from=<a@example.net>, size=221, nrcpt=1 (queue active)",
        )
        pipeline.pass_time("1h")
    (accepted,) = [tally for tally in pipeline.events if tally.event == "mail accepted"]
    assert (accepted.count, accepted.amount) == (1, 221)
    assert accepted.fields == {"service": "postfix", "from": "a@example.net", "ip": ATTACKER}


def test_who_logs_in_is_forgiven_by_dovecot() -> None:
    pipeline = Pipeline(MAIL)
    rest = f"user=<bob>, method=PLAIN, rip={ATTACKER}, lip=192.0.2.1, session=<a>"
    for _ in range(3):
        for tries in (1, 2):
            pipeline.feed(
                **DOVECOT,
                MESSAGE="imap-login: Disconnected: Connection closed (auth failed, "
                f"{tries} attempts in 5 secs): {rest}",
            )
        pipeline.feed(**DOVECOT, MESSAGE=f"imap-login: Login: {rest}")
    assert pipeline.bans == []


def test_a_line_of_several_tries_counts_for_all_of_them() -> None:
    pipeline = Pipeline(MAIL)
    for tries in (2, 2, 1):
        assert pipeline.bans == []
        pipeline.feed(
            **DOVECOT,
            MESSAGE=f"imap-login: Disconnected (auth failed, {tries} attempts in 9 secs): "
            f"user=<bob>, method=PLAIN, rip=::ffff:{ATTACKER}, lip=192.0.2.1, TLS",
        )
    assert [(ban.ip, ban.label) for ban in pipeline.bans] == [(ATTACKER, "dovecot")]


def exim(pipeline: Pipeline, fields: dict[str, Any], times: int) -> None:
    for _ in range(times):
        pipeline.feed(
            **fields,
            MESSAGE=f"login authenticator failed for (x) [{ATTACKER}]: 535 Incorrect "
            "authentication data (set_id=bob)",
        )


def test_of_exim_what_journald_sees_too_late_is_believed_of_a_user_that_is_known() -> None:
    pipeline = Pipeline(MAIL)
    exim(pipeline, GONE, 9)
    assert pipeline.bans == []
    exim(pipeline, EXIM, 1)
    exim(pipeline, {**GONE, "_UID": 33}, 9)  # a program of the web server's
    exim(pipeline, GONE, 3)
    assert pipeline.bans == []
    exim(pipeline, GONE, 1)
    assert [ban.ip for ban in pipeline.bans] == [ATTACKER]


def test_exim_with_settings_of_a_user_bans_nobody() -> None:
    pipeline = Pipeline(MAIL)
    exim(pipeline, {**EXIM, "_UID": 1000, "_SYSTEMD_UNIT": "session-1.scope"}, 9)
    exim(pipeline, {**EXIM, "_UID": 33, "_SYSTEMD_UNIT": "apache2.service"}, 9)
    assert pipeline.bans == []
    assert counted(pipeline) == {"forged": 9, "login failed": 9}


def test_what_exim_writes_for_two_of_its_logs_counts_once() -> None:
    pipeline = Pipeline(MAIL)
    for process in (7, 8):
        for _ in range(2):
            exim(pipeline, {**EXIM, "_PID": process, "PRIORITY": 6}, 1)
            exim(pipeline, {**EXIM, "_PID": process, "PRIORITY": 5}, 1)
    assert pipeline.bans == []
    assert counted(pipeline) == {"login failed": 4, "noise": 4}
