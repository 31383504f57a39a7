"""What Pyruse 1 is documented to do with a configuration of its own and some journal entries.

A second, plain interpreter to compare the imported configuration with. It shares nothing with
Pyruse, and walks the JSON as it stands, entry by entry. It follows the documentation of Pyruse 1,
but for these points, where what it did is nothing to keep:

* counters, bans and forwarded connections live in the time of the entries;
* connections are kept exactly as long as the configuration says;
* a field that an entry does not have is empty in messages, and never matches a regular expression;
* an IPv4 address written in IPv6 (``::ffff:192.0.2.1``) is an IPv4 address, for counters, too;
* what is no address cannot be banned, which is an error of the action.
"""

from __future__ import annotations

import ipaddress
import pwd
import re
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

Entry = dict[str, Any]
Step = Mapping[str, Any]

SECTIONS = {"WARN": "important", "INFO": "interesting"}
DETAILS = ("NONE", "FIRST", "LAST", "FIRSTLAST", "ALL")
FOREVER = datetime.max.replace(tzinfo=UTC)
NUMBERS = {"PRIORITY", "SYSLOG_FACILITY", "SYSLOG_PID", "_PID", "_UID", "_GID", "ERRNO"}
"""Fields that systemd's Python module gives as numbers."""


@dataclass
class Row:
    """The events with one message."""

    count: int = 0
    times_by_details: dict[str, list[datetime]] = field(default_factory=dict)

    @property
    def times(self) -> list[datetime]:
        """Every time that is shown, in order."""
        shown: list[datetime] = []
        for details, times in self.times_by_details.items():
            if details == "FIRST":
                shown += times[:1]
            elif details == "LAST":
                shown += times[-1:]
            elif details == "FIRSTLAST" and len(times) > 1:
                shown += [times[0], times[-1]]
            elif details != "NONE":
                shown += times
        return sorted(shown)


@dataclass(frozen=True)
class Ban:
    time: datetime
    address: str
    nf_set: str
    seconds: int | None


@dataclass
class Result:
    """What came out; all lists are in the order of the entries."""

    report: dict[str, dict[str, Row]] = field(
        default_factory=lambda: {"important": {}, "interesting": {}}
    )
    other: list[tuple[datetime, str]] = field(default_factory=list)
    emails: list[tuple[str, str]] = field(default_factory=list)
    logs: list[tuple[str, str]] = field(default_factory=list)
    bans: list[Ban] = field(default_factory=list)
    chains: dict[str, int] = field(default_factory=dict)
    """How many entries passed the first step of each chain."""


@dataclass
class Counter:
    raises: list[datetime] = field(default_factory=list)
    """When each raise stops counting."""
    grace_until: datetime | None = None


@dataclass(frozen=True)
class Connection:
    """A connection that was forwarded, as seen from outside and from inside."""

    saddr: Any
    sport: Any
    inside: Mapping[str, str]
    """Its ``addr``, ``port``, ``daddr`` and ``dport``."""
    until: datetime


def as_read(
    raw: Mapping[str, Any], zone: tzinfo = UTC, encoding: str = "iso-8859-1"
) -> dict[str, Any]:
    """An entry as it was written, with the values that reading the journal gives."""
    entry: dict[str, Any] = {}
    for name, value in raw.items():
        if name == "__REALTIME_TIMESTAMP":
            since = timedelta(microseconds=value)
            entry[name] = (datetime(1970, 1, 1, tzinfo=UTC) + since).astimezone(zone)
        elif name in NUMBERS:
            entry[name] = int(value)
        elif isinstance(value, bytes):
            try:
                entry[name] = value.decode()
            except UnicodeDecodeError:
                entry[name] = value.decode(encoding)
        elif isinstance(value, list):
            entry[name] = value[0]
        else:
            entry[name] = str(value)
    return entry


def interpret(
    config: Mapping[str, Any],
    entries: Iterable[Mapping[str, Any]],
    *,
    newest_connection: bool = False,
) -> Result:
    """Let all the entries travel through the chains.

    :param entries: read ones; ``__REALTIME_TIMESTAMP`` is an aware datetime.
    :param newest_connection: of several forwarded connections that fit, Pyruse 1 takes the oldest,
        which may blame a client that is long gone; Pyruse 2 takes the newest.
    """
    interpreter = Interpreter(config["actions"], newest_connection=newest_connection)
    for entry in entries:
        interpreter.handle(dict(entry))
    return interpreter.result


class Interpreter:
    def __init__(self, chains: Mapping[str, list[Step]], *, newest_connection: bool) -> None:
        self.chains = chains
        self.newest_connection = newest_connection
        self.sequence = self.main_sequence()
        self.result = Result(chains=dict.fromkeys(chains, 0))
        self.counters: dict[tuple[str, Any], Counter] = {}
        self.connections: list[Connection] = []

    # The way of an entry

    def main_sequence(self) -> list[str]:
        """The chains that no chain above leads to, neither itself nor through its targets."""
        sequence, targets = [], set()

        def follow(name: str) -> None:
            for step in self.chains[name]:
                ways = ("then", "else") if "filter" in step else ("then",)
                for way in ways:
                    if way in step:
                        targets.add(step[way])
                        follow(step[way])
                if "then" in step:
                    return  # nothing below it is ever reached

        for name in self.chains:
            if name not in targets:
                sequence.append(name)
                follow(name)
        return sequence

    def handle(self, entry: Entry) -> None:
        for name in self.sequence:
            if not self.leaves(name, entry):
                return

    def leaves(self, name: str, entry: Entry) -> bool:
        """Whether the entry leaves the chain for the next one; else its journey ends."""
        chain = self.chains[name]
        for number, step in enumerate(chain):
            if "filter" in step:
                if not self.passes(step, entry):
                    return self.leaves(step["else"], entry) if "else" in step else True
            elif not self.acts(step, entry):
                return False
            if number == 0:
                self.result.chains[name] += 1
            if "then" in step:
                return self.leaves(step["then"], entry)
        return bool(chain) and "filter" in chain[-1]

    def passes(self, step: Step, entry: Entry) -> bool:
        """An error in a filter means that the entry does not pass."""
        try:
            return bool(getattr(self, step["filter"])(entry, **arguments(step)))
        except (TypeError, ValueError, KeyError, AttributeError):
            return False

    def acts(self, step: Step, entry: Entry) -> bool:
        """An error in an action ends the journey of the entry."""
        try:
            getattr(self, step["action"])(entry, **arguments(step))
        except (TypeError, ValueError, KeyError, AttributeError):
            return False
        return True

    # Filters

    def filter_equals(self, entry: Entry, field: str, value: Any) -> bool:
        return field in entry and entry[field] == value

    def filter_lowerOrEquals(self, entry: Entry, field: str, value: Any) -> bool:
        return field in entry and entry[field] <= value

    def filter_greaterOrEquals(self, entry: Entry, field: str, value: Any) -> bool:
        return field in entry and entry[field] >= value

    def filter_in(self, entry: Entry, field: str, values: list[Any]) -> bool:
        return field in entry and entry[field] in values

    def filter_inNetworks(self, entry: Entry, field: str, nets: list[str]) -> bool:
        ip = address(entry[field])
        return any(ip in ipaddress.ip_network(net, strict=False) for net in nets)

    def filter_pcre(self, entry: Entry, field: str, re_: str, save: Iterable[str] = ()) -> bool:
        match = re.search(re_, entry[field])
        if match is None:
            return False
        named = match.re.groupindex
        unnamed = [n for n in range(1, match.re.groups + 1) if n not in named.values()]
        groups = {**named, **dict(zip(save, unnamed, strict=False))}
        entry.update({name: match[n] for name, n in groups.items() if match[n] is not None})
        return True

    def filter_pcreAny(self, entry: Entry, field: str, re_: list[str]) -> bool:
        return any(self.filter_pcre(entry, field, each) for each in re_)

    def filter_userExists(self, entry: Entry, field: str) -> bool:
        pwd.getpwnam(entry[field])  # KeyError: there is none
        return True

    # Actions

    def action_noop(self, entry: Entry) -> None:
        """It discards an entry by being the last step of a chain, as any action would."""

    def action_log(self, entry: Entry, message: str, level: str = "INFO") -> None:
        self.result.logs.append((level, render(message, entry)))

    def action_email(
        self, entry: Entry, message: str, subject: str = "Pyruse Notification"
    ) -> None:
        self.result.emails.append((subject, render(message, entry)))

    def action_dailyReport(
        self, entry: Entry, message: str, level: str, details: str = "ALL"
    ) -> None:
        text = render(message, entry)
        if level not in SECTIONS:
            self.result.other.append((entry["__REALTIME_TIMESTAMP"], text))
            return
        row = self.result.report[SECTIONS[level]].setdefault(text, Row())
        row.count += 1
        details = details if details in DETAILS else "ALL"
        row.times_by_details.setdefault(details, []).append(entry["__REALTIME_TIMESTAMP"])

    def action_counterRaise(
        self,
        entry: Entry,
        counter: str,
        for_: str,
        keepSeconds: int = 0,
        save: str | None = None,
    ) -> None:
        now = entry["__REALTIME_TIMESTAMP"]
        state = self.counters.setdefault((counter, counted_as(entry[for_])), Counter())
        state.raises = [until for until in state.raises if until > now]
        if state.grace_until is None or state.grace_until <= now:
            until = now + timedelta(seconds=keepSeconds) if keepSeconds else FOREVER
            state.raises.append(until)
        if save:
            entry[save] = len(state.raises)

    def action_counterReset(
        self,
        entry: Entry,
        counter: str,
        for_: str,
        graceSeconds: int = 0,
        save: str | None = None,
    ) -> None:
        now = entry["__REALTIME_TIMESTAMP"]
        until = now + timedelta(seconds=graceSeconds) if graceSeconds else None
        self.counters[counter, counted_as(entry[for_])] = Counter(grace_until=until)
        if save:
            entry[save] = 0

    def action_nftBan(
        self, entry: Entry, IP: str, nftSetIPv4: str, nftSetIPv6: str, banSeconds: int = 0
    ) -> None:
        ip = address(entry[IP])
        nf_set = nftSetIPv4 if ip.version == 4 else nftSetIPv6
        now = entry["__REALTIME_TIMESTAMP"]
        self.result.bans.append(Ban(now, str(ip), nf_set, banSeconds or None))

    def action_ipsetBan(
        self, entry: Entry, IP: str, ipSetIPv4: str, ipSetIPv6: str, banSeconds: int = 0
    ) -> None:
        self.action_nftBan(entry, IP, ipSetIPv4, ipSetIPv6, banSeconds)

    def action_dnatCapture(
        self,
        entry: Entry,
        saddr: str,
        sport: str | None = None,
        keepSeconds: int = 63,
        **seen: Any,
    ) -> None:
        inside = {}
        for name in ("addr", "port", "daddr", "dport"):
            value = entry.get(seen.get(name, ""), seen.get(f"{name}Value"))
            if value is not None:
                inside[name] = str(value)
        if saddr in entry and "addr" in inside:
            until = entry["__REALTIME_TIMESTAMP"] + timedelta(seconds=keepSeconds)
            source_port = entry.get(sport) if sport else None
            self.connections.append(Connection(entry[saddr], source_port, inside, until))

    def action_dnatReplace(
        self,
        entry: Entry,
        saddrInto: str | None = None,
        sportInto: str | None = None,
        **seen: str,
    ) -> None:
        now = entry["__REALTIME_TIMESTAMP"]
        self.connections = [known for known in self.connections if known.until > now]
        if any(name not in entry for name in seen.values()):
            return
        wanted = {which: str(entry[name]) for which, name in seen.items()}
        fitting = [known for known in self.connections if wanted.items() <= known.inside.items()]
        if fitting:
            chosen = fitting[-1 if self.newest_connection else 0]
            if saddrInto:
                entry[saddrInto] = chosen.saddr
            if sportInto and chosen.sport is not None:
                entry[sportInto] = chosen.sport


def arguments(step: Step) -> dict[str, Any]:
    """The arguments of a step; names that Python keeps for itself or for a module end in ``_``."""
    renamed = {"for": "for_", "re": "re_"}
    return {renamed.get(name, name): value for name, value in (step.get("args") or {}).items()}


def address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    ip = ipaddress.ip_address(text)
    return getattr(ip, "ipv4_mapped", None) or ip


def counted_as(value: Any) -> Any:
    """What a value is counted under: an address in one spelling."""
    try:
        return str(address(value))
    except ValueError:
        return value


class _Fields(string.Formatter):
    def get_value(self, key: int | str, args: Any, kwargs: Any) -> Any:
        return kwargs.get(key)

    def format_field(self, value: Any, format_spec: str) -> str:
        if value is None:
            return ""
        if isinstance(value, datetime) and not format_spec:
            format_spec = "%Y-%m-%d %H:%M:%S:%f"
        return str(format(value, format_spec))


def render(template: str, entry: Entry) -> str:
    return _Fields().vformat(template, (), entry)
