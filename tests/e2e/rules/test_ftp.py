"""The rules of FTP servers with the real ones, and clients that have addresses of their own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pyruse.testing import wait_until
from pyruse.testing.daemon import MakeDaemon
from pyruse.testing.journald import Journald
from pyruse.testing.machines import SERVER4, Machines
from tests.e2e.rules.guarded import ATTACKER, FRAMED, USER, Guarded, guarded
from tests.e2e.rules.host import PASSWORD

pytestmark = pytest.mark.realparts

PAM = """
auth required pam_unix.so nodelay
account required pam_unix.so
session required pam_unix.so
"""
VSFTPD = """
listen=YES
background=NO
local_enable=YES
anonymous_enable=NO
syslog_enable=YES
secure_chroot_dir=/run/empty
pam_service_name=vsftpd
delay_failed_login=0
"""
PROFTPD = """
ServerName x
Port 21
User proftpd
Group nogroup
UseIPv6 off
AuthPAMConfig proftpd
UseReverseDNS off
ScoreboardFile /run/scoreboard
PidFile /run/proftpd.pid
WtmpLog off
"""
_CLIENT = """
import ftplib, sys
server, source, user, *passwords = sys.argv[1:]
try:
    one = ftplib.FTP()
    one.connect(server, 21, 60, (source, 0))
except OSError:
    sys.exit()  # not yet
said = ""
for password in passwords:
    try:
        said = one.login(user, password)
    except ftplib.all_errors as fault:
        said = str(fault)
one.close()
print(said[:3])
"""
SERVERS = {
    "vsftpd": (
        "vsftpd", "vsftpd", ["/usr/sbin/vsftpd"],
        {"/etc/vsftpd.conf": VSFTPD, "/etc/pam.d/vsftpd": PAM, "/run/empty/made": ""},
        f'[bob] FAIL LOGIN: Client "{FRAMED}"',
    ),
    "proftpd": (
        "proftpd", "proftpd-core", ["sh", "-c", "/usr/sbin/proftpd; exec sleep infinity"],
        {"/etc/proftpd/proftpd.conf": PROFTPD, "/etc/pam.d/proftpd": PAM},
        f"x (y[{FRAMED}]) - USER bob (Login failed): Incorrect password",
    ),
    "pure_ftpd": (
        "pure-ftpd", "pure-ftpd", ["/usr/sbin/pure-ftpd", "-H", "-l", "pam"],
        {"/etc/pam.d/pure-ftpd": PAM},
        f"(?@{FRAMED}) [WARNING] Authentication failed for user [bob]",
    ),
}  # fmt: skip


def logs_in(server: Guarded, source: str, user: str, *passwords: str) -> str:
    """What the server answers to the last of some passwords; nothing: it is not there yet."""
    return server.machines.attacker.python(_CLIENT, SERVER4, source, user, *passwords).strip()


@pytest.mark.parametrize("rules", SERVERS)
def test_who_guesses_is_banned_and_nobody_else(
    rules: str, machines: Machines, journald: Journald, daemon: MakeDaemon, tmp_path: Path
) -> None:
    program, package, command, files, line = SERVERS[rules]
    with guarded(
        rules, machines, journald, daemon, tmp_path, package=package, command=command,
        unit=f"{program}.service", files=files, users={"proftpd": 877}, people=["bob"],
    ) as server:  # fmt: skip
        wait_until(lambda: logs_in(server, USER, "bob", PASSWORD) == "230")
        pam = f"authentication failure; logname= uid=0 euid=0 tty=ftp ruser=bob rhost={FRAMED}"
        server.assert_forgery_is_told(program, line, f"pam_unix({program}:auth): {pam}")
        # They make guessers wait: so all of this is done at once.
        knocks = [[USER, "bob", "scret", PASSWORD]] * 2
        for user in ("bob", f"x rhost={FRAMED}", f'eve] FAIL LOGIN: Client "{FRAMED}"', "nobody"):
            knocks.append([ATTACKER, user, "123456"])
        with ThreadPoolExecutor(len(knocks)) as many:
            said = list(many.map(lambda knock: logs_in(server, *knock), knocks))
        assert said == ["230"] * 2 + ["530"] * 4
        server.wait_until_handled()
        server.wait_until_dropped()
        assert logs_in(server, ATTACKER, "bob", "123456") == "530"
        server.wait_until_dropped(ATTACKER)
