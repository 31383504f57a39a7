"""``pyruse explain``: an entry's way through the chains."""

from __future__ import annotations

import json
import subprocess

import pytest

SSH = ["SYSLOG_IDENTIFIER=sshd", "MESSAGE=Failed password for a b from 203.0.113.7 port 22 ssh2"]


@pytest.fixture
def explained(pyruse, config):
    """``explained(…)``: what is said, but for the time in the first line."""

    def explain(*arguments, stdin=b""):
        done = pyruse("explain", "-c", config, *arguments, stdin=stdin)
        assert (done.code, done.err) == (0, "")
        first, _, rest = done.out.partition("\n")
        assert first.startswith("entry of 20")
        return rest

    return explain


def test_step_by_step(explained):
    assert explained(*SSH) == (
        "ssh\n"
        "  [0] equals: passes\n"
        "  [1] regex: passes\n"
        "        user = a b\n"
        "        ip = 203.0.113.7\n"
        "  [2] count: done\n"
        "        failures = 1\n"
        "  [3] at_least: does not pass\n"
        "sudo\n"
        '  [0] equals "root": does not pass\n'
        "everything else\n"
        "  [0] report: done\n"
        "the journey ends here, by an action\n"
        "\n"
        "Effects that there would be: 1\n"
        f"  report, other: [/sshd] {SSH[1].removeprefix('MESSAGE=')}\n"
    )


def test_what_journalctl_writes(explained, journal):
    line = subprocess.run(
        ["journalctl", "-o", "json", "-n", "1", "--file", journal, "SYSLOG_IDENTIFIER=sudo"],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    said = explained("-", stdin=line)
    assert "\n  report, interesting: alice : COMMAND=/bin/sh\n" in said


@pytest.mark.parametrize("stdin", [b"", b"hello", b"\xff\xfe", b"[1]", b'{"MESSAGE": '])
def test_what_journalctl_does_not_write(pyruse, config, stdin):
    done = pyruse("explain", "-c", config, "-", stdin=stdin)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("pyruse: standard input: no entry: ")
    assert done.err.endswith("(expected a line of `journalctl -o json`)\n")


def test_the_entry_of_a_cursor(explained, journal):
    lines = subprocess.run(
        ["journalctl", "-o", "json", "--file", journal], check=True, capture_output=True
    ).stdout.splitlines()
    cursor = json.loads(lines[1])["__CURSOR"]
    assert "        user = admin\n" in explained("--file", journal, "--cursor", cursor)


def test_the_newest_entry_that_is_selected(explained, journal):
    assert "report, other: [3/]" in explained("--file", journal)
    until = ["--until", "2026-03-14 12:00:03"]
    assert "report, interesting: alice" in explained("--file", journal, *until)
    assert "        user = a b\n" in explained("--file", journal, "-b", "-1")


@pytest.mark.parametrize("cursor", ["nonsense", f"s={'a' * 32};i=1;b={'b' * 32};m=1;t=1;x=1"])
def test_an_entry_that_is_not_there(pyruse, config, journal, cursor):
    done = pyruse("explain", "-c", config, "--file", journal, "--cursor", cursor)
    assert (done.code, done.out) == (1, "")
    told = f"{journal}: does not have the entry {cursor} (expected one that is kept)"
    assert done.err == f"pyruse: {told}\n"


def test_faults_and_ends(pyruse, tmp_path):
    file = tmp_path / "pyruse.toml"
    file.write_text("""
        [chains]
        "first" = [
          { filter = "in", field = "MESSAGE", values = ["x"], invert = true },
          { filter = "exists", field = "nothing", invert = true, then = "second" },
        ]
        "second" = [ { action = "count", counter = "c", key = "ip" } ]
    """)
    done = pyruse("explain", "-c", file, "MESSAGE=y")
    assert done.out.partition("\n")[2] == (
        "first\n"
        "  [0] not in: passes\n"
        "  [1] not exists: passes\n"
        "second\n"
        "  [0] count: FAULT: ValueError: the entry has no ip to count by\n"
        "the journey ends here, by a fault\n"
    )
    done = pyruse("explain", "-c", file, "MESSAGE=x")
    assert done.out.endswith(
        "  [0] not in: does not pass\n"
        "the journey ends after the last chain: no action took the entry\n"
    )


def test_chains_that_do_not_concern_the_entry_are_folded(pyruse, tmp_path):
    """Rules of a hundred programs are 99 chains that an entry leaves at once."""
    file = tmp_path / "pyruse.toml"
    others = [
        f'"other {n}" = [ {{ filter = "equals", field = "SYSLOG_IDENTIFIER", value = "o{n}" }}, '
        '{ action = "discard" } ]'
        for n in range(4)
    ]
    file.write_text(
        "\n".join([
            "[chains]",
            *others,
            '"mine" = [ { filter = "exists", field = "x", else = "mine too" } ]',
            '"last" = [ { filter = "exists", field = "nothing" } ]',
            '"mine too" = [ { filter = "exists", field = "nothing" } ]',
        ])
    )  # fmt: skip
    done = pyruse("explain", "-c", file, "MESSAGE=x")
    mine = "mine\n  [0] exists: does not pass\nmine too\n  [0] exists: does not pass\n"
    assert done.out.partition("\n")[2] == (
        "other 0 … other 3: 4 chains whose first filter does not pass (see: --all)\n"
        f"{mine}"
        "last\n"
        "  [0] exists: does not pass\n"
        "the journey ends after the last chain: no action took the entry\n"
    )
    done = pyruse("explain", "-c", file, "--all", "MESSAGE=x")
    each = [f"other {n}\n  [0] equals: does not pass\n" for n in range(4)]
    assert done.out.partition("\n")[2].startswith("".join([*each, mine]))
    few = file.read_text().replace(others[0], "")
    file.write_text(few)
    done = pyruse("explain", "-c", file, "MESSAGE=x")
    assert done.out.partition("\n")[2].startswith("".join([*each[1:], mine]))


def test_a_log_line_does_nothing_to_a_terminal(explained):
    said = explained("MESSAGE=\x1b[31mred\nfirst\n  [0] discard: done\u202e", "PRIORITY=\x9b")
    assert "\x1b" not in said
    assert "\x9b" not in said
    assert "\u202e" not in said
    assert said.splitlines().count("  [0] discard: done") == 0


def test_whoever_is_never_banned(pyruse, tmp_path):
    config = tmp_path / "pyruse.toml"
    config.write_text("""
[bans]
never = ["203.0.113.0/24"]
[chains]
"ssh" = [
  { filter = "regex", pattern = 'from (?P<ip>\\S+)$' },
  { action = "ban", ip = "ip", duration = "1d" },
]
""")
    done = pyruse("explain", "-c", config, "MESSAGE=from 203.0.113.7")
    assert "  [1] ban: 203.0.113.7 is not banned: [bans] never has 203.0.113.0/24\n" in done.out
    assert "\n  ban: " not in done.out.replace("[1] ban", "")
    done = pyruse("explain", "-c", config, "MESSAGE=from 198.51.100.7")
    assert "  [1] ban: done\n" in done.out
