"""Finds the entries that libsystemd can leave out, since no chain would do anything with them.

Where each chain begins with a test for equality, an entry that passes no test goes all the way
along the row of tests and out of the chains. libsystemd gets the tests, as it has an index of the
values of fields: an entry that it leaves out costs nothing at all. fail2ban calls this
`journalmatch` and has it written by hand; here it follows from the chains. The daemon uses it only
until it has caught up (docs/decisions/0025-pushdown-while-catching-up.md).
"""

from __future__ import annotations

from msgspec import Struct, field

from pyruse.chains.link import Node
from pyruse.chains.values import equality_test_of
from pyruse.entry.decoding import Decoder
from pyruse.text import late_pattern

_FIELD = late_pattern(r"[A-Z][A-Z0-9_]{0,63}|_[A-Z][A-Z0-9_]{0,62}")  # systemd.journal-fields(7)
_VALUE = late_pattern(r"[ -~]+")
_MOST = 10
"""Values: libsystemd looks for each of them for every entry that it hands over, and from some ten
on that may take longer than to read all entries."""


class Wanted(Struct):
    """Which entries the chains may do something with."""

    values: dict[str, set[str]] = field(default_factory=dict)
    """Values by field. An entry is read if any one value matches. Empty: every entry is read."""
    reason: str = ""
    """Why nothing is left out; shown to administrators."""

    def add(self, name: str, values: set[str]) -> None:
        """Read entries with one of these values, too."""
        self.values.setdefault(name, set()).update(values)

    def data(self) -> dict[str, list[str]]:
        """The values in JSON types."""
        return {name: sorted(values) for name, values in self.values.items()}

    def __bool__(self) -> bool:
        return bool(self.values)


def wanted(entrance: Node | None, decoder: Decoder) -> Wanted:
    """The entries that may come to a step that does more than test for equality.

    Some entries that no step acts on may be among them, but none is missing.

    :param entrance: the first node; None: there is no chain.
    :param decoder: makes values of the journal's bytes.
    """
    found = Wanted(reason="no step is ever reached")
    if not _keeps_ascii_apart(decoder.legacy_encoding):
        return Wanted(reason=f"not only ASCII is ASCII in {decoder.legacy_encoding}")
    node = entrance
    while node is not None:
        test = equality_test_of(node.step.instance)
        if test is None:
            return Wanted(reason=f"{node.step.place} is asked about every entry")
        name, values = test
        # As the journal's fields hold nothing but text, other values need not be looked for: except
        # where several texts become one value, as "3" and "03" are the same number.
        texts = {value for value in values if isinstance(value, str)}
        if (
            (values and not texts)
            or not all(map(_VALUE.fullmatch, texts))
            or name in decoder.converters
            or not _FIELD.fullmatch(name)
        ):
            return Wanted(reason=f"{node.step.place} tests no text of the journal's")
        if node.passed is not None:
            found.add(name, texts)
        node = node.failed
    if sum(map(len, found.values.values())) > _MOST:
        return Wanted(reason=f"the chains begin with tests for more than {_MOST} values")
    return found


def _keeps_ascii_apart(encoding: str) -> bool:
    """Whether a text that is all ASCII can only come from the same bytes."""
    ascii_, others = bytes(range(128)), bytes(range(128, 256))
    return ascii_.decode(encoding, "replace") == ascii_.decode() and not any(
        character.isascii() for character in others.decode(encoding, "replace")
    )
