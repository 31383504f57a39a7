"""Packages of plugins beside this Pyruse: which there are, and how pip puts them there.

Each kind of installation has its place: a package of a distribution an environment of its own
(:mod:`pyruse.registry.beside`), any other one the environment that Pyruse itself is in.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.utils import canonicalize_name

from pyruse.errors import UserError, did_you_mean
from pyruse.registry.beside import of_other_pythons, packages_beside, packages_of_pyruse
from pyruse.registry.kinds import KIND
from pyruse.text import printable

OWN = "pyruse"


@dataclass(frozen=True)
class Package:
    """A distribution with plugins."""

    name: str
    version: str
    plugins: tuple[str, ...]
    """Such as ``filter geoip``."""


@dataclass(frozen=True)
class Environment:
    """Where packages of plugins are installed."""

    packages: Path
    """The folder of the packages."""
    is_apart: bool
    """Whether it is an environment beside the one that Pyruse is in."""

    @property
    def folder(self) -> Path:
        """The whole of it, whose folder ``bin`` has a Python."""
        return self.packages.parents[2] if self.is_apart else Path(sys.prefix)

    def installed(self) -> list[Package]:
        """The packages with plugins that are there, without Pyruse itself."""
        found = {one.name: one for one in _with_plugins(self.packages)}
        return [found[name] for name in sorted(found) if name != OWN]

    def left_behind(self) -> list[str]:
        """What was asked for when another Python was here: names, or addresses of files."""
        if not self.is_apart:
            return []
        folders = of_other_pythons(self.packages)
        found = {_requirement(one) for folder in folders for one in _asked_for(folder)}
        return sorted(found)


def environment() -> Environment:
    """Where packages of plugins belong.

    :raises UserError: into the Python of the distribution, which is not for pip.
    """
    beside = packages_beside()
    if beside is not None:
        return Environment(beside, is_apart=True)
    if sys.prefix == sys.base_prefix and _is_managed():
        raise UserError(
            f"{sys.prefix}: this Pyruse is in the Python of the distribution, where pip installs "
            "nothing (expected a plugin that the distribution packages, or Pyruse in an "
            "environment of its own: python3 -m venv /opt/pyruse)"
        )
    return Environment(packages_of_pyruse(), is_apart=False)


def install(where: Environment, wanted: Sequence[str], *, upgrade: bool) -> None:
    """Have pip install packages; what goes wrong, it tells on the terminal.

    :param where: the environment.
    :param wanted: as pip takes them: names, files, addresses.
    :param upgrade: take the newest release, where an older one is there.
    :raises UserError: pip cannot do it.
    """
    _see_that_it_can_be_written(where, "install")
    if where.is_apart:
        _make(where)
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as fixed:
        # Pyruse finds its own packages first: a newer one beside them would be there for nothing.
        fixed.writelines(f"{line}\n" for line in _fixed(where))
        fixed.flush()
        Path(fixed.name).chmod(0o644)
        more = ["--upgrade"] if upgrade else []
        _pip(where, "install", "--constraint", fixed.name, *more, "--", *wanted)


def uninstall(where: Environment, names: Sequence[str]) -> list[str]:
    """Have pip remove packages; gives what else is there and belongs to no plugin any more.

    :param where: the environment.
    :param names: of the packages.
    :raises UserError: one is no package of plugins, or pip cannot do it.
    """
    installed = {canonicalize_name(one.name): one.name for one in where.installed()}
    for name in names:
        if canonicalize_name(name) not in installed:
            known = ", ".join(installed.values())
            expected = f"one of: {known}" if known else "none: there are no packages of plugins"
            raise UserError(
                f"{name}: there is no such package of plugins (expected {expected}"
                f"{did_you_mean(name, installed.values())})"
            )
    _see_that_it_can_be_written(where, "uninstall")
    _pip(where, "uninstall", "--yes", "--", *names)
    if not where.is_apart:
        return []
    if not where.installed() and not list(of_other_pythons(where.packages)):
        shutil.rmtree(where.folder)
        return []
    needed = _needed(where)
    return sorted(
        name
        for one in distributions(path=[str(where.packages)])
        if canonicalize_name(name := str(one.metadata["Name"])) not in needed
    )


def forget_other_pythons(where: Environment) -> None:
    """Remove what is there for other Pythons."""
    for folder in list(of_other_pythons(where.packages)):
        shutil.rmtree(folder.parent)


def _make(where: Environment) -> None:
    python = where.folder / "bin/python"
    works = python.exists() and where.packages.is_dir()
    if not works:
        # Without pip: Pyruse's own installs there.
        _run([sys.executable, "-m", "venv", "--without-pip", str(where.folder)])
    # pip is to see that Pyruse is there, and what comes with it.
    (where.packages / "pyruse.pth").write_text(f"{packages_of_pyruse()}\n", "utf-8")


def _fixed(where: Environment) -> Iterator[str]:
    for one in distributions(path=[str(packages_of_pyruse())]):
        name = str(one.metadata["Name"])
        if where.is_apart or canonicalize_name(name) == OWN:
            yield f"{name}=={one.version}"


def _pip(where: Environment, *arguments: str) -> None:
    if importlib.util.find_spec("pip") is None:
        names = shlex.join(arguments[arguments.index("--") + 1 :])
        if (Path(sys.prefix) / "pipx_metadata.json").exists():
            verb = "inject" if arguments[0] == "install" else "uninject"
            todo = f"pipx {verb} {Path(sys.prefix).name} {names}"
        else:
            python = sys.executable
            todo = f"{python} -m ensurepip; or: uv pip {arguments[0]} --python {python} {names}"
        raise UserError(f"{sys.prefix}: there is no pip beside this Pyruse (expected: {todo})")
    target = ["--python", str(where.folder / "bin/python")] if where.is_apart else []
    common = ["--disable-pip-version-check", "--no-input"]
    _run([sys.executable, "-m", "pip", *common, *target, *arguments])


def _run(command: list[str]) -> None:
    # Whatever the shell of root hides from others, the service has to read.
    done = subprocess.run(command, check=False, umask=0o022, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        # What pip says of its work is of interest now; its errors are on the terminal.
        sys.stderr.writelines(f"{printable(line)}\n" for line in done.stdout.splitlines())
        raise UserError(
            f"{shlex.join(command)}: failed with exit code {done.returncode} (expected that it "
            "works: it has told why above)"
        )


def _see_that_it_can_be_written(where: Environment, verb: str) -> None:
    folder = where.packages
    while not folder.exists():
        folder = folder.parent
    if not os.access(folder, os.W_OK):
        raise UserError(f"{folder}: cannot be written (expected root: sudo pyruse {verb} …)")


def _is_managed() -> bool:
    """Whether the distribution has marked its Python: see PEP 668."""
    return Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED").exists()


def _with_plugins(packages: Path) -> Iterator[Package]:
    for one in distributions(path=[str(packages)]):
        points = [point for point in one.entry_points if point.group in KIND]
        if points:
            plugins = sorted(f"{KIND[point.group]} {point.name}" for point in points)
            yield Package(str(one.metadata["Name"]), one.version, tuple(plugins))


def _asked_for(packages: Path) -> Iterator[Distribution]:
    """What somebody named, and not what came with it: pip marks that (PEP 376, REQUESTED)."""
    for one in distributions(path=[str(packages)]):
        if one.read_text("REQUESTED") is not None:
            yield one


def _requirement(one: Distribution) -> str:
    name = str(one.metadata["Name"])
    direct = one.read_text("direct_url.json")  # of what was installed from a file or an address
    return f"{name} @ {json.loads(direct)['url']}" if direct else name


def _needed(where: Environment) -> set[str]:
    """The names of all that somebody asked for, and of what that needs."""
    from packaging.requirements import Requirement

    here = {
        canonicalize_name(str(one.metadata["Name"])): one
        for one in distributions(path=[str(where.packages)])
    }
    needed: set[str] = set()
    ahead = [canonicalize_name(str(one.metadata["Name"])) for one in _asked_for(where.packages)]
    while ahead:
        name = ahead.pop()
        if name in here and name not in needed:
            needed.add(name)
            requires = here[name].requires or []
            ahead += [canonicalize_name(Requirement(text).name) for text in requires]
    return needed
