"""The bans of fail2ban: what is in force by its database (``dbfile`` in fail2ban.conf(5))."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from pyruse.bans.orders import Item
from pyruse.errors import UserError
from pyruse.options import parse_address, text_around
from pyruse.text import printable, shortened

#: What every database of SQLite begins with (sqlite.org/fileformat.html).
MAGIC = b"SQLite format 3\0"

_SECOND = 1_000_000
_IN_FORCE = """
    SELECT ip, jail, timeofban, bantime FROM bips
    WHERE bantime < 0 OR timeofban + bantime > ? ORDER BY timeofban, ip, jail
"""


def read(source: Path | bytes, name: str, now: int) -> tuple[list[Item], list[str]]:
    """The bans that are in force; the database is only read, also while fail2ban writes it.

    :param source: the file, or its content.
    :param name: of the file.
    :param now: in microseconds since the epoch.
    :return: the bans, each labelled with its jail; and what is banned there but is no address.
    :raises UserError: it is no such database.
    """
    items: list[Item] = []
    others: list[str] = []
    try:
        with closing(_open(source)) as db:
            for ip, jail, begin, length in db.execute(_IN_FORCE, (now // _SECOND,)):
                address = parse_address(ip)
                if address is None:
                    others.append(shortened(printable(str(ip)), 80))
                    continue
                until = None if length < 0 else (int(begin) + int(length)) * _SECOND
                network = text_around(address, 32, 128)
                items.append(Item(network, str(jail), "from fail2ban", until))
    except (sqlite3.Error, ValueError, TypeError) as fault:
        raise UserError(
            f"{name}: no bans can be read from it: {fault} (expected the database of fail2ban 0.11 "
            "or later, such as /var/lib/fail2ban/fail2ban.sqlite3)"
        ) from None
    return items, others


def _open(source: Path | bytes) -> sqlite3.Connection:
    if isinstance(source, Path):
        return sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
    db = sqlite3.connect(":memory:")
    try:
        db.deserialize(source)
    except BaseException:
        db.close()
        raise
    return db
