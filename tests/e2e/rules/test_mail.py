"""The rules of postfix, dovecot and exim with the real servers, and clients of other machines."""

from __future__ import annotations

import mailbox
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from pyruse.report.render import Renderer
from pyruse.testing import wait_until
from pyruse.testing.daemon import Daemon, MakeDaemon
from pyruse.testing.journald import Journald
from pyruse.testing.machines import SERVER4, Machines
from pyruse.testing.namespace import unavailable as no_namespace
from pyruse.testing.plugin import need
from tests.e2e.rules.host import Host, unavailable, unpacked
from tests.e2e.rules.units import Units
from tests.e2e.rules.units import unavailable as no_units
from tests.report.eventful import eventful

pytestmark = pytest.mark.realparts

USER, ATTACKER, FRAMED = "192.0.2.6", "192.0.2.7", "192.0.2.99"
PASSWORD = "secret"
CLOSED = 993  # one of the ports that are closed to the banned, with a server of the test's own
GUARD = """
use = ["postfix", "dovecot", "exim", "pam"]
[bans.nftables]
command = ["nft"]
[chains]
"journald" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "systemd-journald" },
  { action = "discard" },
]
"""
SYSTEM_USERS = {
    "postfix": 871,
    "postdrop": 872,
    "dovecot": 873,
    "dovenull": 874,
    "Debian-exim": 875,
}
LIAR = """
for _ in 1 2 3 4 5 6; do
    logger -t "$1" "$2"
done
"""
DOVECOT = """
protocols = imap
listen = *
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_verbose = yes
auth_failure_delay = 0
mail_location = maildir:/run/mail/%u
passdb {
  driver = passwd-file
  args = /run/users
}
userdb {
  driver = static
  args = uid=2000 gid=2000 home=/run/mail/%u
}
service auth {
  unix_listener /var/spool/postfix/private/auth {
    mode = 0666
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
"""
POSTFIX = """
compatibility_level = 3.6
myhostname = mail.example.org
mydestination = example.org
alias_maps = texthash:/etc/postfix/liars
local_recipient_maps =
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
"""
MASTER = """
587       inet  n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
local     unix  - n n - - local
error     unix  - - n - - error
retry     unix  - - n - - error
proxymap  unix  - - n - - proxymap
anvil     unix  - - n - 1 anvil
"""
EXIM = """
primary_hostname = mail.example.org
log_file_path = syslog
keep_environment =
exim_user = Debian-exim
exim_group = Debian-exim
daemon_smtp_ports = 587
auth_advertise_hosts = *
acl_smtp_rcpt = relay
begin acl
relay:
  accept authenticated = *
  deny message = relay not permitted
begin routers
all:
  driver = redirect
  data = :blackhole:
begin transports
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and {{eq{$auth2}{bob}}{eq{$auth3}{secret}}}}
  server_set_id = $auth2
"""
_SMTP = """
import base64, smtplib, sys
server, source, user, password, helo, to = sys.argv[1:]
try:
    one = smtplib.SMTP(server, 587, helo, source_address=(source, 0), timeout=60)
except ConnectionRefusedError:
    sys.exit()  # not yet
with one:
    one.ehlo()
    both = base64.b64encode(f"\\0{user}\\0{password}".encode()).decode()
    code, _ = one.docmd("AUTH", f"PLAIN {both}")
    if code == 235 and to:
        one.sendmail("bob@example.org", [to], "Subject: hello\\r\\n\\r\\nhello\\r\\n")
    print(code)
"""
_IMAP = """
import socket, sys
server, source, *tries = sys.argv[1:]
try:
    one = socket.create_connection((server, 143), 60, (source, 0))
except ConnectionRefusedError:
    sys.exit()  # not yet
lines = one.makefile("rb")
lines.readline()
for number, (user, password) in enumerate(zip(tries[::2], tries[1::2])):
    one.sendall(f'a{number} LOGIN "{user}" "{password}"\\r\\n'.encode())
    answer = next(line for line in lines if line.startswith(f"a{number} ".encode()))
one.sendall(b"z LOGOUT\\r\\n")
for _ in lines:
    pass
print(answer.split()[1].decode())
"""


_SESSIONS = """
import base64, smtplib, sys
server, source, number = sys.argv[1:]
many = [smtplib.SMTP(server, 587, source_address=(source, 0)) for _ in range(int(number))]
for one in many:
    one.ehlo("client.example.net")
print("ready", flush=True)
both = base64.b64encode(f"\\0bob\\0{input()}".encode()).decode()
print(*(one.docmd("AUTH", f"PLAIN {both}")[0] for one in many), flush=True)
"""


class MailServer:
    """A host with mail servers, guarded by Pyruse, and those who knock at it."""

    def __init__(self, machines: Machines, host: Host, units: Units, daemon: Daemon) -> None:
        self.host = host
        self.units = units
        self.daemon = daemon
        self._machines = machines
        self._marks: list[str] = []

    def smtp(self, source: str, password: str, user: str = "bob", to: str = "") -> bool:
        """Whether somebody can log in, who then sends a mail."""
        helo = "client.example.net"
        said = self._machines.attacker.python(_SMTP, SERVER4, source, user, password, helo, to)
        return said == "235\n"

    def sessions(self, source: str, number: int) -> Callable[[str], list[str]]:
        """Begin several sessions of SMTP; what comes back logs in by a password in each of them."""
        command = [sys.executable, "-c", _SESSIONS, SERVER4, source, str(number)]
        client = self._machines.attacker.start(command)
        assert client.stdin is not None
        assert client.stdout is not None
        assert client.stdout.readline() == "ready\n"
        return lambda password: client.communicate(f"{password}\n")[0].split()

    def imap(self, source: str, *passwords: str, user: str = "bob") -> bool:
        """Whether somebody can log in with the last of several passwords, over one connection."""
        tries = [word for password in passwords for word in (user, password)]
        return self._machines.attacker.python(_IMAP, SERVER4, source, *tries) == "OK\n"

    def forge(self, unit: str, program: str, line: str) -> None:
        """Have a user, root, and a user in the unit of the program write a line in its name."""
        liar = ["sh", "/run/liar", program, line]
        assert self.host.run(liar) == 0
        assert self.host.run(liar, "eve") == 0
        assert self.host.run(liar, "eve", unit=unit) == 0

    def rows(self, part: str) -> list[str]:
        """What the report of today says in one of its parts."""
        return [row["message"] for row in self.daemon.ask("report", "today")["report"][part]]

    def wait_until_handled(self) -> None:
        """Wait until all that was logged before is handled; nothing of it is unknown."""
        self._marks.append(f"mark {len(self._marks)}")
        self.host.run(["logger", "-t", "test", self._marks[-1]])
        marks = [f"[5/test] {mark}" for mark in self._marks]
        rows = self.daemon.wait_until(lambda: self.rows("other"), lambda rows: marks[-1] in rows)
        assert [row for row in rows if row not in marks] == []

    def wait_until_dropped(self, *sources: str) -> None:
        """Wait until packets of just these addresses are dropped."""
        self.daemon.wait_until(
            lambda: self._machines.dropped(CLOSED), lambda dropped: dropped == list(sources)
        )

    def assert_forged(self, program: str) -> None:
        """The report tells of lines that a user and root have forged; nobody is banned."""
        told = [row for row in self.rows("important") if row.startswith("Forged: ")]
        assert all(f"{program} has not written this" in row or "goes on" in row for row in told)
        assert any("(uid 2001)" in row for row in told)
        assert any("(uid 0)" in row for row in told)
        assert self.daemon.ask("bans") == []


@pytest.fixture
def server(
    machines: Machines, journald: Journald, daemon: MakeDaemon, tmp_path: Path
) -> Iterator[MailServer]:
    trees = unpacked("postfix", "dovecot-imapd", "exim4-daemon-light")
    lacking = [f"{tree} is not there (tools/setup.sh test)" for tree in trees if not tree.is_dir()]
    need(no_namespace("nft") or unavailable("setpriv", "logger") or no_units())
    need(lacking[0] if lacking else None)
    folder = tmp_path / "host"
    folder.mkdir()
    files = {
        "/run/users": f"bob:{{PLAIN}}{PASSWORD}::::::\n",
        "/etc/dovecot/dovecot.conf": DOVECOT,
        "/etc/postfix/main.cf": POSTFIX,
        "/etc/postfix/master.cf": MASTER,
        "/etc/postfix/liars": f"liar \"|/bin/sh /run/liar postfix/smtpd '{SASL}'\"\n",
        "/run/liar": LIAR,
        "/etc/exim4/exim4.conf": EXIM,
    }
    with (
        Units() as units,
        Host(
            machines.server, journald, folder, ["bob", "eve"], files, trees, SYSTEM_USERS, units
        ) as host,
    ):
        machines.listen(machines.server, CLOSED)
        guard = daemon(GUARD, journald, prefix=machines.server.prefix)
        guard.start()
        yield MailServer(machines, host, units, guard)


SASL = f"warning: unknown[{FRAMED}]: SASL PLAIN authentication failed: x"
_PREPARE_DOVECOT = "install -d -m 1777 /run/mail; install -d /var/spool/postfix/private"
_PREPARE_POSTFIX = """
cp /usr/share/postfix/dynamicmaps.cf /etc/postfix/
install -d -o postfix /var/lib/postfix
postfix set-permissions
chgrp postdrop /usr/sbin/postdrop /usr/sbin/postqueue
chmod 2755 /usr/sbin/postdrop /usr/sbin/postqueue
"""
_PREPARE_EXIM = "install -d -o Debian-exim -g Debian-exim /var/spool/exim4"


def start_dovecot(server: MailServer) -> None:
    assert server.host.run(["sh", "-ec", _PREPARE_DOVECOT]) == 0
    server.host.start(["/usr/sbin/dovecot", "-F"], "dovecot.service")


def start_postfix(server: MailServer) -> None:
    server.host.run(["sh", "-c", _PREPARE_POSTFIX])
    server.host.start(["/usr/sbin/postfix", "start-fg"], "postfix@-.service")


def start_exim(server: MailServer) -> None:
    assert server.host.run(["sh", "-ec", _PREPARE_EXIM]) == 0
    server.host.start(["/usr/sbin/exim4", "-bdf", "-q30m"], "exim4.service")


def test_dovecot(server: MailServer) -> None:
    start_dovecot(server)
    wait_until(lambda: server.imap(USER, PASSWORD))
    server.forge(
        "dovecot.service",
        "dovecot",
        "imap-login: Disconnected (auth failed, 9 attempts in 9 secs): user=<bob>, "
        f"method=PLAIN, rip={FRAMED}, lip=192.0.2.1",
    )
    server.wait_until_handled()
    server.assert_forged("dovecot")
    for _ in range(3):
        assert server.imap(USER, "scret", PASSWORD)
    assert not server.imap(ATTACKER, "1", "2")
    assert not server.imap(ATTACKER, "3", user=f"x>, rip={FRAMED}, lip=192.0.2.1, y=<")
    assert not server.imap(ATTACKER, "4")
    server.wait_until_handled()
    server.wait_until_dropped()
    assert not server.imap(ATTACKER, "5")
    server.wait_until_dropped(ATTACKER)


def test_postfix_with_dovecot(server: MailServer) -> None:
    start_dovecot(server)
    start_postfix(server)
    wait_until(lambda: server.smtp(USER, PASSWORD))
    server.forge("postfix@-.service", "postfix/smtpd", SASL)
    # The alias runs a command of a user's, in the unit of Postfix.
    assert server.smtp(USER, PASSWORD, to="liar@example.org")
    server.wait_until_handled()
    server.assert_forged("postfix/smtpd")
    assert not server.smtp(USER, "scret")
    assert server.smtp(USER, PASSWORD, to="bob@example.org")
    for user in ("bob", f"x[{FRAMED}]: SASL PLAIN authentication failed: y", "root", "bob"):
        assert not server.smtp(ATTACKER, "123456", user)
    server.wait_until_handled()
    server.wait_until_dropped()
    assert not server.smtp(ATTACKER, "123456", "admin")
    server.wait_until_dropped(ATTACKER)


def test_nobody_pays_for_it_when_dovecot_is_down(server: MailServer) -> None:
    start_dovecot(server)
    start_postfix(server)
    wait_until(lambda: server.smtp(USER, PASSWORD))
    log_in = server.sessions(USER, 6)
    server.units.kill("dovecot.service")
    assert log_in(PASSWORD) == ["454"] * 6
    server.wait_until_handled()
    server.wait_until_dropped()
    told = "postfix cannot check passwords: SASL: Connect to Dovecot auth socket"
    assert told in server.rows("important")


def test_exim(server: MailServer) -> None:
    start_exim(server)
    wait_until(lambda: server.smtp(USER, PASSWORD))
    line = f"plain authenticator failed for (x) [{FRAMED}]: 535 Incorrect authentication data"
    server.forge("exim4.service", "exim", line)
    server.wait_until_handled()
    server.assert_forged("exim")
    assert not server.smtp(USER, "scret")
    assert server.smtp(USER, PASSWORD, to="bob@example.org")
    for user in ("bob", f"x [{FRAMED}]", "root", "bob"):
        assert not server.smtp(ATTACKER, "123456", user)
    server.wait_until_handled()
    server.wait_until_dropped()
    assert not server.smtp(ATTACKER, "123456", "admin")
    server.wait_until_dropped(ATTACKER)


_SEND = """
import sys, time
from pathlib import Path
from pyruse.config.settings import EmailSettings, SmtpUrl
from pyruse.delivery.attempts import mailer
from pyruse.state.outbox_item import OutboxItem
server, *names = sys.argv[1:]
text, html, target = map(Path, names)
payload = {
    "subject": "host: 1 needs attention – é", "to": ["bob@example.org"], "count": 1,
    "parts": [text.read_text()], "html": html.read_text(), "attachments": [],
    "headers": {"X-Pyruse-Attention": "1", "List-Id": "<pyruse.host>"},
}
settings = EmailSettings(smtp=SmtpUrl.parse(f"smtp://{server}:587"))
for _ in range(600):
    outcome = mailer(settings, "host")(OutboxItem("mail", payload, 0, 0))
    if outcome.end == "sent":
        break
    time.sleep(0.1)
else:
    sys.exit(outcome.fault)
box = Path("/var/mail/bob")
for _ in range(600):
    if box.exists() and box.read_bytes().endswith(b"\\n\\n"):
        break
    time.sleep(0.1)
target.write_bytes(box.read_bytes())
"""


def test_a_report_travels_through_postfix_as_it_was_made(
    server: MailServer, tmp_path: Path
) -> None:
    start_dovecot(server)  # Postfix asks it whether somebody may log in
    start_postfix(server)
    wait_until(lambda: server.smtp(USER, PASSWORD))
    renderer = Renderer(None, 10_000)
    forms = {"plain": tmp_path / "report.txt", "html": tmp_path / "report.html"}
    for form, file in zip(("text", "html"), forms.values(), strict=True):
        file.write_text(renderer.render(eventful(), form))
    box = tmp_path / "mailbox"
    files = map(str, (*forms.values(), box))
    assert server.host.run([sys.executable, "-c", _SEND, SERVER4, *files]) == 0
    with closing(mailbox.mbox(box)) as mails:
        (kept,) = mails
        mail = message_from_bytes(kept.as_bytes(), _class=EmailMessage, policy=policy.default)
    assert mail["Subject"] == "host: 1 needs attention – é"
    assert (mail["X-Pyruse-Attention"], mail["List-Id"]) == ("1", "<pyruse.host>")
    assert mail["Received"]
    for form, file in forms.items():
        body = mail.get_body((form,))
        assert body is not None
        assert body.get_content().replace("\r\n", "\n").rstrip("\n") == file.read_text().rstrip(
            "\n"
        )
