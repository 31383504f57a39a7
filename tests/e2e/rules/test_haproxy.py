"""HAProxy's rules with a real HAProxy, and clients that have addresses of their own."""

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
global
  log /dev/log local0
  user haproxy
  group haproxy
defaults
  mode http
  log global
  option httplog
  timeout connect 5s
  timeout client 60s
  timeout server 60s
userlist known
  user bob insecure-password secret
frontend main
  bind :8080
  capture request header Host len 20
  capture request header Authorization len 5
  acl private path_beg /private
  http-request auth realm private if private !{ http_auth(known) }
  http-request return status 404 if { path_beg /missing /.env }
  http-request return status 200 content-type text/plain string hello
"""


@pytest.fixture
def haproxy(
    machines: Machines, journald: Journald, daemon: MakeDaemon, tmp_path: Path
) -> Iterator[Guarded]:
    with guarded(
        "haproxy", machines, journald, daemon, tmp_path, package="haproxy",
        command=["/usr/sbin/haproxy", "-db", "-f", "/run/haproxy.cfg"], unit="haproxy.service",
        files={"/run/haproxy.cfg": CONFIG}, users={"haproxy": 107},
    ) as made:  # fmt: skip
        wait_until(lambda: made.http(USER, "/") == 200)
        yield made


def test_who_guesses_passwords_is_banned_and_who_mistypes_is_not(haproxy: Guarded) -> None:
    for _ in range(6):
        assert haproxy.http(USER, "/private/") == 401
    assert haproxy.http(USER, "/private/", "-u", "bob:scret") == 401
    assert haproxy.http(USER, "/private/", "-u", "bob:secret") == 200
    agent = f'x" {FRAMED}:1 [29/Nov/2026:06:41:36.176]'
    for host in ("www.example.org", f"{{{FRAMED}:1|Basic}}", '"x', "[crit]"):
        assert haproxy.http(
            ATTACKER, "/private/", "-u", "bob:1", "-H", f"Host: {host}", "-A", agent
        )
    haproxy.wait_until_handled()
    haproxy.wait_until_dropped()
    assert haproxy.http(ATTACKER, "/private/", "-u", "ann:123456") == 401
    haproxy.wait_until_dropped(ATTACKER)
    assert haproxy.rows("important") == []


def test_who_scans_is_banned(haproxy: Guarded) -> None:
    for path in ("/", "/missing"):
        assert haproxy.http(USER, path)
    for _ in range(20):
        assert haproxy.http(ATTACKER, "/.env") == 404
    haproxy.wait_until_handled()
    haproxy.wait_until_dropped(ATTACKER)


def test_what_others_write_in_the_name_of_haproxy(haproxy: Guarded) -> None:
    haproxy.assert_forgery_is_told(
        "haproxy",
        f"{FRAMED}:58430 [29/Nov/2026:06:41:36.176] main main/<NOSRV> 0/-1/-1/-1/0 401 246 - - "
        'PR-- 1/1/0/0/0 0/0 {www|Basic} "GET /private/ HTTP/1.1"',
    )
