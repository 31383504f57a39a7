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


@dataclass(eq=False, repr=False)
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
        now = monotonic()
        until, answer = self._answers.get(name, (0.0, False))
        if until < now:
            answer = _exists(name)
            self._forget(name, now)
            self._answers[name] = (now + _KEPT, answer)
        return answer

    def _forget(self, name: str, now: float) -> None:
        """Make room for an answer: those that are no longer believed go, and the oldest of many."""
        answers = self._answers
        answers.pop(name, None)  # so that they stay in their order
        while answers:
            oldest = next(iter(answers))
            if answers[oldest][0] >= now and len(answers) < _MOST:
                return
            del answers[oldest]


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except (KeyError, UnicodeEncodeError):
        return False
    return True
