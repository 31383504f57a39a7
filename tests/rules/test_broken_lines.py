"""Some programs log what strangers type as it is: also what looks like another of their lines."""

from __future__ import annotations

import pytest

from pyruse.testing.pipeline import Pipeline

TRUE, FRAMED = "203.0.113.9", "192.0.2.99"
VAULT = "[vaultwarden::api::identity][ERROR] Username or password is incorrect. Try again. IP: "
TRAEFIK = ' [29/Nov/2026:06:34:30 +0000] "GET / HTTP/2.0" 401 17 "-" "-" 7 "a" "-" 0ms'


def failed(rules: str, user: str, ip: str = TRUE) -> str:
    """What a program writes of a wrong password."""
    return {
        "vaultwarden": f"{VAULT}{ip}. Username: {user}.",
        "traefik": f"{ip} - {user}{TRAEFIK}",
        "phpmyadmin": f"user denied: {user} (mysql-denied) from {ip}",
        "monit": f"HttpRequest: access denied -- client [{ip}]: wrong password for user '{user}'",
        "gitea": "2026/11/29 06:25:01 auth.go:203:SignInPost() [W] Failed authentication attempt "
        f"for {user} from {ip}:0: user does not exist [uid: 0, name: {user}]",
        "gitlab": f"2026-11-29T06:25:01.667Z: Failed Login: username={user} ip={ip}",
    }[rules]


WRITERS = {
    "vaultwarden": ("vaultwarden", "vaultwarden.service"),
    "traefik": ("traefik", "traefik.service"),
    "phpmyadmin": ("phpMyAdmin", "apache2.service"),
    "gitlab": ("gitlab", "gitlab-puma.service"),
    "gitea": ("gitea", "gitea.service"),
    "monit": ("monit", "monit.service"),
}


def bans_of(rules: str, texts: list[str]) -> list[str]:
    """Who is banned for what a process writes, each text at once, and a minute between them."""
    pipeline = Pipeline(f'use = ["{rules}"]')
    program, unit = WRITERS[rules]
    for text in texts:
        for line in text.splitlines():
            pipeline.feed(
                SYSLOG_IDENTIFIER=program, _SYSTEMD_UNIT=unit, _PID=7,
                _UID=0 if rules == "monit" else 33,
                _EXE=f"/usr/bin/{program}", _COMM=program, _TRANSPORT="stdout", MESSAGE=line,
            )  # fmt: skip
        pipeline.pass_time("1m")
    return [ban.ip for ban in pipeline.bans]


@pytest.mark.parametrize("rules", WRITERS)
@pytest.mark.parametrize("user", ["x", "x.", "", "x y", "x'y"])
def test_lines_of_a_strangers_own_ban_nobody_else(rules: str, user: str) -> None:
    made_up = "\n".join([failed(rules, "y", FRAMED)] * 9)
    text = failed(rules, f"{user}\n{made_up}\nz")
    assert set(bans_of(rules, [text] * 9)) <= {TRUE}


@pytest.mark.parametrize("rules", WRITERS)
def test_who_guesses_is_banned(rules: str) -> None:
    assert bans_of(rules, [failed(rules, "bob")] * 5) == [TRUE]


@pytest.mark.parametrize("rules", WRITERS)
@pytest.mark.parametrize("lines", [1, 6])
def test_a_first_line_that_is_whole_may_be_a_strangers(rules: str, lines: int) -> None:
    before = failed(rules, "|").partition("|")[0]
    made_up = [failed(rules, "root", FRAMED)] * lines
    name = "\n".join([made_up[0].removeprefix(before), *made_up[1:], "x"])
    assert FRAMED not in bans_of(rules, [failed(rules, name)] * 9)
