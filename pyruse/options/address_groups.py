"""``{address}`` in a regular expression: an address as logs write it, with or without its port.

The group takes nothing but an address, and never a part of something longer: not the first half of
a host's name that begins like an address (``10.0.0.1.example.com``), nor white space. What it may
match has a bound, so it can be repeated.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from msgspec import Struct

from pyruse.addresses import address_text
from pyruse.options.fields import NewField
from pyruse.text import late_pattern

_MARK = late_pattern(
    r"(?P<other> \\. | \[\^?\]?(?:\\.|[^\]\\])*\] )"  # an escape; a set of characters
    r"| \{address(?: :(?P<name>[^{}]*))?\}",
    re.DOTALL | re.VERBOSE,
)
_DEFAULT = NewField("ip")
"""The group of an address without a name."""
_HIDDEN = "_bracket_"
"""Before the name of an address: the group of its bracket. No author's group begins so."""

_BYTE = "(?:1[0-9][0-9]|2[0-4][0-9]|25[0-5]|[1-9]?[0-9])"
_V4 = rf"{_BYTE}\.{_BYTE}\.{_BYTE}\.{_BYTE}"
"""Most addresses are that: ``re`` repeats a group in thrice the time of what is written out."""
_V4_INSIDE = rf"(?:{_BYTE}\.){{3}}{_BYTE}"
_NUMBER = "(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5]?[0-9]{1,4})"
_PORT = rf"{_NUMBER}(?!\w|\.\w)"
_H = "[0-9A-Fa-f]{1,4}"
# RFC 4291 §2.2: eight groups, of which "::" stands for one or more, and the last two may be IPv4.
# What most are comes first. What is too long is refused before it is taken in part.
_V6 = "|".join(
    (
        rf"(?!(?:[0-9A-Fa-f]{{0,4}}:){{8}}[0-9A-Fa-f])(?:{_H}:){{1,7}}(?:(?::{_H}){{1,6}}|:)",
        rf"(?:{_H}:){{7}}{_H}",
        rf":(?:(?::{_H}){{1,7}}|:)",
        rf"(?=[0-9A-Fa-f:]+\.)(?:(?:{_H}:){{6}}{_V4_INSIDE}"
        rf"|::(?:{_H}:){{0,5}}{_V4_INSIDE}"
        rf"|(?!(?:[0-9A-Fa-f]{{0,4}}:){{7}}[0-9])(?:{_H}:){{1,5}}(?::{_H}){{0,4}}:{_V4_INSIDE})",
    )
)
_ZONE = "%[0-9A-Za-z._~-]{1,32}"  # RFC 4007 §11.2: an interface's name, or its number
_END_4 = r"(?!\w|[.-]\w)"
_END_6 = rf"(?!\w|[.-]\w|:(?!{_PORT}(?!:\w))\w)"
_PORT_OF = "_port"
"""Behind the name of an address: the group of its port."""
_GROUP = (
    rf"(?:(?<![\w.])(?P<{_HIDDEN}NAME>\[)?"
    rf"(?P<NAME>{_V4}{_END_4}|(?:{_V6})(?:{_ZONE})?{_END_6})"
    rf"(?({_HIDDEN}NAME)\])(?:[:#](?P<NAME{_PORT_OF}>{_PORT}))?)"
)
"""The brackets belong together, and are taken off; named writes the port after a "#"."""
_OUTLINE = rf"(?P<{_HIDDEN}NAME>(?>\[))?(?P<NAME>(?>[0-9]))(?P<NAME{_PORT_OF}>(?>[0-9]))?"
"""The same groups with next to nothing in them. An atomic group is like nothing else when patterns
are analysed, and rightly so: no address can be read in two ways."""


class AddressMatch(Struct, eq=False):
    """A match of a pattern with addresses: they are given as `address_text` writes them."""

    _match: re.Match[str]
    _groups: dict[str, Any]

    def __getitem__(self, group: int | str, /) -> str | Any:
        return self._groups[group] if group in self._groups else self._match[group]

    def groupdict(self) -> dict[str, Any]:
        """The texts of all named groups; None for those that took no part, but without ports."""
        return self._groups

    def span(self, group: int | str = 0, /) -> tuple[int, int]:
        """Where a group begins and ends in the text."""
        return self._match.span(group)


class Expanded(Struct, frozen=True):
    """A pattern with its addresses written out."""

    text: str
    """For ``re``."""
    outline: str
    """The same with the same groups, but hardly anything in those of addresses."""
    addresses: tuple[NewField, ...]
    """The groups that hold an address."""


def expanded(text: str) -> Expanded:
    """Write out each ``{address}`` and ``{address:NAME}`` of a pattern.

    :raises ValueError: a name is no name of a field, or two addresses have the same.
    """
    names: list[NewField] = []
    parts: tuple[list[str], list[str]] = [], []
    end = 0
    for mark in _MARK.finditer(text):
        if mark["other"] is not None:
            continue
        name = _DEFAULT if mark["name"] is None else _named(mark)
        if name in names:
            raise ValueError(
                f'"{mark[0]}" names the field {name} once more (expected another name for each '
                'address, such as "{address:client}")'
            )
        names.append(name)
        for written, form in zip(parts, (_GROUP, _OUTLINE), strict=True):
            written += [text[end : mark.start()], form.replace("NAME", name)]
        end = mark.end()
    rest = text[end:]
    return Expanded("".join((*parts[0], rest)), "".join((*parts[1], rest)), tuple(names))


def _named(mark: re.Match[str]) -> NewField:
    try:
        return NewField.parse(mark["name"])
    except ValueError as fault:
        raise ValueError(f'"{mark[0]}": {fault}') from None


def is_hidden(group: str, addresses: Sequence[str]) -> bool:
    """Whether a group of a written-out pattern holds the bracket of one of its addresses."""
    return group.removeprefix(_HIDDEN) in addresses and group.startswith(_HIDDEN)


class AddressRegex:
    """A pattern with addresses. Compiling them takes milliseconds, so it is done when needed."""

    def __init__(self, text: str, addresses: Sequence[str]) -> None:
        """Keep a pattern that is known to be valid.

        :param text: the pattern, written out.
        :param addresses: the groups that hold an address.
        """
        self._text = text
        self._addresses = [(name, _HIDDEN + name, name + _PORT_OF) for name in addresses]
        self.search = self._finder("search")
        """Finds the pattern anywhere in a text."""
        self.match = self._finder("match")
        """Finds the pattern at the beginning of a text."""

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """The pattern for ``re``."""
        return compiled(self._text)

    def _finder(self, way: str) -> Callable[[str], AddressMatch | None]:
        """What finds the pattern.

        :param way: the method of `re.Pattern` that does.
        """
        addresses = self._addresses
        find: Callable[[str], re.Match[str] | None] | None = None

        def found(text: str) -> AddressMatch | None:
            nonlocal find
            if find is None:
                find = getattr(self.regex, way)
            match = find(text)
            if match is None:
                return None
            groups = match.groupdict()
            for name, bracket, port in addresses:
                del groups[bracket]
                if groups[port] is None:
                    del groups[port]  # entries take groups faster where none is None
                written = groups[name]
                if written is not None:
                    address = groups[name] = address_text(written)
                    if address is None:
                        return None
            return AddressMatch(match, groups)

        return found


def compiled(text: str) -> re.Pattern[str]:
    """Compile a pattern.

    :raises re.error: it is no valid regular expression; or OverflowError, RecursionError.
    """
    # Python warns of a pattern that it compiles, but not when it finds it in its cache.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return re.compile(text)
