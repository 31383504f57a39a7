r"""What terminals add to a line: escape sequences, and a carriage return at its end.

Programs in containers often write to what they take for a terminal, so their lines have colours.
Patterns would need a ``(?:\x1b\[[\d;]*m)?`` at any place. So the text of ``MESSAGE`` is given
without, from the journal on.

Strangers write into log lines, and must not be able to have removed what the program itself wrote.
So only those forms are taken out that programs use: whatever could reach over a space or a sign
that separates fields stays, and loses no more than its escape character.
"""

from __future__ import annotations

import re

from pyruse.text import late_pattern

ESCAPE = "\x1b"

_CODES = late_pattern(
    r"""\x1b(?:
        \[ (?: [?>=]? [0-9]+ (?: [;:]{1,2} [0-9]+ )* )? [A-Za-z]  # CSI: colours, cursor, modes
        | [\]PX^_] [^\x07\x1b\s]* (?: \x07 | \x1b\\ )             # OSC, DCS, …: links, titles
        | [()] [0AB]                                              # a set of characters
        | [78]                                                    # the cursor's place
    )?""",
    re.VERBOSE,
)
"""ECMA-48, and xterm's ctlseqs. It needs no more than one look at each character."""


def without_codes(text: str) -> str:
    """The text as a person sees it on a terminal."""
    if ESCAPE in text:
        text = _CODES.sub("", text)
    return text.rstrip("\r")
