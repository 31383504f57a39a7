"""The surroundings of plugins in another thread than the main one: the state is not theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, NoReturn

from pyruse.addresses import Address, Network
from pyruse.api.bans import Ban, BanRequest
from pyruse.api.report import Details, Section
from pyruse.engine.context import BoundContext
from pyruse.entry.entry import Entry
from pyruse.state.counters import Counters


class ReadingContext(BoundContext):
    """Refuses what changes the state, and what only the main thread has."""

    REFUSED: ClassVar[str]
    """Why it is refused, and where it is expected."""

    @property
    def counters(self) -> Counters:
        self._refuse("counters")

    def report(  # noqa: PLR0913 -- as BoundContext has it
        self,
        entry: Entry | None,
        section: Section,
        message: str,
        details: Details = "ALL",
        *,
        template: str | None = None,
        text: str | None = None,
        weight: int | None = None,
    ) -> None:
        self._refuse("report")

    def tally(
        self, entry: Entry | None, event: str, fields: Mapping[str, str], amount: int = 0
    ) -> None:
        self._refuse("tally")

    def ban(self, entry: Entry | None, request: BanRequest) -> bool:
        self._refuse("ban")

    def unban(
        self, entry: Entry | None, address: Address | Network, label: str | None = None
    ) -> bool:
        self._refuse("unban")

    def lift(self, ban: Ban) -> bool:
        self._refuse("lift")

    def _refuse(self, name: str) -> NoReturn:
        raise RuntimeError(f"{name} is {self.REFUSED}")
