"""Which reader is at work, and what is said of a package that cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pyruse.system import native as package
from pyruse.version import VERSION

UPGRADE = "(expected one for this version of Pyruse: `pip install --upgrade 'pyruse[native]'`)"


def said(folder: Path, package: str, native: str | None = None) -> tuple[str, str]:
    """What ``pyruse --version`` says where there is such a package."""
    (folder / "pyruse_native.py").write_text(package)
    variables = {name: text for name, text in os.environ.items() if name != "PYRUSE_NATIVE"}
    if native is not None:
        variables["PYRUSE_NATIVE"] = native
    done = subprocess.run(
        [sys.executable, "-m", "pyruse", "--version"],
        env={**variables, "PYTHONPATH": str(folder)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout, done.stderr


FITS = f"INTERFACE = {package._INTERFACE}\n__version__ = '7.0'\n"


def test_a_package_that_fits_is_used(tmp_path: Path) -> None:
    assert said(tmp_path, FITS) == (f"pyruse {VERSION}, entries by pyruse-native 7.0\n", "")


@pytest.mark.parametrize("package", [FITS, "INTERFACE = 0", "raise ImportError('broken')"])
def test_it_can_be_turned_off(tmp_path: Path, package: str) -> None:
    assert said(tmp_path, package, "0") == (f"pyruse {VERSION}\n", "")


@pytest.mark.parametrize(
    ("package", "why"),
    [
        ("INTERFACE = 0", "its interface is 0"),
        ("", "its interface is None"),
        ("raise ImportError('libsystemd.so.0: no such file')", "libsystemd.so.0: no such file"),
        ("import no_such_module", "No module named 'no_such_module'"),
    ],
)
def test_a_package_that_does_not_fit_costs_a_line(tmp_path: Path, package: str, why: str) -> None:
    line = f"pyruse: pyruse-native is not used: {why} {UPGRADE}\n"
    assert said(tmp_path, package) == (f"pyruse {VERSION}\n", line)
