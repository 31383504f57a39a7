"""Which way mails can leave a machine: its mail server is asked, its sendmail looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pyruse.config.settings import SENDMAIL, EmailSettings, SmtpUrl
from pyruse.options.mail_address import MailAddress
from pyruse.setup import mail_way
from pyruse.setup.mail_way import MailWay, about_local_users, find, in_words, needs_drop_in
from pyruse.testing.smtp import SmtpServer

SENDER = "pyruse@vm1"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Have a program sendmail, or none; nobody listens."""
    monkeypatch.setattr(mail_way, "_PATH", str(tmp_path))
    monkeypatch.setattr(mail_way, "listens", lambda _: False)

    def have(script: str, name: str = "sendmail", mode: int = 0o755) -> Path:
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(mode)
        if name != "sendmail":
            (tmp_path / "sendmail").symlink_to(program)
        return tmp_path / "sendmail"

    return have


def serve(monkeypatch: pytest.MonkeyPatch, server: SmtpServer) -> None:
    monkeypatch.setattr(mail_way, "SMTP_PORT", server.port)
    monkeypatch.setattr(mail_way, "listens", lambda port: port == server.port)


def test_the_mail_server_of_the_machine_is_asked_and_gets_no_mail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with SmtpServer() as server:
        serve(monkeypatch, server)
        assert find(["root"], SENDER) == MailWay(smtp="smtp://localhost")
        assert server.messages == []


@pytest.mark.parametrize(
    ("command", "reply"), [("MAIL", "553 5.7.1 not you"), ("RCPT", "550 5.1.1 nobody here")]
)
def test_where_it_takes_none_sendmail_does(
    monkeypatch: pytest.MonkeyPatch, programs: Callable[..., Path], command: str, reply: str
) -> None:
    program = programs("true")
    with SmtpServer(replies={command: reply}) as server:
        serve(monkeypatch, server)
        found = find(["root"], SENDER)
    assert (found.smtp, found.sendmail) == (None, str(program))
    assert found.why == f"localhost takes no such mail: {reply}"


def test_a_server_that_wants_to_be_asked_again_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    with SmtpServer(replies={"RCPT": "450 4.2.0 greylisted"}) as server:
        serve(monkeypatch, server)
        assert find(["root"], SENDER).smtp == "smtp://localhost"


def test_a_sendmail_that_needs_rights_needs_the_drop_in(
    programs: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = programs("true", mode=0o2755)
    way = find(["root"], SENDER)
    assert way.sendmail == str(program)
    assert in_words(way, ["root"]) == (
        f"Mail to root goes to {program}, for no mail server listens; {program} is set-group-ID, "
        "so the service needs the drop-in sendmail.conf, which `pyruse init --service` puts in "
        "place"
    )
    email = EmailSettings(to=[MailAddress("root")], sendmail=[str(program), "-t", "-i"])
    assert needs_drop_in(email) == program
    assert needs_drop_in(EmailSettings(sendmail=[str(program)])) is None, "nobody gets mail"
    email.smtp = SmtpUrl.parse("smtp://localhost")
    assert needs_drop_in(email) is None
    monkeypatch.setattr(mail_way, "listens", lambda _: True)
    assert needs_drop_in(EmailSettings(to=[MailAddress("root")], sendmail=SENDMAIL)) is None


def test_msmtp_without_a_configuration_is_no_way(programs: Callable[..., Path]) -> None:
    programs('[ "$1" = --pretend ] || exit 1; exit 78', "msmtp")
    found = find(["root"], SENDER)
    assert not found.is_there
    assert found.why.endswith("has no configuration (expected /etc/msmtprc)")


def test_msmtp_with_one_is(programs: Callable[..., Path]) -> None:
    program = programs("true", "msmtp")
    assert find(["root"], SENDER).sendmail == str(program)


def test_there_is_none(programs: Callable[..., Path]) -> None:
    assert not find(["root"], SENDER).is_there


def test_opensmtpd_delivers_nothing_to_root(
    programs: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_way, "_ALIASES", tmp_path / "aliases")
    programs("true", "smtpctl")
    told = about_local_users(["root"])
    assert told is not None
    assert told.startswith("warning: OpenSMTPD delivers no mail to root (expected a line such as")
    (tmp_path / "aliases").write_text("root: alice\n")
    assert about_local_users(["root"]) is None


@pytest.mark.parametrize(
    ("aliases", "to", "told"),
    [
        ("# none\npostmaster: root\n", ["root"], True),
        ("Root: you@example.org\n", ["root"], False),
        ("", ["you@example.org"], False),
    ],
)
def test_where_the_mail_of_root_ends_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, aliases: str, to: list[str], told: bool
) -> None:
    file = tmp_path / "aliases"
    monkeypatch.setattr(mail_way, "_ALIASES", file)
    file.write_text(aliases)
    assert (about_local_users(to) is not None) is told
