"""The files of a configuration: what may stand in their place, and lists of several files."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from pyruse.config.load import load
from pyruse.errors import ConfigError

CHAINS = '[chains]\n"all" = [ { action = "discard" } ]\n'
EXPECTED = "(expected a TOML file; another place is chosen with -c PATH or PYRUSE_CONFIG)"


def faults_of(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load(path)
    return refused.value.faults


def make_fifo(file: Path) -> None:
    os.mkfifo(file)


def make_socket(file: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(file))


def link_to_device(file: Path) -> None:
    file.symlink_to("/dev/zero")


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (make_fifo, "a FIFO"),
        (make_socket, "a socket"),
        (link_to_device, "a device"),
    ],
)
@pytest.mark.parametrize("name", ["pyruse.toml", "conf.d/10-more.toml"])
def test_what_is_no_file_is_told_of_and_not_waited_for(
    tmp_path: Path, make: Callable[[Path], None], what: str, name: str
) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "00-chains.toml").write_text(CHAINS)
    file = tmp_path / name
    make(file)
    assert faults_of(tmp_path) == [f"{file}: cannot be read: it is {what} {EXPECTED}"]


@pytest.mark.parametrize("make", [make_fifo, link_to_device])
def test_the_file_of_the_option_may_be_no_file_either(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    file = tmp_path / "one.toml"
    make(file)
    assert faults_of(file)[0].startswith(f"{file}: cannot be read: it is a ")


def test_a_link_that_leads_nowhere_is_told_of(tmp_path: Path) -> None:
    file = tmp_path / "pyruse.toml"
    file.symlink_to("gone.toml")
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "00-chains.toml").write_text(CHAINS)
    assert faults_of(tmp_path) == [f"{file}: cannot be read: No such file or directory {EXPECTED}"]


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "one.toml"
    file.write_text(CHAINS)
    os.truncate(file, 1 << 40)
    assert faults_of(file) == [f"{file}: cannot be read: it is larger than 16 MiB {EXPECTED}"]


def test_a_configuration_in_a_pipe_is_read_to_its_end() -> None:
    ours, theirs = os.pipe()
    try:
        os.write(theirs, CHAINS.encode())
        os.close(theirs)
        assert list(load(f"/dev/fd/{ours}").chains) == ["all"]
        # As a reload finds it: the old configuration stays.
        assert "there are none" in faults_of(Path(f"/dev/fd/{ours}"))[0]
    finally:
        os.close(ours)


def folder(path: Path, *nevers: str) -> Path:
    (path / "conf.d").mkdir()
    for number, never in enumerate(nevers):
        name = "pyruse.toml" if not number else f"conf.d/{number}0.toml"
        (path / name).write_text(f"[bans]\n{never}\n")
    (path / "conf.d" / "99-chains.toml").write_text(CHAINS)
    return path


def test_never_is_what_all_files_say(tmp_path: Path) -> None:
    path = folder(
        tmp_path, 'never = ["198.51.100.0/24"]', 'log = false', 'never = ["192.0.2.0/24"]',
        "never = []",
    )  # fmt: skip
    never = load(path).settings.bans.never
    assert [str(one) for one in never] == ["198.51.100.0/24", "192.0.2.0/24"]


def test_the_faults_of_never_are_told_with_their_files(tmp_path: Path) -> None:
    path = folder(
        tmp_path, 'never = ["198.51.100.0/24", "?"]', 'never = ["192.0.2.0/24"]', "never = [10]"
    )
    expected = '(expected an address or "192.168.1.0/24", "2001:db8::/32")'
    assert faults_of(path) == [
        f'{path}/pyruse.toml: bans.never[1]: "?" is no network {expected}',
        f"{path}/conf.d/20.toml: bans.never[0]: 10 is no network {expected}",
    ]


@pytest.mark.parametrize("place", [0, 1])
def test_a_never_that_is_no_list_is_told_with_its_file(tmp_path: Path, place: int) -> None:
    nevers = ['never = ["198.51.100.0/24"]']
    nevers.insert(place, 'never = "192.0.2.0/24"')
    path = folder(tmp_path, *nevers)
    file = path / ("conf.d/10.toml" if place else "pyruse.toml")
    assert faults_of(path) == [
        f'{file}: bans.never: "192.0.2.0/24" is no list of networks (expected '
        '["192.168.1.0/24", …])'
    ]
