"""The action ``continue``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pyruse import Traits, hookimpl


@dataclass(eq=False, repr=False)
class Continue:
    """Leave the chain: the chains after it see the entry, too.

    An action at the end of a chain ends the entry's journey. With `continue` behind it, the entry
    goes on with the main chain after the one that it was last in, as if a filter had not passed.

    ```toml
    { action = "continue" }
    ```
    """

    traits: ClassVar[Traits] = Traits(leaves=True, pure=True)

    @hookimpl
    def act_on_entry(self) -> None:
        pass
