"""The errors that a user may see: one line each, never a traceback."""

from __future__ import annotations

from collections.abc import Iterable

from pyruse.text import one_line


class UserError(Exception):
    """Something that the user can mend; its text is shown as it is.

    Every such text reads *address: fault (expected …)*, or says what to try next.
    Exit code of the commands: 1 (the work failed).
    """


class ConfigError(UserError):
    """All the faults of a configuration, one line each. Exit code of the commands: 2."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = [one_line(fault) for fault in faults]
        super().__init__("\n".join(self.faults))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint such as ``; did you mean "regex"?``, or nothing when no known word is near."""
    import difflib

    names = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), names, n=1)
    return f'; did you mean "{names[near[0]]}"?' if near else ""
