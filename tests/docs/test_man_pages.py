"""The man pages: what they have, and how the programs that show them like it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pyruse.cli import COMMANDS
from pyruse.testing.plugin import need
from tests.docs.markdown import ROOT
from tools.roff import roff

ITEM = r'.IP "\(bu" 2'
PAGES = sorted((ROOT / "deploy/man").glob("*.[1-8]"))


def test_every_command_is_in_the_page_of_the_program() -> None:
    text = (ROOT / "deploy/man/pyruse.1").read_text("utf-8").replace(r"\-", "-")
    for name in COMMANDS:
        assert f'.SS "pyruse {name}"\n' in text, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.realparts
def test_a_page_is_shown_without_a_warning(page: Path) -> None:
    need(None if shutil.which("groff") else "groff is not installed")
    command = ["groff", "-ww", "-man", "-Tutf8", str(page)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for title in ("NAME", "SEE ALSO"):
        assert f"\n{title}\n" in re.sub(r"\x1b\[\d+m|.\x08", "", done.stdout)


@pytest.mark.parametrize(
    ("markdown", "lines"),
    [
        ("# A-B “c”\n", [r'.SH "A-B \[u201C]c\[u201D]"']),
        ("one\ntwo\n\nthree\n", [".PP", "one two", ".PP", "three"]),
        (".cut off\n", [".PP", r"\&.cut off"]),
        ("a `-c \\d` b\n", [".PP", r"a \fB\-c \ed\fR b"]),
        ("* one\n\n  more\n* two\n", [ITEM, "one", ".IP", "more", ITEM, "two"]),
        ("1. one\n2. two\n", ['.IP "1." 3', "one", '.IP "2." 3', "two"]),
        ("```sh\n.x 'y'\n```\n", [".PP", ".RS 4", ".EX", r"\&.x \(aqy\(aq", ".EE", ".RE"]),
        ("|o|v|for|\n|---|---|---|\n|a|b|c|\n", [".TP", "a", "v: b; c"]),
        ("[TOML](https://toml.io) is\n", [".PP", "TOML <https://toml.io> is"]),
    ],
)  # fmt: skip
def test_markdown_becomes_roff(markdown: str, lines: list[str]) -> None:
    assert list(roff(markdown)) == lines
