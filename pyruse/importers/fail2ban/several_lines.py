"""An expression for several lines at once, as one for each of the two lines.

``A<SKIPLINES>B`` finds two lines with others between them. What B repeats of A, by ``(?P=name)``,
tells that they belong together: it becomes the session of both. The line with the address is no
failure by itself, and the other one has the address from it.
"""

from __future__ import annotations

import re

_BETWEEN = "<SKIPLINES>"
_AGAIN = re.compile(r"\(\?P=(\w+)\)")
_NAMED = r"\(\?P<{}>"
_ADDRESS = re.compile(r"<(?:HOST|ADDR|IP[46]|F-ID)\b")
_FEED = re.compile(r"(?<!\\)(?:\\\\)*\\n")


def is_of_several(regex: str) -> bool:
    """Whether an expression is for more than one line."""
    return _BETWEEN in regex or _FEED.search(regex) is not None


def split(regex: str) -> list[str] | None:
    """The expressions for the two lines, or None where they cannot be told apart."""
    regex = regex.replace("[^\\n]", ".")  # within one line, what is no line feed is anything
    if regex.count(_BETWEEN) != 1 or _FEED.search(regex):
        return None
    first, second = regex.split(_BETWEEN)
    names = list(dict.fromkeys(_AGAIN.findall(second)))
    if not names:
        return None
    contents: list[str] = []
    for name in names:
        found = re.search(_NAMED.format(re.escape(name)), first)
        end = None if found is None else _closing(first, found.end())
        if found is None or end is None:
            return None
        content = first[found.end() : end]
        contents.append(content)
        first = first[: found.start()] + _marked(content, name, names) + first[end + 1 :]
        second = second.replace(f"(?P={name})", _marked(content, name, names), 1)
    if _AGAIN.search(second):
        return None
    if _ADDRESS.search(first) is None:  # the failure comes first, and waits for the address
        return [first, f"^{second}<F-NOFAIL></F-NOFAIL>"]
    return [f"{first}<F-NOFAIL></F-NOFAIL>", f"^{second}"]


def _marked(content: str, name: str, names: list[str]) -> str:
    """What both lines have, as a part of the name of their session."""
    begin = "<F-MLFID>" if name == names[0] else ""
    end = "</F-MLFID>" if name == names[-1] else ""
    return f"{begin}{content}{end}"


def _closing(text: str, at: int) -> int | None:
    """Where the bracket is closed that was opened before."""
    depth, in_set = 1, False
    while at < len(text):
        character = text[at]
        if character == "\\":
            at += 1
        elif in_set:
            in_set = character != "]"
        elif character == "[":
            in_set = True
            if text[at + 1 : at + 2] in ("]", "^"):
                at += 1
        elif character in "()":
            depth += 1 if character == "(" else -1
            if depth == 0:
                return at
        at += 1
    return None
