"""How an argument of Pyruse 1 becomes an option of Pyruse 2."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyruse.importers.findings import Location, as_json

LEVELS = ("EMERG", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG")
DETAILS = ("NONE", "FIRST", "LAST", "FIRSTLAST", "ALL")
SECTIONS = {"WARN": "important", "INFO": "interesting", "OTHER": "other"}
_UNITS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}


@dataclass(frozen=True)
class Kind:
    """What an argument may be, and how it is written now."""

    expected: str
    convert: Callable[[Any, Location], Any]
    """Raises ``ValueError`` on what it cannot use; None leaves the option out."""


@dataclass(frozen=True)
class Arg:
    """An argument of Pyruse 1."""

    old: str
    new: str
    """The option; ``sets.ipv4`` is ``ipv4`` in the table ``sets``."""
    kind: Kind
    required: bool = True
    default: Any = None
    """The default of Pyruse 1, where Pyruse 2 has another."""


@dataclass(frozen=True)
class Module:
    """A filter or an action of Pyruse 1."""

    new: str
    args: tuple[Arg, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)
    one_of: tuple[tuple[str, ...], ...] = ()
    """Groups of arguments of which at least one must be given."""
    look: Callable[[dict[str, Any], Location], None] | None = None
    """Notes what works otherwise now, given the options and the location of the arguments."""

    def options(self, args: Mapping[str, Any], location: Location) -> dict[str, Any]:
        """The options that these arguments become; what is wrong goes to the findings.

        :param args: the arguments of one step.
        :param location: where they stand.
        :return: options by name; one that goes into a table still has its dotted name.
        """
        options: dict[str, Any] = {}
        for arg in self.args:
            value = _converted(arg, args.get(arg.old), location.at(f".{arg.old}"))
            if value is not None:
                options[arg.new] = value
        for group in self.one_of:
            if all(args.get(name) is None for name in group):
                location.fault(f"no {' and no '.join(group)}", "at least one of them")
        known = {arg.old for arg in self.args}
        for name in args:
            if name not in known:
                location.at(f".{name}").note("unknown to Pyruse 1; left out")
        options.update(self.fixed)
        if self.look is not None:
            self.look(options, location)
        return options


def _converted(arg: Arg, value: Any, location: Location) -> Any:
    if value is None:
        value = arg.default
    if value is None:
        if arg.required:
            location.fault("missing", arg.kind.expected)
        return None
    try:
        return arg.kind.convert(value, location)
    except ValueError:
        location.wrong(value, arg.kind.expected)
        return None


def in_tables(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options with dotted names, each in its table: ``{"sets": {"ipv4": …}}``."""
    tables: dict[str, Any] = {}
    for name, value in options.items():
        table = tables
        *above, last = name.split(".")
        for part in above:
            table = table.setdefault(part, {})
        table[last] = value
    return tables


def duration(seconds: float) -> str:
    """Seconds as a duration that one reads at a glance: ``"10m"`` for 600, ``"63s"`` for 63."""
    if seconds != int(seconds):
        return f"{max(round(seconds * 1000), 1)}ms"
    left = int(seconds)
    for unit, length in _UNITS.items():
        if left % length == 0 and left // length <= 365:
            return f"{left // length}{unit}"
    parts = []
    for unit, length in _UNITS.items():
        number, left = divmod(left, length)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts)


def _text(value: Any, _location: Location) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _name(value: Any, location: Location) -> str:
    if not _text(value, location):
        raise ValueError
    return str(value)


def _plain(value: Any, location: Location) -> str:
    """Text that was no template in Pyruse 1 and is one now: its braces are doubled."""
    return _text(value, location).replace("{", "{{").replace("}", "}}")


def _scalar(value: Any, _location: Location) -> Any:
    if not isinstance(value, str | int | float):
        raise ValueError
    return value


def _ordered(value: Any, location: Location) -> Any:
    if isinstance(value, bool):
        raise ValueError
    return _scalar(value, location)


def _scalars(value: Any, location: Location) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError
    if None in value:
        location.note("null is left out: it let entries without the field pass")
    return [_scalar(item, location) for item in value if item is not None]


def _port(value: Any, _location: Location) -> int:
    if isinstance(value, bool) or not (isinstance(value, int) or str(value).isdecimal()):
        raise ValueError
    return int(value)


def _texts(value: Any, location: Location) -> list[str]:
    if not isinstance(value, list):
        raise ValueError
    return [_text(item, location) for item in value]


def _some_texts(value: Any, location: Location) -> list[str] | None:
    return _texts(value, location) or None


def _span(value: Any, _location: Location) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e10:
        raise ValueError
    return duration(value) if value else None


def _retention(value: Any, location: Location) -> str:
    span = _span(value, location)
    if span is None:
        raise ValueError
    return span


def _level(value: Any, _location: Location) -> str:
    if value not in LEVELS:
        raise ValueError
    return str(value)


def _section(value: Any, location: Location) -> str:
    if isinstance(value, str) and value in SECTIONS:
        return SECTIONS[value]
    location.note(f"{as_json(value)} is no level; it went to OTHER, so the section is other")
    return "other"


def _details(value: Any, location: Location) -> str:
    if value in DETAILS:
        return str(value)
    location.note(f"{as_json(value)} is none of the details; it was taken for ALL, and still is")
    return "ALL"


def _encoding(value: Any, location: Location) -> str:
    try:
        codecs.lookup(_text(value, location))
    except LookupError:
        raise ValueError from None
    return str(value)


def _storage(value: Any, location: Location) -> str:
    if not _text(value, location).startswith("/"):
        raise ValueError
    return f"sqlite://{value.rstrip('/')}/state.sqlite"


def _command(usual: list[str]) -> Callable[[Any, Location], list[str] | None]:
    def convert(value: Any, location: Location) -> list[str] | None:
        words = _texts(value, location)
        if not words:
            raise ValueError
        if words == usual:
            return None
        location.note(f"{as_json(words)} is kept; see whether these arguments are still wanted")
        return words

    return convert


FIELD = Kind("the name of a field", _name)
TEXT = Kind("text", _text)
PLAIN = Kind("text", _plain)
SCALAR = Kind("text, a number, true or false", _scalar)
ORDERED = Kind("text or a number", _ordered)
SCALARS = Kind("a list of texts and numbers", _scalars)
TEXTS = Kind("a list of texts", _texts)
FIELDS = Kind("a list of names", _some_texts)
SECONDS = Kind("a number of seconds, 0 for no limit", _span)
GRACE = Kind("a number of seconds, 0 for none", _span)
RETENTION = Kind("a number of seconds above 0", _retention)
LEVEL = Kind(f"one of {', '.join(LEVELS)}", _level)
SECTION = Kind("WARN, INFO or OTHER", _section)
DETAIL = Kind("NONE, FIRST, LAST, FIRSTLAST or ALL", _details)
PORT = Kind("the number of a port", _port)
ENCODING = Kind("the name of an encoding", _encoding)
STORAGE = Kind("an absolute path", _storage)
NFT = Kind("a command with its arguments", _command(["/usr/bin/nft"]))
IPSET = Kind("a command with its arguments", _command(["/usr/bin/ipset", "-exist", "-quiet"]))
