"""What a step is given besides the entry: memory, and the ways out of Pyruse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from pyruse.addresses import Address
from pyruse.api.firewall import Sets, Target
from pyruse.api.memory import Counters, Table
from pyruse.api.observer import Observer
from pyruse.api.parcel import DELIVER_TIMEOUT
from pyruse.api.report import Details, Report, Section
from pyruse.entry.entry import Entry
from pyruse.options.durations import Duration


class Context(Protocol):
    """The surroundings of one step, or of one plugin for the whole program.

    Everything that steps do to the world goes through here. It is committed together with the
    entry that caused it, and leaves Pyruse after that; a dry run only records it.
    """

    @property
    def chain(self) -> str:
        """The name of the chain; empty for a plugin for the whole program."""

    @property
    def step(self) -> str:
        """Where the step stands, such as ``chains."ssh"[3]``; or ``plugins.NAME``."""

    @property
    def dry_run(self) -> bool:
        """Nothing leaves Pyruse: effects are only recorded."""

    @property
    def observer(self) -> Observer | None:
        """Shows other threads what is going on, from `on_start` on.

        None where nothing goes on: in a dry run, and in commands other than the daemon.
        """

    @property
    def settings(self) -> Any:
        """The configuration outside the chains, to be read only."""

    @property
    def state(self) -> Any:
        """All that Pyruse remembers, to be read only."""

    @property
    def counters(self) -> Counters:
        """The counters, which all the steps share by name."""

    def table(self, name: str) -> Table:
        """A durable table, which all the steps share by name."""

    def report(
        self, entry: Entry, section: Section, message: str, details: Details = "ALL"
    ) -> None:
        """File an event for the report of the entry's day.

        :raises ValueError: there is no such section, or no such details.
        """

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

    def log(self, entry: Entry, message: str, level: int) -> None:
        """Write to the journal.

        The line has the fields PYRUSE_CHAIN, PYRUSE_STEP and PYRUSE_HOPS; an entry that goes back
        to the journal again and again through `log` steps is stopped after some rounds.

        :param level: 0 (emergency) … 7 (debug), see syslog(3).
        :raises ValueError: there is no such level.
        """

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
        :param timeout: a call of `deliver` that takes longer counts as failed.
        :raises TypeError: the plugin has no hook `deliver`, or JSON cannot hold the payload.
        :raises ValueError: the payload is too long.
        """

    def ban_target(
        self, backend: str | None = None, sets: Sets | None = None, ports: Sequence[int] = ()
    ) -> Target:
        """Where bans are to be put: by default, Pyruse's own sets of ``[bans] backend``.

        To be called from `check_options` and kept.

        :raises ValueError: there is no such firewall, or it cannot put bans there.
        """

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

    def spared(self, address: Address) -> str | None:
        """Why an address is never banned, or None where it may be.

        ``[bans] never``, this machine's own addresses, loopback and multicast are spared.
        """

    def unban(self, entry: Entry, address: Address, label: str | None = None) -> bool:
        """Lift the bans of an address at the entry's time, all of them or those of a label.

        :return: whether there was any.
        """

    def render(self, report: Report, form: str) -> str:
        """A report as ``text`` or ``html`` (by the administrator's templates), or as ``json``."""
