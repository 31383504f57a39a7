"""The configuration's files: which ones there are, and one document out of all of them."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyruse.config.build import key
from pyruse.errors import ConfigError
from pyruse.options import shown

DEFAULT = Path("/etc/pyruse")
VARIABLE = "PYRUSE_CONFIG"


@dataclass
class Document:
    """What the files say together."""

    files: list[Path]
    sections: dict[str, dict[str, Any]] = field(default_factory=dict)
    """All but the chains; of a key that several files set, the last one's value."""
    chains: dict[str, Any] = field(default_factory=dict)
    """In the order of the files, and in each of them from top to bottom."""
    sources: dict[tuple[str, str], str] = field(default_factory=dict)
    """The file that a (section, key) or a ("chains", name) comes from."""
    folder: Path = DEFAULT
    """Where the administrator's templates are looked for."""

    def source(self, section: str, name: str = "") -> str:
        """The file to name in a message about a key."""
        known = self.sources.get((section, name))
        if known is None:
            known = next(
                (file for (where, _), file in self.sources.items() if where == section), None
            )
        return known or (str(self.files[0]) if self.files else str(self.folder))


def chosen(path: str | Path | None) -> Path:
    """Where the configuration is: the path given, else PYRUSE_CONFIG, else /etc/pyruse."""
    return Path(path or os.environ.get(VARIABLE) or DEFAULT)


def read(path: Path) -> Document:
    """Read a file, or the files of a folder: ``pyruse.toml``, then ``conf.d/*.toml`` by name.

    :raises ConfigError: there is none, or one cannot be read.
    """
    files, folder = _files(path)
    document = Document(files, folder=folder)
    faults: list[str] = []
    for file in files:
        content = _content(file, faults)
        if content is not None:
            _merge(document, content, str(file), faults)
    if faults:
        raise ConfigError(faults)
    return document


def from_text(text: str, name: str = "pyruse.toml") -> Document:
    """The document of a text instead of files, for tests and examples.

    :raises ConfigError: it is not TOML.
    """
    document = Document([Path(name)], folder=Path())
    faults: list[str] = []
    content = _parsed(text, name, faults)
    if content is not None:
        _merge(document, content, name, faults)
    if faults:
        raise ConfigError(faults)
    return document


def _files(path: Path) -> tuple[list[Path], Path]:
    if path.is_dir():
        main = path / "pyruse.toml"
        files = [main] if main.is_file() else []
        files += sorted((path / "conf.d").glob("*.toml"))
        if not files:
            raise ConfigError(
                [
                    f"{path}: no configuration there (expected pyruse.toml or conf.d/*.toml; "
                    "`pyruse demo` shows a complete one)"
                ]
            )
        return files, path
    return [path], path.parent


def _content(file: Path, faults: list[str]) -> dict[str, Any] | None:
    try:
        raw = file.read_bytes()
    except OSError as fault:
        faults.append(
            f"{file}: cannot be read: {fault.strerror} (expected a TOML file; another place is "
            f"chosen with -c PATH or {VARIABLE})"
        )
        return None
    try:
        return _parsed(raw.decode(), str(file), faults)
    except UnicodeDecodeError as fault:
        line = raw.count(b"\n", 0, fault.start) + 1
        faults.append(f"{file}: line {line} is not UTF-8 (expected TOML, which is UTF-8)")
        return None


def _parsed(text: str, name: str, faults: list[str]) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        what, _, where = str(fault).rpartition(" (at ")
        place = where.rstrip(")") or "somewhere"
        faults.append(f"{name}: {place}: {what or fault} (expected TOML)")
    except RecursionError:
        faults.append(f"{name}: nested too deeply (expected TOML as in the documentation)")
    return None


def _merge(document: Document, content: dict[str, Any], file: str, faults: list[str]) -> None:
    for section, table in content.items():
        if not isinstance(table, dict):
            faults.append(
                f"{file}: {key(section)}: {shown(table)} is no section (expected a table)"
            )
            continue
        for name, value in table.items():
            known = document.sources.get((section, name))
            if section == "chains" and known is not None:
                faults.append(
                    f'{file}: chains."{name}": there is such a chain in {known} already '
                    "(expected another name)"
                )
                continue
            document.sources[section, name] = file
            if section == "chains":
                document.chains[name] = value
            else:
                document.sections.setdefault(section, {})[name] = value
        document.sections.setdefault(section, {}) if section != "chains" else None
