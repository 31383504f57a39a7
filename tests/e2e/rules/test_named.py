"""named's rules with a real named, and clients that have addresses of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyruse.testing import wait_until
from pyruse.testing.daemon import MakeDaemon
from pyruse.testing.journald import Journald
from pyruse.testing.machines import SERVER4, Machines
from tests.e2e.rules.guarded import ATTACKER, FRAMED, USER, Guarded, guarded

pytestmark = pytest.mark.realparts

CONFIG = """
options {
  directory "/run/named";
  recursion no;
  dnssec-validation no;
  allow-transfer { none; };
  listen-on { any; };
  listen-on-v6 { none; };
  querylog yes;
  rate-limit { responses-per-second 2; };
};
zone "example.org" { type primary; file "/run/named/example.org"; };
"""
ZONE = """
$TTL 60
@ SOA ns root 1 3600 600 86400 60
@ NS ns
ns A 192.0.2.1
"""
_CLIENT = """
import contextlib, socket, struct, sys
server, source, kind, name, number, times = sys.argv[1:]
labels = b"".join(bytes([len(one)]) + one.encode() for one in name.split(".")) + b"\\0"
query = struct.pack("!HHHHHH", 7, 0, 1, 0, 0, 0) + labels + struct.pack("!HH", int(number), 1)
for _ in range(int(times)):
    one = socket.socket(socket.AF_INET, getattr(socket, kind))
    one.bind((source, 0))
    one.settimeout(60)
    with one, contextlib.suppress(ConnectionError, TimeoutError):
        one.connect((server, 53))
        one.sendall(query if kind == "SOCK_DGRAM" else struct.pack("!H", len(query)) + query)
        if kind == "SOCK_STREAM":
            print(len(one.recv(4096)))
"""
SOA, AXFR, IXFR, TCP, UDP = 6, 252, 251, "SOCK_STREAM", "SOCK_DGRAM"


@pytest.fixture
def named(
    machines: Machines, journald: Journald, daemon: MakeDaemon, tmp_path: Path
) -> Iterator[Guarded]:
    files = {
        "/etc/bind/named.conf": CONFIG,
        "/run/named/example.org": ZONE,
        "/etc/bind/rndc.key": 'key "rndc-key" { algorithm hmac-sha256; secret "c2VjcmV0"; };',
    }
    with guarded(
        "named", machines, journald, daemon, tmp_path, package="bind9",
        command=["sh", "-c", "chown bind /run/named; exec /usr/sbin/named -f -u bind"],
        unit="named.service",
        files=files, users={"bind": 876},
    ) as made:  # fmt: skip
        wait_until(lambda: ask(made, USER, TCP, SOA))
        yield made


def ask(
    named: Guarded, source: str, kind: str, number: int, times: int = 1, name: str = "example.org"
) -> str:
    return named.machines.attacker.python(
        _CLIENT, SERVER4, source, kind, name, str(number), str(times)
    )


def test_who_asks_for_whole_zones_is_banned_unless_anybody_could_have_written_his_address(
    named: Guarded,
) -> None:
    ask(named, FRAMED, UDP, AXFR, 15)
    ask(named, FRAMED, UDP, IXFR, 15)
    ask(named, FRAMED, UDP, SOA, 30, "example.com")
    ask(named, USER, TCP, AXFR, 19)
    ask(named, USER, TCP, SOA, 30, "example.com")
    named.wait_until_handled()
    named.wait_until_dropped()
    ask(named, ATTACKER, TCP, AXFR, 20)
    named.wait_until_dropped(ATTACKER)
    assert named.rows("important") == []


def test_what_others_write_in_the_name_of_named(named: Guarded) -> None:
    client = f"client @0x7f1c {FRAMED}#53011 (example.org): "
    named.assert_forgery_is_told(
        "named",
        f"{client}query: example.org IN AXFR -T (192.0.2.1)",
        f"{client}zone transfer 'example.org/AXFR/IN' denied",
    )
