from datetime import UTC, datetime

import pytest

from pyruse.errors import ConfigError


def at(hour, minute=0):
    return datetime(2026, 3, 14, hour, minute, tzinfo=UTC)


def test_three_sections(pipeline, clock):
    chains = pipeline("""
        [report]
        timezone = "UTC"
        [chains]
        "root" = [
          { filter = "equals", field = "user", value = "root" },
          { action = "report", section = "important", message = "{user} from {ip}" },
        ]
        "logins" = [
          { filter = "exists", field = "user" },
          { action = "report", section = "interesting", message = "{user} from {ip}" },
        ]
        "everything else" = [ { action = "report", section = "other", message = "{MESSAGE}" } ]
    """)
    for hour, fields in (
        (8, {"user": "alice", "ip": "192.0.2.7"}),
        (9, {"MESSAGE": "cleaned up"}),
        (10, {"user": "root", "ip": "203.0.113.7"}),
        (11, {"user": "alice", "ip": "192.0.2.7"}),
        (12, {"MESSAGE": "and again"}),
        (13, {"user": "alice", "ip": "192.0.2.8"}),
    ):
        chains.feed(at=at(hour), **fields)
    report = chains.report
    assert [(row.message, row.count, row.times) for row in report.important] == [
        ("root from 203.0.113.7", 1, [at(10)])
    ]
    assert [(row.message, row.count, row.times) for row in report.interesting] == [
        ("alice from 192.0.2.7", 2, [at(8), at(11)]),
        ("alice from 192.0.2.8", 1, [at(13)]),
    ]
    assert [(line.time, line.message) for line in report.other] == [
        (at(9), "cleaned up"),
        (at(12), "and again"),
    ]


def reported(pipeline, details, hours):
    """The row of a message that came at these hours."""
    chains = pipeline(f"""
        [report]
        timezone = "UTC"
        [chains]
        "c" = [ {{ action = "report", section = "important", message = "x" {details} }} ]
    """)
    for hour in hours:
        chains.feed(at=at(hour))
    (row,) = chains.report.important
    assert row.count == len(hours)
    return [time.hour for time in row.times]


@pytest.mark.parametrize(
    ("details", "shown"),
    [
        ("", [8, 9, 9, 11]),
        (', details = "ALL"', [8, 9, 9, 11]),
        (', details = "NONE"', []),
        (', details = "FIRST"', [8]),
        (', details = "LAST"', [11]),
        (', details = "FIRSTLAST"', [8, 11]),
    ],
)
def test_details(pipeline, details, shown):
    assert reported(pipeline, details, [9, 8, 11, 9]) == shown


@pytest.mark.parametrize("details", ["ALL", "FIRST", "LAST", "FIRSTLAST"])
def test_of_a_single_time_there_is_nothing_to_leave_out(pipeline, details):
    assert reported(pipeline, f', details = "{details}"', [8]) == [8]


def test_events_of_one_message_share_a_row_whatever_their_details(pipeline):
    chains = pipeline("""
        [report]
        timezone = "UTC"
        [chains]
        "a" = [
          { filter = "equals", field = "how", value = "first" },
          { action = "report", section = "important", message = "x", details = "FIRST" },
        ]
        "b" = [
          { filter = "equals", field = "how", value = "none" },
          { action = "report", section = "important", message = "x", details = "NONE" },
        ]
        "c" = [ { action = "report", section = "important", message = "x" } ]
    """)
    for hour, how in ((7, "all"), (8, "first"), (9, "none"), (10, "first"), (11, "all")):
        chains.feed(at=at(hour), how=how)
    (row,) = chains.report.important
    assert (row.count, [time.hour for time in row.times]) == (5, [7, 8, 11])
    assert {times.details: (times.count, len(times.shown)) for times in row.details} == {
        "ALL": (2, 2),
        "FIRST": (2, 1),
        "NONE": (1, 0),
    }


def test_the_same_message_in_two_sections_is_two_rows(pipeline):
    chains = pipeline("""
        [chains]
        "c" = [
          { action = "report", section = "important", message = "x" },
          { action = "report", section = "interesting", message = "x" },
          { action = "report", section = "other", message = "x", details = "NONE" },
        ]
    """)
    for _ in range(2):
        chains.feed(MESSAGE="hello")
    report = chains.report
    assert [row.count for row in report.important] == [2]
    assert [row.count for row in report.interesting] == [2]
    assert [line.message for line in report.other] == ["x", "x"]
    assert report.events == 6


def test_others_are_in_order_of_time_also_those_that_come_late(pipeline):
    chains = pipeline(
        '[chains]\n"c" = [ { action = "report", section = "other", message = "{MESSAGE}" } ]'
    )
    for hour, message in ((10, "b"), (12, "d"), (9, "a"), (12, "e"), (11, "c")):
        chains.feed(at=at(hour), MESSAGE=message)
    assert [line.message for line in chains.report.other] == ["a", "b", "c", "d", "e"]


def test_an_entry_without_a_message(pipeline):
    chains = pipeline(
        '[chains]\n"c" = [ { action = "report", section = "other", message = "<{MESSAGE}>" } ]'
    )
    chains.feed(PRIORITY=3)
    assert [line.message for line in chains.report.other] == ["<>"]
    assert chains.faults == []


def test_an_event_is_filed_under_the_day_of_its_entry(pipeline):
    chains = pipeline("""
        [report]
        timezone = "Europe/Paris"
        [chains]
        "c" = [ { action = "report", section = "important", message = "{MESSAGE}" } ]
    """)
    chains.feed(at=at(22, 59), MESSAGE="before midnight")
    chains.feed(at=at(23), MESSAGE="at midnight")
    chains.feed(at=at(22, 30), MESSAGE="late")
    chains.state.commit()
    messages = {
        day: [row.message for row in chains.engine.report(day).important]
        for day in ("2026-03-14", "2026-03-15")
    }
    assert messages == {
        "2026-03-14": ["before midnight", "late"],
        "2026-03-15": ["at midnight"],
    }


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ('section = "warn"', 'section: "warn" is unknown'),
        ('section = "other", details = "first"', 'details: "first" is unknown'),
    ],
)
def test_neither_section_nor_details_are_guessed(pipeline, options, fault):
    with pytest.raises(ConfigError) as refused:
        pipeline(f'[chains]\n"c" = [ {{ action = "report", message = "x", {options} }} ]')
    assert f'chains."c"[0].{fault}' in str(refused.value)
