"""``pyruse plugins``: what is installed."""

from __future__ import annotations

import json
from importlib.metadata import version


def test_a_line_for_each(process):
    done = process("plugins")
    assert (done.code, done.err) == (0, "")
    rows = [line.split("\t") for line in done.out.splitlines()]
    names = {(row[0], row[1]) for row in rows}
    assert {("filter", "equals"), ("action", "report"), ("plugin", "nftables")} <= names
    distribution = f"pyruse {version('pyruse')}"
    assert ["filter", "exists", "Pass when an entry has a field, whatever its value.",
            distribution] in rows  # fmt: skip


def test_one_with_its_options(pyruse):
    done = pyruse("plugins", "at_most")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"filter at_most (pyruse {version('pyruse')})\n\nPass when a field ")
    assert "\nOptions:\n  field: " in done.out
    assert "; required\n      The field to look at.\n" in done.out


def test_json(pyruse):
    done = pyruse("plugins", "email", "--format", "json")
    (described,) = json.loads(done.out)
    assert (described["kind"], described["name"]) == ("action", "email")
    assert described["summary"] == "Send a mail at once."
    options = {option["name"]: option for option in described["options"]}
    assert list(options) == ["message", "subject", "to", "every"]
    assert options["message"]["required"] is True
    assert options["every"]["default"] == "none"


def test_one_that_is_not_installed(pyruse):
    done = pyruse("plugins", "equal")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith('pyruse: there is no plugin "equal" (expected one that ')
    assert 'did you mean "equals"?' in done.err


def test_on_a_terminal_it_is_a_table(on_terminal):
    done = on_terminal("plugins")
    assert done.code == 0
    assert "what it does" in done.out
    assert "│" in done.out
    assert "\t" not in done.out
