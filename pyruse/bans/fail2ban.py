"""Reads the bans of fail2ban from its database (``dbfile`` in fail2ban.conf(5))."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from pyruse.addresses import parse_address, text_around
from pyruse.bans.orders import LAST_US, LONGEST_LABEL, Item
from pyruse.errors import UserError
from pyruse.text import printable, shortened

MAGIC = b"SQLite format 3\0"
"""What every database of SQLite begins with (sqlite.org/fileformat.html)."""

_SECOND = 1_000_000
_FOR_EVER = -1
_MOST_BEFORE = 1000
"""No list of ``escalate`` is longer."""
_LAST_BANS = "SELECT ip, jail, timeofban, bantime, bancount FROM bips ORDER BY timeofban, ip, jail"
"""Of each address by each jail, also when it is over, until fail2ban purges it."""


def read(source: Path | bytes, name: str, now: int) -> tuple[list[Item], list[str]]:
    """The bans in force, and those that are over but remembered, with how many came before.

    ``bantime.increment`` makes bans longer by ``bancount`` (jail.conf(5)). The database is only
    read, also while fail2ban writes it.

    :param source: the file, or its content.
    :param name: of the file.
    :param now: in microseconds since the epoch.
    :return: the bans, each labelled with its jail; and what is banned now but is no address.
    :raises UserError: it is no such database.
    """
    items: list[Item] = []
    others: list[str] = []
    try:
        with closing(_open(source)) as db:
            for ip, jail, begin, length, count in db.execute(_LAST_BANS):
                # -2: not known, since a version before 0.11 banned; it is over long ago.
                end = (int(begin) + max(int(length), 0)) * _SECOND
                until = None if length == _FOR_EVER or end > LAST_US else end
                address = parse_address(ip)
                if address is not None:
                    network = text_around(address, 32, 128)
                    before = min(max(int(count) - 1, 0), _MOST_BEFORE)
                    label = _label(str(jail))
                    items.append(Item(network, label, "from fail2ban", until, before=before))
                elif until is None or until > now:
                    others.append(shortened(printable(str(ip)), 80))
    except (sqlite3.Error, ValueError, TypeError) as fault:
        raise UserError(
            f"{name}: no bans can be read from it: {fault} (expected the database of fail2ban 0.11 "
            "or later, such as /var/lib/fail2ban/fail2ban.sqlite3)"
        ) from None
    return items, others


def _label(jail: str) -> str:
    return jail if len(jail) <= LONGEST_LABEL else f"{jail[: LONGEST_LABEL - 1]}…"


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
