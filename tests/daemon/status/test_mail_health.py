"""Whether mails leave, as `pyruse status` sees it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyruse.config.settings import EmailSettings
from pyruse.daemon.status import mail_health as module
from pyruse.daemon.status.mail_health import MailHealth, mail_health
from pyruse.options.mail_address import MailAddress
from pyruse.state.database import State
from pyruse.state.outbox_item import OutboxItem

NOW = 1_773_489_600_000_000
HOUR = 3_600_000_000


def mail(age: int, **more: object) -> OutboxItem:
    return OutboxItem("mail", {"parts": [""], "count": 1}, NOW - age, NOW, **more)  # type: ignore[arg-type]


def look(*items: OutboxItem, to: str = "root", sendmail: str = "/bin/true") -> MailHealth:
    settings = EmailSettings(to=[MailAddress(to)] if to else [], sendmail=[sendmail])
    with State() as state:
        return mail_health(settings, state.db, items, NOW, os.getpid())


def test_all_is_well() -> None:
    found = look(mail(0), mail(2 * HOUR), mail(0, error="450 later", attempts=1))
    assert found.is_well
    assert (found.to, found.way, found.faults) == (["root"], "/bin/true", [])


def test_a_mail_that_has_failed_for_an_hour() -> None:
    found = look(mail(HOUR, error="450 later", attempts=7))
    assert (found.late, found.is_well) == (1, False)


def test_a_report_that_is_refused_and_tried_again_in_an_hour() -> None:
    item = mail(0, error="554 no", attempts=1)
    item.due = NOW + HOUR
    assert not look(item).is_well


def test_a_mail_that_was_set_aside() -> None:
    found = look(mail(0, error="550 no", attempts=1, refused=True))
    assert (found.set_aside, found.late, found.is_well) == (1, 0, False)


def test_no_sendmail_is_no_way_for_those_who_get_mail() -> None:
    found = look(sendmail="/nowhere/sendmail")
    assert not found.is_well
    assert '"/nowhere/sendmail" is not there' in found.faults[0]
    assert look(to="", sendmail="/nowhere/sendmail").is_well, "nobody waits for any"


def test_a_sendmail_that_the_sandbox_of_the_daemon_keeps_from_its_rights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sendmail = tmp_path / "sendmail"
    sendmail.write_text("#!/bin/sh\n")
    sendmail.chmod(0o2755)
    assert look(sendmail=str(sendmail)).is_well
    # It is asked of the daemon, and not of this process.
    monkeypatch.setattr(module, "no_new_privileges", lambda pid: pid == os.getpid())
    found = look(sendmail=str(sendmail))
    assert not found.is_well
    assert "cannot work in the service" in found.faults[0]
