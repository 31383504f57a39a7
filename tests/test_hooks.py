"""Every hook: when it is called, with what, and what becomes of what it gives or raises.

The classes below take every argument that there is, and write down how they were called.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyruse import Ban, Entry, Firewall, Report
from pyruse.config.load import load
from pyruse.registry.hooks import HOOKS
from pyruse.registry.registry import Registry
from pyruse.replay.replay import replay
from pyruse.testing import Clock, ConfigError, MakePipeline
from tests.docs.site import install_package

SOURCE = '''
import threading
from dataclasses import dataclass
from pyruse import (
    Condition, Field, Firewall, NewField, Reported, Tallied, Template, WorkedOut, hookimpl,
)

calls = []

@dataclass
class Step:
    """Writes down how it is called."""

    refuse: bool = False
    fail: str = ""

    def called(self, hook, **arguments):
        calls.append((hook, arguments))
        if hook == self.fail:
            raise RuntimeError("broken")

    @hookimpl
    def match_entry(self, entry, context):
        self.called("match_entry", entry=entry, context=context)
        return entry["MESSAGE"] == "passes"

    @hookimpl
    def act_on_entry(self, entry, context):
        self.called("act_on_entry", entry=entry, context=context)
        context.log(entry, "acted", 6)
        if entry["MESSAGE"] == "send":
            context.send(entry, {"text": "hello"})

    @hookimpl
    def check_options(self, context):
        self.called("check_options", context=context)
        if self.refuse:
            raise ValueError("refused (expected otherwise)")

    @hookimpl
    def deliver(self, parcel):
        self.called("deliver", parcel=parcel, thread=threading.current_thread())

    @hookimpl
    def on_start(self, context):
        self.called("on_start", context=context)

    @hookimpl
    def on_wake(self, context):
        self.called("on_wake", context=context)
        context.table("woken").put("times", len(calls))

    @hookimpl
    def on_count(self, raised, context):
        self.called("on_count", raised=raised, context=context)

    @hookimpl
    def on_stop(self, context):
        self.called("on_stop", context=context)

    @hookimpl
    def contribute_to_report(self, report, context):
        self.called("contribute_to_report", report=report, context=context)
        report.add_table("Mine", ["a"], [["b"]])

    @hookimpl
    def publish_report(self, report, context):
        self.called("publish_report", report=report, context=context)
        context.log(None, "published", 6)

    @hookimpl
    def on_day_end(self, report, context):
        self.called("on_day_end", report=report, context=context)

    @hookimpl
    def on_ban(self, ban, context):
        self.called("on_ban", ban=ban, context=context)
        context.log(None, f"on_ban {ban.network}", 6)

    @hookimpl
    def on_unban(self, ban, why, context):
        self.called("on_unban", ban=ban, why=why, context=context)

@dataclass
class Hello:
    """Says what it tests for."""

    @hookimpl
    def tested_values(self):
        calls.append(("tested_values", {}))
        return "MESSAGE", ["hello"]

    @hookimpl
    def match_entry(self, entry):
        calls.append(("match_entry", {}))
        return entry.get("MESSAGE") == "hello"

@dataclass
class Shouts:
    """Says what it tests, as data."""

    @hookimpl
    def condition(self):
        calls.append(("condition", {}))
        return Condition.contains("MESSAGE", "!!")

    @hookimpl
    def match_entry(self, entry):
        calls.append(("match_entry", {}))
        return "!!" in (entry.text("MESSAGE") or "")

@dataclass
class Boasts(Shouts):
    """Has a method of its own, which the condition says nothing of."""

    @hookimpl
    def match_entry(self, entry):
        calls.append(("match_entry", {}))
        return True

@dataclass
class Tells:
    """Says what it reports, as data."""

    message: Template

    @hookimpl
    def reported(self):
        calls.append(("reported", {}))
        return Reported("interesting", self.message, text="MESSAGE")

    @hookimpl
    def act_on_entry(self, entry, context):
        calls.append(("act_on_entry", {}))
        context.report(entry, "interesting", self.message.render(entry), text=entry.text("MESSAGE"))

@dataclass
class Whispers(Tells):
    """Has a method of its own, which speaks for itself."""

    @hookimpl
    def act_on_entry(self, entry, context):
        calls.append(("act_on_entry", {}))

@dataclass
class Counts:
    """Says what it counts, as data."""

    sets: str = "door"

    @hookimpl
    def tallied(self):
        calls.append(("tallied", {}))
        return Tallied("opened", ["door", "user"], "seconds", {self.sets: "front"})

    @hookimpl
    def act_on_entry(self, entry, context):
        calls.append(("act_on_entry", {}))
        entry["door"] = "front"
        context.tally(entry, "opened", entry.texts(["door", "user"]), int(entry["seconds"]))

@dataclass
class Guesses(Counts):
    """Has a method of its own, which speaks for itself."""

    @hookimpl
    def act_on_entry(self, entry, context):
        calls.append(("act_on_entry", {}))

@dataclass
class Splits:
    """Says what it does as a function."""

    first: NewField = NewField("name")
    second: NewField = NewField("domain")
    given: str = "tuple"

    @hookimpl
    def worked_out(self, context):
        calls.append(("worked_out", {"context": context}))
        if self.given == "nothing":
            return None
        fields = ["mail"] if self.given == "list" else (Field("mail"),)
        return WorkedOut(fields, self.split, (self.first, self.second))

    def split(self, text, at):
        calls.append(("split", {"at": at}))
        if text == "none":
            return None
        name, _, domain = text.partition("@")
        if not name:
            raise ValueError("no name")
        return name, domain or None

    @hookimpl
    def act_on_entry(self, entry, context):
        calls.append(("act_on_entry", {}))
        mail = entry.text("mail")
        found = None if mail is None else self.split(mail, entry.time_us)
        if found is not None:
            entry.set_many(dict(zip((self.first, self.second), found)))

@dataclass
class Keeps(Splits):
    """Has a method of its own, which speaks for itself."""

    @hookimpl
    def act_on_entry(self, entry, context):
        calls.append(("act_on_entry", {}))

@dataclass
class Wall:
    """A firewall."""

    size: int = 1

    @hookimpl
    def open_firewall(self, name):
        calls.append(("open_firewall", {"name": name, "size": self.size}))
        return Bricks() if name == "wall" else None

class Bricks(Firewall):
    def apply(self, add, remove):
        pass
'''

FILTER = '[chains]\n"c" = [{ filter = "hooked" }, { action = "log", message = "passed" }]\n'
ACTION = '[chains]\n"c" = [{ action = "hooked" }]\n'


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What was called: (hook, arguments)."""
    (tmp_path / "pyruse_hooked.py").write_text(SOURCE)
    points = {
        "pyruse.filters": {
            "hooked": "pyruse_hooked:Step",
            "hello": "pyruse_hooked:Hello",
            "shouts": "pyruse_hooked:Shouts",
            "boasts": "pyruse_hooked:Boasts",
        },
        "pyruse.actions": {
            "hooked": "pyruse_hooked:Step",
            "tells": "pyruse_hooked:Tells",
            "whispers": "pyruse_hooked:Whispers",
            "counts": "pyruse_hooked:Counts",
            "guesses": "pyruse_hooked:Guesses",
            "splits": "pyruse_hooked:Splits",
            "keeps": "pyruse_hooked:Keeps",
        },
        "pyruse": {"wall": "pyruse_hooked:Wall"},
    }
    install_package({"name": "pyruse-hooked", "version": "1.0", "entry-points": points}, tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    import pyruse_hooked  # type: ignore[import-not-found]

    yield pyruse_hooked.calls
    del sys.modules["pyruse_hooked"]


def names(calls: list[Any]) -> list[str]:
    """The hooks in the order of their calls, those of other firewalls' names left out."""
    return [hook for hook, _ in calls if hook != "open_firewall"]


def test_match_entry_decides_and_counts_as_not_passed_when_it_fails(
    calls: list[Any], pipeline: MakePipeline
) -> None:
    chains = pipeline(FILTER)
    for message in ("passes", "does not"):
        chains.feed(MESSAGE=message)
    hook, arguments = calls[-1]
    assert hook == "match_entry"
    assert isinstance(arguments["entry"], Entry)
    assert (arguments["context"].chain, arguments["context"].step) == ("c", 'chains."c"[0]')
    assert [line.message for line in chains.logs] == ["passed"]
    broken = pipeline(FILTER.replace('"hooked"', '"hooked", fail = "match_entry"'))
    broken.feed(MESSAGE="passes")
    assert broken.logs == []
    assert [fault.text for fault in broken.faults] == ["filter hooked: RuntimeError: broken"]


def test_tested_values_are_asked_for_before_entries_come_and_say_what_passes(
    calls: list[Any], pipeline: MakePipeline
) -> None:
    toml = FILTER.replace("hooked", "hello")
    chains = pipeline(toml)
    for message in ("hello", "good-bye"):
        asked = names(calls).count("tested_values")
        chains.feed(MESSAGE=message)
        assert names(calls).count("tested_values") == asked > 0
    assert [line.message for line in chains.logs] == ["passed"]
    straight = pipeline(f"[engine]\noptimize = false\n{toml}")
    calls.clear()
    straight.feed(MESSAGE="hello")
    assert names(calls) == ["match_entry"]


def test_condition_is_what_a_filter_tests_and_speaks_for_its_own_method_alone(
    calls: list[Any], pipeline: MakePipeline
) -> None:
    chains = pipeline(FILTER.replace("hooked", "shouts"))
    asked = names(calls).count("condition")
    assert asked > 0
    for message in ("hello!!", "hello"):
        chains.feed(MESSAGE=message)
    assert [line.message for line in chains.logs] == ["passed"]
    assert names(calls).count("condition") == asked
    own = pipeline(FILTER.replace("hooked", "boasts"))
    calls.clear()
    own.feed(MESSAGE="hello")
    assert names(calls) == ["match_entry"]
    assert [line.message for line in own.logs] == ["passed"]


def test_act_on_entry_acts_and_ends_the_journey_when_it_fails(
    calls: list[Any], pipeline: MakePipeline
) -> None:
    log = '{ action = "log", message = "after" }'
    chains = pipeline(f'[chains]\n"c" = [{{ action = "hooked" }}, {log}]')
    chains.feed(MESSAGE="x")
    assert isinstance(calls[-1][1]["entry"], Entry)
    assert [line.message for line in chains.logs] == ["acted", "after"]
    broken = pipeline(f'[chains]\n"c" = [{{ action = "hooked", fail = "act_on_entry" }}, {log}]')
    broken.feed(MESSAGE="x")
    assert broken.logs == []


def test_reported_is_what_an_action_reports_and_speaks_for_its_own_method_alone(
    calls: list[Any], pipeline: MakePipeline
) -> None:
    tells = ACTION.replace('"hooked"', '"tells", message = "{MESSAGE}!"')
    chains = pipeline(tells)
    calls.clear()
    for number in 1, 2:
        chains.feed(MESSAGE=f"disk {number}")
    straight = pipeline(f"[engine]\noptimize = false\n{tells}")
    calls.clear()
    straight.feed(MESSAGE="disk 1")
    assert names(calls) == ["act_on_entry"]
    for one, messages in (chains, ["disk 1!", "disk 2!"]), (straight, ["disk 1!"]):
        report = one.outcome.report
        assert [row.message for row in report.interesting] == messages
        assert [kind.template for kind in report.kinds] == ["disk *"]
    own = pipeline(tells.replace("tells", "whispers"))
    calls.clear()
    own.feed(MESSAGE="disk 1")
    assert names(calls) == ["act_on_entry"]
    assert own.outcome.report.interesting == []


def test_tallied_is_what_an_action_counts_and_speaks_for_its_own_method_alone(
    calls: list[Any], pipeline: MakePipeline
) -> None:
    counts = ACTION.replace('"hooked"', '"counts"')
    chains = pipeline(counts)
    calls.clear()
    for _ in range(3):
        chains.feed(user="alice", seconds="7")
    assert names(calls).count("act_on_entry") <= 1
    straight = pipeline(f"[engine]\noptimize = false\n{counts}")
    for _ in range(3):
        straight.feed(user="alice", seconds="7")
    for one in (chains, straight):
        (row,) = one.events
        assert (row.event, row.fields, row.count, row.amount) == (
            "opened", {"door": "front", "user": "alice"}, 3, 21,
        )  # fmt: skip
    own = pipeline(counts.replace("counts", "guesses"))
    own.feed(user="alice", seconds="7")
    assert own.events == []
    with pytest.raises(ConfigError, match="_UID\" is the journal's own"):
        pipeline(counts.replace('"counts"', '"counts", sets = "_UID"'))


SPLITS = """
[chains]
"c" = [
  { action = "splits" },
  { action = "report", section = "other", message = "{name} at {domain}" },
]
"""


@pytest.mark.parametrize("optimize", ["true", "false"])
def test_worked_out_is_what_an_action_does_as_a_function(
    calls: list[Any], pipeline: MakePipeline, optimize: str
) -> None:
    chains = pipeline(f"[engine]\noptimize = {optimize}\n{SPLITS}")
    entries: list[dict[str, Any]] = [
        {"mail": "alice@example.net"},
        {"mail": "bob", "domain": "as it was"},
        {"mail": "none", "name": "nobody", "domain": "here"},
        {"name": "no mail", "domain": "here"},
        {"mail": "@example.net"},  # the function raises: the journey ends here
    ]
    for fields in entries:
        chains.feed(**fields)
    assert sorted(row.message for row in chains.outcome.report.other) == [
        "alice at example.net", "bob at as it was", "no mail at here", "nobody at here",
    ]  # fmt: skip
    assert [fault.text for fault in chains.faults] == ["action splits: no name"]


def test_worked_out_speaks_for_its_own_method_alone_and_is_checked(
    calls: list[Any], pipeline: MakePipeline
) -> None:
    own = pipeline(SPLITS.replace('"splits"', '"keeps"'))
    own.feed(mail="alice@example.net", name="as it", domain="was")
    assert [row.message for row in own.outcome.report.other] == ["as it at was"]
    none = pipeline(SPLITS.replace('"splits"', '"splits", given = "nothing"'))
    calls.clear()
    none.feed(mail="alice@example.net")
    assert names(calls) == ["act_on_entry", "split"]
    with pytest.raises(ConfigError, match="worked_out: TypeError: not what is worked out"):
        pipeline(SPLITS.replace('"splits"', '"splits", given = "list"'))


def test_check_options_sees_the_configuration_and_may_refuse(
    calls: list[Any], pipeline: MakePipeline
) -> None:
    pipeline('[email]\nto = ["root"]\n' + ACTION)
    hook, arguments = next(call for call in calls if call[0] != "open_firewall")
    assert hook == "check_options"
    assert arguments["context"].recipients == ["root"]
    with pytest.raises(ConfigError, match=r'chains\."c"\[0\]: refused \(expected otherwise\)$'):
        pipeline(ACTION.replace('"hooked"', '"hooked", refuse = true'))


def test_deliver_hands_over_what_was_sent_but_not_in_a_dry_run(
    calls: list[Any], pipeline: MakePipeline, clock: Clock
) -> None:
    chains = pipeline(ACTION)
    chains.feed(MESSAGE="send")
    assert "deliver" not in names(calls)
    assert [(one.plugin, one.payloads) for one in chains.sent] == [
        ("action hooked", [{"text": "hello"}])
    ]
    assert chains.deliver() == ["sent"]
    hook, arguments = calls[-1]
    parcel = arguments["parcel"]
    assert (hook, parcel.payload) == ("deliver", {"text": "hello"})
    assert (len(parcel.payloads), parcel.count, parcel.attempt) == (1, 1, 1)
    assert parcel.at == clock.us
    broken = pipeline(ACTION.replace('"hooked"', '"hooked", fail = "deliver"'))
    broken.feed(MESSAGE="send")
    assert broken.deliver() == ["retry: action hooked: RuntimeError: broken"]


def test_on_start_comes_before_the_first_entry(calls: list[Any], pipeline: MakePipeline) -> None:
    pipeline(ACTION).feed(MESSAGE="x")
    assert names(calls) == ["check_options", "on_start", "act_on_entry"]
    assert calls[-2][1]["context"].step == 'chains."c"[0]'


def test_on_wake_is_called_for_the_plugin_that_has_asked_in_any_thread(
    calls: list[Any], pipeline: MakePipeline
) -> None:
    chains = pipeline(ACTION.replace("}]", '}, { action = "hooked" }]'))
    contexts = [given["context"] for hook, given in calls if hook == "on_start"]
    assert not chains.call_woken()
    asking = threading.Thread(target=lambda: [contexts[1].wake(), contexts[1].wake()])
    asking.start()
    asking.join()
    calls.clear()
    assert chains.call_woken()
    assert [(hook, given["context"].step) for hook, given in calls] == [
        ("on_wake", contexts[1].step)
    ]
    assert not chains.call_woken()


def test_on_stop_comes_once_after_the_last_entry(
    calls: list[Any], tmp_path: Path, journal_file: Any
) -> None:
    from pyruse.engine.faults import Faults
    from pyruse.journal.selection import Selection

    config = tmp_path / "pyruse.toml"
    config.write_text(ACTION)
    journal = journal_file([{"MESSAGE": "1"}, {"MESSAGE": "2"}])
    configuration = load(config, Registry())
    replay(configuration, Selection(files=[journal]), Faults(lambda *_: None))
    assert names(calls)[1:4] == ["on_start", "act_on_entry", "act_on_entry"]
    assert names(calls)[-1] == "on_stop"
    assert names(calls).count("on_stop") == 1


def test_contribute_to_report_adds_to_every_report(
    calls: list[Any], pipeline: MakePipeline
) -> None:
    chains = pipeline(ACTION)
    assert [table.title for table in chains.report.summaries] == ["Mine"]
    assert isinstance(calls[-1][1]["report"], Report)
    broken = pipeline(ACTION.replace('"hooked"', '"hooked", fail = "contribute_to_report"'))
    assert broken.report.summaries == []
    [fault] = broken.faults
    assert fault.text == "contribute_to_report: RuntimeError: broken"


def test_publish_report_is_called_beside_the_main_loop_and_what_leaves_waits_for_it(
    calls: list[Any], pipeline: MakePipeline
) -> None:
    chains = pipeline(ACTION)
    chains.feed(MESSAGE="x")
    chains.end_day()
    assert names(calls)[-3:] == ["contribute_to_report", "publish_report", "on_day_end"]
    _, given = calls[-2]
    assert [table.title for table in given["report"].summaries] == ["Mine"]
    assert [line.message for line in chains.logs] == ["acted", "published"]
    for name, way in {
        "counters": lambda: given["context"].counters,
        "table": lambda: given["context"].table("x"),
        "report": lambda: given["context"].report(None, "other", "x"),
        "ban_history": lambda: given["context"].ban_history(0, 1),
    }.items():
        with pytest.raises(RuntimeError, match=f"{name} is for the main thread"):
            way()


def test_on_day_end_gets_what_all_have_contributed(
    calls: list[Any], pipeline: MakePipeline
) -> None:
    chains = pipeline(ACTION)
    chains.feed(MESSAGE="x")
    chains.end_day()
    assert names(calls)[-2:] == ["publish_report", "on_day_end"]
    report = calls[-1][1]["report"]
    assert [table.title for table in report.summaries] == ["Mine"]
    assert calls[-1][1]["context"].render(report, "text").count("MINE") == 1


BANS = """
    [chains]
    "c" = [
      { filter = "equals", field = "MESSAGE", value = "ban", else = "lift" },
      { action = "hooked" },
      { action = "ban", ip = "ip", duration = "1h", label = "web" },
    ]
    "lift" = [{ action = "unban", ip = "ip" }]
"""


def bans_of(calls: list[Any], hook: str) -> list[Ban]:
    """The bans that a hook was called with."""
    return [arguments["ban"] for name, arguments in calls if name == hook]


def test_on_ban_tells_of_each_ban_and_of_each_that_was_made_longer(
    calls: list[Any], pipeline: MakePipeline
) -> None:
    chains = pipeline(BANS)
    chains.feed(MESSAGE="ban", ip="203.0.113.7")
    began = chains.clock.us
    chains.clock.advance("10m")
    chains.feed(MESSAGE="ban", ip="203.0.113.7")
    first, longer = bans_of(calls, "on_ban")
    assert (first.network, first.label, first.chain, first.reason, first.count) == (
        "203.0.113.7", "web", "c", "ban", 1
    )  # fmt: skip
    assert (first.since, first.until) == (began, began + 3_600_000_000)
    assert (longer.since, longer.until) == (began, began + 4_200_000_000)
    assert [line.message for line in chains.logs].count("on_ban 203.0.113.7") == 2


def test_on_unban_tells_of_each_ban_that_ended_and_why(
    calls: list[Any], pipeline: MakePipeline
) -> None:
    chains = pipeline(BANS)
    chains.feed(MESSAGE="ban", ip="203.0.113.7")
    chains.feed(MESSAGE="ban", ip="203.0.113.8")
    chains.feed(MESSAGE="lift", ip="203.0.113.7")
    assert [ban.network for ban in bans_of(calls, "on_unban")] == ["203.0.113.7"]
    chains.clock.advance("1h")
    chains.feed(MESSAGE="nothing", ip="203.0.113.9")
    assert [ban.network for ban in bans_of(calls, "on_unban")] == ["203.0.113.7", "203.0.113.8"]
    whys = [arguments["why"] for hook, arguments in calls if hook == "on_unban"]
    assert whys == ["unbanned", "over"]


def test_on_count_tells_what_the_entries_have_raised_but_not_what_others_have_counted(
    calls: list[Any], pipeline: MakePipeline, clock: Clock
) -> None:
    count = '{ action = "count", counter = "ssh", key = "ip", within = "10m", by = 2 }'
    chains = pipeline(f'[chains]\n"c" = [{{ action = "hooked" }}, {count}]\n')
    counters = next(given["context"] for hook, given in calls if hook == "on_start").counters
    end = clock.us + 600_000_000
    assert counters.count_elsewhere("ssh", "192.0.2.7", at=clock.us, until=end, by=3) == 3
    chains.feed(MESSAGE="x", ip="192.0.2.7")
    assert counters.held("ssh", "192.0.2.7", at=clock.us) == 5
    counters.count("for ever", "192.0.2.7", at=clock.us)
    chains.feed(MESSAGE="y")
    told = [given["raised"] for hook, given in calls if hook == "on_count"]
    assert told == [[("ssh", "192.0.2.7", end, 2)]]


def test_open_firewall_is_asked_for_each_name_with_the_options_of_its_table(
    calls: list[Any], pipeline: MakePipeline
) -> None:
    ban = '[chains]\n"c" = [{ action = "ban", ip = "ip", backend = "wall" }]\n'
    chains = pipeline(f"{ban}[bans.wall]\nsize = 3\n")
    assert {"name": "wall", "size": 3} in [arguments for _, arguments in calls]
    assert isinstance(chains.engine.bans.enforcement.firewall("wall"), Firewall)
    with pytest.raises(ConfigError, match=r'bans\.wall\.size: "x" is of the wrong type'):
        pipeline(f'{ban}[bans.wall]\nsize = "x"\n')


def test_all_hooks_have_a_test_here() -> None:
    tests = [name.removeprefix("test_") for name in globals() if name.startswith("test_")]
    assert [hook for hook in HOOKS if not any(name.startswith(hook) for name in tests)] == []
