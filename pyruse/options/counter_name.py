"""The option type of the name of a counter that somebody else raises."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pyruse.text import shown


class CounterName(str):
    """A counter that an extension is about, as the option ``counter`` of steps names it.

    `pyruse check` warns where no step counts under this name.
    """

    IN_WORDS: ClassVar[str] = 'the name of a counter, such as "sshd"'
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string"}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read the name of a counter.

        :raises ValueError: it is no text.
        """
        if isinstance(value, str):
            return cls(value)
        raise ValueError(f"{shown(value)} is no name of a counter (expected text)")
