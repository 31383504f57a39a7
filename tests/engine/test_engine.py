"""The engine: whatever a step or a plugin does, entries go on, and days are counted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint
from typing import Any, ClassVar, cast
from zoneinfo import ZoneInfo

import pytest

from pyruse import (
    Attachment,
    Context,
    Duration,
    Entry,
    Mail,
    Program,
    Report,
    Traits,
    hookimpl,
)
from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.engine.assembly import assemble
from pyruse.engine.faults import Faults
from pyruse.engine.modes import DRY, LIVE
from pyruse.entry.made import make_entry
from pyruse.errors import ConfigError
from pyruse.registry.checks import Checker
from pyruse.registry.found import Found
from pyruse.registry.kinds import ACTIONS, EXTENSIONS, FILTERS
from pyruse.registry.packages import PackagePlugin
from pyruse.registry.registry import Registry
from pyruse.state.database import State
from pyruse.testing.pipeline import MakePipeline, Pipeline
from pyruse.times import HOUR_US, time_us_of

PARIS = ZoneInfo("Europe/Paris")
HEARD: list[str] = []


@dataclass
class Picky:
    """A filter that cannot stand some entries."""

    @hookimpl
    def match_entry(self, entry: Entry) -> bool:
        return 1 / int(entry["n"]) > 0


@dataclass
class Hand:
    """An action that hands something over that it should not."""

    what: str

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        thing: Any = object()
        word: Any = "SOME"
        second = Duration(seconds=1)
        attachment = Attachment("a.txt", "text/plain", thing)
        ways: dict[str, Callable[[], object]] = {
            "report": lambda: context.report(entry, "other", thing),
            "section": lambda: context.report(entry, word, "text"),
            "details": lambda: context.report(entry, "other", "text", word),
            "log": lambda: context.log(entry, thing, 6),
            "level_bool": lambda: context.log(entry, "text", True),
            "level_name": lambda: context.log(entry, "text", cast("Any", "warn")),
            "level": lambda: context.log(entry, "text", 8),
            "mail": lambda: context.mail(entry, Mail("subject", thing)),
            "html": lambda: context.mail(entry, Mail("subject", "text", html=thing)),
            "attachment": lambda: context.mail(
                entry, Mail("subject", "text", attachments=[attachment])
            ),
            "run": lambda: context.run(entry, Program(["tell", thing], second)),
            "stdin": lambda: context.run(entry, Program(["tell"], second, thing)),
            "counter": lambda: context.counters.count("c", thing, at=entry.time_us),
            "table": lambda: context.table("t").put("k", thing),
        }
        if self.what == "surrogate":
            context.report(entry, "other", "a \udcff b")
            context.log(entry, "a \udcff b", 6)
        else:
            ways[self.what]()


@dataclass
class Touch:
    """An action with effects of its own."""

    traits: ClassVar[Traits] = Traits(outside_effects=True)

    @hookimpl
    def act_on_entry(self) -> None:
        HEARD.append("touched")


@dataclass
class Last:
    """An action that ends the journey."""

    traits: ClassVar[Traits] = Traits(final=True)

    @hookimpl
    def act_on_entry(self, entry: Entry) -> str:
        HEARD.append("last")
        return "whatever it returns"


@dataclass
class Listening:
    """An action that hears of everything."""

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        HEARD.append(f"{context.step} acts")

    @hookimpl
    def on_start(self, context: Context) -> None:
        HEARD.append(f"{context.step} starts")

    @hookimpl
    def on_stop(self, context: Context) -> None:
        HEARD.append(f"{context.step} stops")


@dataclass
class Unsure:
    """An action whose options are looked at by faulty code."""

    @hookimpl
    def check_options(self) -> None:
        raise KeyError("oops\nand more")

    @hookimpl
    def act_on_entry(self) -> None:
        pass


class Faulty:
    """An extension of which nothing works."""

    @hookimpl
    def on_start(self) -> None:
        raise RuntimeError("no start")

    @hookimpl
    def on_stop(self) -> None:
        raise RuntimeError("no stop")

    @hookimpl
    def contribute_to_report(self, report: Report) -> None:
        report.add_table("half a table", ["x"], [["y"]])
        raise RuntimeError("no report")

    @hookimpl
    def on_day_end(self, report: Report) -> None:
        raise RuntimeError("no end")


@dataclass
class Leaving:
    """A step, heard at the end of a day, too, that would end the program."""

    @hookimpl
    def match_entry(self, entry: Entry) -> bool:
        sys.exit("no entry")

    @hookimpl
    def on_day_end(self) -> None:
        sys.exit(3)


class Contributing:
    """An extension that works."""

    @hookimpl
    def contribute_to_report(self, report: Report, context: Context) -> None:
        report.add_table("Table", ["place", "dry"], [[context.step, context.dry_run]])

    @hookimpl
    def on_day_end(self, report: Report) -> None:
        HEARD.append(f"end of {report.title}")


@dataclass
class Boastful:
    """Says that it tests something, and does not say what."""

    @hookimpl
    def tested_values(self) -> Any:
        return "MESSAGE"

    @hookimpl
    def match_entry(self, entry: Entry) -> bool:
        return True


OURS: dict[str, dict[str, type]] = {
    FILTERS: {"picky": Picky, "boastful": Boastful, "leaving": Leaving},
    ACTIONS: {"hand": Hand, "touch": Touch, "last": Last, "listening": Listening, "unsure": Unsure},
    EXTENSIONS: {"faulty": Faulty, "contributing": Contributing},
}


def registry_with_ours(*extensions: str) -> Registry:
    """What is installed, and the classes of this file; of the extensions, only those named."""

    def ours(checker: Checker, faults: list[str]) -> Iterator[Found]:
        for group, classes in OURS.items():
            for name, cls in classes.items():
                if group != EXTENSIONS or name in extensions:
                    point = EntryPoint(name, f"{__name__}:{cls.__name__}", group)
                    yield PackagePlugin(point, "ours", "1.0", checker)

    return Registry(ours)


@pytest.fixture
def engine(clock):
    """``engine(toml)``: a pipeline that knows the plugins of this file."""
    HEARD.clear()
    made: list[Pipeline] = []

    def make(toml: str, *programs: str) -> Pipeline:
        made.append(Pipeline(toml, clock, registry_with_ours(*programs)))
        return made[-1]

    yield make
    for one in made:
        one.engine.stop()
        one.state.close()


PICKY = """
[chains]
"picky" = [
  { filter = "picky", OPTIONS else = "failed" },
  { action = "log", message = "{n} passed", then = "end" },
]
"failed" = [ { action = "log", message = "{n} failed" } ]
"end" = [ { action = "discard" } ]
"""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("", ["1 passed", "0 failed", "x failed", "-1 failed"]),
        ("invert = true,", ["1 failed", "0 failed", "x failed", "-1 passed"]),
    ],
)
def test_an_error_in_a_filter_is_not_to_pass_however_the_filter_is_turned(engine, options, said):
    chains = engine(PICKY.replace("OPTIONS", options))
    for n in ("1", "0", "x", "-1"):
        chains.feed(n=n)
    assert [line.message for line in chains.logs] == said


def test_an_error_in_a_filter_without_else_leaves_the_chain(engine):
    chains = engine("""
        [chains]
        "a" = [ { filter = "picky" }, { action = "log", message = "a" } ]
        "b" = [ { action = "log", message = "b" } ]
    """)
    chains.feed(n=0)
    assert [line.message for line in chains.logs] == ["b"]


def test_an_error_in_an_action_ends_the_journey_of_that_entry_alone(engine):
    chains = engine("""
        [chains]
        "a" = [
          { action = "count", counter = "c", key = "ip", then = "b" },
        ]
        "b" = [ { action = "log", message = "{ip}" } ]
        "c" = [ { action = "log", message = "never" } ]
    """)
    for fields in ({"ip": "192.0.2.7"}, {}, {"MESSAGE": "x"}, {"ip": "192.0.2.8"}):
        chains.feed(**fields)
    assert [line.message for line in chains.logs] == ["192.0.2.7", "192.0.2.8"]
    assert chains.outcome.entries == 4


def test_entries_without_a_message_or_anything(engine):
    chains = engine("""
        [chains]
        "all" = [
          { filter = "regex", pattern = 'x', invert = true },
          { filter = "equals", field = "MESSAGE", value = "", invert = true },
          { filter = "contains", text = "x", invert = true },
          { filter = "at_most", field = "PRIORITY", value = 7, invert = true },
          { filter = "in_networks", field = "ip", nets = ["0.0.0.0/0"], invert = true },
          { filter = "user_exists", field = "user", invert = true },
          { action = "set", field = "a", value = "{MESSAGE}{PRIORITY}" },
          { action = "report", section = "other", message = "<{MESSAGE}>" },
          { action = "email", message = "{MESSAGE}" },
          { action = "log", message = "{MESSAGE}" },
          { action = "run", command = ["tell", "{MESSAGE}"] },
        ]
    """)
    chains.feed(MESSAGE=None)
    chains.feed(MESSAGE=[])
    chains.feed()
    assert chains.faults == []
    assert [line.message for line in chains.report.other] == ["<>"] * 3
    assert chains.commands == [["tell", ""]] * 3


def test_a_fault_is_told_of_once_a_kind_and_then_at_powers_of_ten(clock):
    told = []
    faults = Faults(lambda message, level, fields: told.append((message, level, fields)))
    state = State()
    configuration = configure(from_text(PICKY.replace("OPTIONS", "")), registry_with_ours())
    engine = assemble(configuration, state, faults, DRY)
    engine.handle(make_entry({"n": 0}, time_us=clock.us) for _ in range(1234))
    engine.handle([make_entry({"n": "x"}, time_us=clock.us)])
    zero = 'chains."picky"[0]: filter picky: ZeroDivisionError: division by zero'
    junk = "filter picky: invalid literal for int() with base 10: 'x'"
    assert [(message, level) for message, level, _ in told] == [
        (zero, 3),
        (f"{zero} (10 times)", 3),
        (f"{zero} (100 times)", 3),
        (f"{zero} (1000 times)", 3),
        (f'chains."picky"[0]: {junk}', 3),
    ]
    assert told[0][2] == {
        "PYRUSE_FAULT": "ZeroDivisionError",
        "PYRUSE_CHAIN": "picky",
        "PYRUSE_STEP": 'chains."picky"[0]',
        "PYRUSE_CURSOR": "",
    }
    assert [fault.count for fault in faults.kinds.values()] == [1234, 1]
    state.close()


def test_an_error_message_that_causes_an_error_comes_to_rest():
    waiting: list[str] = []
    state = State()
    engine = assemble(
        configure(from_text(PICKY.replace("OPTIONS", "")), registry_with_ours()),
        state,
        Faults(lambda message, *_: waiting.append(message)),
        DRY,
    )
    engine.handle([make_entry({"n": 0})])
    rounds = 0
    while waiting:
        rounds += 1
        engine.handle([make_entry({"n": 0, "MESSAGE": waiting.pop()})])
    assert rounds == 1
    state.close()


def test_what_a_log_line_puts_into_a_fault_is_harmless_and_short(engine):
    chains = engine(PICKY.replace("OPTIONS", ""))
    chains.feed(n="\x1b[31m\nchains: all is well\u202e" + "x" * 100_000)
    (fault,) = chains.faults
    assert "\x1b" not in fault.text
    assert "\n" not in fault.text
    assert "\u202e" not in fault.text
    assert len(fault.text) < 1000


@pytest.mark.parametrize(
    ("what", "fault"),
    [
        ("report", "TypeError: <object object at "),
        ("section", "'SOME' is unknown to reports (expected important, interesting, other)"),
        ("details", "'SOME' is unknown to reports (expected ALL, NONE, FIRST, LAST, FIRSTLAST)"),
        ("log", "TypeError: <object object at "),
        (
            "level",
            "8 is no level (expected emerg, alert, crit, err, warning, notice, info, debug, or "
            "0 to 7, see syslog(3))",
        ),
        (
            "level_bool",
            "True is no level (expected emerg, alert, crit, err, warning, notice, info, debug, or "
            "0 to 7, see syslog(3))",
        ),
        (
            "level_name",
            "'warn' is no level (expected emerg, alert, crit, err, warning, notice, info, debug, "
            'or 0 to 7, see syslog(3); did you mean "warning"?)',
        ),
        ("mail", "TypeError: <object object at "),
        ("html", "TypeError: <object object at "),
        ("run", "TypeError: <object object at "),
        ("stdin", "TypeError: <object object at "),
        ("attachment", "TypeError: <object object at "),
        ("counter", "TypeError: <object object at "),
        ("table", "TypeError: Encoding objects of type object is unsupported"),
    ],
)
def test_what_cannot_be_kept_costs_its_entry_and_not_the_batch(engine, what, fault):
    chains = engine(f"""
        [chains]
        "a" = [
          {{ filter = "exists", field = "x" }},
          {{ action = "hand", what = "{what}" }},
        ]
        "b" = [ {{ action = "log", message = "fine" }} ]
    """)
    chains.feed(x=1)
    chains.feed(MESSAGE="hello")
    chains.state.commit()
    assert [line.message for line in chains.logs] == ["fine"]
    assert [one.text.startswith(f"action hand: {fault}") for one in chains.faults] == [True]
    assert chains.report.events == 0


def test_text_that_no_encoding_knows_is_kept_as_far_as_it_goes(engine):
    chains = engine('[chains]\n"a" = [ { action = "hand", what = "surrogate" } ]')
    chains.feed(MESSAGE="hello")
    assert [line.message for line in chains.report.other] == ["a ? b"]
    assert [line.message for line in chains.logs] == ["a ? b"]
    assert chains.faults == []


def test_a_step_with_effects_of_its_own_is_not_called_in_a_dry_run(engine):
    toml = '[chains]\n"a" = [ { action = "touch" }, { action = "log", message = "went on" } ]'
    chains = engine(toml)
    for _ in range(2):
        chains.feed(MESSAGE="hello")
    assert HEARD == []
    assert chains.skipped == ['chains."a"[0]'] * 2
    assert [line.message for line in chains.logs] == ["went on"] * 2
    state = State()
    configuration = configure(from_text(toml), registry_with_ours())
    real = assemble(configuration, state, Faults(lambda *_: None), LIVE)
    real.handle([make_entry({"MESSAGE": "hello"})])
    assert (HEARD, real.skipped) == (["touched"], [])
    state.close()


def test_a_final_action_is_the_end_wherever_it_stands(engine):
    chains = engine("""
        [chains]
        "a" = [ { action = "last" }, { action = "log", message = "after" } ]
        "b" = [ { action = "log", message = "next" } ]
    """)
    chains.feed(MESSAGE="hello")
    assert HEARD == ["last"]
    assert chains.logs == []


def test_whoever_wants_to_hears_of_start_and_stop(engine):
    chains = engine("""
        [chains]
        "a" = [ { action = "listening" }, { action = "listening" } ]
        "b" = [ { action = "listening" } ]
    """)
    chains.feed(MESSAGE="hello")
    chains.engine.stop()
    places = ['chains."a"[0]', 'chains."a"[1]', 'chains."b"[0]']
    assert HEARD[:3] == [f"{place} starts" for place in places]
    assert HEARD[3:5] == [f"{place} acts" for place in places[:2]]
    assert sorted(HEARD[5:]) == [f"{place} stops" for place in places]


def test_steps_hear_and_are_refused_in_the_order_of_the_configuration(engine):
    order = """
        [chains]
        "a" = [ { filter = "exists", field = "A", then = "jumped to" }, { action = "STEP" } ]
        "jumped to" = [ { action = "STEP" } ]
        "b" = [ { action = "STEP" } ]
    """
    places = ['chains."a"[1]', 'chains."jumped to"[0]', 'chains."b"[0]']
    engine(order.replace("STEP", "listening"))
    assert [f"{place} starts" for place in places] == HEARD
    with pytest.raises(ConfigError) as refused:
        engine(order.replace("STEP", "unsure"))
    told = [fault.split(": ")[1] for fault in refused.value.faults]
    assert told == places


def test_faults_of_plugins_are_contained(engine):
    chains = engine(
        '[chains]\n"a" = [ { action = "report", section = "other", message = "x" } ]',
        "faulty",
        "contributing",
    )
    chains.feed(MESSAGE="hello")
    report = chains.end_day()
    chains.engine.stop()
    assert [line.message for line in report.other] == ["x"]
    assert [table.title for table in report.summaries if table.title == "Table"] == ["Table"]
    (table,) = (table for table in report.summaries if table.title == "Table")
    assert table.rows == [["plugins.contributing", "True"]]
    assert HEARD == ["end of 2026-03-14"]
    assert [(fault.place, fault.text) for fault in chains.faults] == [
        ("plugins.faulty", "on_start: RuntimeError: no start"),
        ("plugins.faulty", "contribute_to_report: RuntimeError: no report"),
        ("plugins.faulty", "on_day_end: RuntimeError: no end"),
        ("plugins.faulty", "on_stop: RuntimeError: no stop"),
    ]


def test_sys_exit_costs_its_call_alone(engine):
    chains = engine(
        """
        [chains]
        "a" = [ { filter = "leaving" } ]
        "b" = [ { action = "log", message = "b" } ]
        """,
        "contributing",
    )
    chains.feed(MESSAGE="hello")
    chains.end_day()
    assert [line.message for line in chains.logs] == ["b"]
    assert HEARD == ["end of 2026-03-14"]
    assert [(fault.place, fault.text) for fault in chains.faults] == [
        ('chains."a"[0]', "filter leaving: SystemExit: no entry"),
        ('chains."a"[0]', "on_day_end: SystemExit: 3"),
    ]


def test_options_that_are_looked_at_by_faulty_code(engine):
    with pytest.raises(ConfigError) as refused:
        engine('[chains]\n"a" = [ { action = "unsure" } ]')
    assert str(refused.value) == (
        "pyruse.toml: chains.\"a\"[0]: action unsure: check_options: KeyError: 'oops\\nand more' "
        "(expected a working plugin: upgrade or remove it)"
    )


def test_a_filter_that_does_not_say_rightly_what_it_tests(engine):
    with pytest.raises(ConfigError) as refused:
        engine('[chains]\n"a" = [ { filter = "boastful" } ]')
    assert str(refused.value) == (
        'pyruse.toml: chains."a"[0]: filter boastful: tested_values: TypeError: '
        "not a field with its values (expected a working plugin: upgrade or remove it)"
    )


DAYS = """
[report]
timezone = "Europe/Paris"
[chains]
"all" = [ { action = "report", section = "other", message = "{__REALTIME_TIMESTAMP:%F %T %z}" } ]
"""


def counted(chains: Pipeline) -> dict[str, int]:
    return dict(chains.state.db.execute("SELECT day, entries FROM days ORDER BY day").fetchall())


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_days_on_which_the_clocks_change(engine, clock, day, hours):
    chains = engine(DAYS)
    clock.now = datetime.fromisoformat(day).replace(tzinfo=PARIS).astimezone(UTC)
    start = clock.us
    for half_hour in range(-1, 2 * hours + 1):
        chains.feed(at=clock.now + timedelta(minutes=30 * half_hour))
    chains.state.commit()
    assert list(counted(chains).values()) == [1, 2 * hours, 1]
    report = chains.engine.report(day)
    assert report.entries == len(report.other) == 2 * hours
    assert (time_us_of(report.begin), time_us_of(report.end)) == (
        start,
        start + hours * 3600 * 1_000_000,
    )
    assert [line.message[:10] for line in report.other] == [day] * (2 * hours)
    assert sorted(line.message for line in report.other) == sorted(
        f"{line.time:%F %T %z}" for line in report.other
    )


def test_the_day_ends_when_the_configuration_says(engine):
    chains = engine(DAYS.replace('timezone = "Europe/Paris"', 'timezone = "UTC"\nat = "06:30"'))
    for hour, minute in ((6, 29), (6, 30), (23, 59)):
        chains.feed(at=datetime(2026, 3, 14, hour, minute, tzinfo=UTC))
    chains.feed(at=datetime(2026, 3, 15, 6, 29, 59, 999_999, tzinfo=UTC))
    chains.state.commit()
    assert counted(chains) == {"2026-03-13": 1, "2026-03-14": 3}


def test_days_are_counted_also_when_entries_come_out_of_order(clock):
    state = State()
    engine = assemble(configure(from_text(DAYS), Registry()), state, Faults(lambda *_: None), LIVE)
    noon = clock.us
    hour = 3600 * 1_000_000
    late = [0, 20, -20, 1, 30, -1, 2]
    assert engine.handle(make_entry({}, time_us=noon + hours * hour) for hours in late) == 7
    assert engine.handle([]) == 0
    assert engine.handle([make_entry({}, time_us=noon - 2 * hour)]) == 1
    assert engine.last_time == noon - 2 * hour
    state.commit()
    query = "SELECT day, entries, first - ?, last - ? FROM days ORDER BY day"
    found = state.db.execute(query, (noon, noon))
    assert [(day, n, first / hour, last / hour) for day, n, first, last in found] == [
        ("2026-03-13", 1, -20, -20),
        ("2026-03-14", 5, -2, 2),
        ("2026-03-15", 2, 20, 30),
    ]
    state.close()


def test_an_entry_that_comes_after_its_report_is_in_the_next_one(engine, clock):
    chains = engine(DAYS)
    chains.feed(MESSAGE="in time")
    before = clock.now
    report = chains.end_day()
    assert (report.title, report.entries) == ("2026-03-14", 1)
    assert clock.now.astimezone(PARIS) == datetime(2026, 3, 15, tzinfo=PARIS)
    chains.feed(at=before, MESSAGE="late")
    chains.state.commit()
    report = chains.end_day()
    assert (report.title, report.entries, len(report.other)) == ("2026-03-15", 1, 1)
    assert counted(chains) == {"2026-03-14": 1, "2026-03-15": 1}


def test_a_day_without_entries_has_a_report(engine, clock):
    chains = engine(DAYS, "contributing")
    report = chains.end_day()
    assert (report.title, report.entries, report.events) == ("2026-03-14", 0, 0)
    assert HEARD == ["end of 2026-03-14"]


def test_at_the_end_of_the_day_the_report_is_mailed(engine):
    chains = engine("""
        [report]
        timezone = "UTC"
        subject = "{day}: {important} important of {entries}"
        [email]
        to = ["hostmaster@example.org"]
        [chains]
        "root" = [
          { filter = "equals", field = "user", value = "root" },
          { action = "report", section = "important", message = "{user} logged in" },
        ]
        "everything else" = [ { action = "report", section = "other", message = "{MESSAGE}" } ]
    """)
    chains.feed(user="root")
    chains.feed(user="root")
    chains.feed(MESSAGE="cleaned up")
    chains.end_day()
    (mail,) = chains.emails
    assert mail.subject == "2026-03-14: 1 important of 3"
    assert mail.to == ["hostmaster@example.org"]
    assert "root logged in" in mail.body
    assert "cleaned up" in mail.body
    (item,) = chains.state.outbox.items("mail")
    assert "root logged in" in item.payload["html"]
    assert chains.faults == []


def test_what_is_dated_too_late_is_for_the_engine_and_no_reader(pipeline: MakePipeline) -> None:
    """A reader files ahead what is of the hour; an entry of the future is to count as of now."""
    engine = pipeline('[chains]\n"all" = [ { action = "discard" } ]').engine
    now = 20_000 * 24 * HOUR_US + HOUR_US - 1_000_000  # the last second of an hour
    seen = []

    def entries() -> Iterator[Entry]:
        yield Entry(now + HOUR_US - 7)
        seen.append(engine.hour.end)

    engine.handle(entries(), now=now)
    assert seen == [now + HOUR_US + 1]
