"""Files with secrets, of real owners, groups and modes, as Pyruse's user sees them."""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pyruse import SecretFile, hookimpl
from pyruse.chains.model import Chain, Step
from pyruse.config.load import Configuration
from pyruse.config.secrets import secret_faults
from pyruse.config.settings import Settings
from pyruse.testing.plugin import need

SECRET = "correct horse battery"
PYRUSE, ADMIN, MALLORY, GROUP = range(64_001, 64_005)
"""Users, and the group of the first of them: IDs that no machine gives to anybody."""

AsUser = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def file() -> Iterator[Path]:
    """A file with a secret in a folder that every user may look into; pytest's are closed."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        made = Path(folder, "password")
        made.touch(0o600)
        made.write_text(f"{SECRET}\n")
        yield made


@pytest.fixture
def as_user() -> AsUser:
    """``with as_user(uid, *groups)``: what is done is done by this user, by the kernel's rules."""
    need(None if os.geteuid() == 0 else "only root can give files to other users")
    return user


@contextmanager
def user(uid: int, *groups: int) -> Iterator[None]:
    before = os.getgroups(), os.getegid()
    os.setgroups(groups)
    os.setegid(groups[0])
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(before[1])
        os.setgroups(before[0])


def fault_of(file: Path) -> str:
    with pytest.raises(ValueError, match=r"\(expected ") as caught:
        SecretFile(file).read()
    assert SECRET not in str(caught.value)
    return str(caught.value)


# ---- What the configuration says


def test_an_option_is_the_path_of_a_file_that_need_not_be_there_yet() -> None:
    file = SecretFile.parse("/run/credentials/pyruse.service/smtp")
    assert (file, repr(file)) == (
        "/run/credentials/pyruse.service/smtp",
        "'/run/credentials/pyruse.service/smtp'",
    )


@pytest.mark.parametrize("value", [SECRET, "", "password", "~/password", "/a\0b", 5, ["/a"], None])
def test_what_is_no_path_is_refused_and_not_shown_as_it_may_be_the_secret(value: object) -> None:
    with pytest.raises(ValueError, match=r"^that is no path from / on \(expected the path") as told:
        SecretFile.parse(value)
    assert SECRET not in str(told.value)


# ---- Who may read it


@pytest.mark.realparts
@pytest.mark.parametrize(
    ("owner", "group", "mode"),
    [
        (PYRUSE, GROUP, 0o600),
        (PYRUSE, GROUP, 0o400),
        (PYRUSE, 0, 0o640),
        (0, GROUP, 0o640),
        (0, GROUP, 0o440),
        (ADMIN, GROUP, 0o660),
    ],
)
def test_its_owner_or_a_group_may_have_it(
    file: Path, as_user: AsUser, owner: int, group: int, mode: int
) -> None:
    os.chown(file, owner, group)
    file.chmod(mode)
    with as_user(PYRUSE, GROUP):
        assert SecretFile(file).read() == SECRET
    assert SecretFile(file).read() == SECRET, "and `pyruse check` may be run by root"
    with as_user(MALLORY, MALLORY):
        assert "cannot be read: Permission denied" in fault_of(file)


@pytest.mark.realparts
def test_a_credential_of_systemd_is_read_though_its_mode_looks_like_a_groups(
    file: Path, as_user: AsUser
) -> None:
    """Root's, mode 0400, and the service's user in an access control list: write_credential()."""
    file.chmod(0o400)
    nobody = 0xFFFFFFFF
    entries = [  # as in acl(5): the owner, the user, the group, the mask, the others
        (0x01, 4, nobody), (0x02, 4, PYRUSE), (0x04, 0, nobody), (0x10, 4, nobody),
        (0x20, 0, nobody),
    ]  # fmt: skip
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    try:
        os.setxattr(file, "system.posix_acl_access", acl)
    except OSError as fault:
        need(f"the file system of {file} has no access control lists: {fault.strerror}")
    assert file.stat().st_mode & 0o777 == 0o440
    with as_user(PYRUSE, GROUP):
        assert SecretFile(file).read() == SECRET
    with as_user(MALLORY, 0):
        assert fault_of(file).startswith(f"{file} cannot be read: Permission denied (expected")


@pytest.mark.realparts
def test_what_pyruses_user_may_not_read_is_told(file: Path, as_user: AsUser) -> None:
    with as_user(PYRUSE, GROUP):
        assert fault_of(file) == (
            f"{file} cannot be read: Permission denied "
            "(expected a file that Pyruse's user may read, and not everybody)"
        )


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602, 0o444, 0o666, 0o777])
def test_what_every_user_may_open_is_not_read(file: Path, mode: int) -> None:
    file.chmod(mode)
    assert fault_of(file) == (
        f"{file} is open to every user of this machine (expected a file that Pyruse's user may "
        f'read, and not everybody: "chmod o= {file}")'
    )
    file.chmod(mode & ~0o007)  # as it says
    assert SecretFile(file).read() == SECRET


# ---- What is in it


@pytest.mark.parametrize("content", ["a\n", "a", "a\r\n", "a\n\n"])
def test_the_end_of_the_line_is_no_part_of_it(file: Path, content: str) -> None:
    file.write_bytes(content.encode())
    assert SecretFile(file).read() == "a"


def test_blanks_and_all_characters_are_parts_of_it(file: Path) -> None:
    file.write_text(" größer\t\n", "utf-8")
    assert SecretFile(file).read() == " größer\t"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "has no secret on one line (expected one line, and nothing else)"),
        (b"\n", "has no secret on one line"),
        (f"{SECRET}\n# mine\n".encode(), "has no secret on one line"),
        (f"{SECRET}\0".encode(), "has no secret on one line"),
        (SECRET.encode() + b"\xff\n", "cannot be read: not UTF-8 (expected"),
        (b"x" * 65_537, "is too long (expected a secret of at most 65536 characters)"),
    ],
)
def test_what_is_no_secret_is_told_without_showing_it(
    file: Path, content: bytes, fault: str
) -> None:
    file.write_bytes(content)
    assert fault_of(file).startswith(f"{file} {fault}")


def test_a_secret_may_have_several_lines(file: Path) -> None:
    file.write_text(f"{SECRET}\r\n\nmore\n")
    assert SecretFile(file).read_all() == f"{SECRET}\n\nmore\n"


def test_it_is_read_anew_each_time(file: Path) -> None:
    secret = SecretFile(file)
    assert secret.read() == SECRET
    new = file.with_name("new")
    new.touch(0o600)
    new.write_text("new\n")
    new.rename(file)
    assert secret.read() == "new"


def test_what_is_no_file_is_told_at_once(file: Path) -> None:
    assert "cannot be read: Is a directory (expected" in fault_of(file.parent)
    file.unlink()
    assert "cannot be read: No such file or directory (expected" in fault_of(file)
    os.mkfifo(file, 0o600)  # nobody writes into it: whoever reads waits
    assert fault_of(file).startswith(f"{file} is no file (expected")


def test_a_hostile_name_is_shown_on_one_line(file: Path) -> None:
    named = file.rename(file.with_name("a\x1b[31m\nb"))
    named.chmod(0o644)
    said = fault_of(named)
    assert said.isprintable()
    assert r"a\x1b[31m b" in said


# ---- What is told before it is needed


@dataclass
class Account:
    key: SecretFile


@dataclass
class Notify:
    """A step with secrets at all the places where options can have some."""

    key_file: SecretFile | None = None
    others: list[SecretFile] = field(default_factory=list)
    by_name: dict[str, SecretFile] = field(default_factory=dict)
    account: Account | None = None


@dataclass
class Wall:
    """A firewall, whose options are in [bans.wall]."""

    key_file: SecretFile

    @hookimpl
    def open_firewall(self, name: str) -> None:
        """None: nobody asks."""


class Careless(SecretFile):
    def read(self) -> str:
        raise KeyError(super().read())


def told(step: Any, **programs: Any) -> list[str]:
    chain = Chain("a", [Step("a", 0, "action", "notify", step, source="pyruse.toml")])
    return secret_faults(Configuration(Settings(), {"a": chain}, programs))


def test_each_is_told_with_the_address_of_its_option(file: Path) -> None:
    good, gone = SecretFile(file), SecretFile(file.with_name("gone"))
    step = Notify(gone, [good, gone], {"x y": gone}, Account(gone))
    fault = f"{gone} cannot be read: No such file or directory (expected a file that Pyruse's"
    addresses = [line.partition(f": {fault}")[0] for line in told(step, wall=Wall(gone), n=step)]
    options = ["key_file", "others[1]", 'by_name."x y"', "account.key"]
    assert addresses == [
        "bans.wall.key_file",
        *(f"plugins.n.{option}" for option in options),
        *(f'pyruse.toml: chains."a"[0].{option}' for option in options),
    ]


def test_nothing_is_told_of_those_that_can_be_read(file: Path) -> None:
    assert (
        told(Notify(SecretFile(file)), wall=Wall(SecretFile(file)), module=SimpleNamespace()) == []
    )


def test_a_type_of_a_plugins_own_that_fails_shows_no_secret_either(file: Path) -> None:
    [said] = told(Notify(Careless(file)))
    assert said == (
        'pyruse.toml: chains."a"[0].key_file: KeyError (expected a working plugin: upgrade or '
        "remove it)"
    )
