"""Mails that are encrypted, by gpg itself: what arrives is what was to be sent, for its owner."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from pyruse.config.settings import EmailSettings
from pyruse.delivery.attempts import mailer
from pyruse.delivery.mail.openpgp import check
from tests.delivery.mail.test_message import mail_item

SECRET = "root logged in from 203.0.113.66 – after 140 failures"


@pytest.fixture(scope="module")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A key of a reader, with the secret part of it."""
    folder = tmp_path_factory.mktemp("gnupg")
    folder.chmod(0o700)
    make = ["--passphrase", "", "--quick-generate-key", "reader@example.org", "rsa2048", "encr"]
    gpg(folder, *make)
    yield folder
    subprocess.run(["gpgconf", "--homedir", str(folder), "--kill", "all"], check=False)


def gpg(folder: Path, *arguments: str, data: bytes = b"") -> bytes:
    command = ["gpg", "--batch", "--quiet", "--homedir", str(folder), "--pinentry-mode", "loopback"]
    done = subprocess.run([*command, *arguments], input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def settings(tmp_path: Path, keyring: Path) -> EmailSettings:
    """Mails go into a file."""
    script = tmp_path / "sendmail"
    script.write_text(f"#!/bin/sh\ncat > {tmp_path}/mail\n")
    script.chmod(0o755)
    return EmailSettings(
        sendmail=[str(script), "-t"], encrypt_to=["reader@example.org"], keyring=keyring
    )


def read(data: bytes) -> EmailMessage:
    return message_from_bytes(data, _class=EmailMessage, policy=policy.default)


def test_only_the_owner_of_the_key_reads_the_mail_and_its_subject(settings, keyring, tmp_path):
    item = mail_item(f"{SECRET}\n", subject=SECRET, html=f"<p>{SECRET}</p>")
    outcome = mailer(settings, "vm1.example.org")(item)
    assert (outcome.end, outcome.fault) == ("sent", "")
    data = (tmp_path / "mail").read_bytes()
    assert b"203.0.113.66" not in data
    mail = read(data)
    assert mail["Subject"] == "[...]"
    assert mail["To"] == "root"
    assert mail.get_content_type() == "multipart/encrypted"
    assert mail.get_param("protocol") == "application/pgp-encrypted"
    version, content = mail.iter_parts()
    assert version.get_content_type() == "application/pgp-encrypted"
    assert version.get_payload() == "Version: 1\n"
    armour = content.get_payload(decode=True)
    assert isinstance(armour, bytes)
    inner = read(gpg(keyring, "--decrypt", data=armour))
    assert inner["Subject"] == SECRET
    assert inner["Message-ID"] == mail["Message-ID"]
    assert inner.get_param("hp") == "cipher"  # RFC 9788 §4.2
    plain, html = inner.get_body(("plain",)), inner.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().splitlines() == [SECRET]
    assert SECRET in html.get_content()


def test_without_its_key_nothing_goes_out(settings, tmp_path):
    settings.encrypt_to = ["reader@example.org", "nobody@example.org"]
    outcome = mailer(settings, "vm1")(mail_item(SECRET))
    assert outcome.end == "retry"
    assert "it cannot be encrypted, and is not sent" in outcome.fault
    assert "nobody@example.org" in outcome.fault
    assert not (tmp_path / "mail").exists()


def test_without_gpg_nothing_goes_out(settings, tmp_path):
    settings.gpg = ["/no/such/gpg"]
    outcome = mailer(settings, "vm1")(mail_item(SECRET))
    assert (outcome.end, outcome.whole_way) == ("retry", True)
    assert '[email] gpg: "/no/such/gpg" is not there' in outcome.fault
    assert not (tmp_path / "mail").exists()


ENDS_EARLY = "cat > /dev/null; echo '-----BEGIN PGP MESSAGE-----'; echo; echo hQEMA"


@pytest.mark.parametrize(
    "does", ["sleep 600", "cat", "cat > /dev/null", ENDS_EARLY, "kill -9 $$", "exit 0"]
)
def test_whatever_gpg_does_nothing_goes_out_in_the_clear(settings, tmp_path, does):
    script = tmp_path / "gpg"
    script.write_text(f"#!/bin/sh\n{does}\n")
    script.chmod(0o755)
    settings.gpg, settings.timeout = [str(script)], timedelta(seconds=2)
    outcome = mailer(settings, "vm1")(mail_item(SECRET))
    assert outcome.end == "retry"
    assert outcome.fault
    assert not (tmp_path / "mail").exists()


def test_a_keyring_that_is_none_lets_nothing_out(settings, tmp_path):
    (tmp_path / "file").write_text("no keyring")
    for keyring in (tmp_path / "file", tmp_path / "missing"):
        settings.keyring = keyring
        outcome = mailer(settings, "vm1")(mail_item(SECRET))
        assert outcome.end == "retry"
        assert not (tmp_path / "mail").exists()


def test_a_mail_of_its_own_keys_and_one_that_is_not_encrypted(settings, tmp_path):
    keys = settings.encrypt_to
    settings.encrypt_to = []
    mailer(settings, "vm1")(mail_item(SECRET, encrypt_to=keys))
    assert SECRET.encode() not in (tmp_path / "mail").read_bytes()
    settings.encrypt_to = keys
    mailer(settings, "vm1")(mail_item("free for all\n", encrypt_to=[]))
    assert b"free for all" in (tmp_path / "mail").read_bytes()


def test_a_keyring_that_may_not_be_changed_is_enough(settings, keyring, tmp_path):
    copy = tmp_path / "keyring"
    copy.mkdir()
    (copy / "pubring.kbx").write_bytes((keyring / "pubring.kbx").read_bytes())
    copy.chmod(0o500)
    settings.keyring = copy
    assert mailer(settings, "vm1")(mail_item(SECRET)).end == "sent"
    assert sorted(file.name for file in copy.iterdir()) == ["pubring.kbx"]


def test_check_tries_each_key(settings):
    assert check(settings) == []
    settings.encrypt_to = ["nobody@example.org"]
    (fault,) = check(settings)
    assert fault.startswith(
        '[email] encrypt_to[0]: nothing can be encrypted to "nobody@example.org": "gpg" failed'
    )


@pytest.mark.parametrize("key", ["", " ", "--output=/etc/passwd", "a\nb"])
def test_what_is_no_key(key):
    with pytest.raises(ValueError, match="expected the fingerprint of a key"):
        EmailSettings(encrypt_to=[key])
