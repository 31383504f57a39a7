"""Mails that are too large for their way: a smaller one arrives, and says what it lacks."""

from __future__ import annotations

import pytest

from pyruse.config.settings import EmailSettings
from pyruse.delivery.attempts import mailer
from pyruse.delivery.outcome import Outcome
from pyruse.state.outbox_item import OutboxItem
from pyruse.testing.smtp import Received, SmtpServer

LINES = 20_000


def large(settings: EmailSettings, **more: object) -> OutboxItem:
    text = "".join(f"line {number} of the report\n" for number in range(LINES))
    payload = {
        "subject": "report", "to": settings.to, "parts": [text], "count": 1,
        "html": f"<pre>{text}</pre>", "attachments": [["a.json", "application/json", text]],
    }  # fmt: skip
    return OutboxItem("mail", {**payload, **more}, 0, 0, id="1234")


def sent(use: object, limit: int, **more: object) -> tuple[Outcome, Received]:
    with SmtpServer(largest=limit) as server:
        settings = use(server)  # type: ignore[operator]
        outcome = mailer(settings, "vm1")(large(settings, **more))
        (received,) = server.wait_for(1)
    assert outcome.end == "sent"
    assert len(received.content) <= limit
    return outcome, received


def test_the_text_goes_before_its_html_and_what_is_attached(use):
    outcome, mail = sent(use, 600_000)
    assert f"line {LINES - 1} of the report" in mail.text
    assert "Left out, for this mail would be too large: the same in HTML, a.json]" in mail.text
    assert outcome.fault.startswith("was cut to 600,000 bytes: [email] smtp: localhost:")
    assert "takes mails of 600,000 bytes at most" in outcome.fault


@pytest.mark.parametrize("limit", [200_000, 10_000])
def test_the_end_of_a_text_is_cut_at_a_line_and_counted(use, limit):
    _, mail = sent(use, limit, html=None, attachments=[])
    shown = mail.text.count(" of the report\n")
    left_out = int(mail.text.partition("too large: ")[2].split()[0].replace(",", ""))
    assert shown + left_out == LINES
    assert mail.text.startswith("line 0 of the report\n")
    assert len(mail.content) > limit * 0.8


def test_gathered_repeats_keep_their_number(use):
    parts = [f"{number} " + "é" * 1500 for number in range(50)]
    _, mail = sent(use, 60_000, parts=parts, count=70, html=None, attachments=[])
    assert mail.message["Subject"] == "report (70 times)"
    assert mail.text.startswith("70 times:")


def test_a_small_mail_is_as_it_is(use):
    outcome, mail = sent(use, 60_000, parts=["hello\n"], html="<p>hello", attachments=[])
    assert outcome.fault == ""
    assert mail.text == "hello\n"


def test_a_sendmail_that_says_no_is_given_less(settings, tmp_path):
    program = tmp_path / "sendmail"
    program.write_text(
        f"#!/bin/sh\ncat > {tmp_path}/mail\n"
        f"[ $(wc -c < {tmp_path}/mail) -lt 100000 ] && exit 0\n"
        "echo 'sendmail: fatal: uid=0: message file too big' >&2; exit 69\n"
    )
    program.chmod(0o755)
    settings.sendmail = [str(program), "-t"]
    outcome = mailer(settings, "vm1")(large(settings))
    assert outcome.end == "sent"
    assert "message file too big" in outcome.fault
    text = (tmp_path / "mail").read_text()
    assert "[Left out, for this mail would be too large: the same in HTML, a.json, " in text


def test_a_way_that_takes_nothing_is_not_tried_for_ever(settings, tmp_path):
    program = tmp_path / "sendmail"
    program.write_text("#!/bin/sh\ncat > /dev/null; echo too large >&2; exit 1\n")
    program.chmod(0o755)
    settings.sendmail = [str(program), "-t"]
    assert mailer(settings, "vm1")(large(settings)).end == "refused"
