"""Of each event of the report, it is known what it is about."""

from __future__ import annotations

from pyruse.engine.filing import Facts
from pyruse.state.kinds import EventsOfKind, events_by_kind, kinds_of_day
from pyruse.testing.pipeline import MakePipeline, Pipeline


def step(message: str, section: str = "other", before: str = "") -> str:
    action = f'{{ action = "report", section = "{section}", message = "{message}" }}'
    return f'[chains]\n"all" = [ {before}{action} ]'


def rows(chains: Pipeline, section: str = "other") -> list[EventsOfKind]:
    state = chains.engine.state
    state.commit()
    days = [day for (day,) in state.db.execute("SELECT DISTINCT day FROM events")]
    return events_by_kind(state.db, days, section)


def templates(chains: Pipeline) -> list[tuple[str, str, int]]:
    state = chains.engine.state
    state.commit()
    days = [day for (day,) in state.db.execute("SELECT DISTINCT day FROM events")]
    return [(kind.program, kind.template, kind.events) for kind in kinds_of_day(state.db, days)]


def test_a_message_of_fields_alone_is_of_the_kind_of_its_text(pipeline: MakePipeline) -> None:
    chains = pipeline(step("[{PRIORITY}/{SYSLOG_IDENTIFIER}] {MESSAGE}"))
    for number, priority in (1, 6), (22, 4):
        chains.feed(MESSAGE=f"slot {number} used", SYSLOG_IDENTIFIER="app", PRIORITY=priority)
    chains.feed(MESSAGE="slot 1 used", _COMM="other")
    assert templates(chains) == [("app", "slot * used", 2), ("other", "slot * used", 1)]
    assert [row.level for row in rows(chains)] == [4, None]


def test_a_message_with_words_of_its_own_is_a_kind(pipeline: MakePipeline) -> None:
    chains = pipeline(step("slot: {MESSAGE}"))
    for text in "abc":
        chains.feed(MESSAGE=text, SYSLOG_IDENTIFIER="app")
    assert templates(chains) == [("app", "slot: {MESSAGE}", 3)]
    (row,) = rows(chains)
    assert (row.program, row.events, row.messages) == ("app", 3, 3)


def test_message_ids_keep_kinds_apart(pipeline: MakePipeline) -> None:
    chains = pipeline(step("{MESSAGE}"))
    for message_id in ("a" * 32, "b" * 32, "too short"):
        chains.feed(MESSAGE="x", SYSLOG_IDENTIFIER="app", MESSAGE_ID=message_id)
    assert [count for _, _, count in templates(chains)] == [1, 1, 1]


def test_what_an_event_is_about_is_its_cause(pipeline: MakePipeline) -> None:
    meaning = '{ action = "event", name = "disk fault" }, '
    chains = pipeline(step("{MESSAGE}", "important", meaning))
    for number, device in enumerate(["sda1", "/dev/sda", "sdb"]):
        chains.feed(MESSAGE=f"fault {number}", device=device)
    found = [(row.event, row.cause, row.events) for row in rows(chains, "important")]
    assert found == [("disk fault", "device sda", 2), ("disk fault", "device sdb", 1)]


def test_without_a_subject_the_program_is_the_cause(pipeline: MakePipeline) -> None:
    meaning = '{ action = "event", name = "backup failed" }, '
    chains = pipeline(step("{MESSAGE}", "important", meaning))
    for text in "no room", "locked":
        chains.feed(MESSAGE=text, SYSLOG_IDENTIFIER="borg")
    assert {row.cause for row in rows(chains, "important")} == {"backup failed borg"}


def test_troubles_of_a_program_are_different_ones(pipeline: MakePipeline) -> None:
    meaning = '{ action = "event", name = "trouble" }, '
    chains = pipeline(step("{MESSAGE}", "important", meaning))
    chains.feed(MESSAGE="a task hangs", SYSLOG_IDENTIFIER="kernel")
    assert [row.cause for row in rows(chains, "important")] == [""]


def test_names_that_strangers_choose_are_cut(pipeline: MakePipeline) -> None:
    meaning = '{ action = "event", name = "unit failed" }, '
    chains = pipeline(step("{MESSAGE}", "important", meaning))
    chains.feed(MESSAGE="x" * 9_000, SYSLOG_IDENTIFIER="p" * 9_000, unit="u" * 9_000)
    (row,) = rows(chains, "important")
    assert (len(row.program), len(row.cause)) == (100, 200)
    ((_, template, _),) = templates(chains)
    assert len(template) == 300


def test_without_an_entry_the_program_is_pyruse(pipeline: MakePipeline) -> None:
    chains = pipeline(step("{MESSAGE}"))
    facts = Facts("here", "other", "ALL", None, None)
    chains.engine.services.filing.file(facts, None, "made up 1")
    (row,) = rows(chains)
    assert (row.program, row.level, row.event, row.cause) == ("pyruse", None, "", "")
    assert templates(chains) == [("pyruse", "made up *", 1)]
