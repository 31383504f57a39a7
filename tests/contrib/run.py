"""Each package of pyruse-contrib as its users get it: a wheel, alone beside Pyruse's wheel.

``python tests/contrib/run.py FOLDER [NAME …]`` builds the wheels, and for each package makes a
fresh virtual environment. There, Pyruse lists the package's plugins; then the package's own tests
run, and what its README shows (see readme.py). FOLDER keeps the libraries from one run to the next:
the package index is asked only when one is missing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


_OURS = {
    "pyruse-native": [
        "tests/chains",
        "tests/e2e/test_kill.py::test_so_does_one_whose_reader_leads_entries_ahead_of_the_engine",
        "tests/engine/test_patience.py", "tests/entry", "tests/journal", "tests/kinds",
        "tests/options", "tests/reliability/test_reading.py", "tests/test_hooks.py",
        "tests/test_operations.py",
    ]
}  # fmt: skip
"""Our own tests that have to pass with a package as well as without it."""


class Failure(Exception):
    """A program failed; the text is all that it said."""


def main(folder: Path, names: list[str]) -> int:
    """Prove the packages of these names, or all of them; gives the exit code."""
    packages = sorted((ROOT / "pyruse-contrib").glob("pyruse-*"))
    chosen = [one for one in packages if not names or one.name.removeprefix("pyruse-") in names]
    if not chosen:
        print(f"there is no such package: {', '.join(names) or 'pyruse-contrib is empty'}")
        return 2
    workshop = Workshop(folder)
    try:
        workshop.build(chosen)
    except Failure as fault:
        print(fault)
        return 1
    with ThreadPoolExecutor(2) as workers:
        faults = list(workers.map(workshop.prove, chosen))
    return int(any(faults))


class Workshop:
    """Where wheels are built and tried."""

    def __init__(self, folder: Path) -> None:
        self.libraries = folder / "libraries"
        self.ours = folder / "ours"
        self.environments = folder / "environments"
        # Bytecode beside it: nothing is written into the tree, and Python starts fast all the same.
        self.variables = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
        for unwanted in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYRUSE_CONFIG"):
            self.variables.pop(unwanted, None)
        for name in (self.ours, self.environments):
            shutil.rmtree(name, ignore_errors=True)
        self.libraries.mkdir(parents=True, exist_ok=True)

    def build(self, packages: list[Path]) -> None:
        """Build the wheels of Pyruse and of the packages, and have the libraries ready."""
        self.pip(
            "wheel", "--no-deps", "--no-build-isolation", "-w", self.ours, ROOT, *packages,
            compiler_flags="-Werror",
        )  # fmt: skip
        wanted = [f"{self.wheel('pyruse')}[testing]"]
        wanted += [f"{self.wheel(package.name)}[test]" for package in packages]
        found = ["wheel", "--find-links", self.libraries, "-w", self.libraries, *wanted]
        try:
            self.pip(*found, "--no-index")
        except Failure:
            self.pip(*found)

    def wheel(self, name: str) -> Path:
        """The wheel of a distribution of ours."""
        [wheel] = self.ours.glob(f"{name.replace('-', '_')}-[0-9]*.whl")
        return wheel

    def prove(self, package: Path) -> str | None:
        """Install a package, and try it; gives what went wrong."""
        began = time.monotonic()
        try:
            self.try_out(package)
        except Failure as fault:
            print(f"{package.name}: FAILED\n{fault}", flush=True)
            return str(fault)
        print(f"{package.name}: ok, {time.monotonic() - began:.0f} s", flush=True)
        return None

    def try_out(self, package: Path) -> None:
        project = tomllib.loads((package / "pyproject.toml").read_text("utf-8"))["project"]
        programs = self.environments / package.name / "bin"
        self.run(sys.executable, "-m", "venv", "--without-pip", programs.parent)
        # Without the libraries of its tests, at first: it has to work as it is.
        self.install(programs, self.wheel("pyruse"), self.wheel(package.name))
        listed = self.run(programs / "pyruse", "plugins")
        for name in names_of(project):
            if not any({name, project["name"]} <= set(line.split()) for line in listed.split("\n")):
                raise Failure(f"`pyruse plugins` does not list {name}:\n{listed}")
        self.install(
            programs, f"{self.wheel('pyruse')}[testing]", f"{self.wheel(package.name)}[test]"
        )
        pytest = [programs / "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
        # Not the configuration of this repository: the package has left it, as far as it can tell.
        self.run(*pytest, "-c", os.devnull, "--rootdir", package, "tests", cwd=package)
        if package.name in _OURS:
            self.run(
                *pytest, "-c", ROOT / "pyproject.toml", *_OURS[package.name], cwd=ROOT,
                PYRUSE_NATIVE="1",
            )  # fmt: skip
        here = ROOT / "tests" / "contrib"
        # What Pyruse's own tests share (tests/conftest.py) needs more than a package's have.
        self.run(
            *pytest, "-c", ROOT / "pyproject.toml", "--confcutdir", here, here / "readme.py",
            cwd=package, PYRUSE_CONTRIB=str(package),
        )  # fmt: skip

    def install(self, programs: Path, *wheels: object) -> None:
        self.pip(
            "--python", programs / "python", "install", "--no-index", "--find-links",
            self.libraries, "--no-compile", *wheels,
        )  # fmt: skip

    def pip(self, *arguments: object, compiler_flags: str = "") -> None:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
        self.run(*pip, *arguments, CFLAGS=compiler_flags)

    def run(self, *command: object, cwd: Path | None = None, **variables: str) -> str:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=cwd, env=self.variables | variables, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise Failure(f"{' '.join(map(str, command))}\n{done.stdout}")
        return done.stdout


def names_of(project: dict[str, Any]) -> Iterator[str]:
    """The names of a package's plugins."""
    for group, points in project.get("entry-points", {}).items():
        if group.partition(".")[0] == "pyruse":
            yield from points


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).absolute(), sys.argv[2:]))
