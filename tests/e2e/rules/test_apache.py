"""Apache's rules with a real Apache, and clients that have addresses of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyruse.testing import wait_until
from pyruse.testing.daemon import MakeDaemon
from pyruse.testing.journald import Journald
from pyruse.testing.machines import Machines
from tests.e2e.rules import web
from tests.e2e.rules.guarded import FRAMED, USER, Guarded, guarded

pytestmark = pytest.mark.realparts

MODULES = "mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "dir"
CONFIG = "\n".join(
    f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in MODULES
)
CONFIG += r"""
Listen 8080
ServerName www.example.org
PidFile /run/apache.pid
DefaultRuntimeDir /run
User www-data
Group www-data
ErrorLog syslog:daemon:apache2
LogFormat "%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"" combined
CustomLog "|/usr/bin/logger -t apache2 -p daemon.info" combined
DocumentRoot /run/www
<Location /private/>
  AuthType Basic
  AuthName private
  AuthUserFile /run/users
  Require valid-user
</Location>
<Location /forbidden/>
  Require all denied
</Location>
"""
FILES = {
    "/run/apache.conf": CONFIG,
    "/run/users": "bob:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n",
    **{f"/run/www/{place}index.html": "hello" for place in ("", "private/", "forbidden/")},
}


@pytest.fixture
def apache(
    machines: Machines, journald: Journald, daemon: MakeDaemon, tmp_path: Path
) -> Iterator[Guarded]:
    with guarded(
        "apache", machines, journald, daemon, tmp_path, package="apache2",
        command=["/usr/sbin/apache2", "-D", "FOREGROUND", "-f", "/run/apache.conf"],
        unit="apache2.service", files=FILES, users={},
    ) as made:  # fmt: skip
        wait_until(lambda: made.http(USER, "/") == 200)
        yield made


def test_who_guesses_passwords_is_banned_and_who_mistypes_is_not(apache: Guarded) -> None:
    web.mistype(apache)
    users = ("bob", "a b", f"jürgen [client {FRAMED}", "[crit]")
    web.guess(apache, users, ["-e", f"x, [client {FRAMED}:1] AH01618: user y not found"])


def test_who_scans_is_banned_whatever_he_writes(apache: Guarded) -> None:
    assert apache.http(USER, "/missing", "-u", "a [crit]:x") == 404
    assert apache.http(USER, "/" + "A" * 300 + "%5Bemerg%5D", "-u", "a [crit]:x") == 403
    web.scan(apache, [("/.env", 404), ("/forbidden/", 403)], 3)


def test_what_others_write_in_the_name_of_apache(apache: Guarded) -> None:
    apache.assert_forgery_is_told(
        "apache2",
        web.FORGED,
        f"[auth_basic:error] [pid 811] [client {FRAMED}:51234] AH01618: user bob not found: /",
    )
