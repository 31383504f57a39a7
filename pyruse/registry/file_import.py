"""Imports Python files that are no package: from their source only, anew each time.

Nothing is kept in `__pycache__`: root's daemon writes nothing into the folder of the configuration,
and runs nothing that is not in a file there.
"""

from __future__ import annotations

import ast
import errno
import importlib.util
import os
import sys
import zlib
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from pyruse.registry.found import PluginError, why_not_imported
from pyruse.text import late_pattern

MEND = "(expected a working plugin: mend the file, or remove it)"
NAME = late_pattern(r"[A-Za-z_][A-Za-z0-9_-]*\Z")

Distrust = Callable[[Path], str | None]
"""Why a file must not be loaded; None: it may."""


class Package:
    """The Python files of a folder, which can import each other: ``from ._helper import …``.

    It is one package for Python. The modules of the last one of the same folder are forgotten by
    Python: who has their classes keeps them.
    """

    def __init__(self, folder: Path, distrust: Distrust) -> None:
        """Import nothing yet.

        :param distrust: is asked for each file before it is loaded.
        """
        self._name = f"pyruse_files_{zlib.crc32(os.fsencode(os.path.abspath(folder))):08x}"
        for known in [*sys.modules]:
            if known.partition(".")[0] == self._name:
                del sys.modules[known]
        package = ModuleType(self._name)
        package.__path__ = []  # so that nobody else finds its modules, and keeps them compiled
        sys.modules[self._name] = package
        sys.meta_path[:] = [
            *(one for one in sys.meta_path if getattr(one, "package", None) != self._name),
            _Finder(self._name, folder.absolute(), distrust),
        ]

    def load(self, file: Path) -> tuple[ModuleType, Lines]:
        """Import a file of the folder.

        :raises PluginError: it cannot be imported.
        """
        if not NAME.match(file.stem):
            raise PluginError(
                f"{file}: no module can have this name (expected letters, digits and underscores, "
                "before .py)"
            )
        if _leads_nowhere(file):
            raise PluginError(f"{file}: leads nowhere (expected a file; remove the link)")
        if file.exists() and not file.is_file():
            raise PluginError(f"{file}: is no plain file (expected a Python file)")
        try:
            module = importlib.import_module(f"{self._name}.{file.stem}")
            return module, Lines(file)
        except (PluginError, KeyboardInterrupt):  # a file is not to be trusted; Ctrl+C
            raise
        except BaseException as fault:  # whatever happens while somebody's module runs
            raise _import_error(file, fault) from fault


def _leads_nowhere(file: Path) -> bool:
    """Whether a file is a symbolic link to nothing, or to itself."""
    if not os.path.islink(file):
        return False
    try:
        os.stat(file)
    except OSError as fault:
        return fault.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
    return False


def _import_error(file: Path, fault: BaseException) -> PluginError:
    path = str(file.absolute())  # as Python names it
    if isinstance(fault, OSError) and fault.filename == path:
        return PluginError(
            f"{file}: cannot be read: {fault.strerror} (expected a file that the user of Pyruse "
            "may read)"
        )
    if isinstance(fault, SyntaxError) and fault.filename == path:
        what = f"{type(fault).__name__}: {fault.msg}"
        return PluginError(f"{file}:{fault.lineno or 1}: cannot be imported: {what} {MEND}")
    line, at = 1, fault.__traceback__
    while at is not None:
        if at.tb_frame.f_code.co_filename == path:
            line = at.tb_lineno
        at = at.tb_next
    return PluginError(f"{file}:{line}: cannot be imported: {why_not_imported(fault)} {MEND}")


class _Finder:
    """Finds the modules of a `Package`, also those that are imported later, inside a function."""

    def __init__(self, package: str, folder: Path, distrust: Distrust) -> None:
        self.package = package
        self._folder = folder
        self._distrust = distrust

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A file of the folder; None: it is none of its modules."""
        package, _, name = fullname.rpartition(".")
        file = self._folder / f"{name}.py"
        if package != self.package or not os.path.exists(file):
            return None
        loader = _Loader(fullname, str(file), self._distrust)
        return importlib.util.spec_from_file_location(fullname, file, loader=loader)


class _Loader(SourceFileLoader):
    """Compiles the source, whatever is in `__pycache__`."""

    def __init__(self, fullname: str, path: str, distrust: Distrust) -> None:
        super().__init__(fullname, path)
        self._distrust = distrust

    def get_code(self, fullname: str) -> CodeType:
        """Compile a file, after its owner and mode are checked.

        :raises PluginError: others could have written the file.
        """
        reason = self._distrust(Path(self.path))
        if reason is None and not os.path.isfile(self.path):  # a FIFO would be waited for
            reason = f"{self.path}: is no plain file (expected a Python file)"
        if reason is not None:
            raise PluginError(reason)
        code: CodeType = self.source_to_code(self.get_data(self.path), self.path)
        return code


def name_of(cls: type) -> str:
    """The name of a class, whatever its metaclass says."""
    name: str = type.__getattribute__(cls, "__name__")
    return name


class Lines:
    """In which line of a file a class or function begins, or an attribute of a class stands."""

    def __init__(self, file: Path) -> None:
        """Parse a file.

        :raises OSError: it cannot be read.
        :raises SyntaxError: it is no Python.
        """
        tree = ast.parse(file.read_bytes(), str(file))
        self._lines: dict[tuple[str | None, str], int] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                self._lines.setdefault((None, node.name), node.lineno)
                self._add(node.name, node.body)
        self._add(None, tree.body)

    def _add(self, cls: str | None, body: Sequence[ast.stmt]) -> None:
        for node in body:
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    self._lines[cls, node.name] = node.lineno
                case ast.AnnAssign(target=ast.Name(id=name)):
                    self._lines[cls, name] = node.lineno

    def of(self, part: type | ModuleType, name: str | None = None) -> int:
        """The line of a class or module, or of what is named in it, where that can be told."""
        cls = name_of(part) if isinstance(part, type) else None
        line = self._lines.get((None, cls), 1) if cls else 1
        return line if name is None else self._lines.get((cls, name), line)
