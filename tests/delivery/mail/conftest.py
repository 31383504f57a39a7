from pathlib import Path

import pytest

from pyruse.config.settings import EmailSettings, SmtpUrl
from pyruse.options.durations import Duration
from pyruse.options.mail_address import MailAddress
from pyruse.options.secret_file import SecretFile
from pyruse.testing.smtp import SmtpServer
from pyruse.testing.waiting import TIME_LIMIT


@pytest.fixture
def settings() -> EmailSettings:
    """Of a machine that has no sendmail."""
    return EmailSettings(
        from_=MailAddress("pyruse@example.org"),
        to=[MailAddress("hostmaster@example.org")],
        sendmail=["/nowhere/sendmail", "-t", "-i"],
        timeout=Duration(seconds=TIME_LIMIT),
    )


@pytest.fixture
def use(settings: EmailSettings, tmp_path: Path):
    """Have the settings name a mail server, as its administrator would."""

    def use_server(server: SmtpServer, password: str | None = None) -> EmailSettings:
        settings.smtp = SmtpUrl.parse(server.url)
        settings.ca_file = server.ca_file
        if password is not None:
            file = tmp_path / "password"
            file.touch(0o600)
            file.write_text(f"{password}\n")
            settings.password_file = SecretFile(file)
        return settings

    return use_server
