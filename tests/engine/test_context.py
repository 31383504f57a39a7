"""The ways out of Pyruse: each with an entry that causes it, and each without."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint
from ipaddress import ip_address
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest

from pyruse import (
    BanRequest,
    Context,
    Duration,
    Entry,
    LogLevel,
    Mail,
    Program,
    Report,
    datetime_of,
    hookimpl,
)
from pyruse.entry.made import make_entry
from pyruse.registry.checks import Checker
from pyruse.registry.found import Found
from pyruse.registry.kinds import ACTIONS, EXTENSIONS
from pyruse.registry.packages import PackagePlugin, installed
from pyruse.registry.registry import Registry
from pyruse.testing.pipeline import Clock, MakePipeline, Pipeline
from pyruse.times import FOREVER

WHO, OTHER = ip_address("192.0.2.1"), ip_address("192.0.2.2")


def go_out(entry: Entry | None, context: Context) -> None:
    """Take every way out, in its shortest form."""
    context.report(entry, "important", "reported")
    context.log(entry, "logged", 5)
    context.mail(entry, Mail("subject", "text"))
    context.run(entry, Program(["/usr/bin/tell"]))
    assert context.ban(entry, BanRequest(WHO, label="mine"))
    assert context.ban(entry, BanRequest(OTHER, [Duration(hours=1)], label="mine", reason="so"))
    assert context.unban(entry, WHO)
    assert not context.unban(entry, WHO)


class Step:
    """An action that goes out for each entry."""

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        go_out(entry, context)


class Lifting:
    """Lifts one of two bans, as a hook does."""

    @hookimpl
    def act_on_entry(self, context: Context) -> None:
        context.ban(None, BanRequest(WHO, label="mine", prefix4=24))
        context.ban(None, BanRequest(WHO, label="mine"))
        first, second = sorted(context.bans_of(None, WHO), key=lambda one: one.network)
        assert context.lift(first)
        assert not context.lift(first)
        assert context.bans_of(None, WHO) == [second]


def test_one_ban_is_lifted_and_no_other_of_its_network(pipeline: MakePipeline) -> None:
    chains = pipeline('[chains]\n"c" = [ { action = "lifting" } ]', plugins=Lifting)
    chains.feed(MESSAGE="x")
    assert chains.faults == []


class Extension:
    """An extension that goes out at the end of the day, where there is no entry."""

    @hookimpl
    def contribute_to_report(self, report: Report, context: Context) -> None:
        bans = context.ban_history(0, FOREVER)
        report.add_table("Reasons", ["Who", "Why"], [[ban.network, ban.reason] for ban in bans])

    @hookimpl
    def on_day_end(self, report: Report, context: Context) -> None:
        go_out(None, context)


@dataclass
class Limits:
    """An extension with options that are parsed."""

    longest: Duration = Duration(hours=1)

    @hookimpl
    def on_start(self) -> None:
        pass


class Looker:
    """A step that keeps its context, for a look at it."""

    SEEN: ClassVar[list[Context]] = []

    @hookimpl
    def act_on_entry(self, context: Context) -> None:
        self.SEEN.append(context)


_OURS = ((ACTIONS, Step), (ACTIONS, Looker), (EXTENSIONS, Extension), (EXTENSIONS, Limits))


def registry() -> Registry:
    """What is installed, and the classes above."""

    def found(checker: Checker, faults: list[str]) -> Iterator[Found]:
        yield from installed(checker, faults)
        for group, cls in _OURS:
            point = EntryPoint(cls.__name__.lower(), f"{__name__}:{cls.__name__}", group)
            yield PackagePlugin(point, "ours", "1.0", checker)

    return Registry(found)


CHAINS = """
[report]
timezone = "UTC"
[email]
to = ["root"]
[plugins]
disable = ["mail_report"]
[chains]
"c" = [ { filter = "exists", field = "go" }, { action = "step" } ]
"""


@pytest.fixture
def chains(clock: Clock) -> Iterator[Pipeline]:
    made = Pipeline(CHAINS, clock, registry())
    yield made
    made.state.close()


def effects(chains: Pipeline) -> dict[str, Any]:
    """What came of it, with its times and hosts."""
    report = chains.report
    rows = [(row.message, row.times) for row in report.important]
    return {
        "rows": rows,
        "hosts": report.hosts,
        "logs": [(line.level, line.message) for line in chains.logs],
        "mails": [(mail.subject, mail.to, mail.body) for mail in chains.emails],
        "commands": chains.commands,
        "bans": [(ban.ip, ban.label, ban.duration) for ban in chains.bans],
        "created": {datetime_of(item.created, UTC) for item in chains.state.outbox.items()},
    }


def reasons(chains: Pipeline) -> list[list[str]]:
    [rows] = [table.rows for table in chains.report.summaries if table.title == "Reasons"]
    return rows


def expected(time: datetime, host: str) -> dict[str, Any]:
    """What should come of it."""
    return {
        "rows": [("reported", [time])],
        "hosts": [host],
        "logs": [("NOTICE", "logged")],
        "mails": [("subject", ["root"], "text")],
        "commands": [["/usr/bin/tell"]],
        "bans": [(str(WHO), "mine", None), (str(OTHER), "mine", 3600)],
        "created": {time},
    }


def test_what_an_entry_causes_has_its_time_and_its_host(chains: Pipeline, clock: Clock) -> None:
    earlier = clock.now - timedelta(minutes=5)
    chains.feed(at=earlier, go="1", _HOSTNAME="elsewhere", MESSAGE="the entry")
    assert chains.faults == []
    assert effects(chains) == expected(earlier, "elsewhere")
    assert reasons(chains) == [[str(WHO), "the entry"], [str(OTHER), "so"]]


def test_without_an_entry_it_is_of_now_and_of_this_machine(chains: Pipeline, clock: Clock) -> None:
    now = clock.now
    chains.end_day()
    assert chains.faults == []
    assert effects(chains) == expected(now, socket.gethostname())
    assert reasons(chains) == [[str(WHO), ""], [str(OTHER), "so"]]


LOOKER = """
[chains]
"c" = [ { action = "looker" } ]
"""


@pytest.fixture
def look(clock: Clock) -> Iterator[Callable[[str], Context]]:
    """``look(toml)``: the context of a step, with this configuration."""
    made: list[Pipeline] = []

    def looked(toml: str) -> Context:
        made.append(Pipeline(toml + LOOKER, clock, registry()))
        made[-1].feed(MESSAGE="hello")
        return Looker.SEEN.pop()

    yield looked
    for one in made:
        one.state.close()


def test_what_the_configuration_says_elsewhere_is_there_by_name(
    look: Callable[[str], Context],
) -> None:
    context = look(
        """
        [report]
        timezone = "Europe/Paris"
        archive = "/var/lib/reports"
        subject = "{host} on {day}: {important}"
        [email]
        to = ["root"]
        [engine]
        optimize = false
        [plugins.limits]
        longest = "2h"
        """
    )
    assert (context.chain, context.step, context.dry_run) == ("c", 'chains."c"[0]', True)
    assert context.zone == ZoneInfo("Europe/Paris")
    assert context.recipients == ["root"]
    assert context.archive == Path("/var/lib/reports")
    assert not context.optimize
    now = datetime(2026, 3, 14, tzinfo=UTC)
    report = Report("2026-03-14", ["a", "b"], now, now)
    assert context.subject(report) == "a, b on 2026-03-14: 0"
    assert context.options("limits") == Limits(Duration(hours=2))


def test_what_the_configuration_says_nothing_of_has_its_default(
    look: Callable[[str], Context],
) -> None:
    context = look("")
    assert (context.recipients, context.archive, context.optimize) == ([], None, True)
    assert context.options("limits") == Limits()
    assert context.options("nothing") is None
    assert look('[plugins]\ndisable = ["limits"]\n').options("limits") is None


def test_a_mail_without_a_subject_has_that_of_the_configuration(clock: Clock) -> None:
    email = '[email]\nsubject = "{user} did it"\nto = ["root"]\n'
    chains = Pipeline(email + LOOKER, clock, registry())
    chains.feed()
    context = Looker.SEEN.pop()
    context.mail(None, Mail(None, "text"))
    context.mail(make_entry({"user": "jo"}), Mail(None, "text"))
    context.mail(None, Mail("mine", "text"))
    assert [mail.subject for mail in chains.emails] == [" did it", "jo did it", "mine"]
    chains.state.close()


def test_a_level_is_a_name_or_a_number(pipeline: MakePipeline) -> None:
    names: list[LogLevel] = [
        *("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"),
        *("EMERG", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG"),
        *range(8),
    ]

    class Each:
        @hookimpl
        def act_on_entry(self, entry: Entry, context: Context) -> None:
            for level in names:
                context.log(entry, "logged", level)

    chains = pipeline('[chains]\n"c" = [{ action = "each" }]\n', plugins=Each)
    chains.feed()
    assert [line.level for line in chains.logs] == names[8:16] * 3
    assert not chains.faults


def test_a_tally_is_checked_whether_there_is_a_row_of_it_or_not(pipeline: MakePipeline) -> None:
    refused = []

    class Tell:
        @hookimpl
        def act_on_entry(self, entry: Entry, context: Context) -> None:
            long = "x" * 300
            for _ in range(2):
                context.tally(entry, "seen", {"text": long, "half": "\ud800"}, 3)
                context.tally(entry, "seen", {"text": "short"}, -3)
            event: Any
            fields: Any
            for event, fields in (
                ("seen", {"text": 1}), ("seen", {"text": []}), ([], {}), (1, {}),
            ):  # fmt: skip
                try:
                    context.tally(entry, event, fields)
                except TypeError as fault:
                    refused.append(str(fault))

    chains = pipeline('[chains]\n"c" = [{ action = "tell" }]', plugins=Tell)
    chains.feed()
    chains.feed()
    assert refused == ["1 is no text", "[] is no text", "[] is no text", "1 is no text"] * 2
    [long, short] = sorted(chains.events, key=lambda tally: len(tally.fields), reverse=True)
    assert (long.count, long.amount, long.fields["half"]) == (4, 12, "?")
    assert long.fields["text"] == f"{'x' * 200}… (100 more characters)"
    assert (short.count, short.amount, short.fields) == (4, 0, {"text": "short"})
