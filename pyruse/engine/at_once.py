"""Mailing at once what needs attention: ``[email] at_once``.

What weighs enough is known by the words of the report: what is called important there, or an event
of the vocabulary. Everything here is bounded, as strangers can cause some of it: what has one cause
is gathered, and there are so many mails in an hour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pyruse.api.effects import Mail
from pyruse.api.report import Details, Section
from pyruse.api.reported import Reported
from pyruse.api.tallied import Tallied
from pyruse.engine.context import BoundContext, Services
from pyruse.engine.filing import event_of
from pyruse.entry.entry import Entry
from pyruse.options.durations import Duration
from pyruse.report.attention import weight_of_event, weight_of_important
from pyruse.report.phrases import phrase
from pyruse.state.outbox import AT_ONCE
from pyruse.text import brief_line
from pyruse.times import HOUR_US, datetime_of

_EVERY = Duration(minutes=10)
_MOST = 20
"""Mails in an hour; the last of them says so."""
_LONGEST_SUBJECT, _LONGEST_TEXT = 150, 1_000  # characters


class AtOnce:
    """What the contexts of an engine know together: what was mailed already."""

    def __init__(self, services: Services, least: int) -> None:
        """Begin with what the state has.

        :param services: what all contexts share.
        :param least: the weight from which on things are mailed.
        """
        self.least = least
        self._services = services
        self._table = services.state.tables.table("pyruse.at_once")
        self._told: Entry | None = None
        now = services.clock()
        if not services.dry_run and self._table.get("since", at=now) is None:
            self._table.put("since", now)

    def is_news(self, entry: Entry | None) -> bool:
        """Whether an entry is to be told at once: it is not old, and was not told already.

        What was logged before the first start, or more than an hour ago, is of the report.
        """
        if entry is None:
            return True
        if entry is self._told:
            return False
        if self._services.dry_run:  # it shows what would have been mailed then
            return True
        now = self._services.clock()
        since = self._table.get("since", at=now) or 0
        if since > now:  # the clock was wrong then
            since = 0
        return entry.time_us >= max(now - HOUR_US, since)

    def may_mail(self, group: str, time_us: int) -> tuple[bool, bool]:
        """Whether something may be mailed, and whether it is the last for this hour.

        :param group: what it is gathered with; what joins a mail that waits costs none.
        :param time_us: of the entry.
        """
        if self._services.state.outbox.gathers(group, time_us):
            return True, False
        now = time_us if self._services.dry_run else self._services.clock()
        begin, mails = self._table.get("hour", at=now) or (now, 0)
        if not begin <= now < begin + HOUR_US:
            begin, mails = now, 0
        if mails >= _MOST:
            return False, False
        self._table.put("hour", [begin, mails + 1])
        return True, mails + 1 == _MOST

    def tell(self, context: BoundContext, entry: Entry | None, about: str, message: str) -> None:
        """Mail something, unless it is old, told already, or too much.

        :param context: of the step that has said it.
        :param entry: that it is about, if any.
        :param about: its cause: what has the same one is gathered.
        :param message: what it says.
        """
        if context.simulated or not self.is_news(entry):
            return
        time_us = self._services.clock() if entry is None else entry.time_us
        group = f"{AT_ONCE}{about}"
        may, is_last = self.may_mail(group, time_us)
        if not may:
            return
        self._told = entry
        host = (None if entry is None else entry.text("_HOSTNAME")) or self._services.host
        message = brief_line(message, _LONGEST_TEXT)
        text = f"{message}\n{brief_line(host, 200)}, {datetime_of(time_us, context.zone):%F %T}"
        line = brief_line((None if entry is None else entry.text("MESSAGE")) or "", _LONGEST_TEXT)
        if line and line != message:
            text += f"\n{line}"
        if is_last:
            text += (
                f"\n\nThis is the {_MOST}th such mail within an hour, and the last one for now: "
                "see `pyruse report today`."
            )
        subject = brief_line(f"{host[:64]}: {message}", _LONGEST_SUBJECT)
        context.mail(entry, Mail(subject, text, every=_EVERY), group=group)


class AtOnceContext(BoundContext):
    """The context of a step, or of an extension, where what weighs enough is mailed at once."""

    def __init__(  # noqa: PLR0913 -- one more than BoundContext has
        self,
        at_once: AtOnce,
        services: Services,
        chain: str = "",
        step: str = "",
        receiver: str = "",
        extension: str = "",
    ) -> None:
        """Bind a context, as `BoundContext` does.

        :param at_once: is shared by all of them.
        """
        super().__init__(services, chain, step, receiver, extension)
        self._at_once = at_once

    def report(  # noqa: PLR0913 -- as BoundContext has it
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
        super().report(
            entry, section, message, details, template=template, text=text, weight=weight
        )
        if section != "important":
            return
        event, cause = ("", "") if entry is None else event_of(entry)
        if weight_of_important(event, weight) >= self._at_once.least:
            self._at_once.tell(self, entry, cause or event or self.step, message)

    def reporting(self, said: Reported, call: Callable[[Entry], Any]) -> Callable[[Entry], Any]:
        return call if said.section == "important" else super().reporting(said, call)

    def tally(
        self, entry: Entry | None, event: str, fields: Mapping[str, str], amount: int = 0
    ) -> None:
        super().tally(entry, event, fields, amount)
        if weight_of_event(event, fields) >= self._at_once.least:
            cause = "" if entry is None else event_of(entry, event)[1]
            self._at_once.tell(self, entry, cause or event, phrase(event, fields))

    def tallying(self, said: Tallied, call: Callable[[Entry], Any]) -> Callable[[Entry], Any]:
        is_news = weight_of_event(said.event, {}) >= self._at_once.least
        return call if is_news else super().tallying(said, call)
