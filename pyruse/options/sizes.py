"""Sizes of texts, files and mails."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pyruse.text import late_pattern, shown

_SIZE = late_pattern(r"([0-9]{1,12})(?: ?([kKMG]i?B?|B))?\Z")
_LARGEST = 1 << 40
_BINARY = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_DECIMAL = {"K": 10**3, "M": 10**6, "G": 10**9}


class Size(int):
    """A number of bytes above zero: ``1500``, ``"200 kB"`` (200,000), ``"1 MiB"`` (1,048,576)."""

    IN_WORDS: ClassVar[str] = 'a size, such as "1 MiB"'
    SCHEMA: ClassVar[dict[str, Any]] = {
        "anyOf": [
            {"type": "integer", "minimum": 1},
            {"type": "string", "pattern": "^[0-9]{1,12}( ?([kKMG]i?B?|B))?$"},
        ]
    }

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a size. A letter alone is binary, as with systemd: ``"1M"`` is ``"1 MiB"``.

        :raises ValueError: it is no size, or not above zero.
        """
        size = 0
        if isinstance(value, int) and not isinstance(value, bool):
            size = value
        elif isinstance(value, str) and (match := _SIZE.match(value)):
            size = int(match[1]) * _factor(match[2] or "B")
        if 0 < size <= _LARGEST:
            return cls(size)
        raise ValueError(
            f'{shown(value)} is no size (expected bytes, or "200 kB", "64 KiB", "1 MiB")'
        )

    def __str__(self) -> str:
        for letter, factor in reversed(_BINARY.items()):
            if self % factor == 0:
                return f"{int(self) // factor:,} {letter}iB"
        for letter, factor in reversed(_DECIMAL.items()):
            if self % factor == 0:
                return f"{int(self) // factor:,} {letter.replace('K', 'k')}B"
        return f"{int(self):,} bytes"


def _factor(unit: str) -> int:
    letter = unit[0].upper()
    if letter == "B":
        return 1
    return _DECIMAL[letter] if unit[1:] == "B" else _BINARY[letter]
