"""Pyruse's reader and entries, in C: Pyruse looks for this package, and uses it where it is installed."""

from pyruse_native import _native
from pyruse_native._native import guard, unreadable_pages, with_help

__all__ = ["INTERFACE", "Reader", "guard", "unreadable_pages", "with_help"]

INTERFACE = 1
"""Rises with each change of what Pyruse and this package expect of each other."""


class Reader(_native.Reader):
    """Journal files that are open; what Pyruse uses of ``systemd.journal.Reader``, and `entries`."""

    def entries(self, *arguments):
        """The next entries; see ``src/entries.c``."""
        return _native.Entries(self, *arguments)
