"""A wrong url is told in one plain line, within seconds; and so is a database that is away."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import Fleet, free_port, make_fleet, make_open_folder
from pyruse_fleet import link
from pyruse_fleet.cli import main
from pyruse_fleet.faults import trouble
from pyruse_fleet.hosts import add
from pyruse_fleet.server import Server, binaries

from pyruse.testing import MakeJournal, need, wait_until

_CERTIFICATES = """
new() { openssl req -newkey rsa:2048 -nodes -keyout $1.key -subj /CN=$2 -out $1.csr; }
for ca in ca other; do
  openssl req -x509 -newkey rsa:2048 -nodes -keyout $ca.key -subj /CN=$ca -days 2 -out $ca.pem
done
new server localhost
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out server.pem
new a a
openssl x509 -req -in a.csr -CA other.pem -CAkey other.key -CAcreateserial -days 2 -out a.pem
chmod 600 *.key
"""
_HBA = """
local all postgres trust
hostssl certs all 127.0.0.1/32 cert
hostssl closed all 127.0.0.1/32 reject
hostssl all all 127.0.0.1/32 scram-sha-256
"""


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[Fleet, str]]:
    """A server with TLS and passwords, and the url that is right."""
    need(None if binaries() and shutil.which("openssl") else "PostgreSQL or openssl is missing")
    with make_open_folder() as folder:
        yield from _site(folder)


def _site(folder: Path) -> Iterator[tuple[Fleet, str]]:
    subprocess.run(["sh", "-euc", _CERTIFICATES], cwd=folder, check=True, capture_output=True)
    if os.geteuid() == 0:
        shutil.chown(folder / "server.key", "postgres")
    settings = {
        "ssl": "on", "ssl_ca_file": f"{folder}/ca.pem", "ssl_cert_file": f"{folder}/server.pem",
        "ssl_key_file": f"{folder}/server.key",
    }  # fmt: skip
    port = free_port()
    with (
        Server(port, listen="127.0.0.1", settings=settings, hba=_HBA) as server,
        make_fleet(server, "own", None) as fleet,
    ):
        with server.connection(database="own") as connection:
            add(connection, "a", password="right")
        fleet.ask("CREATE ROLE stranger LOGIN PASSWORD 'right'")
        for name in ("empty", "certs", "closed"):
            fleet.ask(f"CREATE DATABASE {name}")
        url = (
            f"host=localhost hostaddr=127.0.0.1 port={port} dbname=own user=a "
            f"sslmode=verify-full sslrootcert={folder}/ca.pem"
        )
        yield fleet, url


WRONG = {
    "nothing": ("", "", None),
    "the host's name": (
        r"host=localhost hostaddr=127.0.0.1", "host=db.invalid",
        "there is no host db.invalid (expected the name of the database's server)",
    ),
    "another name of it": (
        "host=localhost", "host=db",
        "the certificate of db is one for another name (expected db in it)",
    ),
    "the port": (
        r"port=\d+", "port=1",
        "nobody answers at localhost, port 1 (expected PostgreSQL there: listen_addresses)",
    ),
    "the password": (
        "", "", "localhost refuses the password of a (expected that of `pyruse-fleet add-host a "
        "--password-stdin`, in password_file)",
    ),
    "no password": (
        "", "", "localhost wants a password of a (expected password_file, or a certificate)"
    ),
    "the user": (
        "user=a", "user=stranger",
        "stranger may not take part, says localhost "
        "(expected `pyruse-fleet add-host stranger` there)",
    ),
    "the database": (
        "dbname=own", "dbname=nowhere",
        "there is no database nowhere at localhost (expected that of `pyruse-fleet init`)",
    ),
    "a database without tables": (
        "dbname=own", "dbname=empty",
        "the database empty at localhost has no tables of a fleet, or those of an older version "
        "(expected `pyruse-fleet init` there)",
    ),
    "the authority": (
        "/ca.pem", "/other.pem",
        "the certificate of localhost is not signed by the authority in sslrootcert, or is over "
        "(expected sslrootcert=FILE of the authority that has signed it)",
    ),
    "the authority's file": (
        r"sslrootcert=(\S+)", "sslrootcert=/none.pem",
        "the root certificate file /none.pem cannot be used (expected one that is there, that the "
        "user of Pyruse can read, and of a key nobody else)",
    ),
    "no TLS": (
        "sslmode=verify-full", "sslmode=disable",
        "localhost lets nobody in without TLS from here (expected sslmode=verify-full, or another "
        "line in its pg_hba.conf: see docs/fleet.md)",
    ),
    "nobody is let in": (
        "dbname=own", "dbname=closed",
        "localhost does not let a in from here "
        "(expected a line for it in its pg_hba.conf: see docs/fleet.md)",
    ),
    "no certificate": (
        "dbname=own", "dbname=certs",
        "localhost refuses this machine's certificate (expected sslcert and sslkey of an authority "
        "that it knows, with the name a)",
    ),
    "the certificate": (
        r"dbname=own(.*sslrootcert=)(.*/)ca.pem",
        r"dbname=certs\1\2ca.pem sslcert=\2a.pem sslkey=\2a.key",
        "localhost refuses this machine's certificate (expected sslcert and sslkey of an authority "
        "that it knows, with the name a)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_told_and_how_it_is_mended(site: tuple[Fleet, str], what: str) -> None:
    _, right = site
    part, instead, expected = WRONG[what]
    url = re.sub(part, instead, right, count=1) if part else right
    password = {"the password": "wrong", "no password": None}.get(what, "right")
    if what in ("no certificate", "the certificate"):
        password = None
    if expected is None:
        _begin(url, password)
        return
    with pytest.raises(psycopg.Error) as caught:
        _begin(url, password)
    assert trouble(caught.value, url).text == expected, str(caught.value)


def _begin(url: str, password: str | None) -> None:
    with link.connect(url, password) as connection:
        connection.execute("SELECT fleet.be_seen(0, '', true)")


def test_who_was_removed_is_told_so(site: tuple[Fleet, str]) -> None:
    fleet, right = site
    fleet.ask("CREATE ROLE gone NOLOGIN PASSWORD 'right'")
    url = right.replace("user=a", "user=gone")
    with pytest.raises(psycopg.Error) as caught:
        link.connect(url, "right")
    found = trouble(caught.value, url)
    assert found.kind == "wrong"
    assert found.text.startswith("gone may not take part, says localhost (expected ")


def test_a_daemon_says_at_once_what_is_wrong_and_when_it_is_mended(
    site: tuple[Fleet, str], daemon: Any, journal_file: MakeJournal, tmp_path: Path
) -> None:
    fleet, url = site
    secret = tmp_path / "password"
    secret.write_text("wrong\n")
    secret.chmod(0o600)
    one = daemon("", journal_file([{"MESSAGE": "hello"}]))
    one.configure(f'[chains]\n"x" = []\n[plugins.fleet]\nurl = "{url}"\npassword_file = "{secret}"')
    one.start()
    one.wait_until(lambda: "plugins.fleet: localhost refuses the password of a (exp" in one.log)
    secret.write_text("right\n")
    one.wait_until(lambda: "the fleet's database is there again" in one.log)
    wait_until(lambda: fleet.ask("SELECT seen FROM fleet.hosts WHERE name = 'a'") != [(None,)])
    assert "FATAL" not in one.log
    one.reload()  # a new url may have been what mends it
    one.wait_for_line("this machine takes part in the fleet, alone so far")


def test_the_administrators_commands_say_it_plainly_too(
    site: tuple[Fleet, str],
) -> None:
    fleet, _ = site
    for url, command, expected in (
        (
            "postgresql://nobody@127.0.0.1:1/x", "status",
            "nobody answers at 127.0.0.1, port 1 (expected --url of the database, for its owner)",
        ),
        (
            fleet.server.url(database="empty"), "status",
            "there are no tables of a fleet (expected `pyruse-fleet init` first)",
        ),
    ):  # fmt: skip
        with pytest.raises(SystemExit) as ended:
            main(["--url", url, command])
        assert str(ended.value) == f"pyruse-fleet: {expected}"
