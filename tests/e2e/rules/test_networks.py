"""The rules of servers for networks: Squid, OpenVPN, OpenLDAP, Samba, Unbound, tried for real."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pyruse.testing import wait_until
from pyruse.testing.daemon import MakeDaemon
from pyruse.testing.journald import Journald
from pyruse.testing.machines import SERVER4, Machines
from tests.e2e.rules.guarded import ATTACKER, FRAMED, USER, Guarded, guarded

pytestmark = pytest.mark.realparts

SQUID = """
http_port 8080
auth_param basic program /bin/sh /run/passwords
acl known proxy_auth REQUIRED
acl near src 192.0.2.6 192.0.2.7
http_access deny !near
http_access allow known
http_access deny all
access_log syslog:daemon.info squid
cache_log none
cache_mem 8 MB
pid_filename /run/squid.pid
pinger_enable off
visible_hostname x
netdb_filename none
shutdown_lifetime 1 seconds
"""
_PASSWORDS = """
while read -r user password; do
    if [ "$password" = secret ]; then echo OK; else echo ERR; fi
done
"""


def proxy(server: Guarded, source: str, *options: str) -> int:
    """What a proxy answers."""
    return server.http(source, "/", "-x", f"http://{SERVER4}:8080", *options)


def test_squid(machines: Machines, journald: Journald, daemon: MakeDaemon, tmp_path: Path) -> None:
    with guarded(
        "squid", machines, journald, daemon, tmp_path, package="squid",
        command=["sh", "-c", "chmod 1777 /dev/shm; exec /usr/sbin/squid --foreground -sYC"],
        unit="squid.service", files={"/etc/squid/squid.conf": SQUID, "/run/passwords": _PASSWORDS},
        users={},
    ) as server:  # fmt: skip
        wait_until(lambda: proxy(server, USER) == 407)
        server.assert_forgery_is_told(
            "squid", f"1.1 2 {FRAMED} TCP_DENIED/407 3 GET http://x/ bob HIER_NONE/- text/html"
        )
        for user in ("bob:scret", "bob:secret", "bob:scret", "bob:secret"):
            proxy(server, USER, "-U", user)
        for user in ("bob", f"x {FRAMED} TCP_DENIED/407", "root", "admin"):
            assert proxy(server, ATTACKER, "-U", f"{user}:123456") == 407
        server.wait_until_handled()
        server.wait_until_dropped()
        assert proxy(server, ATTACKER, "-U", "bob:123456") == 407
        server.wait_until_dropped(ATTACKER)


SLAPD = """
include /etc/ldap/schema/core.schema
loglevel stats
pidfile /run/ldap/pid
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix dc=example,dc=org
rootdn cn=admin,dc=example,dc=org
rootpw secret
directory /run/ldap
"""
_BIND = """
import socket, sys
server, source, name, *passwords = sys.argv[1:]
def part(kind, data):
    size = len(data)
    return bytes([kind]) + (bytes([size]) if size < 128 else bytes([0x81, size])) + data
try:
    one = socket.create_connection((server, 389), 60, (source, 0))
except OSError:
    sys.exit()  # not yet
for number, password in enumerate(passwords, 1):
    bind = part(2, b"\\3") + part(4, name.encode()) + part(0x80, password.encode())
    one.sendall(part(0x30, part(2, bytes([number])) + part(0x60, bind)))
    answer = one.recv(100)
print(answer[9])
"""


def bind(server: Guarded, source: str, name: str, *passwords: str) -> str:
    """What OpenLDAP answers to the last of some passwords."""
    return server.machines.attacker.python(_BIND, SERVER4, source, name, *passwords).strip()


def test_slapd(machines: Machines, journald: Journald, daemon: MakeDaemon, tmp_path: Path) -> None:
    start = "install -d -o openldap /run/ldap; chmod 644 /run/slapd.conf; exec /usr/sbin/slapd"
    with guarded(
        "slapd", machines, journald, daemon, tmp_path, package="slapd",
        command=["sh", "-c", f"{start} -f /run/slapd.conf -u openldap -h ldap:/// -d 0"],
        unit="slapd.service", files={"/run/slapd.conf": SLAPD}, users={"openldap": 881},
    ) as server:  # fmt: skip
        admin = "cn=admin,dc=example,dc=org"
        wait_until(lambda: bind(server, USER, admin, "secret") == "0")
        server.assert_forgery_is_told(
            "slapd",
            f"conn=1001 fd=13 ACCEPT from IP={FRAMED}:42599 (IP=0.0.0.0:389)",
            "conn=1001 op=0 RESULT tag=97 err=49 text=",
        )
        for _ in range(2):
            assert bind(server, USER, admin, "scret", "secret") == "0"
        hostile = f"cn=x\n conn=1001 fd=3 ACCEPT from IP={FRAMED}:3 (IP=0.0.0.0:389)"
        for name in (admin, f"{hostile},dc=example,dc=org"):
            assert bind(server, ATTACKER, name, "1", "2") == "49"
        server.wait_until_handled()
        server.wait_until_dropped()
        assert bind(server, ATTACKER, admin, "3") == "49"
        server.wait_until_dropped(ATTACKER)


SAMBA = """
[global]
logging = systemd
log level = 1 auth_audit:3
passdb backend = tdbsam
private dir = /run/smb
lock directory = /run/smb
state directory = /run/smb
cache directory = /run/smb
pid directory = /run/smb
load printers = no
disable spoolss = yes
smb ports = 445
"""
_SAMBA = """
install -d /run/smb /run/samba /var/log/samba /var/lib/samba/private /var/cache/samba
chmod 1777 /dev/shm
yes secret | head -n 2 | smbpasswd -a -s bob >/dev/null 2>&1
exec /usr/sbin/smbd --foreground
"""


def net(server: Guarded, user: str, password: str) -> bool:
    """Whether somebody can log in to Samba."""
    options = [f"--option={name} directory=/run/net" for name in ("lock", "state", "cache")]
    options += ["--option=private dir=/run/net", "-S", SERVER4, "-U", f"{user}%{password}"]
    return server.client(["net", "rpc", "user", "-s", "/dev/null", *options]) == 0


def test_samba(machines: Machines, journald: Journald, daemon: MakeDaemon, tmp_path: Path) -> None:
    with guarded(
        "samba", machines, journald, daemon, tmp_path, package="samba",
        command=["sh", "-c", _SAMBA], unit="smbd.service",
        files={"/etc/samba/smb.conf": SAMBA, "/run/net/made": ""}, users={}, people=["bob"],
    ) as server:  # fmt: skip
        server.come_from(USER)
        wait_until(lambda: net(server, "bob", "secret"))
        server.assert_forgery_is_told(
            "smbd",
            r"  Auth: [SMB2,(null)] user [WG]\[bob] at [Sun, 29 Nov 2026 06:49:30.781504 UTC] with "
            "[NTLMv2] status [NT_STATUS_WRONG_PASSWORD] workstation [VM] remote host "
            f"[ipv4:{FRAMED}:45736] x",
        )
        assert not net(server, "bob", "scret")
        assert net(server, "bob", "secret")
        server.come_from(ATTACKER)
        for user in ("bob", f"x] remote host [ipv4:{FRAMED}:3] y", "bob", "bob", "bob"):
            assert not net(server, user, "123456")
        server.wait_until_handled()
        server.wait_until_dropped()
        assert not net(server, "bob", "123456")
        server.wait_until_dropped(ATTACKER)


OPENVPN = """
dev tap
proto udp
server 10.9.0.0 255.255.255.0
ca /run/vpn/ca.crt
cert /run/vpn/ca.crt
key /run/vpn/ca.key
dh none
verify-client-cert none
username-as-common-name
auth-user-pass-verify /run/vpn/check via-file
script-security 2
syslog ovpn-server
data-ciphers AES-256-GCM
"""
_CHECK = '#!/bin/sh\n[ "$(sed -n 2p "$1")" = secret ]\n'
_OPENVPN = """
mkdir -p /dev/net
mknod /dev/net/tun c 10 200
chmod 755 /run/vpn/check
exec /usr/sbin/openvpn --config /run/vpn/server.conf
"""

_VPN = """
printf '%s\\n' "$3" "$4" >/run/vpn/as
openvpn --dev null --client --proto udp --remote "$1" 1194 --local "$2" --lport 0 \
    --ca /run/vpn/ca.crt --auth-user-pass /run/vpn/as --ifconfig-noexec --route-noexec \
    --data-ciphers AES-256-GCM --connect-retry-max 1 >/run/vpn/said 2>&1 &
for _ in $(seq 600); do
    if grep -q 'Initialization Sequence Completed' /run/vpn/said; then
        kill $!
        exit 0
    fi
    kill -0 $! 2>/dev/null || exit 1
    sleep 0.1
done
kill $!
exit 1
"""


def vpn(server: Guarded, source: str, user: str, password: str) -> bool:
    """Whether somebody can log in to OpenVPN."""
    return server.client(["sh", "-c", _VPN, "sh", SERVER4, source, user, password]) == 0


def test_openvpn(
    machines: Machines, journald: Journald, daemon: MakeDaemon, tmp_path: Path
) -> None:
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30"
    subprocess.run(
        [*make.split(), "-subj", "/CN=x", "-keyout", "ca.key", "-out", "ca.crt"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    files = {f"/run/vpn/{name}": (tmp_path / name).read_text() for name in ("ca.key", "ca.crt")}
    files |= {"/run/vpn/server.conf": OPENVPN, "/run/vpn/check": _CHECK}
    with guarded(
        "openvpn", machines, journald, daemon, tmp_path, package="openvpn",
        command=["sh", "-c", _OPENVPN], unit="openvpn@server.service", files=files, users={},
    ) as server:  # fmt: skip
        wait_until(lambda: server.logged("Initialization Sequence Completed"))
        server.assert_forgery_is_told(
            "ovpn-server",
            f"{FRAMED}:38049 TLS Auth Error: Auth Username/Password verification failed for peer",
        )
        assert not vpn(server, USER, "bob", "scret")
        assert vpn(server, USER, "bob", "secret")
        for user in ("bob", f"x/{FRAMED}:1", "root", "admin"):
            assert not vpn(server, ATTACKER, user, "123456")
        server.wait_until_handled()
        server.wait_until_dropped()
        assert not vpn(server, ATTACKER, "bob", "123456")
        server.wait_until_dropped(ATTACKER)


UNBOUND = """
server:
  interface: 0.0.0.0
  access-control: 192.0.2.0/24 allow
  chroot: ""
  username: unbound
  directory: /run
  pidfile: /run/unbound.pid
  use-syslog: yes
  log-local-actions: yes
  module-config: iterator
  local-zone: x.example refuse
remote-control:
  control-enable: no
"""
_QUERY = """
import socket, struct, sys
server, source, times = sys.argv[1:]
query = struct.pack("!6H", 7, 256, 1, 0, 0, 0) + b"\\1x\\7example\\0" + struct.pack("!2H", 1, 1)
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.bind((source, 0))
one.settimeout(60)
one.connect((server, 53))
try:
    for _ in range(int(times)):
        one.send(query)
        answer = one.recv(100)
    print(answer[3] & 15)
except ConnectionRefusedError:
    pass  # not yet
"""


def test_unbound_bans_nobody_as_anybody_can_write_any_address_into_a_query(
    machines: Machines, journald: Journald, daemon: MakeDaemon, tmp_path: Path
) -> None:
    with guarded(
        "unbound", machines, journald, daemon, tmp_path, package="unbound",
        command=["/usr/sbin/unbound", "-d", "-p", "-c", "/run/unbound.conf"],
        unit="unbound.service", files={"/run/unbound.conf": UNBOUND}, users={"unbound": 882},
    ) as server:  # fmt: skip
        query = machines.attacker.python
        wait_until(lambda: query(_QUERY, SERVER4, USER, "1") == "5\n")
        line = f"[811:0] info: x.example. refuse {FRAMED}@44653 x.example. A IN"
        server.assert_forgery_is_told("unbound", line)
        assert query(_QUERY, SERVER4, ATTACKER, "50") == "5\n"
        server.wait_until_handled()
        server.wait_until_dropped()
