"""What clients of web servers do, whichever server it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.e2e.rules.guarded import ATTACKER, FRAMED, USER, Guarded

SCANNERS = (
    "a b", "a [crit]", "", '- [29/Nov/2026:06:25:01 +0000] "GET /.env HTTP/1.1" 404',
)  # fmt: skip
"""User names that look like other parts of a line."""
FORGED = f'{FRAMED} - bob [29/Nov/2026:06:25:01 +0000] "GET /private/ HTTP/1.1" 401 153 "-" "x"'
"""A line of an access log that accuses somebody else."""


def mistype(server: Guarded) -> None:
    """Look at a page with a password, without one, with a wrong one, and with the right one."""
    for _ in range(6):
        assert server.http(USER, "/private/") == 401
    assert server.http(USER, "/private/", "-u", "bob:scret") == 401
    assert server.http(USER, "/private/", "-u", "bob:secret") == 200


def guess(server: Guarded, users: Iterable[str], more: Sequence[str]) -> None:
    """Guess the passwords of these users, until it is no longer possible."""
    for user in users:
        assert server.http(ATTACKER, "/private/", "-u", f"{user}:123456", *more) == 401
    server.wait_until_handled()
    server.wait_until_dropped()
    assert server.http(ATTACKER, "/private/", "-u", "ann:123456") == 401
    server.wait_until_dropped(ATTACKER)
    assert server.rows("important") == []


def scan(server: Guarded, paths: Iterable[tuple[str, int]], times: int) -> None:
    """Ask for what is not there, or not for everybody, until it is no longer possible.

    :param paths: each with the status of its answer.
    """
    paths = list(paths)
    for user in SCANNERS:
        for _ in range(times):
            for path, status in paths:
                assert server.http(ATTACKER, path, "-u", f"{user}:x") == status
    server.wait_until_handled()
    server.wait_until_dropped(ATTACKER)
    assert server.rows("important") == []
