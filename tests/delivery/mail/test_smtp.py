"""Mail servers: real ones, with every way of saying no."""

import socket
import threading

import pytest

from pyruse.config.settings import EmailSettings, SmtpUrl
from pyruse.delivery.mail.message import compose
from pyruse.delivery.mail.refusals import MailError
from pyruse.delivery.mail.transport import send
from pyruse.options.durations import Duration
from pyruse.options.mail_address import MailAddress
from pyruse.options.secret_file import SecretFile
from pyruse.state.outbox_item import OutboxItem
from pyruse.testing.smtp import SmtpServer


def mail(settings: EmailSettings, *to: str):
    payload = {
        "subject": "Größe", "to": to or settings.to, "parts": [".\nGrüße\n"], "count": 1,
        "html": None,
    }  # fmt: skip
    return compose(OutboxItem("mail", payload, 0, 0, id="1234"), settings, "vm1")


def failure(settings: EmailSettings, *to: str) -> MailError:
    with pytest.raises(MailError) as caught:
        send(mail(settings, *to), settings)
    return caught.value


@pytest.mark.parametrize("tls", ["none", "starttls", "tls"])
@pytest.mark.parametrize("login", [None, ("pyruse", "secret")])
def test_a_mail_arrives(use, tls, login):
    with SmtpServer(tls=tls, login=login) as server:
        settings = use(server, "secret" if login else None)
        assert not send(mail(settings, "root", "bob@example.org"), settings).refusals
        (received,) = server.wait_for(1)
    assert received.sender == "pyruse@example.org"
    assert received.recipients == ["root", "bob@example.org"], "it knows its own users best"
    assert received.message["Subject"] == "Größe"
    assert received.text == ".\nGrüße\n"
    assert received.content.count(b"\n") == received.content.count(b"\r\n")
    assert received.encrypted is (tls != "none")
    assert received.user == ("pyruse" if login else None)


def test_a_wrong_password_is_told_and_loses_no_mail(use):
    with SmtpServer(tls="starttls", login=("pyruse", "secret")) as server:
        settings = use(server, "hunter2")
        fault = failure(settings)
    assert not fault.permanent
    assert 'refuses the login of "pyruse": 535 ' in str(fault)
    assert f"(expected the password in {settings.password_file})" in str(fault)
    assert "hunter2" not in str(fault)


def test_a_password_outside_ascii(use):
    with SmtpServer(tls="tls", login=("pyruse", "Größe")) as server:
        settings = use(server, "Größe")
        send(mail(settings), settings)
        assert server.messages[0].user == "pyruse"
        assert "refuses the login" in str(failure(use(server, "größer")))


def test_a_missing_password_is_told(use, tmp_path):
    with SmtpServer(login=("pyruse", "secret")) as server:
        settings = use(server)
        assert str(failure(settings)) == (
            "[email] password_file: missing "
            '(expected the file with the password of "pyruse")'
        )  # fmt: skip
        settings.password_file = SecretFile(tmp_path / "gone")
        assert f"{tmp_path}/gone cannot be read: No such file" in str(failure(settings))


def test_mail_waits_while_everybody_may_read_the_password(use, tmp_path):
    with SmtpServer(login=("pyruse", "secret")) as server:
        settings = use(server, "secret")
        file = tmp_path / "password"
        file.chmod(0o644)
        fault = failure(settings)
        assert str(fault).startswith(f"[email] password_file: {file} is open to every user")
        assert "secret" not in str(fault)
        assert fault.whole_way
        assert not fault.permanent
        file.chmod(0o600)
        assert not send(mail(settings), settings).refusals


def test_a_login_that_is_not_offered_or_not_given_is_told(use):
    with SmtpServer() as server:
        settings = use(server, "secret")
        settings.smtp = SmtpUrl.parse(f"smtp://bob@localhost:{server.port}")
        assert 'offers no login (expected it, for "bob"; without:' in str(failure(settings))
    with SmtpServer(login=("pyruse", "secret")) as server:
        settings = use(server)
        settings.smtp = SmtpUrl.parse(f"smtp://localhost:{server.port}")
        fault = failure(settings)
    assert "530 5.7.0 Authentication required" in str(fault)
    assert not fault.permanent


def test_nothing_is_sent_in_clear_text_where_starttls_is_wanted(use):
    with SmtpServer() as server:
        settings = use(server)
        settings.smtp = SmtpUrl.parse(f"smtp+starttls://localhost:{server.port}")
        fault = failure(settings)
        assert server.messages == []
    assert not fault.permanent
    assert "offers no STARTTLS (expected it, as nothing is sent in clear text" in str(fault)


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_certificate_that_is_not_trusted_is_told(use, tls):
    with SmtpServer(tls=tls) as server:
        settings = use(server)
        settings.ca_file = None
        fault = failure(settings)
        assert server.messages == []
    assert not fault.permanent
    assert "shows a certificate that is not trusted: self" in str(fault)


def test_a_certificate_of_another_host_is_told(use):
    with SmtpServer(tls="tls") as server:
        settings = use(server)
        settings.smtp = SmtpUrl.parse(f"smtps://0.0.0.0:{server.port}")  # for Linux, this machine
        assert "is not trusted: IP address mismatch" in str(failure(settings))
        assert server.messages == []


def test_a_ca_file_that_is_none_is_told(use, tmp_path):
    with SmtpServer(tls="tls") as server:
        settings = use(server)
        settings.ca_file = tmp_path / "gone.pem"
        assert f"[email] ca_file: {tmp_path}/gone.pem cannot be used: " in str(failure(settings))
        settings.ca_file.write_text("no certificate\n")
        assert f"[email] ca_file: {tmp_path}/gone.pem cannot be used: " in str(failure(settings))


@pytest.mark.parametrize(
    ("command", "reply", "permanent"),
    [
        ("MAIL", "451 4.3.0 later", False),
        ("MAIL", "550 5.7.1 not from you", False),  # the sender is the same for all mails
        ("MAIL", "552 5.3.4 too big", True),
        ("RCPT", "450 4.2.0 greylisted", False),
        ("RCPT", "550 5.1.1 nobody here", True),
        ("DATA", "451 4.3.0 later", False),
        ("DATA", "554 5.7.1 not this one", True),
        ("DATA", "552 5.2.2 mailbox full", False),  # there may be room tomorrow
        ("RCPT", "552 5.2.2 mailbox full", False),
        ("RCPT", "421 4.3.2 going down", False),
    ],
)
def test_replies_say_whether_to_try_again(use, command, reply, permanent):
    with SmtpServer(replies={command: reply}) as server:
        settings = use(server)
        fault = failure(settings)
        assert server.messages == []
    assert fault.permanent is permanent
    assert str(fault).startswith(f"[email] smtp: localhost:{server.port} refuses ")
    assert reply in str(fault)


@pytest.mark.parametrize(
    ("refused", "name"),
    [
        (["RCPT root"], "root@localhost"),  # Exim wants a domain
        (["RCPT root", "RCPT root@localhost"], "root@vm1"),
    ],
)
def test_a_user_of_the_servers_machine_is_named_as_it_understands(use, refused, name):
    with SmtpServer(replies=dict.fromkeys(refused, "501 needs another domain")) as server:
        settings = use(server)
        assert not send(mail(settings, "root"), settings).refusals
        (received,) = server.messages
    # Exim wants a domain in the header, too.
    assert (received.recipients, received.message["To"]) == ([name], "root@vm1")


def test_what_the_server_answers_is_told(use):
    with SmtpServer(replies={}) as server:
        settings = use(server)
        assert send(mail(settings), settings).answer == "250 2.0.0 OK"


def test_the_others_get_what_one_recipient_is_refused(use):
    replies = {
        "RCPT gone@example.org": "550 5.1.1 no such\x1b user",
        "RCPT full@example.org": "452 4.2.2 mailbox full",
    }
    with SmtpServer(replies=replies) as server:
        settings = use(server)
        to = ["gone@example.org", "bob@example.org", "full@example.org"]
        gone, full = send(mail(settings, *to), settings).refusals
        assert server.messages[0].recipients == ["bob@example.org"]
    assert str(gone) == "gone@example.org (550 5.1.1 no such\\x1b user)"
    assert gone.permanent
    assert (full.address, full.permanent) == ("full@example.org", False)


def test_addresses_outside_ascii(use):
    with SmtpServer() as server:
        settings = use(server)
        assert not send(mail(settings, "renée@example.org"), settings).refusals
        assert server.messages[0].recipients == ["renée@example.org"]
        assert server.messages[0].message["Subject"] == "Größe"


def test_addresses_outside_ascii_for_a_server_that_takes_none(use):
    with SmtpServer(utf8=False) as server:
        settings = use(server)
        (refused,) = send(mail(settings, "renée@example.org", "bob@example.org"), settings).refusals
        assert (refused.address, refused.permanent) == ("renée@example.org", True)
        assert server.messages[0].recipients == ["bob@example.org"]
        assert server.messages[0].message["To"] == "bob@example.org"
        assert failure(settings, "renée@example.org").permanent
        settings.from_ = MailAddress("pyrusé@example.org")
        assert "(SMTPUTF8)" in str(failure(settings))


def test_a_server_that_is_away_is_told(settings):
    with socket.socket() as bound:  # so that nobody else listens there, and nobody does
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        settings.smtp = SmtpUrl.parse(f"smtp://127.0.0.1:{port}")
        fault = failure(settings)
    assert not fault.permanent
    assert str(fault) == (
        f"[email] smtp: 127.0.0.1:{port} cannot be used: Connection refused "
        "(expected a mail server there)"
    )


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_server_that_hangs_is_given_up(settings, scheme):
    with socket.create_server(("127.0.0.1", 0)) as server:  # connects, and never says a word
        settings.smtp = SmtpUrl.parse(f"{scheme}://127.0.0.1:{server.getsockname()[1]}")
        settings.timeout = Duration(seconds=0.2)
        fault = failure(settings)
    assert not fault.permanent
    assert "does not answer within 0.2 s (expected a mail server)" in str(fault)


@pytest.mark.parametrize(
    ("says", "text"),
    [
        (b"554 5.3.2 no service\r\n", "554 5.3.2 no service"),
        (b"HTTP/1.1 400 Bad Request\r\n", "answers"),
        (b"", "cannot be used: Connection unexpectedly closed"),
        (b"220 " + b"x" * 10_000, "Line too long"),
    ],
)
def test_what_is_no_mail_server_is_told(settings, says, text):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(says)
                connection.settimeout(20)

        thread = threading.Thread(target=answer)
        thread.start()
        settings.smtp = SmtpUrl.parse(f"smtp://127.0.0.1:{server.getsockname()[1]}")
        fault = failure(settings)
        thread.join()
    assert not fault.permanent
    assert text in str(fault)


def test_a_mail_that_was_taken_counts_whatever_the_server_says_then(settings):
    replies = [b"220 hello\r\n", b"250 hello\r\n", b"250 OK\r\n", b"250 OK\r\n", b"354 go\r\n"]
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as lines:
                for reply in replies:
                    connection.sendall(reply)
                    if reply != replies[-1]:
                        lines.readline()
                while lines.readline() != b".\r\n":
                    pass
                connection.sendall(b"250 taken\r\n")
                lines.readline()  # QUIT, and no answer

        thread = threading.Thread(target=serve)
        thread.start()
        settings.smtp = SmtpUrl.parse(f"smtp://127.0.0.1:{server.getsockname()[1]}")
        assert not send(mail(settings), settings).refusals
        thread.join()
