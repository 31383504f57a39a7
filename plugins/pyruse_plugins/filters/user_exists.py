"""The filter ``user_exists``."""

from __future__ import annotations

import dataclasses
import pwd
from dataclasses import dataclass
from time import monotonic

from pyruse import Entry, Field, hookimpl

_KEPT = 60.0
"""Seconds: so long an answer is believed, since a lookup may ask a server far away."""
_MOST = 10_000
"""So many answers are kept: attackers try names without end."""
_LONGEST = 255
"""No longer name is anybody's: LOGIN_NAME_MAX of limits.h(0p) on Linux, without the final NUL."""


@dataclass
class UserExists:
    """Pass when a field holds the name of a user of this machine.

    Answers are remembered for a minute, so that an attack with invented names does not become an
    attack on the directory server.

    ```toml
    { filter = "user_exists", field = "user" }
    ```
    """

    field: Field
    """The field that holds the name."""
    _answers: dict[str, tuple[float, bool]] = dataclasses.field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @hookimpl
    def match_entry(self, entry: Entry) -> bool:
        name = entry.text(self.field)
        if not name or len(name) > _LONGEST or "\0" in name:
            return False
        until, answer = self._answers.get(name, (0.0, False))
        if until < monotonic():
            answer = _exists(name)
            if len(self._answers) >= _MOST:
                self._answers.clear()
            self._answers[name] = (monotonic() + _KEPT, answer)
        return answer


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except (KeyError, UnicodeEncodeError):
        return False
    return True
