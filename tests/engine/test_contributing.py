"""What plugins add to a report: beside the main loop, and the same however the report is made."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from pyruse import BanRequest, Context, Entry, Mail, Report, hookimpl
from pyruse.testing import Daemon, MakeDaemon, MakePipeline
from pyruse.testing.journal import FIRST_TIME, FieldValue, make_journal, unavailable
from pyruse.testing.plugin import need

PLUGIN = """
from pyruse import Context, Entry, Report, hookimpl

class Seen:
    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        context.table("seen").put(entry["MESSAGE"], 1)
        context.tally(entry, "seen", {"text": entry["MESSAGE"]})

    @hookimpl
    def contribute_to_report(self, report: Report, context: Context) -> None:
        table = context.table("seen")
        facts = [f"kept {key} {table.get(key, at=0)}" for key in table]
        facts += [f"counted {one.fields['text']} {one.count}" for one in context.tallies(report)]
        facts += {f"banned {ban.network}" for ban in context.ban_history(0, 1 << 62)}
        report.add_summary("seen", "Seen", facts=facts)
"""
CHAINS = """
[report]
timezone = "UTC"
{report}
[email]
to = ["root"]
[chains]
"all" = [
  {{ action = "set", field = "ip", value = "203.0.113.7" }},
  {{ action = "seen" }},
  {{ action = "ban", ip = "ip", label = "all", duration = "1h" }},
  {{ action = "report", section = "other", message = "{{MESSAGE}}" }},
]
"""
DAY = "2026-03-14"


@pytest.fixture
def ran(daemon: MakeDaemon, tmp_path: Path) -> Callable[..., Daemon]:
    """A daemon that has handled an entry of each of some machines, of an old day."""
    need(unavailable())

    def run(report: str, *hosts: str) -> Daemon:
        (tmp_path / "journal").mkdir()
        for number, host in enumerate(hosts):
            entry: dict[str, FieldValue] = {
                "MESSAGE": f"of {host}", "_HOSTNAME": host,
                "__REALTIME_TIMESTAMP": FIRST_TIME + number,
            }  # fmt: skip
            make_journal(tmp_path / "journal" / f"remote-{number}.journal", [entry])
        (tmp_path / "plugins").mkdir(exist_ok=True)
        one = daemon(CHAINS.format(report=report), tmp_path / "journal")
        folder = one.folder / "plugins"
        folder.mkdir(exist_ok=True)
        (folder / "seen.py").write_text(PLUGIN)
        assert one.command("run", "--once").returncode == 0
        return one

    return run


def facts(text: str) -> list[str]:
    (summary,) = [one for one in json.loads(text)["summaries"] if one["id"] == "seen"]
    found: list[str] = summary["facts"]
    return found


ALL = ["kept of web1 1", "counted of web1 1", "banned 203.0.113.7"]


@pytest.mark.realparts
def test_a_report_that_is_shown_again_has_what_the_delivered_one_had(
    ran: Callable[..., Daemon], tmp_path: Path
) -> None:
    one = ran(f'archive = "{tmp_path}/reports"', "web1")
    delivered = (tmp_path / "reports" / f"{DAY}.json").read_text()
    assert facts(delivered) == ALL
    assert one.command("report", DAY, "--format", "json").stdout.strip() == delivered.strip()
    (tmp_path / "reports" / f"{DAY}.json").unlink()
    assert one.command("report", DAY, "--send").returncode == 0
    assert (tmp_path / "reports" / f"{DAY}.json").read_text() == delivered


@pytest.mark.realparts
def test_the_report_of_each_machine_has_what_is_about_it(
    ran: Callable[..., Daemon], tmp_path: Path
) -> None:
    one = ran(f'archive = "{tmp_path}/reports"\nhosts = "apart"', "web1", "web2")
    kept = ["kept of web1 1", "kept of web2 1"]  # tables know no machines
    delivered = {
        name: (tmp_path / "reports" / f"{DAY}{name}.json").read_text() for name in ("", ".web1")
    }
    assert facts(delivered[".web1"]) == [*kept, "counted of web1 1"]
    assert facts(delivered[""]) == [*kept, "banned 203.0.113.7"]
    shown = one.command("report", DAY, "--format", "json", "--host", "web1").stdout
    assert shown.strip() == delivered[".web1"].strip()
    assert one.command("report", DAY, "--format", "json").stdout.strip() == delivered[""].strip()


def test_a_look_at_today_has_it_too(pipeline: MakePipeline, tmp_path: Path) -> None:
    plugin = tmp_path / "seen.py"
    plugin.write_text(PLUGIN)
    chains = pipeline(CHAINS.format(report=""), tmp_path / "state.sqlite", plugin)
    chains.feed(MESSAGE="of web1")
    (summary,) = [one for one in chains.observer.report().summaries if one.id == "seen"]
    assert summary.facts == ALL


class Raising:
    """Raises when it contributes."""

    @hookimpl
    def act_on_entry(self) -> None:
        pass

    @hookimpl
    def contribute_to_report(self, report: Report) -> None:
        raise LookupError("nothing there")


def test_who_looks_at_today_is_told_of_a_plugin_that_raises(
    pipeline: MakePipeline, tmp_path: Path
) -> None:
    toml = '[chains]\n"c" = [ { action = "raising" } ]'
    chains = pipeline(toml, tmp_path / "state.sqlite", Raising)
    notes = ['fault: chains."c"[0]: contribute_to_report: LookupError: nothing there']
    assert chains.observer.report().notes == notes
    chains.end_day()
    assert [fault.text for fault in chains.faults] == [
        "contribute_to_report: LookupError: nothing there"
    ]


class Waiting:
    """Contributes when it is let."""

    BEGUN: ClassVar[threading.Event]
    GO_ON: ClassVar[threading.Event]

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        context.tally(entry, "waited", {})

    @hookimpl
    def contribute_to_report(self, report: Report, context: Context) -> None:
        self.BEGUN.set()
        assert self.GO_ON.wait(60)
        report.add_table("Tallies", ["count"], [[one.count] for one in context.tallies(report)])


def test_plugins_contribute_beside_the_main_loop(pipeline: MakePipeline, tmp_path: Path) -> None:
    Waiting.BEGUN, Waiting.GO_ON = threading.Event(), threading.Event()
    toml = '[report]\ntimezone = "UTC"\n[chains]\n"c" = [ { action = "waiting" } ]'
    chains = pipeline(toml, tmp_path / "state.sqlite", Waiting)
    chains.feed(MESSAGE="in time")
    chains.state.commit()
    publication = chains.engine.publication(DAY)
    thread = threading.Thread(target=publication.make)
    thread.start()
    assert Waiting.BEGUN.wait(60)
    chains.feed(MESSAGE="too late")  # the main loop goes on, and commits
    chains.state.commit()
    Waiting.GO_ON.set()
    thread.join()
    assert [one.rows for one in publication.report.summaries] == [[["1"]]]
    chains.engine.finish(publication, chains.clock.us)
    publication.close()
    assert [(one.day, one.count) for one in chains.events] == [(DAY, 1), ("2026-03-15", 1)]


WAYS: dict[str, Callable[[Context, Report], object]] = {
    "counters": lambda context, _: context.counters,
    "report": lambda context, _: context.report(None, "other", "x"),
    "tally": lambda context, _: context.tally(None, "x", {}),
    "ban": lambda context, _: context.ban(None, BanRequest("192.0.2.1")),  # type: ignore[arg-type]
    "unban": lambda context, _: context.unban(None, "192.0.2.1"),  # type: ignore[arg-type]
    "lift": lambda context, _: context.lift(None),  # type: ignore[arg-type]
    "what leaves Pyruse": lambda context, _: context.mail(None, Mail("x", "y")),
}


class Changing:
    """Tries to change something when it contributes."""

    TOLD: ClassVar[list[str]] = []

    @hookimpl
    def act_on_entry(self, context: Context) -> None:
        context.table("mine").put("key", 1)

    @hookimpl
    def contribute_to_report(self, report: Report, context: Context) -> None:
        for way in (*WAYS.values(), lambda *_: context.table("mine").put("key", 2)):
            with pytest.raises(RuntimeError) as caught:
                way(context, report)
            self.TOLD.append(str(caught.value))


def test_who_contributes_changes_nothing(pipeline: MakePipeline) -> None:
    Changing.TOLD.clear()
    chains = pipeline('[chains]\n"c" = [ { action = "changing" } ]', plugins=Changing)
    chains.feed(MESSAGE="x")
    assert chains.report.notes == []
    expected = "{} is not for contribute_to_report, which only reads (expected it in on_day_end)"
    assert [
        *(expected.format(name) for name in WAYS),
        "the table can only be read here (expected changes in on_day_end, or when an entry comes)",
    ] == Changing.TOLD


class Careless:
    """Leaves in a report what nobody can write."""

    @hookimpl
    def contribute_to_report(self, report: Report) -> None:
        report.notes.append(404)  # type: ignore[arg-type]
        report.headline = 7  # type: ignore[assignment]


def test_notes_that_are_no_texts_cost_no_report(pipeline: MakePipeline) -> None:
    chains = pipeline('[chains]\n"c" = []', plugins=Careless)
    assert (chains.report.notes, chains.report.headline) == (["404"], "7")
    assert "404" in chains.engine.render(chains.report, "text")


NAMED = """
class {name}:
    @hookimpl{marks}
    def contribute_to_report(self, report: Report) -> None:
        report.add_summary("{name}", "x", facts=["x"])
"""


def test_extensions_contribute_by_name_unless_they_say_otherwise(
    pipeline: MakePipeline, tmp_path: Path
) -> None:
    marks = {"Zebra": "", "Ant": "", "Last": "(trylast=True)", "Top": "(tryfirst=True)"}
    texts = [NAMED.format(name=name, marks=mark) for name, mark in marks.items()]
    plugin = tmp_path / "named.py"
    plugin.write_text("\n".join(["from pyruse import Report, hookimpl", *texts]))
    chains = pipeline('[chains]\n"c" = []', plugins=plugin)
    assert [one.id for one in chains.report.summaries] == ["Top", "Ant", "Zebra", "Last"]


def test_what_fails_while_a_report_is_made_is_tried_again(
    pipeline: MakePipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chains = pipeline('[chains]\n"c" = []', tmp_path / "state.sqlite")
    chains.state.commit()
    publication = chains.engine.publication(DAY)

    def fail(*_: object, **__: object) -> Report:
        raise MemoryError

    monkeypatch.setattr("pyruse.engine.engine.report_of_day", fail)
    publication.make()
    assert isinstance(publication.failure, MemoryError)
    with pytest.raises(MemoryError):
        _ = publication.report
    publication.close()
