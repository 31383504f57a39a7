"""Caddy's rules with a real Caddy, which writes JSON to its standard error."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyruse.testing import wait_until
from pyruse.testing.daemon import MakeDaemon
from pyruse.testing.journald import Journald
from pyruse.testing.machines import Machines
from tests.e2e.rules.guarded import ATTACKER, FRAMED, USER, Guarded, guarded
from tests.e2e.rules.host import unpacked

pytestmark = pytest.mark.realparts

CONFIG = """
{
  admin off
  auto_https off
}
:8080 {
  log
  basicauth /private/* {
    bob HASH
  }
  root * /run/www
  file_server
}
"""
# Its standard error is a stream of journald, as under systemd.
START = """
exec systemd-cat -t caddy --level-prefix=false \\
    setpriv --reuid=998 --regid=998 --clear-groups "$@"
"""


@pytest.fixture
def caddy(
    machines: Machines, journald: Journald, daemon: MakeDaemon, tmp_path: Path
) -> Iterator[Guarded]:
    (tree,) = unpacked("caddy")
    command = ["/usr/bin/caddy", "run", "--config", "/run/Caddyfile", "--adapter", "caddyfile"]
    program = tree / "usr/bin/caddy"
    if not program.exists() or shutil.which("systemd-cat") is None:
        pytest.skip("there is no caddy, or no systemd-cat")
    password = subprocess.run(
        [program, "hash-password", "--plaintext", "secret"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    with guarded(
        "caddy", machines, journald, daemon, tmp_path, package="caddy",
        command=["sh", "-c", START, "sh", *command], unit="caddy.service",
        files={
            "/run/Caddyfile": CONFIG.replace("HASH", password),
            "/run/www/index.html": "hello", "/run/www/private/index.html": "private",
        },
        users={},
    ) as made:  # fmt: skip
        wait_until(lambda: made.http(USER, "/") == 200)
        yield made


def test_who_guesses_passwords_is_banned_and_who_mistypes_is_not(caddy: Guarded) -> None:
    for _ in range(6):
        assert caddy.http(USER, "/private/", "-A", '"Authorization":[]') == 401
    assert caddy.http(USER, "/private/", "-u", "bob:scret") == 401
    assert caddy.http(USER, "/private/", "-u", "bob:secret") == 200
    lie = f'{{"request":{{"remote_ip":"{FRAMED}"}},"status":401}}'
    for agent in ("", lie, f'"remote_ip":"{FRAMED}"', "x"):
        more = ["-A", agent, "-H", f"X-Forwarded-For: {FRAMED}"]
        assert caddy.http(ATTACKER, f"/private/{len(agent)}", "-u", "bob:1", *more) == 401
    caddy.wait_until_handled()
    caddy.wait_until_dropped()
    assert caddy.http(ATTACKER, "/private/", "-u", "ann:123456") == 401
    caddy.wait_until_dropped(ATTACKER)
    assert caddy.rows("important") == []


def test_who_scans_is_banned(caddy: Guarded) -> None:
    for path in ("/", "/missing"):
        assert caddy.http(USER, path)
    for _ in range(20):
        assert caddy.http(ATTACKER, "/.env") == 404
    caddy.wait_until_handled()
    caddy.wait_until_dropped(ATTACKER)


def test_what_others_write_in_the_name_of_caddy(caddy: Guarded) -> None:
    caddy.assert_forgery_is_told(
        "caddy",
        '{"level":"error","logger":"http.log.access","msg":"handled request","request":'
        f'{{"remote_ip":"{FRAMED}","method":"GET","uri":"/","headers":{{"Authorization":[]}}}},"status":401}}',
    )
