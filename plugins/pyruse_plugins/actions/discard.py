"""The action ``discard``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pyruse import Traits, hookimpl


@dataclass(eq=False, repr=False)
class Discard:
    """End the entry's journey: no further step sees it, and no report.

    ```toml
    { action = "discard" }
    ```
    """

    traits: ClassVar[Traits] = Traits(final=True, pure=True)

    @hookimpl
    def act_on_entry(self) -> None:
        pass
