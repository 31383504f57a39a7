"""What a text must have in it for a pattern to be found, told without compiling the pattern."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from pyruse.text import late_pattern

_WORTH = 2
"""Characters: a shorter text is found nearly everywhere."""
_PART = late_pattern(
    r"(?P<run>(?:[A-Za-z0-9 _,;:<>=@!\"'%&/~`#-] | \\[!-/:-@\[-`{-~ ])+)"
    r"(?P<repeated>(?=[*+?{]))?"
    r"| \{[0-9]*(?:,[0-9]*)?\} | \\(?:x..|u.{4}|U.{8}|N\{[^}]*\}|[0-9]+|.)"
    r"| \[\^?\]?(?:\\.|[^\]\\])*\] | (?P<other>.)",
    re.DOTALL | re.VERBOSE,
)
"""Characters that stand for themselves; an escape, a set of characters, or whatever else."""
_FLAGS = late_pattern(r"\(\?[aiLmsux]")
_CASELESS = "(?i)"


class Needs(NamedTuple):
    """What a text must have for a pattern to be found in it."""

    begin: bytes
    """It begins with this …"""
    inside: bytes
    """… and has this in it."""
    anchored: bool = False
    """The pattern is found at the beginning, or not at all."""
    caseless: bool = False
    """A text of ASCII has `inside` in it when its letters are made small. Nothing is known of other
    texts: a letter that is none of ASCII's may stand for one."""
    is_all: bool = False
    """The pattern is found in each text that has all this."""


@lru_cache(maxsize=1024)  # a configuration that is loaded again has the same ones
def needs_of_text(text: str) -> Needs:
    """What stands outside of all groups, in each text in which the pattern is found."""
    nothing = Needs(b"", b"")
    caseless = text.startswith(_CASELESS)
    if caseless:
        text = text.removeprefix(_CASELESS)
    if _FLAGS.match(text) or "(?#" in text:
        return nothing  # lines may count, for instance; or a remark may mislead
    runs, depth = [""], 0
    for part in _PART.finditer(text):
        match part["other"]:
            case "(":
                depth += 1
            case ")":
                depth -= 1
            case "|" if not depth:
                return nothing
        run = part["run"]
        if depth or not run:
            continue
        run = re.sub(r"\\(.)", r"\1", run)
        if part["repeated"] is not None:
            run = run[:-1]  # that character may be missing
        if part.start() == 1 and text[0] == "^" and not caseless:
            runs[0] = run
        else:
            runs.append(run)
    inside = max(runs[1:], key=len, default="")
    if len(inside) < _WORTH:
        inside = ""
    return Needs(
        runs[0].encode(),
        (inside.lower() if caseless else inside).encode(),
        anchored=text.startswith(("^", r"\A")),
        caseless=caseless,
        is_all=bool(runs[0] or inside) and not caseless and _is_plain(text.removeprefix("^")),
    )


def _is_plain(text: str) -> bool:
    """Whether a pattern is nothing but characters that stand for themselves."""
    whole = _PART.fullmatch(text)
    return whole is not None and whole["run"] is not None
