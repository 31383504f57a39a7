"""What a step is given besides the entry: memory, and the ways out of Pyruse."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyruse.addresses import Address, text_around
from pyruse.api.firewall import Sets, Target
from pyruse.api.observer import Observer
from pyruse.api.parcel import DELIVER_TIMEOUT
from pyruse.api.report import DETAILS, SECTIONS, Details, Report, Section
from pyruse.bans.offenders import FORGET_US
from pyruse.bans.service import Bans
from pyruse.config.settings import Settings
from pyruse.entry.entry import Entry
from pyruse.options.durations import Duration
from pyruse.state.counters import Counters
from pyruse.state.database import State
from pyruse.state.outbox import Item
from pyruse.state.tables import Table
from pyruse.text import one_line, shortened
from pyruse.times import Calendar, Clock

if TYPE_CHECKING:
    from pyruse.report.render import Renderer

#: A log line that Pyruse caused may cause another one (recidivism), but not without end.
_MAX_HOPS = 5

_LONGEST_PAYLOAD = 250_000  # characters


@dataclass
class Services:
    """What all the contexts of a running program share."""

    settings: Settings
    state: State
    bans: Bans
    calendar: Calendar
    clock: Clock
    renderer: Renderer
    dry_run: bool = False
    observer: Observer | None = None

    def day_of(self, time_us: int) -> str:
        """The open day under which something of this instant is filed, as ``YYYY-MM-DD``."""
        return self.state.days.open_day(self.calendar.day_of(time_us))


class BoundContext:
    """`Context` for one step, or for one extension.

    What is promised is in `pyruse.api.context`.

    Everything that steps do to the world goes through here. It is committed together with the
    entry that caused it, and leaves Pyruse after that; a dry run only records it.
    """

    def __init__(
        self, services: Services, chain: str = "", step: str = "", receiver: str = ""
    ) -> None:
        """:param receiver: the kind of what `send` sends; empty: there is no hook `deliver`."""
        self._services = services
        self._receiver = receiver
        self.chain = chain
        """The name of the chain, empty for an extension."""
        self.step = step
        """The step's place, such as ``chains."ssh"[3]``, or ``plugins.NAME``."""

    @property
    def dry_run(self) -> bool:
        """Nothing leaves Pyruse: effects are only recorded."""
        return self._services.dry_run

    @property
    def observer(self) -> Observer | None:
        """Shows other threads what is going on, from `on_start` on.

        None where nothing goes on: in a dry run, and in commands other than the daemon.
        """
        return self._services.observer

    @property
    def settings(self) -> Settings:
        """The configuration outside the chains, to be read only."""
        return self._services.settings

    @property
    def state(self) -> State:
        """All that Pyruse remembers, to be read only."""
        return self._services.state

    @property
    def counters(self) -> Counters:
        """The counters, which all the steps share by name."""
        return self._services.state.counters

    def table(self, name: str) -> Table:
        """A durable table, which all the steps share by name."""
        return self._services.state.tables.table(name)

    def report(
        self, entry: Entry, section: Section, message: str, details: Details = "ALL"
    ) -> None:
        """File an event for the report of the entry's day.

        :raises ValueError: there is no such section, or no such details.
        """
        for word, known in ((section, SECTIONS), (details, DETAILS)):
            if word not in known:
                raise ValueError(f"{word!r} is unknown to reports (expected {', '.join(known)})")
        time_us = entry.time_us
        self._services.state.days.add(
            self._services.day_of(time_us), section, _text(message), details, time_us,
            entry.text("_HOSTNAME"),
        )  # fmt: skip

    def mail(  # noqa: PLR0913 -- the parts of a mail, all but two of them optional
        self,
        subject: str,
        text: str,
        *,
        html: str | None = None,
        to: Sequence[str] | None = None,
        entry: Entry | None = None,
        every: Duration | None = None,
        attachments: Sequence[tuple[str, str, str]] = (),
    ) -> None:
        """Send a mail.

        :param html: the same as the text, in HTML.
        :param to: instead of those of ``[email] to``.
        :param entry: what caused it; the mail has its time.
        :param every: at most one mail in this time for this step; what comes meanwhile is gathered
            into the next one.
        :param attachments: the name, the content type such as ``application/json``, and the text
            of each. Of gathered mails, those of the first one are sent.
        """
        payload: dict[str, Any] = {
            "subject": one_line(_text(subject)),
            "to": [str(address) for address in (self.settings.email.to if to is None else to)],
            "parts": [_text(text)],
            "count": 1,
            "html": None if html is None else _text(html),
            "attachments": [[_text(part) for part in attachment] for attachment in attachments],
        }
        self._send("mail", payload, entry, every)

    def log(self, entry: Entry, message: str, level: int) -> None:
        """Write to the journal.

        The line has the fields PYRUSE_CHAIN, PYRUSE_STEP and PYRUSE_HOPS; an entry that goes back
        to the journal again and again through `log` steps is stopped after some rounds.

        :param level: 0 (emergency) … 7 (debug), see syslog(3).
        :raises ValueError: there is no such level.
        """
        if level not in range(8):
            raise ValueError(f"{level!r} is no level (expected 0 to 7, see syslog(3))")
        hops = entry.text("PYRUSE_HOPS") or "0"
        hop = int(hops) + 1 if hops.isdecimal() and len(hops) < 3 else 1
        if hop > _MAX_HOPS:
            return
        payload = {
            "message": _text(message),
            "level": level,
            "fields": {"PYRUSE_CHAIN": self.chain, "PYRUSE_STEP": self.step, "PYRUSE_HOPS": hop},
        }
        self._send("log", payload, entry)

    def run(
        self,
        entry: Entry | None,
        command: Sequence[str],
        timeout: Duration,
        *,
        stdin: str | None = None,
        every: Duration | None = None,
    ) -> None:
        """Run a program, without a shell, once what caused it is committed.

        :param entry: what caused it; None: the end of a day.
        :param command: the program and its arguments.
        :param timeout: after this, it is killed.
        :param stdin: a text for its standard input. It may be long, and nobody sees it in a list of
            processes, as arguments are seen.
        :param every: at most one run in this time for this step; the texts for standard input that
            come meanwhile are gathered into the next one.
        :raises ValueError: there is nothing that could be gathered.
        """
        payload: dict[str, Any] = {
            "command": [_text(argument) for argument in command],
            "timeout": timeout.total_seconds(),
            "step": self.step,
        }
        if stdin is not None:
            payload |= {"parts": [_text(stdin)], "count": 1}
        elif every is not None:
            raise ValueError("every gathers what is on standard input (expected stdin)")
        self._send("command", payload, entry, every)

    def _send(
        self,
        kind: str,
        payload: dict[str, Any],
        entry: Entry | None,
        every: Duration | None = None,
    ) -> None:
        created = self._services.clock() if entry is None else entry.time_us
        item = Item(kind, payload, created, created)
        if every is None:
            self._services.state.outbox.put(item)
        else:
            item.group = self.step if item.plugin is None else f"{self.step} {kind}"
            self._services.state.outbox.put_gathered(item, every.us)

    def send(
        self,
        entry: Entry | None,
        payload: Any,
        *,
        every: Duration | None = None,
        timeout: Duration = DELIVER_TIMEOUT,
    ) -> None:
        """Send something by the plugin's own hook `deliver` (see `pyruse.api.context`).

        :raises TypeError: the plugin has no hook `deliver`, or JSON cannot hold the payload.
        :raises ValueError: the payload is too long.
        """
        if not self._receiver:
            raise TypeError(f"{self.step} sends, but has no @hookimpl deliver to do it")
        item = {
            "parts": [_json(payload)],
            "count": 1,
            "step": self.step,
            "timeout": timeout.total_seconds(),
        }
        self._send(self._receiver, item, entry, every)

    def ban_target(
        self, backend: str | None = None, sets: Sets | None = None, ports: Sequence[int] = ()
    ) -> Target:
        """Where bans are to be put: by default, Pyruse's own sets of ``[bans] backend``.

        To be called from `check_options` and kept.

        :raises ValueError: there is no such firewall, or it cannot put bans there.
        """
        return self._services.bans.target(backend, sets, ports)

    def ban(  # noqa: PLR0913 -- the facts of one ban, most of them optional
        self,
        entry: Entry,
        address: Address,
        durations: Sequence[Duration | None] = (None,),
        *,
        target: Target | None = None,
        label: str | None = None,
        prefix4: int = 32,
        prefix6: int = 128,
        forget: Duration | None = None,
    ) -> bool:
        """Ban an address, or the network of some prefix length around it, from the entry's time on.

        A ban that is in force already lasts until the later end. ``[bans] never``, this machine's
        own addresses, loopback and multicast are never banned.

        :param durations: of the first ban of this network, of the next one, …; None: for ever.
        :param label: what the ban is called; by default, the name of the chain.
        :param forget: so long after the end of its last ban the network starts again with the first
            of the durations; by default, 90 days.
        :return: whether somebody is banned now, or longer now, who was not.
        """
        ban = self._services.bans.ban(
            text_around(address, prefix4, prefix6),
            target or self.ban_target(),
            [None if duration is None else duration.us for duration in durations],
            now=entry.time_us,
            label=label or self.chain,
            reason=entry.text("MESSAGE") or "",
            chain=self.chain,
            forget=FORGET_US if forget is None else forget.us,
        )
        return ban is not None

    def spared(self, address: Address) -> str | None:
        """Why an address is never banned, or None where it may be.

        ``[bans] never``, this machine's own addresses, loopback and multicast are spared.
        """
        return self._services.bans.spared(str(address))

    def unban(self, entry: Entry, address: Address, label: str | None = None) -> bool:
        """Lift the bans of an address at the entry's time, all of them or those of a label.

        :return: whether there was any.
        """
        text = text_around(address, 32, 128)
        return bool(self._services.bans.unban(text, now=entry.time_us, label=label))

    def render(self, report: Report, form: str) -> str:
        """A report as ``text`` or ``html`` (by the administrator's templates), or as ``json``."""
        return self._services.renderer.render(report, form)


def _json(payload: object) -> str:
    """A payload as the state keeps it: whatever the plugin does to its object afterwards.

    :raises TypeError: JSON cannot hold it.
    :raises ValueError: it is too long.
    """
    try:
        text = json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as fault:
        raise TypeError(f"JSON cannot hold the payload: {fault}") from None
    if len(text) > _LONGEST_PAYLOAD:
        raise ValueError(
            f"the payload has {len(text):,} characters (expected {_LONGEST_PAYLOAD:,} at most)"
        )
    return _text(text)


def _text(value: object) -> str:
    """A text from a plugin, as the state can keep it.

    :raises TypeError: it is none. Found out at the commit, it would cost the whole batch.
    """
    if not isinstance(value, str):
        raise TypeError(f"{shortened(repr(value), 80)} is no text")
    return value if value.isascii() else value.encode(errors="replace").decode()
