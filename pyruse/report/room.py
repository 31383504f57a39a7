"""How much of a report people are shown."""

from __future__ import annotations

from msgspec import Struct


class Room(Struct, frozen=True):
    """How much people are shown."""

    flexible: float
    """Lines of text, or bytes of HTML, for all but the first screen."""
    bytes_of_rows: float
    """Bytes for the rows of an administrator's own template."""
    is_own: bool = False
    """Whether it is for such a template."""
    is_tight: bool = False
    """Whether the first screen, too, is kept short."""
