"""Reads the files of fail2ban: INI, with those that they include, and local ones over them.

The order is that of jail.conf(5): ``NAME.conf``, ``NAME.d/*.conf``, ``NAME.local``,
``NAME.d/*.local``. Each file comes after those of its ``before``, and before those of its
``after``.
"""

from __future__ import annotations

import configparser
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pyruse.importers.fail2ban.faults import Unreadable
from pyruse.importers.fail2ban.values import Values
from pyruse.importers.findings import Findings

_LARGEST = 1 << 20
"""Bytes of a file. The largest that is known has 30,000."""
_MOST_FILES = 2000
_DEEPEST = 20
"""Files that include each other."""
_INCLUDES = "INCLUDES"
_NO_DEFAULT = "\0"
"""[DEFAULT] is read as any other section, so that what each section says itself can be told."""


@dataclass
class Folder:
    """The folder that is imported. Each file in it is read once."""

    path: Path
    findings: Findings
    _read: dict[Path, dict[str, dict[str, str]] | None] = field(default_factory=dict)

    def shown(self, file: Path) -> str:
        """The name of a file in messages: within the folder, if it is there."""
        return str(file.relative_to(self.path)) if file.is_relative_to(self.path) else str(file)

    def values(self, name: str) -> Values:
        """What the files of this name say: ``jail``, ``filter.d/sshd``.

        :raises Unreadable: there is none of them.
        """
        files = [file for first in self._own(name) for file in self._with_includes(first, ())]
        values = Values(name)
        for file in files:
            content = self._content(file)
            if content is not None:
                values.merge(content, self.shown(file))
        if not values.files:
            raise Unreadable(f"{name}.conf", "there is no such file that can be read")
        return values

    def _own(self, name: str) -> Iterator[Path]:
        base = self.path / name
        parts = base.parent / f"{base.name}.d"
        for suffix in (".conf", ".local"):
            main = base.parent / f"{base.name}{suffix}"
            if main.is_file():
                yield main
            yield from sorted(part for part in parts.glob(f"*{suffix}") if part.is_file())

    def _with_includes(self, file: Path, outer: tuple[Path, ...]) -> list[Path]:
        if len(outer) > _DEEPEST:
            self._note(file, f"included {_DEEPEST} files deep; left out")
            return []
        content = self._content(file)
        if content is None:
            return []
        before, after = (
            self._included(file, content, option, outer) for option in ("before", "after")
        )
        return [*before, file, *after]

    def _included(
        self, file: Path, content: dict[str, dict[str, str]], option: str, outer: tuple[Path, ...]
    ) -> list[Path]:
        if option not in content.get(_INCLUDES, {}):
            return []
        alone = Values(self.shown(file))
        alone.merge(content, self.shown(file))
        try:
            names = alone.get(_INCLUDES, option) or ""
        except Unreadable as fault:
            self.findings.notes.append(f"{fault}; left out")
            return []
        files: list[Path] = []
        for name in names.split("\n"):
            if not name.strip():
                continue
            named = file.parent / name.strip()
            for one in (named, named.with_suffix(".local")):
                # One that is not there is no fault: most of them are for what may be added.
                if one not in (file, *outer) and one not in files and one.is_file():
                    files += self._with_includes(one, (*outer, file))
        return files

    def _content(self, file: Path) -> dict[str, dict[str, str]] | None:
        if file not in self._read:
            if len(self._read) >= _MOST_FILES:
                self._note(file, f"more than {_MOST_FILES} files; left out")
                return None
            self._read[file] = self._parsed(file)
        return self._read[file]

    def _parsed(self, file: Path) -> dict[str, dict[str, str]] | None:
        try:
            with file.open("rb") as opened:
                data = opened.read(_LARGEST + 1)
            text = data.decode("utf-8-sig")
        except OSError as fault:
            self._note(file, f"cannot be read: {fault.strerror}; left out")
            return None
        except UnicodeDecodeError as fault:
            self._note(file, f"is no text in UTF-8 (byte {fault.start}); left out")
            return None
        if len(data) > _LARGEST:
            self._note(file, f"is larger than {_LARGEST:,} bytes; left out")
            return None
        return self._sections(file, text)

    def _sections(self, file: Path, text: str) -> dict[str, dict[str, str]] | None:
        try:
            parser = _parser(text, strict=True)
        except (configparser.DuplicateOptionError, configparser.DuplicateSectionError) as fault:
            option = getattr(fault, "option", None)
            where = f"[{fault.section}]" + (f".{option}" if option else "")
            self.findings.notes.append(
                f"{self.shown(file)}: {where}: named twice (line {fault.lineno}), which fail2ban "
                "refuses; the last one counts"
            )
            parser = _parser(text, strict=False, findings=self.findings, name=self.shown(file))
        except configparser.MissingSectionHeaderError as fault:
            self._note(file, f"line {fault.lineno}: stands in no [section]; the file is left out")
            return None
        except configparser.ParsingError:
            parser = _parser(text, strict=False, findings=self.findings, name=self.shown(file))
        return {name: dict(parser.items(name)) for name in parser.sections()}

    def _note(self, file: Path, what: str) -> None:
        self.findings.notes.append(f"{self.shown(file)}: {what}")


def _parser(
    text: str, *, strict: bool, findings: Findings | None = None, name: str = ""
) -> configparser.RawConfigParser:
    """Read the text of a file.

    :param findings: where lines that are neither option nor section are noted; None: they raise.
    """
    parser = configparser.RawConfigParser(
        strict=strict, inline_comment_prefixes=(";",), default_section=_NO_DEFAULT
    )
    try:
        parser.read_string(text)
    except configparser.MissingSectionHeaderError:
        raise
    except configparser.ParsingError as fault:
        if findings is None:
            raise
        lines = ", ".join(str(number) for number, _ in fault.errors)
        findings.notes.append(
            f"{name}: line {lines}: neither an option nor a section, so fail2ban does not start "
            "with it; left out"
        )
    return parser
