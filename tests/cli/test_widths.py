"""What commands say fits a terminal of 60, 80, 100 and 120 columns, and nothing is broken in it.

The texts at 60, 80 and 120 columns are in the folder `golden`. When they are meant to change,
``PYRUSE_GOLDEN=write pytest tests/cli/test_widths.py`` writes them anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pyruse.cli.table import drawn, wrapped
from pyruse.columns import columns as cells
from pyruse.testing.journal import FIRST_TIME, make_journal, unavailable
from pyruse.testing.plugin import need

GOLDEN = Path(__file__).parent / "golden"
CONFIG = """
[journal]
files = ["{journal}"]
start = "head"
[state]
url = "sqlite://{folder}/state.sqlite"
[report]
timezone = "UTC"
[email]
to = ["root"]
smtp = "smtp://127.0.0.1:1"
[bans]
backend = "command"
command = {{ ban = ["/bin/true", "{{ip}}"], unban = ["/bin/true", "{{ip}}"] }}
[chains]
"ssh" = [
  {{ filter = "regex", pattern = '^Failed password for (?P<user>\\S+) from (?P<ip>\\S+) port' }},
  {{ action = "report", section = "important", message = "{{ip}} guesses who {{user}} is" }},
]
"all" = [ {{ action = "report", section = "other", message = "{{MESSAGE}}" }} ]
"""
ADDRESSES = ("203.0.113.7", "2001:db8:1111:2222:3333:4444:5555:6666", "198.51.100.128/25")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

SHOWN = {
    "bans": ["bans"],
    "status": ["status"],
    "kinds": ["kinds"],
    "report": ["report", "2026-03-14"],
    "days": ["report", "--list"],
    "stats": ["stats"],
}
"""What has a golden text, with the command."""
ALL = [
    *SHOWN.values(),
    ["outbox"],
    ["plugins"],
    ["plugins", "regex"],
    ["rules"],
    ["rules", "sshd"],
    ["--help"],
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration with a state."""
    need(unavailable())
    folder = tmp_path_factory.mktemp("widths")
    entries: list[dict[str, object]] = []
    for number in range(40):
        address = ADDRESSES[number % 2]
        entries.append(
            {
                "SYSLOG_IDENTIFIER": "sshd" if number % 3 else "a-daemon-with-a-long-name",
                "PRIORITY": number % 7,
                "MESSAGE": f"Failed password for root from {address} port 22 ssh2"
                if number % 5
                else "A long line about nothing much, which has to be broken at some place, 10 GB",
                "__REALTIME_TIMESTAMP": FIRST_TIME + number * 60_000_000,
                "_HOSTNAME": "aubergine",
            }
        )
    journal = make_journal(folder / "day.journal", entries)  # type: ignore[arg-type]
    (folder / "pyruse.toml").write_text(CONFIG.format(journal=journal, folder=folder))
    return folder


@pytest.fixture
def shown(place, pyruse, on_terminal, monkeypatch) -> Callable[..., str]:
    """``shown(80, "bans")``: what a command shows on so wide a terminal, at a fixed time."""
    monkeypatch.setattr("pyruse.cli.doubts.addresses_of_session", set)
    config = place / "pyruse.toml"
    if not (place / "state.sqlite").exists():
        assert pyruse("run", "--once", "-c", config).code == 0
        assert pyruse("ban", *ADDRESSES, "--for", "5d", "-c", config).code == 0
        done = pyruse("ban", "192.0.2.200", "--label", "because of the mails", "-c", config)
        assert done.code == 0

    def run(columns: int, *arguments: str) -> str:
        chosen = [] if arguments[0] == "--help" else ["-c", config]
        environment = {"NO_COLOR": "1", "PYTHONUTF8": "1"}
        done = on_terminal(*arguments, *chosen, columns=columns, environment=environment)
        if arguments[0] == "stats":  # the progress is shown, and removed
            done.out = done.out.rpartition("\x1b[2K")[2]
        return _SEQUENCE.sub("", done.out).replace(str(place), "/somewhere")

    return run


def settled(text: str) -> str:
    """A text with the times of the test's own run set to one that stays."""
    text = _MOMENT.sub(lambda found: found[0] if found[0][:7] == "2026-03" else MOMENT, text)
    text = re.sub(r"Pyruse \d\S*", "Pyruse 2.0", text)
    today = re.compile(r"^(?!2026-03)\d{4}-\d\d-\d\d(?=  )", re.MULTILINE)
    return today.sub("2026-11-30", text)


MOMENT = "2026-11-30 10:00:00"


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("name", SHOWN)
def test_golden(shown, name, columns):
    text = settled(shown(columns, *SHOWN[name]))
    file = GOLDEN / f"{name}-{columns}.txt"
    if os.environ.get("PYRUSE_GOLDEN") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("columns", [60, 80, 100, 120])
@pytest.mark.parametrize("arguments", ALL, ids=" ".join)
def test_nothing_is_too_wide_or_broken(shown, arguments, columns):
    text = shown(columns, *arguments)
    for line in text.splitlines():
        is_example = line.startswith("{ ")  # of a plugin: to be copied
        assert cells(line) <= columns or len(line.split()) == 1 or is_example, line
    if arguments == ["bans"]:
        for address in (*ADDRESSES, "192.0.2.200/32"):
            assert address.removesuffix("/32") in text
        assert len(_MOMENT.findall(text)) == 7  # four times since, three times until
    if arguments == ["status"]:
        assert "127.0.0.1:1" in text
        assert not re.search(r"\d{4}-\d\d-\d\d$", text, re.MULTILINE)  # a date, and then its time


def test_the_same_in_a_pipe_whatever_the_width(place, process, monkeypatch):
    outputs = set()
    for columns in ("40", "200"):
        monkeypatch.setenv("COLUMNS", columns)
        outputs.add(process("report", "2026-03-14", "-c", place / "pyruse.toml").out)
    assert len(outputs) == 1


def test_no_colours_where_none_are_wanted(place, on_terminal):
    arguments = ["report", "--list", "-c", place / "pyruse.toml"]
    assert "\x1b[1mday" in on_terminal(*arguments).out
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in on_terminal(*arguments, environment=environment).out


def test_a_text_is_broken_between_words():
    text = "since 2026-03-14 12:00:00 about 10 GB of 192.0.2.1"
    assert list(wrapped(text, 24, "* ")) == [
        "* since",
        "  2026-03-14 12:00:00",
        "  about 10 GB of",
        "  192.0.2.1",
    ]
    assert list(wrapped("日本語 日本語", 8)) == ["日本語", "日本語"]
    assert list(wrapped("x" * 30, 10, "> ")) == [f"> {'x' * 30}"]
    assert list(wrapped("", 10, "> ")) == ["> "]


def test_what_has_no_room_beside_stands_below_or_is_told():
    columns, row = ["name", "size", "from", "text"], ["a" * 10, "5", "here", "words " * 10]
    heading, lines, left_out = drawn(columns, [row], 60, numbers={1}, spare={"from"})
    assert (heading, left_out) == ("name        size  text", ["from"])
    assert lines[0] == f"{'a' * 10}     5  {'words ' * 6}words"
    heading, lines, left_out = drawn(columns, [row], 30, numbers={1}, spare={"from"})
    assert (heading, lines[0]) == ("name        size", f"{'a' * 10}     5")
    assert lines[1] == "    text: words words words"
    assert drawn(columns, [row], 120, spare={"from"})[0] == "name        size  from  text"
    heading, lines, _ = drawn(columns, [row], 12, spare={"from"}, first=["size"])
    assert (heading, lines[:2]) == ("size", ["5", "    name:"])


WIDE = "日本語の長い文章" * 12
WIDE_CONFIG = CONFIG.replace(
    '"all" = [',
    '"全部 everything" = [ {{ action = "email", subject = "{{MESSAGE}}", message = "x" }},',
)
WIDE_COMMANDS = {
    "bans": ["bans"],
    "stats": ["stats", "--by", "MESSAGE"],
    "outbox": ["outbox"],
    "try": ["try", "^Failed (?P<what>.*)", "-t", "日本語"],
    "replay": ["replay", "--full", "--profile"],
    "kinds": ["kinds"],
    "report": ["report", "2026-03-14"],
    "report in full": ["report", "2026-03-14", "--full"],
}


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration with entries of wide characters."""
    need(unavailable())
    folder = tmp_path_factory.mktemp("wide")
    texts = [
        f"Failed {WIDE}",
        f"Failed password for 🔥e\u0301{WIDE} from 192.0.2.7 port 22",
        f"path=/srv/{'x' * 60}/日本語 ⚠\ufe0f {WIDE} 192.0.2.1",
    ]
    entries: list[dict[str, object]] = [
        {
            "SYSLOG_IDENTIFIER": "日本語" if number % 2 else "sshd",
            "PRIORITY": 3,
            "MESSAGE": texts[number % 3],
            "__REALTIME_TIMESTAMP": FIRST_TIME + number * 60_000_000,
            "_HOSTNAME": "茄子",
        }
        for number in range(12)
    ]
    journal = make_journal(folder / "day.journal", entries)  # type: ignore[arg-type]
    (folder / "pyruse.toml").write_text(WIDE_CONFIG.format(journal=journal, folder=folder))
    return folder


@pytest.mark.parametrize("width", [40, 60, 80])
@pytest.mark.parametrize("name", WIDE_COMMANDS)
def test_wide_characters_are_broken_where_the_line_ends(wide, pyruse, on_terminal, name, width):
    config = wide / "pyruse.toml"
    if not (wide / "state.sqlite").exists():
        assert pyruse("run", "--once", "-c", config).code == 0
        for address, label in (("192.0.2.8", WIDE[:20]), ("2001:db8::1", "ssh")):
            assert pyruse("ban", address, "--label", label, "-c", config).code == 0
    environment = {"NO_COLOR": "1", "PYTHONUTF8": "1"}
    done = on_terminal(*WIDE_COMMANDS[name], "-c", config, columns=width, environment=environment)
    text = _SEQUENCE.sub("", done.out.rpartition("\x1b[2K")[2])
    assert "日本" in text
    is_profile = False
    for line in text.splitlines():
        is_profile |= line.startswith("where the time went")  # numbers in columns, as they are
        is_path = "x" * 60 in line  # a word that is longer than the line: copied whole
        assert cells(line) <= width or is_path or is_profile, line


def test_columns_stay_in_line_whatever_their_texts():
    rows = [["日本", "1", WIDE], ["e\u0301🔥", "22", f"{'x' * 50} a"], ["plain", "3", "text"]]
    _, lines, _ = drawn(["name", "n", "text"], rows, 40, numbers={1})
    assert lines[0].startswith("日本    1  日本語の")
    at = lines.index("e\u0301🔥    22")
    assert all(cells(line) <= 40 for line in lines[:at])
    assert lines[at + 1 : at + 4] == ["    text:", f"    {'x' * 50}", "    a"]
    assert lines[-1] == "plain   3  text"
