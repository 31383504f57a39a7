"""What the documentation shows on a terminal is what the commands print.

A ``console`` block has commands after ``$``, and what they print. They run in a folder of their
own: ``pyruse.toml`` there is the last whole configuration that the document has shown before,
files with a name are there, too (see `fragments`), and ``day.journal`` is the journal of the demo.
In what is printed, ``…`` stands for anything; alone on a line, for any number of lines. Warnings
differ from machine to machine: standard error counts only where the command fails. What would
change the machine is turned aside: the state is in that folder, and nft is `true`.
"""

from __future__ import annotations

import lzma
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.fragments import file_name, is_complete
from tests.docs.markdown import ROOT, Block, blocks_of, documents_of_pyruse


def with_console() -> list[Path]:
    return [
        file
        for file in documents_of_pyruse()
        if any(block.language == "console" for block in blocks_of(file))
        and file.name != "first-plugin.md"  # one long session: see test_first_plugin.py
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the demo's journal, and a program ``pyruse``."""
    packed = (ROOT / "pyruse" / "demo" / "day.journal.xz").read_bytes()
    (tmp_path / "day.journal").write_bytes(lzma.decompress(packed))
    program = tmp_path / "bin" / "pyruse"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pyruse "$@"\n')
    program.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("file", with_console(), ids=lambda file: str(file.relative_to(ROOT)))
def test_console(file: Path, folder: Path) -> None:
    for block in blocks_of(file):
        if block.language == "toml":
            name = file_name(block.text) or ("pyruse.toml" if is_complete(block.text) else None)
            if name is not None:
                text = block.text.replace("/var/lib/pyruse", str(folder))
                (folder / name).write_text(text.replace("/usr/sbin/nft", "true"), "utf-8")
        elif block.language == "console":
            for command, shown in sessions(block):
                assert "pyruse " in command, f"{block.place}: {command} (expected one of Pyruse's)"
                printed = run(command, folder)
                missing = first_missing(shown, printed)
                assert missing is None, f"{block.place}: {command}: {missing}\n{printed[:2000]}"


def sessions(block: Block) -> Iterator[tuple[str, str]]:
    """The commands of a block, each with what is shown to be printed."""
    _, *parts = re.split(r"^\$ (.*)\n", block.text, flags=re.M)
    assert parts, f"{block.place}: no command (expected lines such as `$ pyruse check`)"
    yield from zip(parts[::2], parts[1::2], strict=True)


def run(command: str, folder: Path) -> str:
    environment = {
        **os.environ,
        "COLUMNS": "100",
        "LC_ALL": "C.UTF-8",
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYRUSE_CONFIG": "pyruse.toml",
        "TZ": "Europe/Paris",
    }
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=folder, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout + (done.stderr if done.returncode else "")


def first_missing(shown: str, printed: str) -> str | None:
    """The first line that is shown but not printed there; None when all is as it is shown."""
    pattern = ""
    for line in shown.splitlines():
        if line.strip() == "…":
            pattern += r"(?:.*\n)*"
        else:
            pattern += ".*".join(map(re.escape, line.rstrip().split("…"))) + r" *\n"
        if re.match(pattern, printed) is None:
            return f'"{line}" is not printed'
    return None if re.fullmatch(pattern, printed) else "more is printed than is shown"
