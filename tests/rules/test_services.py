"""The rules for services: who is banned, and who is not, over several lines."""

from __future__ import annotations

from typing import Any

from pyruse.testing.pipeline import Pipeline

ATTACKER, VICTIM = "203.0.113.9", "198.51.100.1"
MARIADB: dict[str, Any] = {
    "SYSLOG_IDENTIFIER": "mariadbd",
    "_UID": 103,
    "_COMM": "mariadbd",
    "_EXE": "/usr/sbin/mariadbd",
    "_SYSTEMD_UNIT": "mariadb.service",
    "_MACHINE_ID": "m",
    "PRIORITY": 6,
}
POSTGRES: dict[str, Any] = {
    "SYSLOG_IDENTIFIER": "postgres",
    "_UID": 105,
    "_COMM": "postgres",
    "_SYSTEMD_UNIT": "postgresql@15-main.service",
    "_MACHINE_ID": "m",
    "PRIORITY": 3,
}


def banned(pipeline: Pipeline) -> list[tuple[str, str]]:
    return [(ban.ip, ban.label) for ban in pipeline.bans]


def denied(pipeline: Pipeline, ip: str, user: str = "root") -> None:
    """What MariaDB writes of a wrong password; a line feed in the user's name makes lines of it."""
    written = f"Access denied for user '{user}'@'{ip}' (using password: YES)"
    for line in f"2026-11-29  6:43:27 3 [Warning] {written}".split("\n"):
        pipeline.feed(**MARIADB, MESSAGE=line)


def test_who_guesses_at_mariadb_is_banned() -> None:
    pipeline = Pipeline('use = ["mariadb"]')
    for _ in range(5):
        assert banned(pipeline) == []
        denied(pipeline, ATTACKER)
    assert banned(pipeline) == [(ATTACKER, "mariadb")]


def test_lines_that_a_user_s_name_makes_mariadb_write_ban_nobody() -> None:
    """Any name will do, without a password: all of it is written by MariaDB itself."""
    whole = f"Access denied for user 'a'@'{VICTIM}' (using password: YES)"
    for user in (
        f"b\n2026-11-29  6:43:27 7 [Warning] {whole}\nc",
        f"a'@'{VICTIM}' (using password: YES)\n",
        f"a'@'{VICTIM}' (using password: YES)\n2026-11-29  6:43:27 7 [Note] x\n",
    ):
        pipeline = Pipeline('use = ["mariadb"]')
        for _ in range(40):
            denied(pipeline, ATTACKER, user)
            pipeline.pass_time("11m")
        assert banned(pipeline) == []
        assert len(pipeline.report.important) == 1


def test_who_guesses_at_postgresql_has_the_address_that_his_first_line_tells() -> None:
    pipeline = Pipeline('use = ["postgresql"]')
    for process in range(5):
        assert banned(pipeline) == []
        fields = {**POSTGRES, "_PID": 800 + process}
        begin = f"2026-11-29 06:45:31.982 UTC [{800 + process}]"
        for line in (
            f"{begin} [unknown]@[unknown] LOG:  connection received: host={ATTACKER} port=34325",
            # The name of the user, with a line feed, in log_line_prefix.
            f"{begin} LOG:  connection received: host={VICTIM}",
            '@x FATAL:  password authentication failed for user "LOG:  connection received: host='
            f"{VICTIM}",
            '\t"',
            f'{begin} bob@shop FATAL:  password authentication failed for user "bob"',
        ):
            pipeline.feed(**fields, MESSAGE=line)
    assert banned(pipeline) == [(ATTACKER, "postgresql")]


def test_one_wrong_password_of_ftp_counts_once_whoever_tells_of_it() -> None:
    pam = "authentication failure; logname= uid=0 euid=0 tty=ftp ruser=bob"
    guessed = "Authentication failed for user [bob]"
    for rules, name, own in (
        ("vsftpd", "vsftpd", f'[bob] FAIL LOGIN: Client "{ATTACKER}"'),
        ("proftpd", "proftpd", f"x (y[{ATTACKER}]) - USER bob (Login failed): Incorrect password"),
        (
            "pure_ftpd",
            "pure-ftpd",
            f"(?@{ATTACKER}) [WARNING] {guessed}",
        ),
    ):
        pipeline = Pipeline(f'use = ["pam", "{rules}"]')
        for tried in range(5):
            assert banned(pipeline) == []
            process = 800 + tried // 3
            fields: dict[str, Any] = {"SYSLOG_IDENTIFIER": name, "_UID": 0, "_COMM": name}
            fields["_PID"] = process
            pipeline.feed(**fields, MESSAGE=f"pam_unix({name}:auth): {pam} rhost={ATTACKER}")
            pipeline.feed(**fields, MESSAGE=own)
        assert banned(pipeline) == [(ATTACKER, rules)]
