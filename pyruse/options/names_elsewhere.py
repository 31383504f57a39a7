"""The option types of names that are given elsewhere: of bans' labels, and of counters."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pyruse.text import shown


class _Name(str):
    IN_WORDS: ClassVar[str]
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string"}
    _WHAT: ClassVar[str]

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a name.

        :raises ValueError: it is no text.
        """
        if isinstance(value, str):
            return cls(value)
        raise ValueError(f"{shown(value)} is no {cls._WHAT} (expected text)")


class BanLabel(_Name):
    """What bans are called that a step or an extension is about, such as ``sshd`` or ``manual``.

    `pyruse check` warns where no chain and no rules ban under this label. That is no fault, as a
    label may come from elsewhere: from ``pyruse ban --label``, or from another machine.
    """

    IN_WORDS: ClassVar[str] = 'the label of bans, such as "sshd"'
    _WHAT: ClassVar[str] = "label"


class CounterName(_Name):
    """A counter that an extension is about, as the option ``counter`` of steps names it.

    `pyruse check` warns where no step counts under this name.
    """

    IN_WORDS: ClassVar[str] = 'the name of a counter, such as "sshd"'
    _WHAT: ClassVar[str] = "name of a counter"
