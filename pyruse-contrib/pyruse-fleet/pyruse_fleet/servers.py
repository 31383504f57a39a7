"""The addresses of the database: who bans them hears of nothing any more, nor of an unban."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress

from psycopg.conninfo import conninfo_to_dict

from pyruse import Address, parse_address
from pyruse_fleet.link import Connection


def addresses_of(url: str, connection: Connection) -> frozenset[Address]:
    """Those of all its servers, and the one that a connection goes to; it asks the resolver.

    :param url: the database, as libpq has it; it may name several servers.
    """
    parts = conninfo_to_dict(url)
    names = {connection.info.hostaddr}
    for part in ("host", "hostaddr"):
        names.update(str(parts.get(part) or "").split(","))
    found = {address for name in names for address in _resolved(name)}
    return frozenset(address for address in found if address is not None)


def _resolved(name: str) -> Iterator[Address | None]:
    if not name or name.startswith(("/", "@")):  # a socket
        return
    with suppress(OSError, UnicodeError):
        for *_, (address, *_) in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM):
            yield parse_address(str(address).partition("%")[0])
