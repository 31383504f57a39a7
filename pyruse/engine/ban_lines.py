"""Pyruse's own lines in the journal: of each ban, each unban, and each start."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from pyruse.api.bans import Ban
from pyruse.engine.context import MAX_HOPS
from pyruse.state.ban_events import BanEvent, EventKind
from pyruse.state.outbox import Outbox
from pyruse.state.outbox_item import OutboxItem
from pyruse.text import one_line, shortened
from pyruse.times import Clock, datetime_of

MESSAGE_IDS = {
    "ban": "948883f6c4b94042843c634170e90236",
    "unban": "fc99d90fcb10480a8d3679558391a8d5",
    "start": "326feb37fa074b56937a0ea408184a29",
}
"""By ``PYRUSE_EVENT``: what `journalctl MESSAGE_ID=…` finds them by (systemd.journal-fields(7))."""

_EACH = 50
"""Up to so many at a time have a line each; of more, one line tells."""
_NAMED = 3
_LONGEST_LABEL = 200  # characters
_NOTICE, _INFO = 5, 6  # syslog(3)
_WHY = {
    "over": "is over",
    "unbanned": "is lifted",
    "spared": "is lifted: the network is protected now",
    "few": "is lifted: too few are banned in the network",
    None: "has ended",
}


class BanLines:
    """Puts lines into the outbox, as all that leaves Pyruse: none tells of what a crash undid.

    No text of a log entry is in a message: it would be read again as if it were true.
    """

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        """Write nothing yet."""
        self._outbox = outbox
        self._clock = clock

    def write(self, events: Sequence[BanEvent]) -> None:
        """Write what has happened, in few lines if that was much."""
        kinds: tuple[EventKind, ...] = ("ban", "unban")
        many = {
            kind: found
            for kind in kinds
            if len(found := [event for event in events if event.kind == kind]) > _EACH
        }
        for event in events:
            if event.kind not in many and event.hops < MAX_HOPS:
                self._put(event.kind, _in_words(event), _facts(event), hops=event.hops + 1)
        for kind, found in many.items():
            names = ", ".join(event.ban.network for event in found[:_NAMED])
            did = "were banned" if kind == "ban" else "are banned no longer"
            text = f"{len(found):,} {did}: {names} and {len(found) - _NAMED:,} more"
            self._put(kind, text, {"PYRUSE_NUMBER": len(found)})

    def start(self, version: str, chains: int, firewall: str, bans: int) -> None:
        """Write that Pyruse has started.

        :param version: of Pyruse.
        :param chains: how many there are.
        :param firewall: where bans go that name none.
        :param bans: how many are in force, and put into the firewalls again.
        """
        text = (
            f"Pyruse {version} has started: {_number(chains, 'chain')}, bans by {firewall}, "
            f"{_number(bans, 'ban')} restored"
        )
        facts = {
            "PYRUSE_VERSION": version,
            "PYRUSE_CHAINS": chains,
            "PYRUSE_BACKEND": firewall,
            "PYRUSE_NUMBER": bans,
        }
        self._put("start", text, facts, level=_INFO)

    def _put(
        self,
        event: str,
        text: str,
        facts: dict[str, object],
        *,
        hops: int = 1,
        level: int = _NOTICE,
    ) -> None:
        fields = {
            "MESSAGE_ID": MESSAGE_IDS[event],
            "PYRUSE_EVENT": event,
            "PYRUSE_HOPS": hops,
            **facts,
        }
        now = self._clock()
        payload = {"message": text, "level": level, "fields": fields}
        self._outbox.put(OutboxItem("log", payload, now, now))


def _in_words(event: BanEvent) -> str:
    ban = event.ban
    if event.kind == "unban":
        return f"the ban of {ban.network} ({_label(ban)}) {_WHY[event.why]}"
    end = "for ever" if ban.until is None else f"until {_instant(ban.until)}"
    return f"{ban.network} is banned {end} ({_label(ban)}, ban {ban.count} of this network)"


def _label(ban: Ban) -> str:
    return shortened(one_line(ban.label), _LONGEST_LABEL)


def _facts(event: BanEvent) -> dict[str, object]:
    ban: Ban = event.ban
    facts: dict[str, object] = {
        "PYRUSE_ADDRESS": ban.network,
        "PYRUSE_LABEL": ban.label,
        "PYRUSE_CHAIN": ban.chain,
        "PYRUSE_SINCE": _instant(ban.since),
        "PYRUSE_COUNT": ban.count,
        "PYRUSE_BACKEND": ban.target.backend,
    }
    if ban.until is not None:
        facts["PYRUSE_UNTIL"] = _instant(ban.until)
    if event.why is not None:
        facts["PYRUSE_WHY"] = event.why
    return facts


def _instant(time_us: int) -> str:
    return datetime_of(time_us, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _number(number: int, of: str) -> str:
    return f"{number:,} {of}{'' if number == 1 else 's'}"
