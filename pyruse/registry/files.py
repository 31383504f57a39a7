"""Plugins without a package: the classes in Python files, such as ``/etc/pyruse/plugins/*.py``.

All files are imported when the registry is made, as the names of plugins are known only then. A
reload makes the registry anew, and imports the files again.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from msgspec import Struct

from pyruse.errors import did_you_mean
from pyruse.registry.checks import Checker
from pyruse.registry.file_import import MEND, NAME, Lines, Package
from pyruse.registry.found import Found, PluginError, in_words
from pyruse.registry.hooks import HOOKS
from pyruse.registry.kinds import EXTENSIONS, MAIN_HOOK, RULES
from pyruse.registry.trust import distrust
from pyruse.text import shown


class FilePlugin(Found):
    """A plugin in a file: a class, or the file itself where its hooks stand outside of classes."""

    file: Path

    def __init__(self, group: str, name: str, loaded: type | ModuleType, source: _Source) -> None:
        super().__init__(group, name)
        self.file = source.file
        self._loaded = loaded
        self._source = source

    @property
    def origin(self) -> str:
        """The file and the line: ``/etc/pyruse/plugins/mine.py:7``."""
        return self._source.origin(self._loaded)

    def load(self) -> Any:
        """The class or module, after it is checked.

        :raises PluginError: it is no plugin.
        """
        self._source.checker.check(self, self._loaded)
        return self._loaded

    def error(self, fault: str, part: str | None = None) -> PluginError:
        """An error that names file and line."""
        origin = self._source.origin(self._loaded, part)
        mend = "" if "(expected " in fault else f" {MEND}"
        return PluginError(f'{origin}: {self.kind} "{self.name}": {fault}{mend}')


class FileRules(Found):
    """Rules in a file of their own: their name is the file's."""

    file: Path

    def __init__(self, file: Path) -> None:
        super().__init__(RULES, file.stem)
        self.file = file

    @property
    def origin(self) -> str:
        """The file."""
        return str(self.file)

    def load(self) -> Path:
        """Give the file."""
        return self.file

    def error(self, fault: str, part: str | None = None) -> PluginError:
        """An error that names the file."""
        mend = "" if "(expected " in fault else f" {MEND}"
        return PluginError(f"{self.file}: {fault}{mend}")


class PluginFiles:
    """A source of plugins: a folder with Python files and rules' files (TOML), or one file.

    Files are no plugins if their names begin with ``_`` (helpers, for ``from ._helper import …``)
    or with ``test_``; nor is ``conftest.py`` (pytest's).
    """

    def __init__(self, path: Path, owner: int | None = None, *, trusted: bool = False) -> None:
        """Nothing is looked at yet.

        :param owner: whose plugins are loaded, besides root's.
        :param trusted: load them whoever has written them, and expect that they are there.
        """
        self._path = path
        self._owners = {0} if owner is None else {0, owner}
        self._trusted = trusted

    def __call__(self, checker: Checker, faults: list[str]) -> Iterator[Found]:
        """The plugins; what is wrong with a file, or with a plugin, is added: a line each."""
        folder = self._path if os.path.isdir(self._path) else self._path.parent
        try:
            files = self._files()
            # Of many files in a folder that nobody can trust, one line is enough.
            reason = self._distrust(folder) if files else None
            if reason is not None:
                faults.append(reason)
                return
        except OSError as fault:
            faults.append(
                f"{self._path}: cannot be read: {fault.strerror} (expected Python files that the "
                "user of Pyruse may read)"
            )
            return
        package = Package(folder, self._distrust)
        for file in files:
            try:
                if file.suffix == ".toml":
                    yield self._rules(file)
                else:
                    yield from _plugins_of(file, package, checker, faults)
            except PluginError as fault:
                faults.append(str(fault))

    def _files(self) -> list[Path]:
        if not self._trusted and not os.path.isdir(self._path):
            return []
        if self._path.suffix in (".py", ".toml"):
            os.stat(self._path)
            return [self._path]
        return sorted(
            self._path / name
            for name in os.listdir(self._path)
            if name.endswith((".py", ".toml"))
            and not name.startswith((".", "_", "test_"))
            and name != "conftest.py"
        )

    def _rules(self, file: Path) -> FileRules:
        """The rules of a file.

        :raises PluginError: others could have written the file, or it is none.
        """
        if not NAME.match(file.stem):
            raise PluginError(
                f"{file}: no rules can have this name (expected letters, digits and underscores, "
                "before .toml)"
            )
        try:
            reason = self._distrust(file)
            if reason is None and not file.is_file():  # a FIFO would be waited for
                reason = f"{file}: is no plain file (expected a file of rules, in TOML)"
        except OSError as fault:
            reason = f"{file}: cannot be read: {fault.strerror} (expected a file of rules, in TOML)"
        if reason is not None:
            raise PluginError(reason)
        return FileRules(file)

    def _distrust(self, path: Path) -> str | None:
        return None if self._trusted else distrust(path, self._owners)


class PluginClass:
    """A source of plugins for tests: a class that was imported already."""

    def __init__(self, cls: type) -> None:
        self._class = cls

    def __call__(self, checker: Checker, faults: list[str]) -> Iterator[Found]:
        """The plugins that it is: of each kind that it has the hook of."""
        name = self._class.__name__
        file = Path(inspect.getsourcefile(self._class) or "?")
        try:
            plugins = list(_Source(file, Lines(file), checker).plugins_of_class(self._class))
            if not plugins:
                raise PluginError(f"{name} is no plugin (expected a class with a @hookimpl)")
        except PluginError as fault:
            faults.append(str(fault))
        else:
            yield from plugins


def name_of_class(cls: type) -> str:
    """What chains call a class that says nothing else: ``in_networks`` for ``InNetworks``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__)
    return words.lower()


def _plugins_of(
    file: Path, package: Package, checker: Checker, faults: list[str]
) -> Iterator[FilePlugin]:
    """The plugins of one file; what is wrong with one of them is added.

    :raises PluginError: the file cannot be imported, or there is none in it.
    """
    module, lines = package.load(file)
    source = _Source(file, lines, checker)
    own = {id(one): one for one in vars(module).values() if _is_of(one, module)}.values()
    some = False
    parts: list[type | ModuleType] = [module, *(one for one in own if isinstance(one, type))]
    for part in parts:
        try:
            for plugin in source.plugins_of(part, own):
                some = True
                yield plugin
                plugin.load()
        except PluginError as fault:
            some = True
            faults.append(str(fault))
        except KeyboardInterrupt:
            raise
        except BaseException as fault:  # noqa: BLE001 -- to look at a class may run its code
            some = True
            faults.append(f"{source.origin(part)}: {in_words(fault)} {MEND}")
    if not some:
        raise PluginError(
            f"{file}: there is no plugin in it (expected a class with a @hookimpl; the name of a "
            "file of helpers begins with _)"
        )


def _is_of(value: Any, module: ModuleType) -> bool:
    """Whether a class or function was made there, and not imported."""
    # By its type, and not by what its own code says of it.
    if issubclass(type(value), type):
        return bool(type.__getattribute__(value, "__module__") == module.__name__)
    return type(value) is FunctionType and value.__module__ == module.__name__


class _Source(Struct, frozen=True):
    """Tells what of a file is a plugin, and where in the file it stands."""

    file: Path
    lines: Lines
    checker: Checker

    def origin(self, part: type | ModuleType, name: str | None = None) -> str:
        """File and line of a class or module, or of what is named in it."""
        return f"{self.file}:{self.lines.of(part, name)}"

    def plugins_of(self, part: type | ModuleType, own: Iterable[Any]) -> Iterator[FilePlugin]:
        """The plugins that a class or module is.

        :param part: the class or module.
        :param own: the classes and functions of the module.
        :raises PluginError: it looks like a plugin, but is none.
        """
        if isinstance(part, type):
            yield from self.plugins_of_class(part)
            return
        functions = {one.__name__: one for one in own if not isinstance(one, type)}
        for name in MAIN_HOOK.values():
            if name in functions:
                raise PluginError(
                    f"{self.origin(part, name)}: {name} stands outside of a class (expected a "
                    "class with it: chains name the class)"
                )
        marked = [name for name, one in functions.items() if hasattr(one, "pyruse_impl")]
        if marked:
            self._see_names(part, marked)
            yield FilePlugin(EXTENSIONS, self.file.stem, part, self)

    def plugins_of_class(self, cls: type) -> Iterator[FilePlugin]:
        """The plugins that a class is: of each kind that it has the hook of; of none, a helper.

        :raises PluginError: it looks like a plugin, but is none.
        """
        if cls.__name__.startswith("_"):
            return
        marked = [name for name in dir(cls) if hasattr(getattr(cls, name, None), "pyruse_impl")]
        for name in MAIN_HOOK.values():
            if not marked and inspect.isfunction(vars(cls).get(name)):
                raise PluginError(
                    f"{self.origin(cls, name)}: {name} is not marked, so it would never be called "
                    "(expected @hookimpl above it)"
                )
        if not marked:
            return
        self._see_names(cls, marked)
        groups = [group for group, hook in MAIN_HOOK.items() if hook in marked]
        for group in groups or [EXTENSIONS]:
            yield FilePlugin(group, self._name(cls), cls, self)

    def _name(self, cls: type) -> str:
        by_rule = name_of_class(cls)
        name = by_rule if _has_option_name(cls) else vars(cls).get("name", by_rule)
        if isinstance(name, str) and NAME.match(name):
            return name
        raise PluginError(
            f"{self.origin(cls)}: {shown(name)} cannot be the name of a plugin (expected letters, "
            f'digits and underscores, such as "{by_rule}")'
        )

    def _see_names(self, part: type | ModuleType, marked: Iterable[str]) -> None:
        """See that what is marked is a hook: of a misspelt one, not even the kind is known.

        :raises PluginError: it is none.
        """
        for name in marked:
            if name not in HOOKS:
                raise PluginError(
                    f"{self.origin(part, name)}: {name} is no hook (expected one that Pyruse calls"
                    f"{did_you_mean(name, HOOKS)})"
                )


def _has_option_name(cls: type) -> bool:
    return is_dataclass(cls) and any(one.name == "name" for one in fields(cls))
