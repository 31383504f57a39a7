"""A look at a running Pyruse, for plugins that have threads of their own."""

from __future__ import annotations

from typing import Any, Protocol

from pyruse.addresses import Network
from pyruse.api.report import Report


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

    def report(self, limit: int = 1000) -> Report:
        """The report of today so far, with what plugins contribute.

        Each row has its first and its last time only.

        :param limit: the number of rows of each section at most: the newest ones.
            `Report.left_out` counts the other events.
        :raises UserError: the state cannot be read.
        """

    def chains(self) -> list[dict[str, Any]]:
        """The chains as they are linked, in the order of the configuration, in JSON types.

        Each chain has ``chain`` (its name), ``main`` (False: it is reached by jumps only) and
        ``steps``. Each step has ``index``, ``kind`` (``filter`` or ``action``), ``plugin``,
        ``label`` or None, ``invert``, ``then`` and ``else`` (names of chains, or None).
        """
