"""The configuration's files: which ones there are, and one document out of all of them."""

from __future__ import annotations

import errno
import os
import shlex
import tomllib
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from pyruse.errors import ConfigError, did_you_mean
from pyruse.options.faults import ConfigFaults, SectionFaults
from pyruse.system.files import read_file
from pyruse.text import shown, toml_key

if TYPE_CHECKING:
    from pyruse.registry.files import PluginFiles

DEFAULT = Path("/etc/pyruse")
VARIABLE = "PYRUSE_CONFIG"
USE = "use"
"""The names of rules: the only thing that stands outside of sections."""
KNOWN_SECTIONS = (
    "journal", "state", "email", "report", "bans", "engine", "plugins", "rules", "chains",
)  # fmt: skip

JOINED = {("bans", "never")}
"""Lists that protect: what several files say of them counts together."""
_LARGEST = 16 << 20
"""Bytes of a file."""


class Document(Struct):
    """What the files say together."""

    files: list[Path]
    sections: dict[str, dict[str, Any]] = field(default_factory=dict)
    """All but the chains; of a key that several files set, the last one's value, unless it is a
    list that is `JOINED`."""
    use: dict[str, str] = field(default_factory=dict)
    """The names of the rules that are used, each with its place: those of all the files."""
    chains: dict[str, Any] = field(default_factory=dict)
    """In the order of the files, and in each of them from top to bottom; once they are known, with
    those of the rules."""
    origins: dict[tuple[str, int], dict[str, str]] = field(default_factory=dict)
    """Of a step (chain and index): by option, where a value that rules have put there stands."""
    tested: set[str] = field(default_factory=set)
    """The chains of rules that tests have seen to be valid."""
    sources: dict[tuple[str, str | None], str] = field(default_factory=dict)
    """The file that a (section, key) or a ("chains", name) comes from; with the key None, the first
    file that has the section."""
    parts: dict[tuple[str, str], list[tuple[str, int]]] = field(default_factory=dict)
    """Of a list that is joined: the files, and how many items each has."""
    folder: Path = DEFAULT
    """Where the administrator's templates are looked for."""
    faults: list[str] = field(default_factory=list)
    """What is wrong with how the files are made up."""

    def section(self, name: str, faults: list[str]) -> SectionFaults:
        """The collector for the faults of a section.

        :param name: of the section.
        :param faults: what they are added to.
        """
        parts = {key: parts for (section, key), parts in self.parts.items() if section == name}
        return SectionFaults(name, partial(self.source, name), faults, parts)

    def source(self, section: str, name: str | None = None) -> str:
        """The file to name in a message about a key, or else about its section."""
        known = self.sources.get((section, name)) or self.sources.get((section, None))
        return known or (str(self.files[0]) if self.files else str(self.folder))


def chosen(path: str | Path | None) -> Path:
    """Where the configuration is: the path given, else PYRUSE_CONFIG, else /etc/pyruse."""
    return Path(path or os.environ.get(VARIABLE) or DEFAULT)


def plugin_files(path: Path) -> list[PluginFiles]:
    """The plugins beside a configuration, in the folder ``plugins``, if there is one.

    They are root's, or belong to the owner of the file or folder that the configuration is.
    """
    folder = path if os.path.isdir(path) else path.parent
    if not os.path.isdir(folder / "plugins"):
        return []
    from pyruse.registry.files import PluginFiles  # with all that importing files takes

    try:
        owner = path.stat().st_uid
    except OSError:  # whoever reads the configuration says why
        owner = None
    return [PluginFiles(folder / "plugins", owner)]


def read(path: Path) -> Document:
    """Read a file, or the files of a folder: ``pyruse.toml``, then ``conf.d/*.toml`` by name.

    :raises ConfigError: there is none, or one cannot be read, or is not TOML.
    """
    faults: list[str] = []
    document = read_sound(path, faults)
    if faults:
        raise ConfigError(faults)
    return document


def read_sound(path: Path, faults: list[str]) -> Document:
    """Read the files that can be read, and are TOML.

    :param path: a file or folder.
    :param faults: what is wrong with the others is added.
    :raises ConfigError: there is none.
    """
    files, folder = _files(path)
    document = Document(files, folder=folder)
    for file in files:
        content = _content(file, ConfigFaults(str(file), faults))
        if content is not None:
            _merge(document, content, str(file))
    return document


def from_text(text: str, name: str = "pyruse.toml") -> Document:
    """The document of a text instead of files, for tests and examples.

    :raises ConfigError: it is not TOML.
    """
    document = Document([Path(name)], folder=Path())
    faults: list[str] = []
    content = _parsed(text, ConfigFaults(name, faults))
    if content is not None:
        _merge(document, content, name)
    if faults:
        raise ConfigError(faults)
    return document


def writable_by_others(files: Iterable[Path]) -> list[str]:
    """What others may write to, and so have another configuration take its place; what to do."""
    from pyruse.registry.trust import open_to_others

    found: dict[Path, None] = {}
    for file in files:
        with suppress(OSError):  # a pipe that was given as a file is on no way
            if file.is_file():
                found |= dict.fromkeys(open_to_others(file))
    return [
        f"{one}: others than its owner may write there, and so choose the programs that Pyruse "
        f"runs (expected that they may not: chmod go-w {shlex.quote(str(one))})"
        for one in found
    ]


def _files(path: Path) -> tuple[list[Path], Path]:
    if os.path.isdir(path):  # unlike Path.is_dir, it never raises
        if not os.access(path, os.R_OK | os.X_OK):
            raise ConfigError([f"{path}: {_unreadable(os.strerror(errno.EACCES))}"])
        main = path / "pyruse.toml"
        files = [main] if os.path.lexists(main) else []
        # Hidden ones are what editors leave behind.
        files += sorted(
            file for file in (path / "conf.d").glob("*.toml") if not file.name.startswith(".")
        )
        if not files:
            raise ConfigError(
                [
                    f"{path}: no configuration there (expected pyruse.toml or conf.d/*.toml: "
                    f"`{_init(path)}` writes one)"
                ]
            )
        return files, path
    if path == DEFAULT and not os.path.lexists(path):
        raise ConfigError(
            [
                f"{path}: there is no configuration yet (expected one: `{_init(path)}` writes it; "
                f"another place is chosen with -c PATH or {VARIABLE})"
            ]
        )
    return [path], path.parent


def _init(path: Path) -> str:
    """The command that writes a first configuration into a folder."""
    place = "" if path == DEFAULT else f" -c {shlex.quote(str(path))}"
    return f"{'' if os.geteuid() == 0 else 'sudo '}pyruse init{place}"


def _content(file: Path, faults: ConfigFaults) -> dict[str, Any] | None:
    try:
        raw = read_file(file, _LARGEST)
    except OSError as fault:
        faults.add(_unreadable(fault.strerror))
        return None
    except ValueError as fault:
        faults.add(_unreadable(str(fault)))
        return None
    try:
        return _parsed(raw.decode("utf-8-sig"), faults)
    except UnicodeDecodeError as fault:
        line = fault.object.count(b"\n", 0, fault.start) + 1
        faults.add(f"line {line} is not UTF-8 (expected TOML, which is UTF-8)")
        return None


def _unreadable(reason: str | None) -> str:
    return (
        f"cannot be read: {reason} (expected a TOML file; another place is chosen with -c PATH or "
        f"{VARIABLE})"
    )


def _parsed(text: str, faults: ConfigFaults) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        what, _, where = str(fault).rpartition(" (at ")
        place = where.rstrip(")") or "somewhere"
        hint = next((hint for begin, hint in _HINTS.items() if what.startswith(begin)), _TOML)
        faults.add(f"{place}: {what or fault} (expected {hint})")
    except ValueError:
        faults.add("a number has too many digits (expected at most 19)")
    except RecursionError:
        faults.add("nested too deeply (expected sections, and chains of steps)")
    return None


_TOML = "TOML: see https://toml.io"
_HINTS = {
    "Unescaped": "text with backslashes in single quotes",
    "Cannot overwrite": "each key and each chain once",
    "Cannot declare": "each section once",
    "Illegal character": "text that ends on its line, without control characters",
    "Invalid initial character": "a key; { … } stands on one line",
    "Invalid value": "text in quotes; true, false and numbers without",
}
"""What to write instead, by the beginning of tomllib's message."""


def _merge(document: Document, content: dict[str, Any], file: str) -> None:
    for section, table in content.items():
        if section == USE:
            _merge_use(document, table, file)
        elif section not in KNOWN_SECTIONS:
            known = (USE, *KNOWN_SECTIONS)
            document.faults.append(
                f"{file}: {toml_key(section)}: unknown section (expected one of: "
                f"{', '.join(known)}{did_you_mean(section, known)})"
            )
        elif not isinstance(table, dict):
            document.faults.append(
                f"{file}: {section}: {shown(table)} is no section (expected a table: [{section}])"
            )
        else:
            document.sources.setdefault((section, None), file)
            _merge_section(document, section, table, file)


def _merge_use(document: Document, names: Any, file: str) -> None:
    """Add what a file uses: a file more never takes away what another one protects."""
    here = ConfigFaults(f"{file}: {USE}", document.faults)
    if not isinstance(names, list):
        here.add(f'{shown(names)} is no list (expected names of rules: ["sshd", "postfix"])')
        return
    for index, name in enumerate(names):
        if isinstance(name, str) and name:
            document.use.setdefault(name, here.at(index).address)
        else:
            here.at(index).add(f"{shown(name)} is no name (expected one that `pyruse rules` lists)")


def _merge_section(document: Document, section: str, table: dict[str, Any], file: str) -> None:
    for name, value in table.items():
        known = document.sources.get((section, name))
        if (section, name) in JOINED:
            _join(document, section, name, value, file)
            continue
        if section != "chains":
            merged = document.sections.setdefault(section, {})
            before = merged.get(name)
            if section == "rules" and isinstance(value, dict) and isinstance(before, dict):
                before |= value  # [rules.sshd] of two files: each option counts by itself
            else:
                merged[name] = value
        elif known is None:
            document.chains[name] = value
        else:
            document.faults.append(
                f'{file}: chains."{name}": there is such a chain in {known} already (expected '
                "each chain once: rename or remove one)"
            )
            continue
        document.sources[section, name] = file


def _join(document: Document, section: str, name: str, value: Any, file: str) -> None:
    """Add what a file has of a list; what is no list stays alone, so that its fault is told."""
    keys = document.sections.setdefault(section, {})
    parts = document.parts.setdefault((section, name), [])
    if name in keys and not parts:
        return
    if isinstance(value, list):
        keys[name] = [*keys.get(name, []), *value]
        parts.append((file, len(value)))
    else:
        keys[name] = value
        parts.clear()
    document.sources[section, name] = file
