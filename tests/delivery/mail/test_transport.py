"""The machine's sendmail: any program that takes a mail as sendmail(8) does."""

from email import message_from_bytes, policy

import pytest

from pyruse.config.settings import EmailSettings, SmtpUrl
from pyruse.delivery.mail.message import compose
from pyruse.delivery.mail.refusals import MailError
from pyruse.delivery.mail.transport import check, send, way
from pyruse.options.durations import Duration
from pyruse.options.mail_address import MailAddress
from pyruse.options.secret_file import SecretFile
from pyruse.state.outbox_item import OutboxItem
from pyruse.system.sandbox import listens
from pyruse.testing.smtp import SmtpServer


def mail(settings: EmailSettings, *to: str, text: str = "Grüße\n.\nend\n"):
    payload = {
        "subject": "Ban", "to": to or settings.to, "parts": [text], "count": 1, "html": None
    }  # fmt: skip
    return compose(OutboxItem("mail", payload, 0, 0), settings, "vm1")


@pytest.fixture
def sendmail(settings, tmp_path):
    """Have a program in place of sendmail; its mail goes to the file `mail`."""

    def have(script: str, *arguments: str):
        program = tmp_path / "sendmail"
        program.write_text(f"cd {tmp_path}\n{script}\n")
        settings.sendmail = ["/bin/sh", str(program), *arguments]
        return tmp_path

    return have


def failure(settings: EmailSettings, *to: str) -> MailError:
    with pytest.raises(MailError) as caught:
        send(mail(settings, *to), settings)
    return caught.value


STORE = 'cat > mail; printf "%s\\n" "$@" > arguments'


def test_sendmail_is_handed_the_mail(settings, sendmail):
    folder = sendmail(STORE, "-t", "-i")
    assert not send(mail(settings), settings).refusals
    content = (folder / "mail").read_bytes()
    assert b"\r" not in content
    assert message_from_bytes(content, policy=policy.default)["To"] == "hostmaster@example.org"
    assert (folder / "arguments").read_text() == "-t\n-i\n"


@pytest.mark.parametrize("arguments", [["-i"], [], ["-f", "bounces-t@example.org"]])
def test_recipients_are_arguments_where_sendmail_does_not_read_them(settings, sendmail, arguments):
    folder = sendmail(STORE, *arguments)
    send(mail(settings, "root", "bob@example.org"), settings)
    given = (folder / "arguments").read_text().split()
    assert given == [*arguments, "root", "bob@example.org"]


@pytest.mark.parametrize("option", ["-t", "-ti", "-it", "--read-recipients"])
def test_recipients_are_no_arguments_where_sendmail_reads_them(settings, sendmail, option):
    folder = sendmail(STORE, option)
    send(mail(settings), settings)
    assert (folder / "arguments").read_text().split() == [option]


def test_a_recipient_is_never_taken_for_an_option(settings, sendmail):
    sendmail(STORE)
    fault = failure(settings, "-oQ/tmp@example.org")
    assert fault.permanent
    assert 'the recipient "-oQ/tmp@example.org" looks like an option (expected "-t"' in str(fault)


def test_a_big_mail_to_a_sendmail_that_talks_much(settings, sendmail):
    folder = sendmail(f"yes noise | head -c 3000000; {STORE}", "-t")
    message = mail(settings, text="line\n" * 300_000)
    send(message, settings)
    assert (folder / "mail").stat().st_size > 1_000_000


def test_a_sendmail_that_does_not_read_is_believed(settings, sendmail):
    sendmail("exec <&-; exit 0", "-t")
    assert not send(mail(settings, text="line\n" * 300_000), settings).refusals


@pytest.mark.parametrize(
    ("status", "permanent"), [(75, False), (1, False), (67, True), (65, True), (68, True)]
)
def test_exit_codes_say_whether_to_try_again(settings, sendmail, status, permanent):
    sendmail(f"echo >&2 'no luck\x07'; echo >&2 'at all'; exit {status}", "-t")
    fault = failure(settings)
    assert fault.permanent is permanent
    expected = rf'[email] sendmail: "/bin/sh" failed with exit code {status}: no luck\x07 | at all'
    assert str(fault) == expected


def test_a_sendmail_that_hangs_is_killed(settings, sendmail):
    sendmail("sleep 60", "-t")
    settings.timeout = Duration(seconds=0.2)
    fault = failure(settings)
    assert not fault.permanent
    assert str(fault) == '[email] sendmail: "/bin/sh" was killed after 0.2 s, its time limit'


def test_a_missing_sendmail_is_told(settings):
    fault = failure(settings)
    assert not fault.permanent
    assert str(fault) == (
        '[email] sendmail: "/nowhere/sendmail" is not there '
        "(expected a program such as /usr/sbin/sendmail; or set [email] smtp)"
    )


def test_other_reasons_why_sendmail_cannot_be_run(settings, tmp_path):
    settings.sendmail = [str(tmp_path)]
    assert "cannot be run: [Errno 13] Permission denied" in str(failure(settings))
    settings.sendmail = []
    assert str(failure(settings)).startswith("[email] sendmail: no program is named (expected")
    settings.sendmail = ["sendmail\0"]
    assert "cannot be run: embedded null byte" in str(failure(settings))


def test_check_finds_nothing_wrong(settings, use):
    settings.sendmail = ["/bin/sh"]
    assert check(settings) == []
    with SmtpServer(login=("pyruse", "secret")) as server:
        assert check(use(server, "secret")) == []


def test_check_warns_of_sendmail(settings, tmp_path):
    settings.to = []
    to, sendmail = check(settings)
    assert to == '[email] to: nobody gets the mails (expected to = ["hostmaster@example.org"])'
    assert sendmail.startswith('[email] sendmail: "/nowhere/sendmail" is not there (expected')
    settings.sendmail = [str(tmp_path / "file")]
    (tmp_path / "file").touch()
    settings.password_file = SecretFile(tmp_path / "file")
    _, sendmail, password = check(settings)
    assert "cannot be executed (expected a program such as" in sendmail
    assert password == "[email] password_file: without smtp, it is not used (expected none)"
    settings.sendmail = []
    assert check(settings)[1].startswith("[email] sendmail: no program is named")


def test_check_warns_of_a_server_of_this_machine_that_does_not_listen(settings, use):
    with SmtpServer() as server:
        use(server)
        assert check(settings, listens=listens) == []
    assert check(settings, listens=listens) == [
        f"[email] smtp: no mail server listens at localhost:{server.port} (expected one that runs; "
        "without smtp, mail goes to the program sendmail)"
    ]
    assert check(settings) == [], "at a start of the machine, it may be about to"


def test_who_wants_files_and_no_mail_is_not_warned(settings):
    settings.to = []
    assert check(settings, archived=True) == []
    settings.to = [MailAddress("root")]
    assert len(check(settings, archived=True)) == 1


def test_check_warns_of_smtp(settings, tmp_path):
    settings.smtp = SmtpUrl.parse("smtp://bob@mail.example.org")
    settings.ca_file = tmp_path / "missing.pem"
    password, ca_file, clear_text = check(settings)
    assert clear_text == (
        '[email] smtp: the password of "bob" travels in clear text '
        '(expected "smtp+starttls://…" or "smtps://…")'
    )
    assert password.startswith("[email] password_file: missing (expected the file with")
    assert ca_file.endswith("missing.pem cannot be read (expected a PEM file)")


def test_check_warns_of_addresses_that_a_server_elsewhere_does_not_take(settings):
    settings.sendmail = ["/bin/sh"]
    settings.to = [MailAddress("root"), MailAddress("müller@bücher.example")]
    outside = (
        '[email] to: "müller@bücher.example" is outside ASCII, and not every mail server takes '
        "that (expected one that does: pyruse test-mail tells)"
    )
    assert check(settings) == [outside], "sendmail knows root"
    settings.smtp = SmtpUrl.parse("smtp://localhost")
    assert check(settings) == [outside], "so does the server of this machine"
    settings.smtp = SmtpUrl.parse("smtp://mail.example.org")
    assert check(settings) == [
        outside,
        '[email] to: "root" is a user of this machine, whom mail.example.org does not know '
        "(expected an address, such as you@example.org)",
    ]
    settings.to = [MailAddress("root@bücher.example")]
    assert check(settings) == [], "a domain has a form in ASCII"


def test_the_sender_is_the_customer_of_the_provider():
    settings = EmailSettings(smtp=SmtpUrl.parse("smtps://you%40example.org@mail.example.org"))
    assert settings.sender == "you@example.org"
    settings.from_ = MailAddress("pyruse@example.org")
    assert settings.sender == "pyruse@example.org"
    assert EmailSettings(smtp=SmtpUrl.parse("smtps://you@mail.example.org")).sender == "pyruse"


@pytest.mark.parametrize(
    "url",
    [
        "smtp://localhost", "smtp://[::1]:2525", "smtps://you@mail.example.org",
        "smtp+starttls://you@example.org@mail.example.org:25",
    ],
)  # fmt: skip
def test_the_way_is_shown_as_it_is_written(url):
    assert way(EmailSettings(smtp=SmtpUrl.parse(url))) == url


def test_check_warns_of_the_password_file(settings, tmp_path):
    settings.smtp = SmtpUrl.parse("smtps://bob@mail.example.org")
    file = tmp_path / "password"
    settings.password_file = SecretFile(file)
    assert f"{file} cannot be read: No such file or directory (expected" in check(settings)[0]
    file.write_text("secret\n")
    file.chmod(0o644)
    (warning,) = check(settings)
    assert warning.startswith(f"[email] password_file: {file} is open to every user of this machin")
    file.chmod(0o640)
    assert check(settings) == []
    settings.smtp = SmtpUrl.parse("smtps://mail.example.org")
    assert check(settings)[0].startswith("[email] password_file: not used, as smtp names no user")


def test_addresses_of_the_settings_are_what_compose_takes(settings):
    settings.to = [MailAddress.parse("root"), MailAddress.parse("a.b+c@example.org")]
    assert mail(settings)["To"] == "root, a.b+c@example.org"
