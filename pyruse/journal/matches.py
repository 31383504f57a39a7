"""Which entries are chosen by their fields, as journalctl(1) does: by unit, priority, FIELD=VALUE.

A `Group` is met by an entry that meets one of its terms. A term is met by an entry that has, of
each field named in it, one of the values named. An entry is chosen that meets all groups: so does
sd_journal_add_match(3) put terms together.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Collection, Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from pyruse.errors import did_you_mean
from pyruse.text import late_pattern, shown

if TYPE_CHECKING:
    from pyruse.entry.entry import Entry

Term = tuple[str, ...]
"""Each is a ``FIELD=VALUE``."""
Group = tuple[Term, ...]

LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
"""The names of priorities 0 to 7 (syslog(3))."""

KERNEL: Group = (("_TRANSPORT=kernel",),)

_UNIT_FIELDS = ("_SYSTEMD_UNIT", "COREDUMP_UNIT", "UNIT", "OBJECT_SYSTEMD_UNIT", "_SYSTEMD_SLICE")
"""Where units are named that a shell pattern may stand for."""
_COREDUMP = "fc2e22bc6ee647b6b90729ab34a250b1"
"""The MESSAGE_ID of a process that dumped core (systemd.journal-fields(7))."""
_TYPES = (
    "service", "socket", "device", "mount", "automount", "swap", "target", "path", "timer", "slice",
    "scope",
)  # fmt: skip
"""Of units (systemd.unit(5))."""
_PATTERN = late_pattern(r"[*?\[]")
_UNESCAPED = late_pattern(r"[^A-Za-z0-9:_.\\@\[\]!*?-]")
"""What stands as an escape in the name of a unit, and in a pattern for some."""
_FIELD = late_pattern(r"(?!__)[A-Z0-9_]{1,64}\Z")
_LONGEST_COMM = 15
"""Bytes that the kernel keeps of the name of a process."""
_LONGEST_LINE = 256
"""Bytes that it looks at for an interpreter."""
_POSIX = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "digit": "0-9", "lower": "a-z", "upper": "A-Z",
    "space": r"\s", "xdigit": "0-9A-Fa-f", "punct": r"!-/:-@\[-`{-~", "word": r"\w",
}  # fmt: skip
"""Classes of characters that Python's patterns do not have."""


def of_identifiers(names: Iterable[str]) -> Group:
    """``-t``: one of the names."""
    return (tuple(f"SYSLOG_IDENTIFIER={name}" for name in names),)


def of_priorities(text: str) -> Group:
    """``-p``: a priority and those that are worse, or all from one to another one: ``err..alert``.

    :raises ValueError: it is neither.
    """
    first, dots, last = text.partition("..")
    levels = sorted((_level(first), _level(last))) if dots else [0, _level(text)]
    return (tuple(f"PRIORITY={level}" for level in range(levels[0], levels[1] + 1)),)


def _level(text: str) -> int:
    if text in LEVELS:
        return LEVELS.index(text)
    if re.fullmatch("[0-7]", text):
        return int(text)
    names = ", ".join(f"{name} ({level})" for level, name in enumerate(LEVELS))
    raise ValueError(
        f"{shown(text)} is no priority (expected one of: {names}; or two of them, such as "
        f"err..alert{did_you_mean(text, LEVELS)})"
    )


def of_units(names: Iterable[str], known: Callable[[str], Collection[str]]) -> Group:
    """``-u``: what units say, and what systemd, the kernel and others say of them.

    :param names: of units, as they were typed, or shell patterns.
    :param known: gives the values that a field has in the journal.
    :raises ValueError: there is no unit that a pattern stands for.
    """
    terms: list[Term] = []
    for name in names:
        units = [unit_name(name)]
        if _PATTERN.search(name):
            here = {unit for field in _UNIT_FIELDS for unit in known(field)}
            units = sorted(unit for unit in here if fnmatchcase(unit, units[0]))
            if not units:
                raise ValueError(
                    f"{shown(name)} stands for no unit (expected a unit of: {_some(here)})"
                )
        for unit in units:
            terms += _of_unit(unit)
    return tuple(terms)


def _some(units: Collection[str]) -> str:
    shown_units = sorted(units)[:10]
    more = len(units) - len(shown_units)
    return ", ".join(shown_units or ["none"]) + (f" and {more} more" if more > 0 else "")


def _of_unit(unit: str) -> list[Term]:
    terms: list[Term] = [
        (f"_SYSTEMD_UNIT={unit}",),
        (f"MESSAGE_ID={_COREDUMP}", "_UID=0", f"COREDUMP_UNIT={unit}"),
        ("_PID=1", f"UNIT={unit}"),
        ("_UID=0", f"OBJECT_SYSTEMD_UNIT={unit}"),
    ]
    if unit.endswith(".slice"):
        terms.append((f"_SYSTEMD_SLICE={unit}",))
    return terms


def unit_name(text: str) -> str:
    """The name of a unit that was typed: ``ssh`` is ``ssh.service``, ``/srv`` is ``srv.mount``."""
    if text.startswith("/"):
        path = re.sub("/+", "/", text).strip("/")
        escaped = "-".join(_escaped(part) for part in path.split("/")) if path else "-"
        is_device = text.startswith(("/dev/", "/sys/"))
        return f"{escaped}.{'device' if is_device else 'mount'}"
    name = _UNESCAPED.sub(_escape, text.replace("/", "-"))
    return name if _PATTERN.search(name) or name.rpartition(".")[2] in _TYPES else f"{name}.service"


def _escaped(part: str) -> str:
    r"""A part of a path as names of units have it (systemd-escape(1)): ``a-b`` is ``a\x2db``."""
    return re.sub(r"[^A-Za-z0-9:_.]|^\.", _escape, part)


def _escape(found: re.Match[str]) -> str:
    return "".join(f"\\x{byte:02x}" for byte in found[0].encode(errors="surrogateescape"))


def of_fields(words: Sequence[str]) -> Group:
    """``FIELD=VALUE``: several of a field are alternatives; so is what a ``+`` stands between.

    The path of a program stands for the entries of that.

    :raises ValueError: a word is none of them, or a ``+`` does not stand between two others.
    """
    terms: list[list[str]] = [[]]
    for word in words:
        if word == "+":
            terms.append([])
        elif word.startswith("/"):
            terms[-1] += _of_program(word)
        else:
            terms[-1].append(_checked(word))
    if not all(terms):
        raise ValueError(
            f'{shown(" ".join(words))}: "+" stands between nothing and something (expected '
            'FIELD=VALUE on both sides of each "+": options such as -u are no part of it)'
        )
    return tuple(map(tuple, terms))


def _of_program(word: str) -> list[str]:
    """What the entries of a program have: of a script, its name, and its interpreter.

    :raises ValueError: it is none.
    """
    try:
        path = Path(word).resolve(strict=True)
        mode = path.stat().st_mode
    except (OSError, RuntimeError) as fault:
        reason = getattr(fault, "strerror", None) or "it leads round in a circle"
        raise ValueError(
            f"{shown(word)}: {reason} (expected the path of a program that is there, or "
            f"FIELD=VALUE, such as _EXE={word})"
        ) from None
    if stat.S_ISBLK(mode) or stat.S_ISCHR(mode):
        number = path.stat().st_rdev
        device = f"{'b' if stat.S_ISBLK(mode) else 'c'}{os.major(number)}:{os.minor(number)}"
        raise ValueError(f"{shown(word)} is a device (expected _KERNEL_DEVICE={device})")
    if not stat.S_ISREG(mode) or not mode & 0o111:
        raise ValueError(
            f"{shown(word)} is no program (expected the path of one, or FIELD=VALUE, such as "
            f"_EXE={word})"
        )
    interpreter = _interpreter(path)
    if interpreter is None:
        return [f"_EXE={path}"]
    found = [f"_COMM={path.name[:_LONGEST_COMM]}"]
    # What a link leads to is another one after the next upgrade.
    if interpreter.exists() and not interpreter.is_symlink():
        found.append(f"_EXE={interpreter}")
    return found


def _interpreter(path: Path) -> Path | None:
    """What runs a script; None: the file is none, or may not be read."""
    try:
        with path.open("rb") as file:
            line = file.readline(_LONGEST_LINE)
    except OSError:
        return None
    words = os.fsdecode(line[2:]).split() if line.startswith(b"#!") else []
    return Path(words[0]) if words else None


def _checked(word: str) -> str:
    name, separator, value = word.partition("=")
    if separator and _FIELD.match(name):
        return word
    hint = "FIELD=VALUE, such as _UID=0"
    if separator and _FIELD.match(name.upper()):
        hint = f"a name in capitals: {name.upper()}={value}"
    raise ValueError(f"{shown(word)} is no field (expected {hint})")


def pattern(text: str) -> re.Pattern[str]:
    """``-g``: looked for in messages; in either case of letters unless one of its own is a capital.

    :raises ValueError: it is no pattern.
    """
    translated = re.sub(r"\[:(\w+):\]", lambda found: _POSIX.get(found[1], found[0]), text)
    try:
        return re.compile(translated, 0 if re.search("[A-Z]", text) else re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as fault:
        raise ValueError(
            f"{shown(text)} is no pattern: {fault} (expected a regular expression)"
        ) from None


def has(wanted: re.Pattern[str], entry: Entry) -> bool:
    """Whether an entry's message has a pattern; without a message, it has none."""
    message = entry.text("MESSAGE")
    return message is not None and wanted.search(message) is not None
