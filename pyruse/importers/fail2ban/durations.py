"""Spans of time as fail2ban writes them, and as Pyruse does."""

from __future__ import annotations

import math
import re

_DAY = 86_400
_UNITS = {
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": float(_DAY),
    "w": 7.0 * _DAY,
    "mo": 30.4375 * _DAY,
    "y": 365.25 * _DAY,
}
_WORDS = {
    word: _UNITS[unit]
    for unit, words in {
        "s": "s ss sec secs second seconds",
        "m": "m mm min mins minute minutes",
        "h": "h hh hour hours",
        "d": "d dd day days",
        "w": "w ww week weeks",
        "mo": "mo mon month months",
        "y": "y yy year years",
    }.items()
    for word in words.split()
}
_TERM = re.compile(r"\s*([+-]?)\s*(\d+(?:\.\d+)?)\s*([a-z]*)((?:\s*\*\s*\d+(?:\.\d+)?)*)\s*", re.I)
_SHOWN = (("w", 7 * _DAY), ("d", _DAY), ("h", 3600), ("m", 60), ("s", 1))


def seconds(text: str) -> float:
    """The seconds of ``600``, ``10m``, ``1d 12h``, ``1h+30min``, ``60*60``; -1 is for ever.

    :raises ValueError: it is no span of time.
    """
    at, total = 0, 0.0
    if not text.strip():
        raise ValueError("is empty (expected a time such as 600 or 10m)")
    while at < len(text):
        term = _TERM.match(text, at)
        if term is None or (term[3] and term[3].lower() not in _WORDS):
            raise ValueError(f'"{text}" is no time (expected one such as 600, 10m or "1d 12h")')
        value = float(term[2]) * (_WORDS[term[3].lower()] if term[3] else 1)
        for factor in re.findall(r"\d+(?:\.\d+)?", term[4]):
            value *= float(factor)
        total += -value if term[1] == "-" else value
        at = term.end()
    return total


def duration(span: float) -> str:
    """A span of seconds as Pyruse's configuration has it: ``10m``, ``1h30m``."""
    rest = max(1, math.ceil(span))
    parts = []
    for unit, size in _SHOWN:
        # "1w" reads better than "7d", "10d" better than "1w3d".
        if unit == "w" and rest % size:
            continue
        if rest >= size:
            parts.append(f"{rest // size}{unit}")
            rest %= size
    return "".join(parts)
