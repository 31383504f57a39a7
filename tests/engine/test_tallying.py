"""Events that are counted with and without short cuts: the rows are the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pyruse import Entry
from pyruse.api.tallied import Tallied
from pyruse.api.tally import Tally
from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.engine.faults import Faults
from pyruse.engine.filing import Filing
from pyruse.engine.tallying import tallying
from pyruse.journal.selection import Selection
from pyruse.registry.registry import Registry
from pyruse.replay.replay import replay
from pyruse.state.database import State
from pyruse.state.tallies import MOST, NEWCOMERS, tallies_of
from pyruse.testing import MakePipeline, Pipeline
from pyruse.testing.journal import make_journal
from pyruse.times import Calendar, time_us_of

CHAINS = """
[engine]
optimize = {}
[chains]
"web" = [
  {{ filter = "equals", field = "SYSLOG_IDENTIFIER", value = "web" }},
  {{ filter = "regex", pattern = '^(?P<status>\\S*) (?P<size>\\S*)(?: (?P<path>.*))?$' }},
  {{ action = "event", name = "request failed", service = "web" }},
  {{ action = "report", section = "interesting", message = "{{meaning}} of {{service}}" }},
]
"imap" = [
  {{ filter = "regex", pattern = '^(?P<process>\\w+): (?P<user>.*)$' }},
  {{ action = "event", name = "login", service = "{{process}}" }},
]
"self" = [ {{ action = "event", name = "noise", service = "{{SYSLOG_IDENTIFIER}} {{service}}" }} ]
"door" = [ {{ action = "event", name = "door opened", fields = ["DOOR", "user"] }} ]
"""
BEGIN = datetime(2026, 3, 14, 21, tzinfo=UTC)


def odd_entries() -> Iterator[tuple[datetime, dict[str, Any]]]:
    """Entries of some days: again and again the same, and what is not plain."""
    messages = [
        "404 512 /a", "404 512 /a", "404 x", "404 1e3", "404 ٣", "404 999999999999999",
        "404 9999999999999999", "404  /b", f"500 1 /{'long' * 80}", f"500 1 /{'long' * 80}",
        "é é é", "imap: alice", "imap: alice", "imap: bøb", "pop3: ",
    ]  # fmt: skip
    for hour in range(30):
        for number, message in enumerate(messages):
            # Some come late.
            at = BEGIN + timedelta(hours=hour, seconds=-number * 900)
            entry: dict[str, Any] = {"MESSAGE": message, "SYSLOG_IDENTIFIER": "web"}
            if message[-1:] != "a":
                entry |= {"SYSLOG_IDENTIFIER": "other", "DOOR": b"front \xff", "_HOSTNAME": "mars"}
            yield at, entry
            if hour % 3 == 0:
                yield at, {**entry, "DOOR": "", "_HOSTNAME": "vénus"}


@pytest.fixture
def rows(pipeline: MakePipeline) -> Callable[[str], list[Tally]]:
    def rows_of(optimize: str) -> list[Tally]:
        chains = pipeline(CHAINS.format(optimize))
        for number, (at, entry) in enumerate(odd_entries()):
            if number == 200:  # what comes later is filed under the next day
                chains.state.days.end("2026-03-14", 1)
            chains.feed(at=at, **entry)
        assert not chains.faults
        return all_rows(chains)

    return rows_of


def all_rows(chains: Pipeline) -> list[Tally]:
    chains.state.commit()
    return list(tallies_of(chains.state.db))


def test_the_rows_are_the_same_with_and_without_short_cuts(
    rows: Callable[[str], list[Tally]],
) -> None:
    quick = rows("true")
    assert quick == rows("false")
    assert len({row.day for row in quick}) == 3
    (failed,) = {row.amount for row in quick if row.fields.get("path") == "/a" and row.count > 40}
    assert failed % 512 == 0


def test_rows_that_gave_way_and_days_that_left_memory_are_counted_on(
    pipeline: MakePipeline,
) -> None:
    chains = pipeline(CHAINS.format("true"))
    web = {"SYSLOG_IDENTIFIER": "web"}
    days = [BEGIN + timedelta(days=number) for number in range(5)]
    for at in (*days, days[0], days[0], days[-1]):
        chains.feed(at=at, MESSAGE="404 1 /a", **web)
        chains.state.commit()
    for number in range(MOST + NEWCOMERS + 1):
        chains.feed(at=days[0], MESSAGE=f"404 1 /{number}", **web)
    chains.feed(at=days[0], MESSAGE="404 1 /0", **web)
    found = all_rows(chains)
    assert sum(row.count for row in found) == 8 + MOST + NEWCOMERS + 2
    assert {row.day: row.count for row in found if row.fields.get("path") == "/a"} == {
        "2026-03-14": 3, "2026-03-15": 1, "2026-03-16": 1, "2026-03-17": 1, "2026-03-18": 2,
    }  # fmt: skip


def test_what_an_event_says_is_there_for_later_steps(pipeline: MakePipeline) -> None:
    chains = pipeline(CHAINS.format("true"))
    for _ in range(3):
        chains.feed(SYSLOG_IDENTIFIER="web", MESSAGE="404 1 /a")
    (row,) = chains.report.interesting
    assert (row.message, row.count) == ("request failed of web", 3)


@pytest.mark.parametrize("optimize", ["true", "false"])
def test_a_field_that_is_named_twice_is_in_the_row_once(
    pipeline: MakePipeline, optimize: str
) -> None:
    chains = pipeline(f"""
        [engine]
        optimize = {optimize}
        [chains]
        "door" = [
          {{ action = "event", name = "door opened", fields = ["service", "user", "user"] }},
        ]
        """)
    for _ in range(3):
        for _ in range(3):
            chains.feed(service="door", user="alice")
        chains.state.commit()
    (row,) = all_rows(chains)
    assert (row.fields, row.count) == ({"service": "door", "user": "alice"}, 9)


def test_an_amount_that_is_counted_by_too_is_in_the_row() -> None:
    said = Tallied("door opened", ("user", "size"), "size")
    with State() as state:
        filing = Filing(state, Calendar(UTC), lambda: 0, "here")
        count = tallying(said, lambda entry: state.tallies.add(
            "2026-03-14", "door opened", "", dict(entry), int(entry.text("size") or ""), 0
        ), state, filing)  # fmt: skip
        for _ in range(5):
            count(Entry(time_us_of(BEGIN), values={"user": "alice", "size": "7"}))
        state.commit()
        (row,) = tallies_of(state.db)
    assert (row.fields, row.count, row.amount) == ({"user": "alice", "size": "7"}, 5, 35)


def test_what_a_pattern_leaves_out_is_not_counted(tmp_path: Path) -> None:
    """Though the reader leads entries itself, with pyruse-native."""
    messages = [f"{status} 1 /{number % 2}" for number in range(50) for status in (200, 404)]
    journal = make_journal(
        tmp_path / "web.journal", [{"MESSAGE": one, "SYSLOG_IDENTIFIER": "web"} for one in messages]
    )
    configuration = configure(from_text(CHAINS.format("true")), Registry())
    selection = Selection(files=[journal], grep=re.compile("^404 1 /1"))
    outcome = replay(configuration, selection, Faults(lambda *_: None))
    assert [(row.fields["path"], row.count) for row in outcome.events] == [("/1", 25)]
    assert outcome.entries == 25
