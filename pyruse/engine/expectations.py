"""What has to happen again and again: who expects it, and what is told when it does not."""

from __future__ import annotations

import os
from collections.abc import Callable

from pyruse.api.context import Context
from pyruse.api.effects import Mail
from pyruse.api.expectation import Expectation
from pyruse.entry.decoding import Decoder
from pyruse.entry.entry import Entry
from pyruse.entry.made import make_entry
from pyruse.options.durations import Duration
from pyruse.options.keys import in_words
from pyruse.report.absences import absence_in_words, whose
from pyruse.state.expectations import Absence
from pyruse.state.expectations import Expectations as ExpectedState
from pyruse.text import shown
from pyruse.times import FOREVER

OWN = "pyruse"
"""The value of ``_TRANSPORT`` by which chains know Pyruse's own entries: journald itself sets this
field of all others, and never so."""
GRACE_US = 2_000_000
"""So long what has happened in time may still be on its way through journald."""
_MAILS_EVERY = Duration(minutes=10)
"""Of many that are absent at once, such as all machines behind a cable, two mails tell."""
_WARNING = "4"  # syslog(3)


class Expectations:
    """The expectations of the steps of one engine, on a state that outlives it."""

    def __init__(self, state: ExpectedState, decoder: Decoder, host: str) -> None:
        """Expect nothing yet.

        :param host: the name of this machine.
        """
        self._state = state
        self._decoder = decoder
        self._host = host
        self._expected: dict[str, tuple[Expectation, Context]] = {}
        self.sooner: Callable[[], None] = lambda: None
        """Called when something is overdue sooner than `next_due` has said."""

    def expect(self, expectation: Expectation, context: Context) -> None:
        """Expect something, once the engine has started.

        :param expectation: what is expected.
        :param context: of the step that expects it: it reports the absence.
        :raises ValueError: another step expects it otherwise.
        """
        known = self._expected.setdefault(expectation.name, (expectation, context))
        if known[0] != expectation:
            raise ValueError(
                f"{shown(expectation.name)} is expected otherwise by {known[1].step} (expected the "
                "same options, or another name)"
            )

    def start(self, now: int) -> None:
        """Expect all this from now on, and nothing else."""
        one_by_one = {name for name, (one, _) in self._expected.items() if one.each}
        every = {name: one.every.us for name, (one, _) in self._expected.items()}
        self._state.expect(every, one_by_one, now)

    def happened(self, entry: Entry, name: str, key: str) -> None:
        """An entry says that something has happened.

        :raises ValueError: no step has said that it expects this; or too much is expected.
        """
        if name not in self._expected:
            raise ValueError(f"{shown(name)} is not expected (expected context.expect before)")
        if entry.text("_TRANSPORT") == OWN:
            return  # that something is absent is no sign of anything else
        before = self._state.next_due()
        every = self._expected[name][0].every.us
        self._state.happened(name, key, every, entry.time_us)
        after = self._state.next_due()
        if after is not None and (before is None or after < before):
            self.sooner()

    def next_due(self) -> int | None:
        """When to ask for what is absent; None: never."""
        due = self._state.next_due()
        return None if due is None or due >= FOREVER - GRACE_US else due + GRACE_US

    def tell_absent(self, at: int, lead: Callable[[Entry], None]) -> None:
        """Tell of what is overdue at an instant: to the report, by mail, and to the chains.

        :param at: what is overdue only since two seconds before it may still be on its way.
        :param lead: leads an entry of Pyruse's own through the chains.
        """
        for absence in self._state.overdue(at - GRACE_US):
            expectation, context = self._expected[absence.name]
            text = absence_in_words(absence, context.zone)
            entry = self._entry(absence, text)
            # The report calls out what is absent itself, for as long as it is.
            context.report(entry, expectation.section, text, weight=0)
            if expectation.mail:
                subject = f"{self._host}: {whose(absence)} is absent"
                mail = Mail(subject, f"{text}.", to=expectation.to, every=_MAILS_EVERY)
                context.mail(entry, mail)
            lead(entry)

    def _entry(self, absence: Absence, text: str) -> Entry:
        fields = {
            "MESSAGE": text,
            "PRIORITY": _WARNING,
            "SYSLOG_IDENTIFIER": OWN,
            "PYRUSE_EVENT": "absent",
            "PYRUSE_EXPECTED": absence.name,
            "PYRUSE_KEY": in_words(absence.key) or None,
            "_TRANSPORT": OWN,
            "_UID": str(os.geteuid()),
            "_HOSTNAME": self._host,
        }
        return make_entry(fields, self._decoder, time_us=absence.begin)
