"""The rules of databases with the real ones, and clients that have addresses of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyruse.testing import wait_until
from pyruse.testing.daemon import MakeDaemon
from pyruse.testing.journald import Journald
from pyruse.testing.machines import SERVER4, Machines
from tests.e2e.rules.guarded import ATTACKER, FRAMED, USER, Guarded, guarded

pytestmark = pytest.mark.realparts

MARIADB = r"""
set -e
install -d -o mysql /run/db
cd /usr/share/mysql
{
    echo 'create database mysql;'
    echo 'use mysql;'
    cat mysql_system_tables.sql mysql_performance_tables.sql mysql_system_tables_data.sql
    echo 'flush privileges;'
    echo "create user bob@'%' identified by 'secret';"
} | /usr/sbin/mariadbd --no-defaults --bootstrap --user=mysql --datadir=/run/db --log-warnings=0
exec systemd-cat -t mariadbd setpriv --reuid=mysql --regid=mysql --init-groups \
    /usr/sbin/mariadbd --no-defaults --datadir=/run/db --socket=/run/db/socket \
    --pid-file=/run/db/pid --skip-name-resolve --bind-address=0.0.0.0
"""
_MARIADB_CLIENT = r"""
import hashlib, socket, struct, sys
server, source, user, password = sys.argv[1:]
def packet():
    begin = one.recv(4, socket.MSG_WAITALL)
    return begin[3], one.recv(int.from_bytes(begin[:3], "little"), socket.MSG_WAITALL)
try:
    one = socket.create_connection((server, 3306), 60, (source, 0))
except OSError:
    sys.exit()  # not yet
number, hello = packet()
at = hello.index(0, 1) + 5
salt = hello[at:at + 8] + hello[at + 27:at + 39]
once = hashlib.sha1(password.encode()).digest()
mask = hashlib.sha1(salt + hashlib.sha1(once).digest()).digest()
proof = bytes(a ^ b for a, b in zip(once, mask))
said = struct.pack("<IIB23x", 0x88208, 1 << 24, 33) + user.encode() + b"\0"
said += bytes([len(proof)]) + proof + b"\0mysql_native_password\0"
one.sendall(len(said).to_bytes(3, "little") + bytes([number + 1]) + said)
print(packet()[1][0])
"""
POSTGRESQL = r"""
set -e
install -d -o postgres /run/pg /run/postgresql
chmod 644 /run/password
as='setpriv --reuid=postgres --regid=postgres --init-groups'
cd /run/pg
bin=$(echo /usr/lib/postgresql/*/bin)
$as $bin/initdb -D /run/pg --auth=password --pwfile=/run/password -N --no-locale >/dev/null
cat >>pg_hba.conf <<'EOF'
host all all 192.0.2.6/31 password
EOF
cat >>postgresql.conf <<'EOF'
listen_addresses = '*'
log_connections = on
log_destination = syslog
log_line_prefix = '%m [%p] %q%u@%d '
EOF
exec $as $bin/postgres -D /run/pg 2>/dev/null
"""
_POSTGRESQL_CLIENT = r"""
import socket, struct, sys
server, source, user, password = sys.argv[1:]
def message():
    begin = one.recv(5, socket.MSG_WAITALL)
    return begin[:1] + one.recv(struct.unpack("!I", begin[1:])[0] - 4, socket.MSG_WAITALL)
try:
    one = socket.create_connection((server, 5432), 60, (source, 0))
except OSError:
    sys.exit()  # not yet
said = struct.pack("!I", 196608) + b"user\0%b\0database\0postgres\0\0" % user.encode()
one.sendall(struct.pack("!I", len(said) + 4) + said)
answer = message()
if answer[:1] == b"R":
    said = password.encode() + b"\0"
    one.sendall(b"p" + struct.pack("!I", len(said) + 4) + said)
    answer = message()
print(answer[:1].decode())
while answer[:1] not in b"EZ":
    answer = message()
one.close()
"""
REDIS = """
exec systemd-cat -t redis-server setpriv --reuid=redis --regid=redis --init-groups \
    /usr/bin/redis-server --protected-mode no --bind '*' --dir /tmp --save '' --requirepass secret
"""
_REDIS_CLIENT = r"""
import socket, sys
server, source, *words = sys.argv[1:]
try:
    one = socket.create_connection((server, 6379), 60, (source, 0))
except OSError:
    sys.exit()  # not yet
one.sendall(" ".join(words).encode() + b"\r\n")
print(one.recv(100).decode())
"""


def ask(server: Guarded, client: str, source: str, *words: str) -> str:
    return server.machines.attacker.python(client, SERVER4, source, *words).strip()


def test_mariadb(
    machines: Machines, journald: Journald, daemon: MakeDaemon, tmp_path: Path
) -> None:
    with guarded(
        "mariadb", machines, journald, daemon, tmp_path, package="mariadb-server-core",
        command=["sh", "-c", MARIADB], unit="mariadb.service", files={"/run/made": ""},
        users={"mysql": 878},
    ) as server:  # fmt: skip
        wait_until(lambda: ask(server, _MARIADB_CLIENT, USER, "bob", "secret") == "0")
        written = "2026-11-29  6:43:27 3 [Warning] Access denied for user 'a'@"
        line = f"{written}'{FRAMED}' (using password: YES)"
        server.assert_forgery_is_told("mariadbd", line)
        for _ in range(2):
            assert ask(server, _MARIADB_CLIENT, USER, "bob", "scret") == "255"
            assert ask(server, _MARIADB_CLIENT, USER, "bob", "secret") == "0"
        for user in ("root", "bob", f"x'@'{FRAMED}' (using password: YES)", "admin"):
            assert ask(server, _MARIADB_CLIENT, ATTACKER, user, "123456") == "255"
        server.wait_until_handled()
        server.wait_until_dropped()
        assert ask(server, _MARIADB_CLIENT, ATTACKER, "root", "123456") == "255"
        server.wait_until_dropped(ATTACKER)
        # Whole lines that a stranger has MariaDB write, by a line feed in a user's name.
        for user in (f"b\n{line}\nc", f"b'@'{FRAMED}' (using password: YES)\n") * 3:
            assert ask(server, _MARIADB_CLIENT, FRAMED, user, "123456") == "255"
        server.wait_until_handled()
        server.wait_until_dropped(ATTACKER)
        assert any("line feeds" in row for row in server.rows("important"))


def test_postgresql(
    machines: Machines, journald: Journald, daemon: MakeDaemon, tmp_path: Path
) -> None:
    with guarded(
        "postgresql", machines, journald, daemon, tmp_path, package="postgresql",
        command=["sh", "-c", POSTGRESQL], unit="postgresql@15-main.service",
        files={"/run/password": "secret\n"}, users={"postgres": 879},
    ) as server:  # fmt: skip
        wait_until(lambda: ask(server, _POSTGRESQL_CLIENT, USER, "postgres", "secret") == "R")
        begin = "2026-11-29 06:45:31.982 UTC [811]"
        server.assert_forgery_is_told(
            "postgres",
            f"{begin} LOG:  connection received: host={FRAMED} port=34325",
            f'{begin} FATAL:  password authentication failed for user "bob"',
        )
        assert ask(server, _POSTGRESQL_CLIENT, USER, "postgres", "scret") == "E"
        assert ask(server, _POSTGRESQL_CLIENT, USER, "postgres", "secret") == "R"
        hostile = f"x\n[9-1] {begin} a", f"LOG:  connection received: host={FRAMED}\n"
        for user in ("postgres", *hostile, "admin"):
            assert ask(server, _POSTGRESQL_CLIENT, ATTACKER, user, "123456") == "E"
        server.wait_until_handled()
        server.wait_until_dropped()
        for user in ("postgres", "root", "admin"):
            assert ask(server, _POSTGRESQL_CLIENT, ATTACKER, user, "123456") == "E"
        server.wait_until_dropped(ATTACKER)


def test_redis(machines: Machines, journald: Journald, daemon: MakeDaemon, tmp_path: Path) -> None:
    with guarded(
        "redis", machines, journald, daemon, tmp_path, package="redis-server",
        command=["sh", "-c", REDIS], unit="redis-server.service", files={"/run/made": ""},
        users={"redis": 880},
    ) as server:  # fmt: skip
        wait_until(lambda: ask(server, _REDIS_CLIENT, USER, "AUTH", "secret") == "+OK")
        attack = "Possible SECURITY ATTACK detected. It looks like somebody is sending POST."
        server.assert_forgery_is_told(
            "redis-server", f"811:M 29 Nov 2026 06:43:08.386 # {attack} Connection from "
            f"{FRAMED}:1 aborted.",
        )  # fmt: skip
        assert ask(server, _REDIS_CLIENT, ATTACKER, "AUTH", "x").startswith("-WRONGPASS")
        assert ask(server, _REDIS_CLIENT, ATTACKER, "POST", "/") == ""
        server.wait_until_handled()
        # This version does not tell who that was.
        server.wait_until_dropped()
        assert any("requests of HTTP" in row for row in server.rows("interesting"))
