"""Which of fail2ban's own filters look for what Pyruse's rules know."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from pyruse.importers.fail2ban.faults import Unreadable
from pyruse.importers.fail2ban.jails import Jail
from pyruse.importers.fail2ban.stock import STOCK

_GUESSING, _SCANNING = "failures", "scans"
"""The options of rules that say how many are too many."""


@dataclass(frozen=True)
class Cover:
    """Rules, and the options that stand for ``maxretry`` in each mode of a filter."""

    rules: str
    modes: Mapping[str, tuple[str, ...]]


_GUESSES, _SCANS = (_GUESSING,), (_SCANNING,)
_BOTH = (_GUESSING, _SCANNING)
_ANY_SCAN = {"normal": _SCANS}
COVERS = {
    "sshd": Cover("sshd", {"normal": _GUESSES, "ddos": _BOTH, "extra": _BOTH, "aggressive": _BOTH}),
    "postfix": Cover("postfix", {"auth": _GUESSES, "aggressive": _BOTH}),
    "dovecot": Cover("dovecot", {"normal": _GUESSES, "aggressive": _BOTH}),
    "nginx-http-auth": Cover(
        "nginx", {"normal": _GUESSES, "auth": _GUESSES, "fallback": _SCANS, "aggressive": _BOTH}
    ),
    "nginx-botsearch": Cover("nginx", _ANY_SCAN),
    "nginx-bad-request": Cover("nginx", _ANY_SCAN),
    "nginx-forbidden": Cover("nginx", _ANY_SCAN),
    "nginx-limit-req": Cover("nginx", _ANY_SCAN),
}
"""Rules take the place of a filter in the modes in which both ban for the same. Those of Postfix
count refused mail and lost connections together, so they stand for the mode that does, too; those
of BIND do not ban who asks by UDP, where any address may be written into a packet."""


@dataclass(frozen=True)
class Installed:
    """The rules that Pyruse has here, each with the names of its options."""

    options: Mapping[str, frozenset[str]]
    close_some: frozenset[str] = frozenset()
    """Those that close some ports alone, unless they are told otherwise."""
    stock: Mapping[str, frozenset[str]] | None = None
    """Fingerprints of filters that are as fail2ban ships them; None: those that are known."""


def fingerprint(jail: Jail) -> str:
    """A digest of all expressions that a jail looks for."""
    texts: list[str] = []
    for option in ("prefregex", "failregex", "ignoreregex"):
        with suppress(Unreadable):
            texts.append("\n".join((jail.option(option) or "").split()))
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def _uncovered(jail: Jail, cover: Cover | None) -> str:
    if cover is None or jail.mode in cover.modes:
        return "no rules of Pyruse look for the same"
    return (
        f"in mode {jail.mode}, it looks for other lines than the rules {cover.rules}, which stand "
        f"for mode {' or '.join(cover.modes)}"
    )


def cover_of(jail: Jail, installed: Installed) -> Cover | str:
    """The rules to use in the place of a jail's filter, or why there are none."""
    cover = COVERS.get(jail.filter_name)
    if cover is None or cover.rules not in installed.options or jail.mode not in cover.modes:
        return _uncovered(jail, cover)
    stock = STOCK if installed.stock is None else installed.stock
    if fingerprint(jail) not in stock.get(jail.filter_name, frozenset()):
        return "its expressions are not those that come with fail2ban 1.0.2 or 1.1.0"
    missing = [
        option for option in cover.modes[jail.mode] if option not in installed.options[cover.rules]
    ]
    if missing:
        return f"the rules {cover.rules} have no option {missing[0]}"
    if not jail.length.spans:
        return "bans of rules have an end"
    if len(jail.effects.closings) != 1:
        return "it does something else than one ban"
    return cover
