"""Virtual environments in which an author works, made without the network and in no time.

What would be downloaded is there already: the packages of the environment that the tests run in,
Pyruse among them, are put on the path of each new one. pip sees them, and has nothing to fetch.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path

_SITE = sysconfig.get_path("purelib")


def make_environment(folder: Path) -> Path:
    """A virtual environment beside the packages that are installed here; gives its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (found,) = folder.glob("lib/python*/site-packages")
    (found / "_beside.pth").write_text(f"import site; site.addsitedir({_SITE!r})\n")
    # Where it is active, too, `python3` is the one of `make_programs`; the name may be a link.
    python = folder / "bin" / "python"
    base = python.resolve()
    for name in ("python", "python3"):
        (folder / "bin" / name).unlink()
    python.symlink_to(base)
    return python


def make_programs(folder: Path) -> dict[str, str]:
    """The programs of an author: ``python3 -m venv`` is `make_environment`, pip has no network.

    Each is run by the ``python`` that comes first on the path: that of the active environment.

    :return: the variables of the environment that they need.
    """
    folder.mkdir()
    tests = Path(__file__).parent.parent
    code = "import sys, pathlib; from tests.environment import make_environment as make; "
    programs = {
        "python3": f'[ "$1 $2" = "-m venv" ] || exec "{sys.executable}" "$@"\n'
        f'PYTHONPATH="{tests}" exec "{sys.executable}" -c '
        f"'{code}make(pathlib.Path(sys.argv[1]))' \"$3\"",
        "ruff": f'exec "{Path(sys.executable).parent / "ruff"}" "$@"',
        **{
            name: f'exec python -m {name} "$@"'
            for name in ("hatchling", "mypy", "pip", "pyruse", "pytest")
        },
    }
    for name, script in programs.items():
        file = folder / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return {
        "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PIP_NO_BUILD_ISOLATION": "0",  # in pip's own words: there is no isolation
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
    }
