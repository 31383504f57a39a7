"""What a step is given besides the entry: memory, and the ways out of Pyruse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any, Literal, Protocol

from pyruse.addresses import Address, Network
from pyruse.api.bans import Ban, BanRequest
from pyruse.api.declared import DeclaredSummary
from pyruse.api.effects import Mail, Program
from pyruse.api.expectation import Expectation
from pyruse.api.firewall import Sets, Target
from pyruse.api.memory import Counters, Table
from pyruse.api.observer import Observer
from pyruse.api.parcel import DELIVER_TIMEOUT
from pyruse.api.ports import Port
from pyruse.api.report import Details, Report, Section
from pyruse.api.tally import Tally
from pyruse.entry.entry import Entry
from pyruse.options.durations import Duration

LogLevel = (
    Literal["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]
    | Literal["EMERG", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG"]
    | int
)
"""How grave a line of the journal is, as in syslog(3): a name, or a number from 0 to 7."""


class Context(Protocol):
    """The surroundings of one step, or of one extension (a plugin for the whole program).

    Everything that steps do to the world goes through here. It is committed together with the
    entry that caused it, and leaves Pyruse after that; a dry run only records it.
    """

    @property
    def chain(self) -> str:
        """The name of the chain; empty for an extension."""

    @property
    def step(self) -> str:
        """Where the step stands, such as ``chains."ssh"[3]``; of an extension ``plugins.NAME``."""

    @property
    def dry_run(self) -> bool:
        """Nothing leaves Pyruse: effects are only recorded."""

    @property
    def observer(self) -> Observer | None:
        """Shows other threads what is going on, from `on_start` on.

        None where nothing goes on: in a dry run, and in commands other than the daemon.
        """

    def wake(self) -> None:
        """Have the hook `on_wake` of this plugin called soon, in the main thread.

        The only method of a context that any thread may call. A dry run, and commands other than
        the daemon, call nothing.
        """

    @property
    def optimize(self) -> bool:
        """Whether a step may take short cuts, which change nothing but the time that it takes.

        It is ``[engine] optimize``: whoever switches that off looks for a faulty short cut.
        """

    @property
    def zone(self) -> tzinfo:
        """The time zone of days and reports: ``[report] timezone``."""

    @property
    def recipients(self) -> Sequence[str]:
        """Who gets mail that names nobody else: ``[email] to``; it may be empty."""

    @property
    def archive(self) -> Path | None:
        """The folder where reports are kept as files: ``[report] archive``."""

    @property
    def quiet(self) -> Literal["send", "skip"]:
        """Whether a report in which nothing needs anybody is mailed: ``[report] quiet``."""

    def options(self, name: str) -> Any | None:
        """The object of an extension, with its options as attributes, as ``[plugins.NAME]`` says.

        So several plugins of a package share options. None: it is not installed, or disabled.

        :param name: the name of the extension.
        """

    @property
    def counters(self) -> Counters:
        """The counters, which all the steps share by name."""

    def table(self, name: str) -> Table:
        """A durable table, which all the steps share by name.

        :param name: the name; put the plugin's in front.
        """

    def report(  # noqa: PLR0913 -- the facts of one event
        self,
        entry: Entry | None,
        section: Section,
        message: str,
        details: Details = "ALL",
        *,
        template: str | None = None,
        text: str | None = None,
        weight: int | None = None,
    ) -> None:
        """File an event for the report of the entry's day.

        Events of one kind are told together. A kind is what has the same section, `meaning`,
        program and text, once numbers, addresses, paths and the like are masked in the text.

        :param entry: what caused it; None: the event is of now, and of this machine.
        :param section: ``important``, ``interesting`` or ``other``.
        :param message: events with the same message share a row of the report.
        :param details: which times of the row are shown.
        :param template: what the message was made of, where that has words of its own, such as
            ``"{user} reads mail"``: all that are made of it are of one kind. None: see `text`.
        :param text: by which text the kind is found; None: by the message.
        :param weight: how much an important event deserves attention, 0 to 100 (see `Attention`);
            None: as much as what the entry means.
        :raises ValueError: there is no such section, or no such details.
        """

    def tally(
        self, entry: Entry | None, event: str, fields: Mapping[str, str], amount: int = 0
    ) -> None:
        """Count an event for the summaries of the entry's day (see the action `event`).

        Of an event, the 2,000 to 3,000 most frequent combinations of fields are kept of a day. The
        others are added up (`Tally.is_rest`) by what strangers cannot choose: the service, the
        status of a request, or that it was about root.

        :param entry: what caused it; None: the event is of now.
        :param event: its name: one of `EVENTS`, or any other.
        :param fields: by which it is counted apart; values are cut at 200 characters.
        :param amount: what adds up, such as bytes; not negative.
        """

    def tallies(self, report: Report, *events: str) -> Iterator[Tally]:
        """The events that were counted in a report's period, the most frequent rows first.

        :param report: of which days, and of which machine.
        :param events: their names, such as ``login failed``; none: all of them.
        """

    def tallied_before(self, report: Report, *events: str) -> Mapping[str, int]:
        """How often events came on each kept day before a report's: by day, in order.

        :param report: of which days, and of which machine.
        :param events: their names; they are added up.
        """

    def tallies_before(self, report: Report, *events: str) -> Iterator[Tally]:
        """The events of the kept days before a report's, the last day first.

        There may be 2,000 rows of each event a day, and many days: stop where it is enough.

        :param report: of which days, and of which machine.
        :param events: their names; at least one.
        """

    @property
    def declared_summaries(self) -> Sequence[DeclaredSummary]:
        """What the files of the rules in use want summed up in reports: their ``[[summaries]]``."""

    def expect(self, expectation: Expectation) -> None:
        """Expect that something happens again and again; to be called from `check_options`.

        Where it does not, the report tells of it, and the chains get an entry of Pyruse's own:
        ``_TRANSPORT=pyruse``, ``PYRUSE_EVENT=absent``, ``PYRUSE_EXPECTED`` and ``PYRUSE_KEY``.

        :param expectation: what is expected. Steps that expect the same thing share it.
        :raises ValueError: another step expects it otherwise.
        """

    def happened(self, entry: Entry, name: str, key: str = "") -> None:
        """Say that something has happened that is expected.

        :param entry: what shows it. Pyruse's own entries show nothing.
        :param name: the name of the expectation.
        :param key: of whom, where it is expected of each by itself.
        :raises ValueError: it is not expected, or 10,000 keys are expected already.
        """

    def mail(self, entry: Entry | None, mail: Mail) -> None:
        """Send a mail.

        :param entry: what caused it, at whose time it is dated; None: it is dated now.
        :param mail: at least ``Mail(subject, text)``.
        """

    def log(
        self,
        entry: Entry | None,
        message: str,
        level: LogLevel,
        *,
        every: Duration | None = None,
    ) -> None:
        """Write to the journal.

        The line has the fields PYRUSE_CHAIN, PYRUSE_STEP and PYRUSE_HOPS; an entry that goes back
        to the journal again and again through `log` steps is stopped after some rounds.

        :param entry: what caused it; None: nothing in the journal did.
        :param message: the line.
        :param level: ``"emerg"``, ``"alert"``, ``"crit"``, ``"err"``, ``"warning"``, ``"notice"``,
            ``"info"`` or ``"debug"``, in small or capital letters, or its number, 0 to 7: see
            syslog(3).
        :param every: at most one line in this time for this step: what comes meanwhile is one line,
            the newest, with how many there were.
        :raises ValueError: there is no such level.
        """

    def run(self, entry: Entry | None, program: Program) -> None:
        """Run a program, without a shell, once what caused it is committed.

        The programs of a step run one after the other. Where 10,000 of them wait, the oldest are
        given up, and that is told.

        :param entry: what caused it; None: it is run for now.
        :param program: at least ``Program(command)``.
        """

    def send(
        self,
        entry: Entry | None,
        payload: Any,
        *,
        every: Duration | None = None,
        timeout: Duration = DELIVER_TIMEOUT,
    ) -> None:
        """Send something by the plugin's own hook `deliver`, once what caused it is committed.

        It is delivered at least once, and in order: what fails is tried again after 30 seconds at
        first, an hour at last. It outlives restarts and crashes.

        :param entry: what caused it; None: nothing that is logged, such as the end of a day.
        :param payload: what JSON can hold, of 250,000 characters at most as JSON. It is kept on
            disk: so no secrets.
        :param every: at most one call of `deliver` in this time for this step; what comes meanwhile
            is gathered into the next one.
        :param timeout: a call of `deliver` that takes longer counts as failed: by default, after a
            minute.
        :raises TypeError: the plugin has no hook `deliver`, or JSON cannot hold the payload.
        :raises ValueError: the payload is too long.
        """

    def ban_target(
        self,
        backend: str | None = None,
        sets: Sets | None = None,
        ports: Sequence[Port] = (),
        protocol: str | None = None,
        *,
        networks: bool = False,
    ) -> Target:
        """Where bans are to be put: by default, Pyruse's own sets of ``[bans] backend``.

        To be called from `check_options` and kept.

        :param backend: the firewall; None: that of ``[bans] backend``.
        :param sets: the administrator's own sets; None: Pyruse's.
        :param ports: the ports to close, and ranges of them such as ``"1000-2000"``; none: all of
            them.
        :param protocol: the protocol to close, such as ``"tcp"``, or whose ports; None: all, or
            the ports of TCP and UDP.
        :param networks: whether networks are to be banned there, too: then `pyruse check` sees
            whether the sets can hold them.
        :raises ValueError: there is no such firewall, or it cannot put bans there.
        """

    def ban(self, entry: Entry | None, request: BanRequest) -> bool:
        """Ban an address, or the network around it, from the entry's time on.

        A ban that is in force already lasts until the later end. ``[bans] never``, this machine's
        own addresses, loopback and multicast are never banned.

        :param entry: what caused it; None: the ban begins now.
        :param request: at least ``BanRequest(address)``.
        :return: whether somebody is banned now, or longer now, who was not.
        """

    def spared(self, address: Address | Network) -> str | None:
        """Why an address is never banned, or None where it may be.

        ``[bans] never``, this machine's own addresses, loopback and multicast are spared: what goes
        out about others had better spare these, too.

        :param address: the address, or a network: whether anybody in it is spared.
        """

    def unban(
        self, entry: Entry | None, address: Address | Network, label: str | None = None
    ) -> bool:
        """Lift the bans of an address, or of a network and of all in it, at the entry's time.

        :param entry: what caused it; None: they are lifted now.
        :param address: whose bans.
        :param label: only the ban of this label; None: all of them.
        :return: whether there was any.
        """

    def lift(self, ban: Ban) -> bool:
        """Lift exactly this ban, and no other of the same network, now.

        It takes a ban as `bans_of` or a hook gives it; one that was made longer since is the same.
        `unban` lifts all that is in a network, from wherever it is banned.

        :param ban: the ban. A network that has grown is no ban that can be lifted.
        :return: whether it was in force.
        """

    def bans_of(self, entry: Entry | None, address: Address) -> list[Ban]:
        """The bans in force of an address, and of networks that it is in; the oldest comes first.

        :param entry: at whose time; None: now.
        :param address: the address.
        """

    def ban_history(self, since: int, until: int) -> list[Ban]:
        """The bans that began, or were made longer, in a period: each as it was then, in order.

        A ban that was made longer is there again, with the same `Ban.since`. Bans are remembered
        for ``[state] keep``.

        :param since: the first instant of the period, in microseconds since the epoch.
        :param until: the first instant after the period.
        """

    def subject(self, report: Report) -> str:
        """The subject for the mail of a report: ``[report] subject``, rendered.

        :param report: the report.
        """

    @property
    def largest(self) -> int:
        """How many bytes the mail of a report may have: ``[report] largest``."""

    def render(self, report: Report, form: str, largest: int | None = None) -> str:
        """A report as text.

        :param report: the report.
        :param form: ``text`` or ``html`` (by the administrator's templates; ours have 300 lines, or
            90 kB, at most), ``full`` (a text with nothing cut), or ``json``.
        :param largest: of text and HTML: so many bytes at most. What is cut is counted, important
            rows last. None: 4 million.
        """

    def pieces(self, report: Report, form: str) -> Iterator[str]:
        """A report as text, piece by piece: in full, or as JSON, it may be too long for the memory.

        :param report: the report.
        :param form: as of `render`.
        """
