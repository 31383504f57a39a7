"""``pyruse kinds``: what was reported, by kind; with and without a daemon."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pyruse.state.database import State
from pyruse.testing import Daemon
from tests.state.filed import About, count_kind, file_event

T = 1_773_489_600_000_000  # µs: 2026-03-14 12:00 UTC
HOSTILE = "\x1b[31mred\x1b[0m \u202eevil"

CONFIG = """
[journal]
directory = "{folder}/empty"
[state]
url = "sqlite://{folder}/state.sqlite"
keep = "5000w"
[report]
timezone = "UTC"
[email]
to = []
[chains]
"all" = [ {{ action = "report", section = "other", message = "{{MESSAGE}}" }} ]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "empty").mkdir()
    file = tmp_path / "pyruse.toml"
    file.write_text(CONFIG.format(folder=tmp_path))
    return file


def fill(folder: Path) -> dict[str, str]:
    """Two days of kinds; :return: their ids by template."""
    ids = {}
    with State(str(folder / "state.sqlite")) as state:
        for day, program, template, level, number in (
            ("2026-03-13", "sshd", "Connection from * closed", 6, 3),
            ("2026-03-14", "sshd", "Connection from * closed", 6, 2),
            ("2026-03-14", "kernel", "* on fire", 1, 1),
            ("2026-03-13", "app", HOSTILE, None, 1),
        ):
            for one in range(number):
                text = template.replace("*", f"lp{one}")
                kind = count_kind(
                    state.kinds, day, "h", "other", "", program, template, level, text, T
                )
                about = About(kind, program, level, "", "")
                file_event(state.days, day, "other", text, "ALL", T + one, "h", "step", about)
                ids[template] = f"{kind:012x}"
        state.commit()
    return ids


@pytest.fixture
def ids(config: Path, tmp_path: Path) -> dict[str, str]:
    return fill(tmp_path)


def listed(pyruse: Callable[..., Any], config: Path, *options: object) -> list[dict[str, Any]]:
    done = pyruse("kinds", "-c", config, *options, "--format", "json")
    assert done.code == 0, done.err
    kinds: list[dict[str, Any]] = json.loads(done.out)
    return kinds


def templates(pyruse: Callable[..., Any], config: Path, *options: object) -> list[str]:
    return [kind["template"] for kind in listed(pyruse, config, *options)]


def test_lists_what_came_most_often_first(
    pyruse: Callable[..., Any], config: Path, ids: dict[str, str]
) -> None:
    done = pyruse("kinds", "-c", config)
    first, *others = done.out.splitlines()
    assert first.split("\t") == [
        ids["Connection from * closed"], "sshd", "info", "other", "5", "2", "2026-03-13",
        "2026-03-14", "Connection from * closed",
    ]  # fmt: skip
    assert len(others) == 2
    assert "\x1b" not in done.out
    assert "\u202e" not in done.out


def test_on_a_terminal_an_id_is_whole_and_the_kind_below_it(
    on_terminal: Callable[..., Any], config: Path, ids: dict[str, str]
) -> None:
    lines = on_terminal("kinds", "-c", config).out.splitlines()
    closed = ids["Connection from * closed"]
    assert lines[:3] == [
        "3 kinds",
        f"{closed}        5 ×  2026-03-13 – 2026-03-14  sshd (other, info)",
        "    Connection from * closed",
    ]


def test_numbers_by_day_as_json(
    pyruse: Callable[..., Any], config: Path, ids: dict[str, str]
) -> None:
    first, *_ = listed(pyruse, config)
    assert first == {
        "id": ids["Connection from * closed"], "template": "Connection from * closed",
        "program": "sshd", "level": 6, "section": "other", "event": "",
        "example": "Connection from lp0 closed", "first": "2026-03-13", "last": "2026-03-14",
        "events": 5, "days": {"2026-03-13": 3, "2026-03-14": 2}, "muted": False,
    }  # fmt: skip


@pytest.mark.usefixtures("ids")
def test_some_of_them(pyruse: Callable[..., Any], config: Path) -> None:
    assert templates(pyruse, config, "FIRE", "kernel") == ["* on fire"]
    assert templates(pyruse, config, "fire", "sshd") == []
    assert templates(pyruse, config, "--new") == ["* on fire"]
    assert templates(pyruse, config, "--new", "--day", "2026-03-13", "closed") == [
        "Connection from * closed"
    ]
    (kind,) = listed(pyruse, config, "--day", "2026-03-14", "connection")
    assert (kind["events"], kind["days"]) == (2, {"2026-03-14": 2})
    assert templates(pyruse, config, "--day", "2026-03-10") == []


def test_shows_one(pyruse: Callable[..., Any], config: Path, ids: dict[str, str]) -> None:
    done = pyruse("kinds", "-c", config, ids["Connection from * closed"])
    assert done.out == (
        "kind        Connection from * closed\n"
        "program     sshd\n"
        "level       info\n"
        "section     other\n"
        "first seen  2026-03-13\n"
        "\n"
        "2026-03-13\t3\n"
        "2026-03-14\t2\n"
        "\n"
        "2\tConnection from lp0 closed\n"
        "2\tConnection from lp1 closed\n"
        "1\tConnection from lp2 closed\n"
    )
    done = pyruse("kinds", "-c", config, ids["* on fire"], "--format", "json")
    assert json.loads(done.out)["messages"] == [{"message": "lp0 on fire", "events": 1}]


def test_says_how_many_are_not_kept(
    pyruse: Callable[..., Any], config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pyruse.state.counted_kinds.MOST", 2)
    fill(tmp_path)
    done = pyruse("kinds", "-c", config)
    assert len(done.out.splitlines()) == 2
    assert done.err == "events of kinds that came too seldom to be kept: 5\n"


@pytest.fixture(params=["without a daemon", "with a daemon"])
def either(
    request: pytest.FixtureRequest, tmp_path: Path, ids: dict[str, str]
) -> Iterator[dict[str, str]]:
    with Daemon(tmp_path) as daemon:
        if request.param == "with a daemon":
            daemon.start()
        yield ids


def test_muted_until_it_is_not(
    pyruse: Callable[..., Any], config: Path, either: dict[str, str]
) -> None:
    fire = either["* on fire"]
    done = pyruse("kinds", "-c", config, "--mute", fire)
    assert (done.code, done.out, done.err) == (0, f"{fire}: muted\n", "")
    assert templates(pyruse, config, "--muted") == ["* on fire"]
    assert pyruse("kinds", "-c", config, "fire").out.endswith("* on fire (muted)\n")
    done = pyruse("kinds", "-c", config, "--unmute", fire)
    assert (done.code, done.out) == (0, f"{fire}: told of again\n")
    assert templates(pyruse, config, "--muted") == []


def test_what_is_no_kind_is_said(
    pyruse: Callable[..., Any], config: Path, ids: dict[str, str]
) -> None:
    unknown = "0123456789ab"
    fault = f"no kind has the ID {unknown} (expected one that `pyruse kinds` lists)"
    for options in ([unknown], ["--mute", unknown], ["--unmute", ids["* on fire"]]):
        done = pyruse("kinds", "-c", config, *options)
        assert done.code == 1
        assert done.err.strip() == f"pyruse: {fault}".replace(unknown, options[-1])
    done = pyruse("kinds", "-c", config, "--mute", "fire")
    assert done.code == 2
    assert '"fire" is no kind (expected an ID of 12 hexadecimal digits' in done.err
    done = pyruse("kinds", "-c", config, "--mute", ids["* on fire"], "word")
    assert done.code == 2
