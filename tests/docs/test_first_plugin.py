"""docs/first-plugin.md, followed to the letter.

What it shows on a terminal is typed into one shell, from the first line to the last; a block that
begins with the name of a file is written to that file, where the shell is at that moment. Only what
would come from the network is there already (see `tests.environment`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.docs.fragments import is_pyproject
from tests.docs.markdown import ROOT, blocks_of
from tests.docs.test_console import first_missing, sessions
from tests.environment import make_programs

DOCUMENT = ROOT / "docs" / "first-plugin.md"

_END = "\x1e"  # record separator: no program prints it


def test_it_is_followed_to_the_letter(tmp_path: Path) -> None:
    script: list[str] = []
    expected: list[tuple[str, str]] = []
    for block in blocks_of(DOCUMENT):
        first, _, rest = block.text.partition("\n")
        if block.language == "console":
            for command, shown in sessions(block):
                expected.append((f"{block.place}: {command}", shown))
                script.append(f"{{ {command}\n}} 2>&1; printf '{_END}%s{_END}' $?")
        elif block.language in ("python", "toml") and not is_pyproject(block.text):
            text = rest if block.language == "python" else block.text
            script.append(f"cat > {first.removeprefix('# ')} <<'PYRUSE'\n{text}PYRUSE")
    done = subprocess.run(
        ["sh"], input="\n".join(script), cwd=tmp_path, env=environment(tmp_path),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    *printed, last = done.stdout.split(_END)
    assert last == ""
    assert len(printed) == 2 * len(expected)
    for (place, shown), said, status in zip(expected, printed[::2], printed[1::2], strict=True):
        assert status == "0", f"{place}:\n{said}"
        missing = first_missing(shown, said)
        assert missing is None, f"{place}: {missing}\n{said[:2000]}"
    assert_written(tmp_path / "work" / "pyruse-pseudonym" / "pyproject.toml")


def environment(folder: Path) -> dict[str, str]:
    variables = make_programs(folder / "programs")
    # An administrator has Pyruse: until another environment is active, it is this one.
    programs, _, others = variables["PATH"].partition(os.pathsep)
    here = str(Path(sys.executable).parent)
    return {
        **os.environ,
        **variables,
        "PATH": os.pathsep.join([programs, here, others]),
        "COLUMNS": "100",
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def assert_written(file: Path) -> None:
    """What is shown of pyproject.toml is what was written."""
    (shown,) = [
        tomllib.loads(block.text)
        for block in blocks_of(DOCUMENT)
        if block.language == "toml" and is_pyproject(block.text)
    ]
    written = tomllib.loads(file.read_text())
    assert shown["project"].items() <= written["project"].items()
