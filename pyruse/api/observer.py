"""A look at a running Pyruse, for plugins that have threads of their own."""

from __future__ import annotations

from typing import Any, Protocol

from pyruse.addresses import Network
from pyruse.api.report import Report, Section


class Observer(Protocol):
    """Looks at a running Pyruse, and never changes it or holds it up.

    Its methods may be called in any thread. Each reads the state as it is committed at one instant,
    over a connection of its own that cannot write. Where the state cannot be read, each raises a
    `UserError` of one line; the next call may succeed again.
    """

    def status(self) -> dict[str, Any]:
        """How Pyruse is doing, as ``pyruse status --format json`` prints it.

        With ``[engine] counters``, ``["daemon"]["chains"]`` has the numbers of each step.

        :raises UserError: the state cannot be read.
        """

    def bans(
        self, *, label: str | None = None, inside: Network | None = None
    ) -> list[dict[str, Any]]:
        """The bans in force in the order of their start, as ``pyruse bans --format json`` has them.

        :param label: give bans with this label only.
        :param inside: give bans inside this network only.
        :raises UserError: the state cannot be read.
        """

    def counters(self) -> dict[str, int]:
        """For how many keys each counter holds something, by the counter's name.

        :raises UserError: the state cannot be read.
        """

    def reports(self) -> list[dict[str, Any]]:
        """The reports that `report` can give: the days that are kept, in order, then digests.

        Each has ``name`` (``2026-11-28``, ``2026-W48`` or ``2026-11``), ``every`` (``day``,
        ``week`` or ``month``), ``entries``, and ``reported``: when it was delivered, in
        microseconds since the epoch, or None. There are those digests that ``[report] digests``
        names.

        :raises UserError: the state cannot be read.
        """

    def machines(self, day: str | None = None) -> list[str]:
        """The other machines that have a report of their own, where ``[report] hosts = "apart"``.

        :param day: as `report` takes it.
        :raises UserError: the state cannot be read, or there is no such report.
        """

    def report(
        self, limit: int = 1000, day: str | None = None, machine: str | None = None
    ) -> Report:
        """A report, with what plugins contribute: by default, that of today so far.

        Each row has its first and its last time only.

        :param limit: the number of rows of each section at most: the newest ones.
            `Report.left_out` counts the other events. 0: there are only their kinds, which takes
            less time where there are many events.
        :param day: the name of a day or digest (see `reports`); None: today.
        :param machine: one of `machines`; None: that of this one, as it is delivered.
        :raises UserError: the state cannot be read, or there is no such report.
        """

    def search(
        self,
        text: str,
        *,
        day: str | None = None,
        section: Section | None = None,
        machine: str | None = None,
        limit: int = 200,
    ) -> dict[str, Any]:
        """The messages of reported events that have a text, the newest first.

        ``["messages"]`` are these, each with ``day``, ``section``, ``message``, ``events`` (how
        many), and ``first`` and ``last`` in microseconds since the epoch. ``["all"]`` tells whether
        there are no more: it looks at 20,000 events that have the text, and for five seconds, at
        most.

        :param text: upper and lower case of ASCII's letters are the same.
        :param day: the name of a day or digest; None: of all the days that are kept.
        :param section: the section; None: all of them.
        :param machine: as of `report`.
        :param limit: the number of messages.
        :raises UserError: the state cannot be read, or there is no such report.
        """

    def chains(self) -> list[dict[str, Any]]:
        """The chains as they are linked, in the order of the configuration, in JSON types.

        Each chain has ``chain`` (its name), ``main`` (False: it is reached by jumps only),
        ``rules`` (the name of the rules' file that it comes from, or None) and ``steps``. Each
        step has ``index``, ``kind`` (``filter`` or ``action``), ``plugin``, ``label`` or None,
        ``invert``, ``then`` and ``else`` (names of chains, or None).
        """
