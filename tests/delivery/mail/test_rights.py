"""A sendmail that needs rights which the sandbox of the service gives to no program."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pyruse.config.settings import EmailSettings
from pyruse.delivery.mail import rights, transport
from pyruse.delivery.mail.rights import file_that_needs_rights
from pyruse.delivery.mail.transport import by_what_works, check
from pyruse.options.mail_address import MailAddress
from pyruse.system import sandbox
from pyruse.system.sandbox import listens, service_keeps_rights_from_programs
from pyruse.testing.plugin import need
from pyruse.testing.smtp import SmtpServer


@pytest.fixture
def sendmail(tmp_path: Path) -> Path:
    """As Debian has it: the programs that it hands mails over to are beside it."""
    for name in ("sendmail", "postdrop", "nullmailer-queue", "msmtp"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    return tmp_path / "sendmail"


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("sendmail", 0o4755),
        ("sendmail", 0o2755),
        ("postdrop", 0o2555),
        ("nullmailer-queue", 0o4755),
    ],
)
def test_the_program_that_needs_rights_is_found(sendmail: Path, name: str, mode: int) -> None:
    assert file_that_needs_rights(sendmail) is None
    helper = sendmail.with_name(name)
    helper.chmod(mode)
    assert file_that_needs_rights(sendmail) == helper
    link = sendmail.with_name("mta")  # as /etc/alternatives has it
    link.symlink_to(sendmail)
    assert file_that_needs_rights(link) == helper


def test_msmtp_needs_rights_only_to_read_what_others_may_not(
    sendmail: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = sendmail.with_name("msmtprc")
    settings.touch(0o640)
    settings.chmod(0o640)
    monkeypatch.setattr(rights, "_READS", {"msmtp": settings})
    program = sendmail.with_name("msmtp")
    program.chmod(0o2755)
    assert file_that_needs_rights(program) == program
    settings.chmod(0o644)
    assert file_that_needs_rights(program) is None


CHECK = """
import sys
from pyruse.config.settings import EmailSettings
from pyruse.delivery.mail.transport import check
print(*check(EmailSettings(to=["root"], sendmail=[sys.argv[1]])), sep="\\n")
"""


@pytest.mark.realparts
@pytest.mark.parametrize("name", ["sendmail", "postdrop"])
def test_a_sendmail_that_the_sandbox_keeps_from_its_rights_is_told_of(
    sendmail: Path, name: str
) -> None:
    need(None if os.geteuid() == 0 and shutil.which("setpriv") else "needs root, setpriv")
    arguments = ["setpriv", "--no-new-privs", sys.executable, "-c", CHECK, str(sendmail)]
    fine = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert fine.stdout == "\n"
    sendmail.with_name(name).chmod(0o2755)
    told = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert told.stdout == (
        f'[email] sendmail: "{sendmail}" cannot work in the service: {sendmail.with_name(name)} is '
        "set-group-ID, and the sandbox gives no program such rights (expected smtp = "
        '"smtp://localhost" in [email]; or pyruse init --service, which puts '
        "/etc/systemd/system/pyruse.service.d/sendmail.conf in place)\n"
    )
    settings = EmailSettings(to=[MailAddress("root")], sendmail=[str(sendmail)])
    assert check(settings) == [], "here, it gets its rights"


def sandboxed() -> bool:
    return True


@pytest.fixture
def default(sendmail: Path, monkeypatch: pytest.MonkeyPatch) -> EmailSettings:
    """Settings that name no way, where the machine's sendmail needs rights, in the sandbox."""
    sendmail.chmod(0o2755)
    monkeypatch.setattr(transport, "SENDMAIL", [str(sendmail), "-t", "-i"])
    return EmailSettings(to=[MailAddress("root")], sendmail=[str(sendmail), "-t", "-i"])


def test_by_default_mail_goes_to_the_server_of_this_machine_then(default: EmailSettings) -> None:
    assert check(default, sandboxed=sandboxed) == []
    found = by_what_works(default, sandboxed).smtp
    assert (found and found.host, found and found.port) == ("localhost", 25)
    other = EmailSettings(sendmail=[default.sendmail[0]])  # what is named is used
    assert by_what_works(other, sandboxed) is other
    assert by_what_works(default) is default, "here, it gets its rights"


def test_where_none_listens_the_remedy_is_told(default: EmailSettings) -> None:
    (told,) = check(default, sandboxed=sandboxed, listens=lambda _: False)
    assert told.startswith("[email] smtp: localhost:25: no mail server listens (expected one that ")
    assert told.endswith(
        "such rights (expected pyruse init --service, which puts /etc/systemd/system/pyruse.service"
        ".d/sendmail.conf in place; or smtp in [email], such as that of your mail provider)"
    )


SHOWN = "LoadState={}\nUser={}\nNoNewPrivileges={}\nSystemCallFilter={}\n"


@pytest.mark.parametrize(
    ("shown", "kept"),
    [
        (SHOWN.format("loaded", "pyruse", "yes", ""), True),
        (SHOWN.format("loaded", "pyruse", "no", "@system-service"), True),  # which implies it
        (SHOWN.format("loaded", "pyruse", "no", "~"), False),  # by the drop-in, in systemd 252
        (SHOWN.format("loaded", "pyruse", "no", ""), False),
        (f"{SHOWN.format('loaded', 'pyruse', 'yes', '')}MainPID=OURS\n", False),
        (SHOWN.format("loaded", "", "no", "@system-service"), False),  # root needs no rights
        (SHOWN.format("not-found", "", "no", ""), False),
        ("", False),
    ],
)
def test_the_sandbox_of_the_service_is_looked_at_from_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: str, kept: bool
) -> None:
    program = tmp_path / "systemctl"
    ours = str(os.getpid())  # a process that may get more rights
    program.write_text(f"#!/bin/sh\ncat <<EOF\n{shown.replace('OURS', ours)}EOF\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert service_keeps_rights_from_programs() is kept


def test_without_systemd_nobody_knows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not sandbox.service_keeps_rights_from_programs()


def test_a_server_that_listens_is_seen_without_a_connection() -> None:
    with SmtpServer() as server:
        assert listens(server.port)
    assert not listens(server.port)
