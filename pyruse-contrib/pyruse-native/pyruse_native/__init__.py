"""Pyruse's reader and entries in C: Pyruse uses this package where it is installed."""

from __future__ import annotations

from typing import Any

from pyruse_native import _native
from pyruse_native._native import (
    Clock,
    Condition,
    CountsCore,
    Filer,
    FilingCore,
    Filling,
    Lead,
    Masker,
    NodeCore,
    Tallying,
    entries_are,
    guard,
    search_with,
    unreadable_pages,
    with_help,
)

__all__ = [
    "INTERFACE",
    "Clock",
    "Condition",
    "CountsCore",
    "Filer",
    "FilingCore",
    "Filling",
    "Lead",
    "Masker",
    "NodeCore",
    "Reader",
    "Tallying",
    "__version__",
    "entries_are",
    "guard",
    "search_with",
    "unreadable_pages",
    "with_help",
]

__version__ = "1.0"

INTERFACE = 8
"""Rises with each change of what Pyruse and this package expect of each other."""


class Reader(_native.Reader):
    """Journal files that are open: what Pyruse uses of systemd.journal's Reader, and `entries`."""

    def entries(self, owner: Any, kind: type, limit: int, *skipping: Any) -> _native.Entries:
        """Give the next entries, as long as nothing happens; then have the owner go on.

        :param owner: a reader of Pyruse's (`pyruse.journal.reader`). It says where it is, and up to
            which instant it reads; its ``position`` is set with each entry, and its ``_go_on`` or
            ``_end`` called at last. Entries ask it for fields that are more than text.
        :param kind: the class of the entries.
        :param limit: so many of them at most, those that are skipped among them.
        :param skipping: what leads entries, and the engine's hour: entries of this hour that no
            step in Python has to be asked for are counted there, and not given.
        """
        return _native.Entries(self, owner, kind, limit, *skipping)
