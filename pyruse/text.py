"""Text from log lines, made harmless for terminals, mails and reports."""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


def late_pattern(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """A pattern of Pyruse's own, which is compiled when it is first used: a start needs few."""
    return cast("re.Pattern[AnyStr]", _LatePattern(pattern, flags))


class _LatePattern:
    def __init__(self, pattern: Any, flags: int) -> None:
        self._written = pattern, flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(*self._written), name)
        setattr(self, name, found)  # the next time, nobody asks here
        return found


# C0 and C1 controls but tab and newline, and the characters that reorder text (bidirectional
# embeddings, overrides and isolates: Unicode Standard Annex #9) or hide in it (zero width, BOM,
# line and paragraph separators, surrogates that no encoder takes).
_UNSAFE = late_pattern(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_UNSAFE_IN_UTF8 = [
    late_pattern(rb"\x7f"),
    late_pattern(rb"\xc2[\x80-\x9f]"),
    late_pattern(rb"\xd8\x9c"),
    late_pattern(rb"\xe2(?:\x80[\x8b-\x8f\xa8-\xae]|\x81[\xa0-\xa9])"),
    late_pattern(rb"\xef\xbb\xbf"),
]
"""The same in UTF-8, but for C0. One by one, as each that begins with one byte is looked for
quickly: together, they take four times as long."""
_CONTROLS = bytes([*range(0x20), 0x7F])
_LINE_BREAKS = late_pattern(r"[\r\n]+")

_LONGEST_SHOWN = 80
_DEEPEST_SHOWN = 3


def printable(text: str) -> str:
    r"""The text with every control and reordering character shown as an escape such as ``\x1b``."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_escape, text)


def one_line(text: str) -> str:
    """Printable text on a single line, as headers, table cells and log lines need it."""
    if text.isascii() and text.isprintable():
        return text
    # Split, and not a pattern with the spaces around: that would take a minute for a megabyte.
    lines = (line.strip() for line in _LINE_BREAKS.split(text))
    return printable(" ".join(line for line in lines if line)).replace("\t", " ")


def encodable(text: str) -> str:
    """The text, with a question mark for each half of a character (surrogate) that stands alone.

    No encoding takes surrogates, nor does the database. Python itself makes them: of escapes in
    JSON, or of UTF-7.
    """
    return text if text.isascii() else text.encode(errors="replace").decode()


def json_escaped(text: str) -> str:
    r"""JSON, with an escape such as ``\u009b`` for what JSON itself lets pass."""
    return _UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def is_harmless_json(document: bytes) -> bool:
    """Whether JSON, in UTF-8, has nothing that `json_escaped` escapes: quick for megabytes."""
    if document.isascii():
        return b"\x7f" not in document
    return not any(unsafe.search(document) for unsafe in _UNSAFE_IN_UTF8)


def counted(count: int, noun: str) -> str:
    """A number with its noun: ``1 event``, ``12,345 events``."""
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {noun.removesuffix('y')}ies" if noun[-2:] == "ry" else f"{count:,} {noun}s"


def controls_in(text: str) -> int:
    """How many control characters are in a text in ASCII, tabs and line breaks among them.

    Quick for megabytes: `str.isprintable` takes five times as long.
    """
    return len(text) - len(text.encode().translate(None, _CONTROLS))


def shortened(text: str, limit: int) -> str:
    """The text, cut to ``limit`` characters with the number of those left out."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit} more characters)"


def brief_line(text: str, limit: int) -> str:
    """The text on one line, cut to ``limit`` characters: quick, however long it is."""
    return one_line(shortened(text, limit))


def shown(value: Any) -> str:
    """A configured value as error messages show it: on one line, printable, not too long."""
    text = _toml(value, 0)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def quoted(text: str) -> str:
    """A text in quotes, on one line: in single ones, as patterns are, where that is plainer."""
    end = "" if len(text) <= _LONGEST_SHOWN else "…"
    text = printable(text[:_LONGEST_SHOWN]).replace("\n", "\\n").replace("\t", "\\t")
    mark = "'" if "'" not in text and ('"' in text or "\\" in text) else '"'
    return f"{mark}{text}{end}{mark}"


def toml_key(name: str) -> str:
    """A key as TOML writes it: quoted where it must be."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else quoted(name)


def _toml(value: Any, depth: int) -> str:
    text = ""
    match value:
        case str():
            text = quoted(value)
        case bool():
            text = str(value).lower()
        case int() if value.bit_length() > _LONGEST_SHOWN:
            text = "that"  # Python refuses to write thousands of digits
        case list() | dict() if depth == _DEEPEST_SHOWN:
            text = "…"
        case list():
            text = f"[{', '.join(_toml(item, depth + 1) for item in value[:_LONGEST_SHOWN])}]"
        case dict():
            items = [f"{name} = {_toml(item, depth + 1)}" for name, item in value.items()]
            text = f"{{ {', '.join(items)} }}" if items else "{}"
        case _:
            text = str(value)
    return text


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
