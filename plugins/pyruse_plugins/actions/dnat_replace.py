"""The action ``dnat_replace``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyruse import Context, Entry, Field, NewField, WorkedOut, hookimpl
from pyruse_plugins.actions.dnat_capture import (
    ASKED,
    TABLE,
    facts_of,
    key_of,
    remember,
)


@dataclass(eq=False, repr=False)
class DnatReplace:
    """Give the client's real address back to an entry, as `dnat_capture` has remembered it.

    Every fact that is given must be the same as in the capture. If several captures match, the
    newest counts. An entry that lacks one of the fields, or matches no capture, stays unchanged.

    ```toml
    { action = "dnat_replace", addr = "ip", port = "port", saddr_into = "ip" }
    ```
    """

    addr: Field | None = None
    """The field with the client's address as the server saw it."""
    port: Field | None = None
    """The field with the client's port as the server saw it."""
    daddr: Field | None = None
    """The field with the server's address."""
    dport: Field | None = None
    """The field with the server's port."""
    saddr_into: NewField | None = None
    """The field that gets the client's real address."""
    sport_into: NewField | None = None
    """The field that gets the client's real port, where it is known."""

    def __post_init__(self) -> None:
        self._facts = {
            name: field
            for name in ("addr", "port", "daddr", "dport")
            if (field := getattr(self, name)) is not None
        }
        self._shape = ",".join(self._facts)
        self._table = f"{TABLE} {self._shape}"
        if not self._facts:
            raise ValueError("nothing to compare (expected addr, port, daddr or dport)")
        if self.saddr_into is None and self.sport_into is None:
            raise ValueError("nothing to give back (expected saddr_into or sport_into)")
        back = {"saddr": self.saddr_into, "sport": self.sport_into}
        self._back = {name: field for name, field in back.items() if field is not None}

    @hookimpl
    def worked_out(self, context: Context) -> WorkedOut:
        def replaced(*given: Any) -> tuple[str | None, ...] | None:
            *facts, at = given
            return self._replaced(context, facts, at)

        return WorkedOut(tuple(self._facts.values()), replaced, tuple(self._back.values()))

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        facts: list[str] = []
        for field in self._facts.values():
            value = entry.text(field)
            if value is None:
                return
            facts.append(value)
        found = self._replaced(context, facts, entry.time_us)
        if found is not None:
            entry.set_many(dict(zip(self._back.values(), found, strict=True)))

    def _replaced(
        self, context: Context, facts: Sequence[str], at: int
    ) -> tuple[str | None, ...] | None:
        """What is to be given back, None for what is not known; None: there is nothing."""
        if context.table(ASKED).get(self._shape, at=at) is None:
            _ask_for(context, self._shape, at)
        client = context.table(self._table).get(key_of(facts), at=at)
        return None if client is None else tuple(client[name] for name in self._back)


def _ask_for(context: Context, shape: str, at: int) -> None:
    """Make clients known by these facts from now on, also clients captured before."""
    context.table(ASKED).put(shape, True)
    names = set(shape.split(","))
    for other in [one for one in context.table(TABLE) if names < set(one.split(","))]:
        table = context.table(f"{TABLE} {other}")
        for key in list(table):
            client = table.get(key, at=at)
            if client is not None:
                facts = facts_of(other, key)
                some = {name: facts[name] for name in facts if name in names}
                remember(context, some, client, client["until"])
