"""The fleet's report of a day: who needs attention first, then a line for each other host."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from pyruse import one_line, shortened
from pyruse_fleet.days import Day, checked
from pyruse_fleet.link import Connection

_MOST_ATTACKERS = 20
_MOST_QUIET = 500
_LONGEST_WHO = 80

_HOSTS = """
    SELECT name, seen, report,
        (SELECT max(day) FROM fleet.reports WHERE host = id AND day < %(day)s)
    FROM fleet.hosts LEFT JOIN fleet.reports ON host = id AND day = %(day)s
    WHERE removed IS NULL AND (report IS NOT NULL OR reports AND added < %(day)s::date + 1)
    ORDER BY name
"""
_ATTACKERS = """
    SELECT who, count(DISTINCT host), sum(times)::bigint
    FROM (
        SELECT network::text AS who, host, 0 AS times FROM fleet.feed
        WHERE kind = 'ban' AND at >= %(begin)s AND at < %(end)s
        UNION ALL
        SELECT key, (part->>0)::int, (part->>2)::bigint
        FROM fleet.feed, jsonb_array_elements(parts) AS part
        WHERE kind = 'count' AND at >= %(begin)s AND at < %(end)s
    ) AS seen
    GROUP BY who HAVING count(DISTINCT host) > 1
    ORDER BY 2 DESC, 3 DESC, 1 LIMIT %(most)s
"""
_BANS = """
    SELECT count(*), count(DISTINCT network) FROM fleet.feed
    WHERE kind = 'ban' AND at >= %(begin)s AND at < %(end)s
"""
_MAILED = """
    SELECT day, (SELECT name FROM fleet.mailed JOIN fleet.hosts ON id = host
        WHERE mailed.day = one.day AND done ORDER BY sending DESC LIMIT 1)
    FROM (SELECT DISTINCT day FROM fleet.reports) AS one
    WHERE day BETWEEN %(day)s::date - 2 AND %(day)s::date - 1
    ORDER BY day DESC
"""
"""Who says that he has mailed the reports of the days before."""


class HostDay(NamedTuple):
    """A host, and its day if it has told it."""

    name: str
    seen: datetime | None
    day: Day | None
    last_day: date | None


class Attacker(NamedTuple):
    """Somebody whom several hosts have seen."""

    who: str
    hosts: int
    times: int


class Earlier(NamedTuple):
    """The report of a day before."""

    day: date
    verdict: str
    mailed_by: str | None


class FleetDay(NamedTuple):
    """A day of the fleet."""

    day: date
    now: datetime
    """When it was read: what hosts tell later is not in it."""
    hosts: Sequence[HostDay]
    attackers: Sequence[Attacker]
    told: int
    """How often a ban was told …"""
    networks: int
    """… and of how many addresses and networks."""
    earlier: Sequence[Earlier] = ()
    """The days before, once more: a host that was to mail one may have been lying."""

    @property
    def in_need(self) -> list[HostDay]:
        """Who needs attention, most of all first."""
        found = [one for one in self.hosts if one.day and not one.day.is_quiet]
        return sorted(found, key=_weight, reverse=True)

    @property
    def quiet(self) -> list[HostDay]:
        """Those that need nobody."""
        return [one for one in self.hosts if one.day and one.day.is_quiet]

    @property
    def has_zones(self) -> bool:
        """Whether hosts are in different time zones: their days began at different instants."""
        offsets = {one.day.offset for one in self.hosts if one.day} - {None}
        return len(offsets) > 1

    @property
    def absent(self) -> list[HostDay]:
        """Those that have not told their day, though they are to."""
        return [one for one in self.hosts if one.day is None]


def read(connection: Connection, day: date) -> FleetDay:
    """A day of the fleet, as far as it is known by now."""
    # A day of a host is one of its own zone; what they have in common goes by UTC.
    begin = datetime.combine(day, time(), UTC)
    known = {
        "day": day, "begin": begin, "end": begin + timedelta(days=1), "most": _MOST_ATTACKERS
    }  # fmt: skip
    hosts = _hosts(connection, day)
    attackers = [
        Attacker(_shown(who), count, times)
        for who, count, times in connection.execute(_ATTACKERS, known)
    ]
    told, networks = connection.execute(_BANS, known).fetchone() or (0, 0)
    (now,) = connection.execute("SELECT clock_timestamp()").fetchone() or (datetime.now(UTC),)
    now = now.astimezone(UTC)
    earlier = [
        Earlier(
            before,
            verdict(FleetDay(before, now, _hosts(connection, before), [], 0, 0)),
            None if host is None else _shown(host),
        )
        for before, host in connection.execute(_MAILED, known).fetchall()
    ]
    return FleetDay(day, now, hosts, attackers, told, networks, earlier)


def _hosts(connection: Connection, day: date) -> list[HostDay]:
    return [
        HostDay(_shown(name), seen, None if report is None else checked(report), last)
        for name, seen, report, last in connection.execute(_HOSTS, {"day": day})
    ]


def subject(fleet: FleetDay) -> str:
    """What the mail's subject says."""
    return f"Pyruse fleet, {fleet.day}: {verdict(fleet)}"


def verdict(fleet: FleetDay) -> str:
    """How the day was, in some words."""
    if not fleet.hosts:
        return "no host was to report"
    parts = []
    if in_need := len(fleet.in_need):
        parts.append(f"{in_need} of {len(fleet.hosts)} hosts need attention")
    if absent := len(fleet.absent):
        parts.append(f"{absent} did not report")
    return ", ".join(parts) or f"{len(fleet.hosts)} hosts, all quiet"


def text(fleet: FleetDay) -> str:
    """The report as plain text."""
    lines = [subject(fleet), ""]
    for one in fleet.in_need:
        lines += _in_need(one, _zone(one, fleet))
    if fleet.absent:
        lines += ["DID NOT REPORT", ""]
        lines += [f"  {one.name}: {_last_seen(one)}" for one in fleet.absent] + [""]
        lines += [
            f"This was written at {fleet.now:%Y-%m-%d %H:%M %Z}. What they tell later is there: "
            f"pyruse-fleet report {fleet.day}",
            "",
        ]
    if fleet.attackers:
        lines += ["SEEN BY SEVERAL HOSTS", ""]
        for who, hosts, times in fleet.attackers:
            counted = f", counted {times:,} times" if times else ""
            lines.append(f"  {who}: {hosts} hosts{counted}")
        lines.append("")
    by_utc = " (the day by UTC)" if fleet.has_zones else ""
    told = f"Bans told{by_utc}: {fleet.told:,}, of {fleet.networks:,} addresses and networks."
    lines += [told, ""]
    if fleet.quiet:
        lines += ["QUIET", ""]
        for one in fleet.quiet[:_MOST_QUIET]:
            assert one.day is not None
            zone = _zone(one, fleet)
            lines.append(f"  {one.name}: {one.day.entries:,} entries, {one.day.bans:,} bans{zone}")
        more = len(fleet.quiet) - _MOST_QUIET
        lines += [f"  and {more:,} more"] if more > 0 else []
        lines.append("")
    if fleet.earlier:
        lines += ["THE DAYS BEFORE", ""]
        for before in fleet.earlier:
            by = f"mailed by {before.mailed_by}" if before.mailed_by else "not mailed"
            lines.append(f"  {before.day}, {by}: {before.verdict}")
        lines.append("")
    lines += [f"The report of a host is there: pyruse report {fleet.day}", ""]
    return "\n".join(lines)


def data(fleet: FleetDay) -> dict[str, Any]:
    """The same, in JSON types."""
    return {
        "day": fleet.day.isoformat(),
        "now": fleet.now.isoformat(),
        "hosts": [
            {
                "name": one.name,
                "seen": one.seen.isoformat() if one.seen else None,
                "reported": one.day is not None,
                "quiet": one.day.is_quiet if one.day else None,
                "day": one.day._asdict() | {"needs": [n._asdict() for n in one.day.needs]}
                if one.day
                else None,
            }
            for one in fleet.hosts
        ],
        "earlier": [one._asdict() | {"day": one.day.isoformat()} for one in fleet.earlier],
        "attackers": [one._asdict() for one in fleet.attackers],
        "bans": {"told": fleet.told, "networks": fleet.networks},
    }


def _in_need(one: HostDay, zone: str) -> list[str]:
    assert one.day is not None
    day = one.day
    said = [f"{day.important:,} important events"] if day.important else []
    said += [f"{day.notes:,} notes on the report"] if day.notes else []
    head = f"{one.name}: {', '.join(said) or day.headline or 'needs attention'}{zone}"
    needs = [f"  - {need.text}" for need in day.needs]
    more = [f"  - and {day.more_needs} more"] if day.more_needs else []
    return [head, *needs, *more, ""]


def _zone(one: HostDay, fleet: FleetDay) -> str:
    """When the day of a host was, where that is not the same for all."""
    if one.day is None or one.day.offset is None or not fleet.has_zones:
        return ""
    sign, minutes = "-" if one.day.offset < 0 else "+", abs(one.day.offset)
    return f" (its day, UTC{sign}{minutes // 60:02}:{minutes % 60:02})"


def _last_seen(one: HostDay) -> str:
    if one.seen is None:
        return "it was never there"
    last = f"; its last report is of {one.last_day}" if one.last_day else "; it never reported"
    return f"it was there last at {one.seen:%Y-%m-%d %H:%M %Z}{last}"


def _weight(one: HostDay) -> tuple[int, int]:
    assert one.day is not None
    return max((need.weight for need in one.day.needs), default=0), one.day.important


def _shown(value: str) -> str:
    return shortened(one_line(value), _LONGEST_WHO)
