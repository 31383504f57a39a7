"""Who is banned again and again: Pyruse's own lines of bans, where fail2ban reads its log."""

from __future__ import annotations

from contextlib import suppress

from pyruse.importers.fail2ban.faults import Unreadable
from pyruse.importers.fail2ban.jails import Jail
from pyruse.importers.outcome import Step, equals

OF_PYRUSE: list[Step] = [
    equals("PYRUSE_EVENT", ["ban"]),
    equals("_SYSTEMD_UNIT", ["pyruse.service"]),
]
"""What passes is a line of a ban that Pyruse itself has written (docs/bans.md, In the journal)."""


def is_recidive(jail: Jail) -> bool:
    """Whether a jail counts the bans of other jails."""
    if jail.filter_name == "recidive":
        return True
    with suppress(Unreadable):
        if "fail2ban.service" in (jail.option("journalmatch") or ""):
            return True
    return bool(jail.log_paths) and all(p.endswith("/fail2ban.log") for p in jail.log_paths)


def looking(jail: Jail, prefix6: int | None) -> list[Step]:
    """The steps after which the field ``ip`` is an address that another jail has banned.

    :param jail: that counts.
    :param prefix6: the networks of IPv6 that are banned, beside single addresses.
    """
    network = "" if prefix6 is None else f"(?:/{prefix6})?"
    return [
        *OF_PYRUSE,
        {"filter": "equals", "field": "PYRUSE_LABEL", "value": jail.chain, "invert": True},
        {"filter": "regex", "field": "PYRUSE_ADDRESS", "pattern": f"^{{address}}{network}$"},
    ]
