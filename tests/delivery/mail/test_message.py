from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from typing import Any

import pytest

from pyruse.config.settings import EmailSettings, SmtpUrl
from pyruse.delivery.mail.message import compose
from pyruse.options.mail_address import MailAddress
from pyruse.state.outbox_item import OutboxItem

CREATED = 1_773_489_600_123_456  # 2026-03-14 12:00:00.123456 UTC


def mail_item(text: str = "Ban of 192.0.2.7\n", **payload: Any) -> OutboxItem:
    parts = payload.pop("parts", [text])
    whole = {"subject": "Pyruse", "to": ["root"], "parts": parts, "count": 1, "html": None}
    return OutboxItem("mail", {**whole, **payload}, CREATED, CREATED, id="0123abcd")


def travelled(message: EmailMessage) -> EmailMessage:
    """The mail as its reader's program sees it."""
    content = message.as_bytes()
    assert all(len(line) <= 998 for line in content.splitlines())  # RFC 5321
    return message_from_bytes(content, _class=EmailMessage, policy=policy.default)


def text_of(message: EmailMessage) -> str:
    body = travelled(message).get_body(("plain",))
    assert body is not None
    return content_of(body)


def content_of(part: Message) -> str:
    assert isinstance(part, EmailMessage)
    content: str = part.get_content()
    return content.replace("\r\n", "\n")


def test_the_headers(settings):
    mail = travelled(compose(mail_item(), settings, "vm1.example.org"))
    assert mail["From"] == "pyruse@example.org"
    assert mail["To"] == "root"
    assert mail["Subject"] == "Pyruse"
    assert mail["Date"] == "Sat, 14 Mar 2026 12:00:00 +0000"
    assert mail["Message-ID"] == "<0123abcd@vm1.example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    assert content_of(mail) == "Ban of 192.0.2.7\n"


def test_the_same_item_gives_the_same_mail():
    first, again = (compose(mail_item(), EmailSettings(), "vm1").as_bytes() for _ in range(2))
    assert first == again


def test_default_sender_is_completed_with_the_host():
    mail = compose(mail_item(), EmailSettings(), "vm1.example.org")
    assert mail["From"].addresses[0].addr_spec == "pyruse@vm1.example.org"


def test_local_users_are_left_to_sendmail_but_completed_for_a_mail_server(settings):
    item = mail_item(to=["root", "bob@example.org"])
    assert travelled(compose(item, settings, "vm1"))["To"] == "root, bob@example.org"
    settings.smtp = SmtpUrl.parse("smtp://mail.example.org")
    assert travelled(compose(item, settings, "vm1"))["To"] == "root@vm1, bob@example.org"


@pytest.mark.parametrize(
    ("host", "right"),
    [
        ("", "localhost"),
        ("my_host", "my-host"),
        ("vm1\r\nBcc: x@y", "vm1-Bcc-x-y"),
        ("héhé.example", "h-h-.example"),
        ("…", "localhost"),
        ("h" * 300, "h" * 253),
    ],
)
def test_odd_host_names_are_made_harmless(settings, host, right):
    mail = travelled(compose(mail_item(), settings, host))
    assert mail["Message-ID"] == f"<0123abcd@{right}>"
    assert mail["Bcc"] is None


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        ("Ban\r\nBcc: evil@example.net", "Ban Bcc: evil@example.net"),
        ("Ban\nBcc: evil@example.net", "Ban Bcc: evil@example.net"),
        ("Ban\rBcc: evil@example.net", "Ban Bcc: evil@example.net"),
        ("Ban\x00\x0b\x85\u2028Bcc: x", r"Ban\x00\x0b\x85\u2028Bcc: x"),
        ("\x1b[31mred \u202eright to left", r"\x1b[31mred \u202eright to left"),
        # What Python's email package would decode (RFC 2047), new header and all.
        ("=?utf-8?q?Ban=0D=0ABcc:_evil@example.net?=", None),
        ("=?utf-8?b?QmFuDQpCY2M6IGV2aWxAZXhhbXBsZS5uZXQ=?= ban", None),
        ("=?=?utf-8?q?Ban=0ABcc:_evil@example.net?=", None),
        ("Verbot für Jürgen: „Größe“", "Verbot für Jürgen: „Größe“"),
        ("日本" * 90, "日本" * 90),
        ("x" * 3000, "x" * 200 + "… (2800 more characters)"),
        ("\udc80", r"\udc80"),
        ("", ""),
    ],
)
def test_subjects_are_one_line_and_never_a_new_header(settings, subject, shown):
    mail = travelled(compose(mail_item(subject=subject), settings, "vm1"))
    assert mail["Subject"] == (shown or subject.replace("=?", "= ?"))
    assert set(mail.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted",
        "Content-Type", "Content-Transfer-Encoding", "MIME-Version",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\n", "plain\n"),
        ("no line end", "no line end\n"),
        ("grüße\n" * 3, "grüße\n" * 3),
        ("日本語\n", "日本語\n"),
        ("x" * 5000 + "\n", "x" * 5000 + "\n"),
        ("é" * 5000 + "\n", "é" * 5000 + "\n"),
        ("\x1b]0;title\x07 and \x00\n", "\\x1b]0;title\\x07 and \\x00\n"),
        ("one\r\ntwo\rthree\n", "one\ntwo\\x0dthree\n"),
        ("From here\n.\n..\n", "From here\n.\n..\n"),
        ("\ud800\n", "\\ud800\n"),
        ("", "\n"),
    ],
)
def test_text_arrives_as_it_was_with_control_characters_shown(settings, text, shown):
    assert text_of(compose(mail_item(text), settings, "vm1")) == shown


def test_html_comes_as_an_alternative_to_the_text(settings):
    mail = travelled(compose(mail_item("é", html="<p>\x1bé</p>"), settings, "vm1"))
    assert mail.get_content_type() == "multipart/alternative"
    text, html = mail.iter_parts()
    assert (text.get_content_type(), content_of(text)) == ("text/plain", "é\n")
    assert (html.get_content_type(), content_of(html)) == ("text/html", "<p>\\x1bé</p>\n")
    assert html.get_content_charset() == "utf-8"


def test_attachments_come_after_the_text_as_they_were(settings):
    attached = [["report.json", "application/json", '{"é": 1}\n']]
    mail = travelled(
        compose(mail_item("é", html="<p>é</p>", attachments=attached), settings, "vm1")
    )
    assert mail.get_content_type() == "multipart/mixed"
    [attachment] = mail.iter_attachments()
    assert attachment.get_content_type() == "application/json"
    assert attachment.get_filename() == "report.json"
    assert attachment.get_content() == '{"é": 1}\n'.encode()
    assert text_of(mail) == "é\n"


def test_gathered_repeats_are_counted_and_quoted(settings):
    item = mail_item(parts=["Ban of 192.0.2.7", "Ban of 192.0.2.8"], count=2, html="<p>first</p>")
    mail = compose(item, settings, "vm1")
    assert mail["Subject"] == "Pyruse (2 times)"
    assert mail.get_content_type() == "text/plain"
    assert text_of(mail) == "2 times:\n\nBan of 192.0.2.7\nBan of 192.0.2.8\n"


def test_gathered_repeats_that_are_not_quoted_are_counted(settings):
    item = mail_item(parts=["two\nlines\n", "y" * 3000], count=57)
    quoted = "two\nlines\n\n" + "y" * 2000 + "… (1000 more characters)\n\n… and 55 more\n"
    assert text_of(compose(item, settings, "vm1")) == f"57 times:\n\n{quoted}"


def test_non_ascii_addresses(settings):
    settings.from_ = MailAddress("jürgen@bücher.example")
    mail = compose(mail_item(to=["root", "root", "renée@example.org"]), settings, "vm1")
    assert mail["From"].addresses[0].addr_spec == "jürgen@xn--bcher-kva.example"  # IDNA
    content = mail.as_bytes()
    assert "To: root, renée@example.org".encode() in content  # RFC 6532
    assert travelled(mail)["Subject"] == "Pyruse"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "Bob <bob@example.org>",
        "bob@example.org\r\nBcc: evil@example.net",
        "bob\x1b@example.org",
        "=?utf-8?q?bob=0A?=@example.org",
        "bob@" + "ü" * 70 + ".example",
        "bob@ü..example",
    ],
)
def test_what_is_no_address_is_told(settings, address):
    with pytest.raises(ValueError, match=r"is no (mail address|domain).* \(expected "):
        compose(mail_item(to=[address]), settings, "vm1")


def test_a_mail_to_nobody_is_told(settings):
    with pytest.raises(ValueError, match=r'nobody to send it to \(expected \[email\] to = \["'):
        compose(mail_item(to=[]), settings, "vm1")
