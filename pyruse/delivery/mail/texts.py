"""The texts of a mail in the outbox: what a replay shows of it, without Python's package email."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyruse.text import one_line, printable, shortened

_LONGEST_SUBJECT = 200  # characters: even in UTF-8, far from 998 bytes
_LONGEST_PART = 2_000  # characters quoted of each of the gathered repeats


def subject_of(payload: Mapping[str, Any]) -> str:
    """The subject of a mail in the outbox, on one line."""
    subject = header_of(payload["subject"])
    return f"{subject} ({payload['count']} times)" if payload["count"] > 1 else subject


def header_of(value: str) -> str:
    """The value of a header, on one line."""
    # Python's email package decodes "=?utf-8?q?=0ABcc:…?=" (RFC 2047) wherever it comes from: a log
    # line could add headers of its own.
    return shortened(one_line(value).replace("=?", "= ?"), _LONGEST_SUBJECT)


def text_of(payload: Mapping[str, Any]) -> str:
    """The plain text of a mail in the outbox."""
    if payload["count"] > 1:
        return _gathered(payload["parts"], payload["count"])
    return cleaned("\n".join(payload["parts"]))


def _gathered(parts: list[str], count: int) -> str:
    """How many there were, those that are quoted, and how many are not."""
    quoted = [shortened(cleaned(part).strip("\n"), _LONGEST_PART) for part in parts]
    if count > len(parts):
        quoted.append(f"… and {count - len(parts)} more")
    # Texts of several lines are told apart by an empty one.
    between = "\n\n" if any("\n" in part for part in quoted) else "\n"
    return f"{count} times:\n\n" + between.join(quoted)


def cleaned(text: str) -> str:
    """A text without what terminals and mail programs might act on."""
    return printable(text.replace("\r\n", "\n"))
