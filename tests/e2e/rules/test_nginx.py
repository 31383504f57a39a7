"""nginx's rules with a real nginx, and clients that have addresses of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyruse.testing import wait_until
from pyruse.testing.daemon import MakeDaemon
from pyruse.testing.journald import Journald
from pyruse.testing.machines import Machines
from tests.e2e.rules import web
from tests.e2e.rules.guarded import ATTACKER, FRAMED, USER, Guarded, guarded

pytestmark = pytest.mark.realparts

CONFIG = """
daemon off;
pid /run/nginx.pid;
user www-data;
worker_processes 1;
events {}
error_log syslog:server=unix:/dev/log,nohostname;
http {
  access_log syslog:server=unix:/dev/log,nohostname combined;
  limit_req_zone $binary_remote_addr zone=slow:1m rate=1r/m;
  client_body_temp_path /run/nginx/body;
  proxy_temp_path /run/nginx/proxy;
  fastcgi_temp_path /run/nginx/fastcgi;
  uwsgi_temp_path /run/nginx/uwsgi;
  scgi_temp_path /run/nginx/scgi;
  server {
    listen 8080;
    root /run/www;
    location /private/ { auth_basic "private"; auth_basic_user_file /run/users; }
    location /forbidden/ { deny all; }
    location /slow/ { limit_req zone=slow; }
  }
}
"""
FILES = {
    "/etc/nginx/nginx.conf": CONFIG,
    "/run/users": "bob:{PLAIN}secret\nann:{PLAIN}secret\n",
    "/run/nginx/made": "",
    **{
        f"/run/www/{place}/index.html": place
        for place in ("private", "forbidden", "slow", "[crit]")
    },
    "/run/www/index.html": "hello",
}


@pytest.fixture
def nginx(
    machines: Machines, journald: Journald, daemon: MakeDaemon, tmp_path: Path
) -> Iterator[Guarded]:
    with guarded(
        "nginx", machines, journald, daemon, tmp_path, package="nginx-light",
        command=["/usr/sbin/nginx"], unit="nginx.service", files=FILES, users={},
    ) as made:  # fmt: skip
        wait_until(lambda: made.http(USER, "/") == 200)
        yield made


def test_who_guesses_passwords_is_banned_and_who_mistypes_is_not(nginx: Guarded) -> None:
    web.mistype(nginx)
    users = ("bob", "a b", f'jürgen", client: {FRAMED}, server: y', "[crit]")
    web.guess(nginx, users, ["-e", f"x, client: {FRAMED}, server: y"])


def test_who_scans_is_banned_whatever_he_writes(nginx: Guarded) -> None:
    for path in ("/", "/missing", "/slow/", "/%5Bcrit%5D/", "/" + "A" * 300 + "%5Bemerg%5D"):
        assert nginx.http(USER, path, "-u", "a [crit]:x")
    web.scan(nginx, [("/.env", 404)], 5)


def test_limits_and_prohibitions_count_as_scans(nginx: Guarded) -> None:
    for number in range(11):
        assert nginx.http(ATTACKER, "/forbidden/") == 403
        assert nginx.http(ATTACKER, "/slow/") == (503 if number else 200)
    nginx.wait_until_dropped(ATTACKER)


def test_what_others_write_in_the_name_of_nginx(nginx: Guarded) -> None:
    nginx.assert_forgery_is_told(
        "nginx",
        web.FORGED,
        f'2026/11/29 06:25:01 [error] 811#811: *7 user "bob": password mismatch, client: {FRAMED}, '
        'server: _, request: "GET / HTTP/1.1", host: "www.example.org"',
    )
