"""The option type of a label of bans that somebody else makes."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pyruse.text import shown


class BanLabel(str):
    """What bans are called that a step or an extension is about, such as ``sshd`` or ``manual``.

    `pyruse check` warns where no chain and no rules ban under this label. That is no fault, as a
    label may come from elsewhere: from ``pyruse ban --label``, or from another machine.
    """

    IN_WORDS: ClassVar[str] = 'the label of bans, such as "sshd"'
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string"}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a label.

        :raises ValueError: it is no text.
        """
        if isinstance(value, str):
            return cls(value)
        raise ValueError(f"{shown(value)} is no label (expected text)")
