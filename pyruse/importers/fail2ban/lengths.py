"""How long bans last: ``bantime``, and what makes the next one longer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyruse.importers.fail2ban.durations import duration, seconds

_YEAR = 365.0 * 86_400
_MOST_DOUBLINGS = 20
"""From then on, fail2ban doubles no more (bantime.formula, jail.conf(5))."""


@dataclass(frozen=True)
class Length:
    """How long the first ban lasts, the next one, and so on; without any, for ever."""

    spans: tuple[str, ...] = ()
    forget: str | None = None

    @classmethod
    def plain(cls, first: float) -> Length:
        """Bans that all last as long.

        :param first: in seconds; below 0, for ever.
        """
        return cls((duration(first),)) if first >= 0 else cls()

    def options(self) -> dict[str, Any]:
        """Options of a ``ban`` step."""
        if not self.spans:
            return {}
        if len(self.spans) == 1:
            return {"duration": self.spans[0]}
        forget = {"forget": self.forget} if self.forget is not None else {}
        return {"escalate": list(self.spans), **forget}


def length_of(first: float, options: Mapping[str, str], forget: str) -> Length:
    """The lengths by ``bantime.increment``.

    The second ban is ``bantime`` × 2 × factor, the third × 4 × factor, or × what ``multipliers``
    say; none is longer than ``maxtime``. Longer than a year makes no difference.

    :param first: the first ban, in seconds.
    :param options: of the jail.
    :param forget: how long an offender is remembered (``dbpurgeage``).
    :raises ValueError: a number or a time is none.
    """
    if first < 0:
        return Length()
    factor = _number("bantime.factor", options.get("bantime.factor", "1"))
    most = options.get("bantime.maxtime", "").strip()
    longest = seconds(most) if most else _YEAR
    multipliers = [
        _number("bantime.multipliers", word)
        for word in options.get("bantime.multipliers", "").split()
    ]
    if multipliers:
        spans = [first * multiplier for multiplier in multipliers]
    else:
        spans = [first, *(first * 2**n * factor for n in range(1, _MOST_DOUBLINGS + 1))]
    capped = [min(span, longest) for span in spans]
    while len(capped) > 1 and capped[-1] == capped[-2]:
        capped.pop()
    return Length(tuple(duration(span) for span in capped), forget)


def _number(option: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e9:
        raise ValueError(f'{option} = "{text}" is no number above 0')
    return number
