"""`expect`: what does not happen is told. See also tests/e2e/test_expect.py."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pyruse.errors import ConfigError
from pyruse.state import expectations

BACKUP = """
[email]
to = ["root"]
[chains]
"absences" = [
  { filter = "equals", field = "_TRANSPORT", value = "pyruse" },
  { filter = "equals", field = "PYRUSE_EVENT", value = "absent" },
  { action = "run", command = ["/usr/local/bin/alarm", "{PYRUSE_EXPECTED}", "{PYRUSE_KEY}"] },
]
"backup" = [
  { filter = "equals", field = "_SYSTEMD_UNIT", value = "backup.service" },
  { filter = "equals", field = "MESSAGE", value = "done" },
  { action = "expect", name = "backup", every = "25h", email = true },
]
"everything else" = [ { action = "report", section = "other", message = "{MESSAGE}" } ]
"""


def done(chains, **fields):
    chains.feed(_SYSTEMD_UNIT="backup.service", MESSAGE="done", **fields)


def important(chains):
    return [row.message for row in chains.report.important]


def test_a_backup_each_day_is_nothing_to_tell(pipeline):
    chains = pipeline(BACKUP)
    for _ in range(5):
        done(chains)
        chains.pass_time("24h")
    assert (important(chains), chains.emails, chains.commands) == ([], [], [])
    assert chains.report.notes == []


def test_a_backup_that_is_absent_is_told_once_by_all_ways(pipeline):
    chains = pipeline(BACKUP)
    chains.pass_time("1h")
    done(chains)
    chains.pass_time("25h")
    assert chains.emails == []  # what was in time may still be on its way
    chains.pass_time("2s")
    text = "backup has not happened since 2026-03-14 13:00:00, expected every 1d1h"
    for _ in range(2):
        assert important(chains) == [text]
        [row] = chains.report.important
        assert [f"{time:%F %T}" for time in row.times] == ["2026-03-15 14:00:00"]
        [mail] = chains.emails
        assert (mail.subject.partition(": ")[2], mail.to) == ("backup is absent", ["root"])
        assert mail.body.startswith(f"{text}.")
        assert chains.commands == [["/usr/local/bin/alarm", "backup", ""]]
        assert chains.report.other == []
        assert chains.report.notes == [text]
        chains.pass_time("10d")
    done(chains)
    assert chains.report.notes == [
        "backup was absent from 2026-03-15 14:00:00 until 2026-04-04 14:00:02, expected every 1d1h"
    ]
    chains.pass_time("26h")
    assert len(chains.emails) == 2, "it happened, and is absent again"


def test_the_first_time_counts_from_the_first_start_with_it(pipeline):
    chains = pipeline(BACKUP)
    chains.pass_time("24h")
    assert important(chains) == []
    chains.pass_time("2h")
    assert important(chains) == [
        "backup has not happened yet, expected every 1d1h since 2026-03-14 12:00:00"
    ]


def test_each_days_report_names_what_is_absent(pipeline):
    chains = pipeline(BACKUP)
    notes = [chains.end_day().notes for _ in range(4)]
    absent = "backup has not happened yet, expected every 1d1h since 2026-03-14 12:00:00"
    assert notes == [[], [absent], [absent], [absent]]
    done(chains)
    [note] = chains.end_day().notes
    assert note.startswith("backup was absent from 2026-03-15 13:00:00 until 2026-03-18 00:00:00")
    done(chains)
    assert chains.end_day().notes == []


def test_absence_is_judged_by_the_time_of_the_entries(pipeline, clock):
    """A batch of a day: what is overdue in it is told before what comes after it."""
    chains = pipeline(BACKUP)
    begin = clock.now
    for hours in (1, 20, 50, 51, 77, 100):
        chains.feed(
            at=begin + timedelta(hours=hours), _SYSTEMD_UNIT="backup.service", MESSAGE="done"
        )
    told = [f"{time:%d %H:%M}" for row in chains.report.important for time in row.times]
    assert told == ["16 09:00", "17 16:00"]
    assert chains.report.notes == [
        "backup was absent from 2026-03-17 16:00:00 until 2026-03-17 17:00:00, expected every 1d1h "
        "(2 times in all)"
    ]


EACH = """
[chains]
"sign of life" = [
  { filter = "equals", field = "MESSAGE", value = "alive" },
  { action = "expect", name = "sign of life", key = "_HOSTNAME", every = "1h" },
]
"""


def test_each_machine_by_itself_from_its_first_time_on(pipeline):
    chains = pipeline(EACH)
    chains.pass_time("10h")
    assert important(chains) == []
    chains.feed(MESSAGE="alive", _HOSTNAME="web1")
    chains.pass_time("30m")
    chains.feed(MESSAGE="alive", _HOSTNAME="web2")
    chains.pass_time("45m")
    assert important(chains) == [
        "sign of life of web1 has not happened since 2026-03-14 22:00:00, expected every 1h"
    ]
    chains.feed(MESSAGE="alive", _HOSTNAME="web1")
    chains.pass_time("20m")
    assert [row.split(" has")[0] for row in important(chains)] == [
        "sign of life of web1", "sign of life of web2",
    ]  # fmt: skip


def test_a_machine_whose_entries_come_late_is_waited_for(pipeline, clock):
    chains = pipeline(EACH)
    chains.engine.late_us = 60_000_000  # as the daemon finds out
    chains.feed(MESSAGE="alive", _HOSTNAME="slow")
    in_time = clock.now + timedelta(minutes=59)
    clock.advance("60m50s")
    chains.feed(MESSAGE="alive", _HOSTNAME="quick")
    chains.pass_time("2s")
    chains.feed(at=in_time, MESSAGE="alive", _HOSTNAME="slow")
    chains.pass_time("50m")
    assert important(chains) == []
    chains.pass_time("10m")
    assert [row.split(" has")[0] for row in important(chains)] == ["sign of life of slow"]


def test_a_hundred_machines_that_fall_silent_are_few_mails_and_few_notes(pipeline):
    chains = pipeline('[email]\nto = ["root"]\n' + EACH.replace('"1h" }', '"1h", email = true }'))
    for number in range(100):
        chains.feed(MESSAGE="alive", _HOSTNAME=f"web{number}")
    chains.pass_time("2h")
    assert len(chains.report.important) == 100
    assert len(chains.emails) == 2
    assert len(chains.report.notes) == 51
    assert chains.report.notes[-1] == "and 50 more were absent: see `pyruse status`"


def test_who_makes_up_keys_cannot_have_pyruse_watch_them_all(pipeline, monkeypatch):
    monkeypatch.setattr(expectations, "MOST", 3)
    chains = pipeline(EACH)
    for number in range(9):
        chains.feed(MESSAGE="alive", _HOSTNAME=f"web{number}")
    assert len(chains.state.expectations) == 3
    [fault] = chains.faults
    assert (fault.text.partition("(")[0], fault.count) == (
        "action expect: 3 keys are expected already ", 6,
    )  # fmt: skip


def test_whatever_a_key_holds_it_makes_no_further_line(pipeline):
    chains = pipeline(EACH.replace("_HOSTNAME", "user"))
    chains.feed(MESSAGE="alive", user="x\nroot logged in\x1b[31m" + "y" * 1000)
    chains.pass_time("2h")
    [message] = important(chains)
    assert message.startswith("sign of life of x root logged in\\x1b[31myyy")
    assert len(message) < 400


def test_a_line_that_looks_like_pyruses_own_is_none(pipeline):
    chains = pipeline(BACKUP)
    chains.feed(
        MESSAGE="backup is absent", PYRUSE_EVENT="absent", PYRUSE_EXPECTED="backup",
        _TRANSPORT="journal", _UID="1000",
    )  # fmt: skip
    assert chains.commands == []
    assert [line.message for line in chains.report.other] == ["backup is absent"]


def test_pyruses_own_entries_are_no_sign_of_life(pipeline):
    chains = pipeline("""
        [chains]
        "all" = [
          { action = "expect", name = "anything", every = "1h" },
          { action = "expect", name = "more", every = "90m", section = "interesting" },
        ]
    """)
    chains.pass_time("2h")
    assert [len(chains.report.important), len(chains.report.interesting)] == [1, 1]


def test_an_entry_without_the_key_ends_its_journey(pipeline):
    chains = pipeline(EACH)
    chains.feed(MESSAGE="alive")
    assert [fault.text.partition(" (")[0] for fault in chains.faults] == [
        "action expect: the entry has no _HOSTNAME"
    ]


def test_two_steps_share_an_expectation_if_they_agree(pipeline):
    def both(other):
        return pipeline(
            '[chains]\n"a" = [ { action = "expect", name = "x", every = "1h" } ]\n'
            f'"b" = [ {{ action = "expect", name = "x", {other} }} ]'
        )

    both('every = "60m"')
    with pytest.raises(ConfigError) as refused:
        both('every = "2h"')
    assert str(refused.value) == (
        'pyruse.toml: chains."b"[0]: "x" is expected otherwise by chains."a"[0] (expected the same '
        "options, or another name)"
    )
