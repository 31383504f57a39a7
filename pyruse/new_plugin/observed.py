"""Rules for a program, begun with what it has written: its kinds of lines, and who wrote them.

What lines mean, people decide: all kinds begin as noise, and those with an address are set apart.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pyruse.addresses import address_text
from pyruse.entry.entry import Entry
from pyruse.kinds.masks import MASK, Masks

MOST_KINDS = 40
_MOST_EXAMPLES = 20
_LONGEST_LINE = 400
"""Characters of a line that are looked at, as by `Masks`."""
_TRUSTED = ("_SYSTEMD_UNIT", "_COMM", "_EXE", "_UID")
_OF_SESSIONS = re.compile(r"(?:session-|user@|run-|init\.scope)")
"""Units that say nothing of a program."""
_ADDRESS = re.compile(
    r"(?<![\w.:])(?:(?:\d{1,3}\.){3}\d{1,3}|(?=[\da-fA-F]*:[\da-fA-F:.]*:)[\da-fA-F:.]{3,45})(?![\w:])"
)
_MAIL = re.compile(
    r"[\w.+-]+@(?!\S*\.(?:service|socket|timer|mount|scope|slice|target|device)\b)[\w-]+(?:\.[\w-]+)+"
)
_HOST = re.compile(r"\b(?:[a-z\d-]+\.)+(?:com|org|net|de|io|eu|info|lan|local|home|internal)\b")
_MAC = re.compile(r"\b(?:[\da-fA-F]{2}:){5}[\da-fA-F]{2}\b")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass
class _Kind:
    template: str
    number: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Line:
    """A kind of line, for the template of the rules' file."""

    number: int
    pattern: str
    """As TOML has it, with its quotes."""
    sample: str
    """The message of one, masked; as TOML has it."""
    address: str | None
    """The address that the sample has, if one may be banned."""


class Observed:
    """What entries of a program show."""

    def __init__(self, identifier: str) -> None:
        """Look at the entries with this SYSLOG_IDENTIFIER."""
        self.identifier = identifier
        self.entries = 0
        self._masks = Masks()
        self._kinds: dict[str, _Kind] = {}
        self._writers: dict[str, Counter[str]] = {name: Counter() for name in _TRUSTED}

    def look(self, entries: Iterable[Entry]) -> None:
        """Take in entries; those of other programs are passed over."""
        for entry in entries:
            if entry.text("SYSLOG_IDENTIFIER") != self.identifier:
                continue
            self.entries += 1
            for name, values in self._writers.items():
                value = entry.text(name)
                if value is not None and (value in values or len(values) < _MOST_EXAMPLES):
                    values[value] += 1
            self._take((entry.text("MESSAGE") or "")[:_LONGEST_LINE])

    def _take(self, message: str) -> None:
        if "\n" in message or not message.strip():
            return
        template = self._masks.template_of(message)
        kind = self._kinds.get(template)
        if kind is None:
            if len(self._kinds) >= _MOST_EXAMPLES * MOST_KINDS:
                return
            kind = self._kinds[template] = _Kind(template)
        kind.number += 1
        if len(kind.examples) < _MOST_EXAMPLES:
            kind.examples.append(message)

    @property
    def kinds(self) -> int:
        """How many there are."""
        return len(self._kinds)

    @property
    def title(self) -> str:
        """The identifier as TOML has it."""
        return toml_text(self.identifier)

    @property
    def writer(self) -> Mapping[str, str]:
        """The trusted fields that nearly all entries agree in, as TOML has them."""
        found = {}
        for name, values in self._writers.items():
            for value, number in values.most_common(1):
                if number * 10 < self.entries * 9:
                    continue  # several units, or users
                if name == "_SYSTEMD_UNIT" and _OF_SESSIONS.match(value):
                    continue
                found[name] = value if name == "_UID" and value.isdecimal() else toml_text(value)
        return found

    @property
    def check(self) -> tuple[str, str] | None:
        """The field by which a line is believed, with its value; None: nothing is certain."""
        for name in ("_SYSTEMD_UNIT", "_EXE", "_COMM", "_UID"):
            if name in self.writer:
                return name, self.writer[name]
        return None

    @property
    def lines(self) -> list[Line]:
        """The most frequent kinds."""
        ordered = sorted(self._kinds.values(), key=lambda kind: (-kind.number, kind.template))
        made: dict[str, Line] = {}
        for kind in ordered:
            line = _line(kind)
            if line.pattern not in made and len(made) < MOST_KINDS:
                made[line.pattern] = line
        return list(made.values())


def _line(kind: _Kind) -> Line:
    masked = [_masked(example) for example in kind.examples]
    pattern, has_address = _pattern(kind, masked)
    sample = masked[0]
    found = _ADDRESS.search(sample)
    address = address_text(found[0]) if found is not None and has_address else None
    return Line(kind.number, _literal(pattern), toml_text(sample), address)


def _pattern(kind: _Kind, examples: list[str]) -> tuple[str, bool]:
    """A pattern for a kind, and whether it has an address."""
    parts = kind.template.split(MASK)
    split = re.compile("(.*?)".join(map(re.escape, parts)) + r"\Z", re.DOTALL)
    matched = [split.match(one) for one in kind.examples]
    if len(parts) == 1 or not all(matched):
        whole = examples[0] if len(set(examples)) == 1 and len(examples[0]) < _LONGEST_LINE else ""
        if whole and not _ADDRESS.search(whole):
            return f"^{_escaped(whole)}$", False
        return f"^{_escaped(_words_before(parts[0]))}(?P<rest>.*)$", False
    text = f"^{_escaped(parts[0])}"
    addresses = 0
    anything = False
    for index, after in enumerate(parts[1:], 1):
        texts = [match[index] for match in matched if match is not None]
        if all(_is_address(one) for one in texts) and not anything:
            # Behind what may be anything, a stranger may have written it.
            addresses += 1
            piece = "{address}" if addresses == 1 else f"{{address:other{addresses}}}"
        elif all(one.isdecimal() and one.isascii() for one in texts):
            piece = r"\d+"
        elif all(one and not re.search(r"\s", one) for one in texts):
            piece = rf"(?P<what{index}>\S+)"
        else:
            piece = f"(?P<what{index}>.*)"
            anything = True
        text += piece + _escaped(after)
    return f"{text}$", addresses > 0


def _words_before(text: str) -> str:
    return text if len(text) < 100 else text[:100].rpartition(" ")[0]


def _is_address(text: str) -> bool:
    return _ADDRESS.fullmatch(text) is not None and address_text(text) is not None


def _escaped(text: str) -> str:
    """As `re.escape`, but legible."""
    return re.sub(r"([\\.^$*+?{}\[\]|()])", r"\\\1", text)


def _masked(text: str) -> str:
    """A line with addresses and names that stand for nobody."""
    seen: dict[str, str] = {}

    def other(match: re.Match[str]) -> str:
        address = address_text(match[0])
        if address is None:
            return match[0]
        made = "2001:db8::{}" if ":" in address else "203.0.113.{}"
        return seen.setdefault(address, made.format(len(seen) + 9))

    text = _MAIL.sub("user@example.org", _MAC.sub("02:00:5e:00:53:01", text))
    return _HOST.sub(lambda m: m[0] if "example" in m[0] else "host.example.org",
                     _ADDRESS.sub(other, text))  # fmt: skip


def _literal(pattern: str) -> str:
    """A pattern as TOML has it, with no escapes of TOML's where that can be."""
    if _CONTROLS.search(pattern):
        return toml_text(pattern)
    if "'" not in pattern:
        return f"'{pattern}'"
    return f"'''{pattern}'''" if "'''" not in pattern and pattern[-1] != "'" else toml_text(pattern)


def toml_text(text: str) -> str:
    """A text as TOML has it: as JSON, but for one character and what is no Unicode."""
    text = text.encode("utf-8", "replace").decode()
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
