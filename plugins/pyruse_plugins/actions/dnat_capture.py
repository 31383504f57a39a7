"""The action ``dnat_capture``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from json.encoder import encode_basestring_ascii
from typing import Any

from pyruse import Context, Duration, Entry, Field, hookimpl

Client = dict[str, Any]

TABLE = "dnat"
"""This table has the *shapes*: the names of facts that were captured together, such as
``addr,port``. For each shape there is a table of clients, under their facts."""
ASKED = "dnat asked"
"""This one has the shapes that `dnat_replace` asks for: a client is put into their tables, too. So
it is found without searching, however many there are."""


@dataclass(eq=False, repr=False)
class DnatCapture:
    """Remember what NAT, or a proxy, did to a connection.

    A log line of the gateway tells who connects (`saddr`, `sport`) and what the server behind it
    will see as the client (`addr`, `port`) and as the destination (`daddr`, `dport`). `dnat_replace`
    gives the server's own log lines the client's real address back. Each fact comes from a field, or,
    where the entry has no such field, from the fixed value beside it.

    ```toml
    { action = "dnat_capture", saddr = "client", sport = "client_port", addr_value = "192.168.1.1", port = "nat_port" }
    ```
    """  # noqa: E501 -- an example is one line in TOML

    saddr: Field
    """The field with the client's real address."""
    sport: Field | None = None
    """The field with the client's real port."""
    addr: Field | None = None
    """The field with the client's address as the server sees it."""
    addr_value: str | None = None
    """That address, where the field is missing."""
    port: Field | None = None
    """The field with the client's port as the server sees it."""
    port_value: int | None = None
    """That port, where the field is missing."""
    daddr: Field | None = None
    """The field with the server's address, as the server sees it."""
    daddr_value: str | None = None
    """That address, where the field is missing."""
    dport: Field | None = None
    """The field with the server's port, as the server sees it."""
    dport_value: int | None = None
    """That port, where the field is missing."""
    keep: Duration = field(default_factory=lambda: Duration(seconds=63))
    """How long it is remembered."""

    def __post_init__(self) -> None:
        if self.addr is None and self.addr_value is None:
            raise ValueError("neither addr nor addr_value is given (expected one of them)")

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        saddr = entry.text(self.saddr)
        facts = self._facts(entry)
        if saddr is None or "addr" not in facts:
            return
        at = entry.time_us
        until = at + self.keep.us
        client: Client = {
            "saddr": saddr,
            "sport": None if self.sport is None else entry.text(self.sport),
            "since": at,
            "until": until,
        }
        shape = ",".join(facts)
        for one in {shape, *context.table(ASKED)}:
            names = one.split(",")
            if set(names) <= set(facts):
                remember(context, {name: facts[name] for name in names}, client, until)
        shapes = context.table(TABLE)
        # Another step, which keeps its clients longer, may remember the same facts.
        if (shapes.get(shape, at=at) or 0) < until:
            shapes.put(shape, until, until=until)

    def _facts(self, entry: Entry) -> dict[str, str]:
        """What the server will see, as far as it is known, in a fixed order."""
        facts = {
            "addr": _fact(entry, self.addr, self.addr_value),
            "port": _fact(entry, self.port, self.port_value),
            "daddr": _fact(entry, self.daddr, self.daddr_value),
            "dport": _fact(entry, self.dport, self.dport_value),
        }
        return {name: value for name, value in facts.items() if value is not None}


def remember(context: Context, facts: Mapping[str, str], client: Client, until: int) -> None:
    """Put a client into the table of these facts, unless a newer one is there.

    A port that is used again belongs to the client who used it last.
    """
    table = context.table(f"{TABLE} {','.join(facts)}")
    key = key_of(facts.values())
    known = table.get(key, at=client["since"])
    if known is None or known["since"] <= client["since"]:
        table.put(key, client, until=until)


def key_of(facts: Iterable[str]) -> str:
    """The key under which a client is remembered, in the table for facts of their names."""
    # As JSON, so whatever a log line puts into them, they stay apart. Of texts alone, this is what
    # json.dumps makes of the list, in a third of the time.
    return f"[{', '.join(map(encode_basestring_ascii, facts))}]"


def facts_of(shape: str, key: str) -> dict[str, str]:
    """The facts of a key, in the table for facts of these names."""
    return dict(zip(shape.split(","), json.loads(key), strict=True))


def _fact(entry: Entry, field: Field | None, value: str | int | None) -> str | None:
    found = None if field is None else entry.text(field)
    return found if found is not None else None if value is None else str(value)
