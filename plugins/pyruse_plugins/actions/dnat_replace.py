"""The action ``dnat_replace``."""

from __future__ import annotations

from dataclasses import dataclass

from pyruse import Context, Entry, Field, NewField, hookimpl
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

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        facts: dict[str, str] = {}
        for name, field in self._facts.items():
            value = entry.text(field)
            if value is None:
                return
            facts[name] = value
        at = entry.time_us
        if context.table(ASKED).get(self._shape, at=at) is None:
            _ask_for(context, self._shape, at)
        client = context.table(self._table).get(key_of(facts), at=at)
        if client is None:
            return
        if self.saddr_into is not None:
            entry[self.saddr_into] = client["saddr"]
        if self.sport_into is not None and client["sport"] is not None:
            entry[self.sport_into] = client["sport"]


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
