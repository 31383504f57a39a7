"""Text from log lines, made harmless for terminals, mails and reports."""

from __future__ import annotations

import re

# C0 and C1 controls but tab and newline, and the characters that reorder text (bidirectional
# embeddings, overrides and isolates: Unicode Standard Annex #9) or hide in it (zero width, BOM,
# line and paragraph separators, surrogates that no encoder takes).
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_LINE_BREAKS = re.compile(r"[\r\n]+")


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

    No encoding takes those, nor does the database. Python itself makes them: of JSON's escapes, or
    of what is written in UTF-7.
    """
    return text if text.isascii() else text.encode(errors="replace").decode()


def json_escaped(text: str) -> str:
    r"""JSON, with an escape such as ``\u009b`` for what JSON itself lets pass."""
    return _UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def shortened(text: str, limit: int) -> str:
    """The text, cut to ``limit`` characters with the number of those left out."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit} more characters)"


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
