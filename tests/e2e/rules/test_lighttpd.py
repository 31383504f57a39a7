"""lighttpd's rules with a real lighttpd, and clients that have addresses of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyruse.testing import wait_until
from pyruse.testing.daemon import MakeDaemon
from pyruse.testing.journald import Journald
from pyruse.testing.machines import Machines
from tests.e2e.rules.guarded import ATTACKER, FRAMED, USER, Guarded, guarded

pytestmark = pytest.mark.realparts

CONFIG = """
server.port = 8080
server.username = "www-data"
server.groupname = "www-data"
server.document-root = "/run/www"
server.modules = ("mod_auth", "mod_authn_file", "mod_accesslog")
server.errorlog-use-syslog = "enable"
accesslog.use-syslog = "enable"
index-file.names = ("index.html")
auth.backend = "plain"
auth.backend.plain.userfile = "/run/users"
auth.require = (
  "/private" => ("method" => "basic", "realm" => "private", "require" => "valid-user"),
  "/digest" => ("method" => "digest", "realm" => "d", "require" => "valid-user"),
)
"""
FILES = {
    "/run/lighttpd.conf": CONFIG,
    "/run/users": "bob:secret\nann:secret\n",
    **{f"/run/www/{place}/index.html": place for place in ("private", "digest")},
    "/run/www/index.html": "hello",
}


@pytest.fixture
def lighttpd(
    machines: Machines, journald: Journald, daemon: MakeDaemon, tmp_path: Path
) -> Iterator[Guarded]:
    with guarded(
        "lighttpd", machines, journald, daemon, tmp_path, package="lighttpd",
        command=["/usr/sbin/lighttpd", "-D", "-f", "/run/lighttpd.conf"], unit="lighttpd.service",
        files=FILES, users={},
    ) as made:  # fmt: skip
        wait_until(lambda: made.http(USER, "/") == 200)
        yield made


def test_who_guesses_passwords_is_banned_and_who_mistypes_is_not(lighttpd: Guarded) -> None:
    for _ in range(6):
        assert lighttpd.http(USER, "/private/") == 401
    assert lighttpd.http(USER, "/private/", "-u", "bob:scret") == 401
    assert lighttpd.http(USER, "/private/", "-u", "bob:secret") == 200
    for user in ("bob", "a b", f"x IP, {FRAMED}"):
        assert lighttpd.http(ATTACKER, f"/private/%20IP:%20{FRAMED}", "-u", f"{user}:1") == 401
    name = f'username="bob: wrong password, IP: {FRAMED}"'
    answer = f'Authorization: Digest {name}, realm="d", nonce="1", uri="/q", response="{"0" * 32}"'
    assert lighttpd.http(ATTACKER, "/digest/", "-H", answer) in (400, 401)
    lighttpd.wait_until_handled()
    lighttpd.wait_until_dropped()
    for _ in range(2):
        lighttpd.http(ATTACKER, "/private/", "-u", "ann:123456", "--max-time", "2")
    lighttpd.wait_until_dropped(ATTACKER)
    assert lighttpd.rows("important") == []


def test_who_scans_is_banned_whatever_he_writes(lighttpd: Guarded) -> None:
    for path in ("/", "/missing", "/%22"):
        assert lighttpd.http(USER, path)
    for number in range(20):
        agent = (
            f'x" {FRAMED} x - [29/Nov/2026:06:42:09 +0000] "GET /.env HTTP/1.1" 404 {number} "-" "-'
        )
        assert lighttpd.http(ATTACKER, "/.env", "-A", agent) == 404
    lighttpd.wait_until_handled()
    lighttpd.wait_until_dropped(ATTACKER)


def test_what_others_write_in_the_name_of_lighttpd(lighttpd: Guarded) -> None:
    lighttpd.assert_forgery_is_told(
        "lighttpd",
        f"(mod_auth.c.850) password doesn't match for / username: bob IP: {FRAMED}",
        f'{FRAMED} www - [29/Nov/2026:06:42:09 +0000] "GET /.env HTTP/1.1" 404 341 "-" "-"',
    )
