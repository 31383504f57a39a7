"""The mail of a report, to a mail server and out of it again."""

from __future__ import annotations

import json

from pyruse.api.findings import Column
from pyruse.delivery.attempts import mailer
from pyruse.report.render import Renderer
from pyruse.testing.pipeline import Pipeline
from pyruse.testing.smtp import SmtpServer
from tests.delivery.mail.test_message import content_of
from tests.report.eventful import eventful
from tests.report.sample import HOSTILE

CONFIG = """
[email]
to = ["hostmaster@example.org"]
[chains]
all = [ { action = "report", section = "interesting", message = "{MESSAGE}" } ]
"""


def test_what_arrives_is_what_was_rendered(use, pipeline):
    report = eventful()
    report.attend(HOSTILE, 99, quote=HOSTILE)
    report.add_summary("日本", "日本語", [Column("名前")], [["é" * 180] for _ in range(2_000)])
    renderer = Renderer(None, 10_000)
    flow: Pipeline = pipeline(CONFIG)
    flow.engine.deliver(report)
    flow.state.commit()
    (item,) = flow.state.outbox.items("mail")
    with SmtpServer() as server:
        outcome = mailer(use(server), "mercury.example.org")(item)
        (received,) = server.wait_for(1)
    assert outcome.end == "sent"
    mail = received.message
    assert mail.get_content_type() == "multipart/alternative"
    plain, html = mail.iter_parts()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert content_of(plain) == renderer.render(report, "text")
    assert content_of(html) == renderer.render(report, "html") + "\n"
    assert mail["X-Pyruse-Attention"] == "8"
    assert mail["List-Id"].startswith("<pyruse.")
    assert len(received.content) <= 200_000
    assert max(map(len, received.content.splitlines())) <= 998, "RFC 5321"
    assert received.content.isascii()


def test_the_headers_are_there_whatever_the_day_and_no_line_adds_any(use, pipeline):
    flow: Pipeline = pipeline(CONFIG)
    flow.feed(MESSAGE=HOSTILE, _HOSTNAME="evil\r\nBcc: x@example.org")
    report = flow.end_day()
    report.machine = "evil\r\nBcc: x@example.org"
    flow.engine.deliver(report)
    flow.state.commit()
    first, second = flow.state.outbox.items("mail")
    assert json.dumps(first.payload["headers"]).count("X-Pyruse-Attention") == 1
    with SmtpServer() as server:
        for item in (first, second):
            mailer(use(server), "mercury")(item)
        mails = [one.message for one in server.wait_for(2)]
    assert [mail["X-Pyruse-Attention"] for mail in mails] == ["0", "0"]
    assert mails[1]["List-Id"] == "<pyruse.evil-Bcc-x-example.org>"
    assert mails[1]["Bcc"] is None
