from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pyruse.api.findings import Column
from pyruse.api.report import DETAILS, Line, Report, Row, shown_times
from tests.report.sample import at, empty, row

ONE, TWO, THREE = at(1), at(2), at(3)


@pytest.mark.parametrize(
    ("details", "of_one", "of_three"),
    [
        ("NONE", [], []),
        ("FIRST", [ONE], [ONE]),
        ("LAST", [ONE], [THREE]),
        ("FIRSTLAST", [ONE], [ONE, THREE]),
        ("ALL", [ONE], [ONE, TWO, THREE]),
    ],
)
def test_a_details_mode_says_which_times_are_shown(details, of_one, of_three):
    assert shown_times(details, [ONE]) == of_one
    assert shown_times(details, [ONE, TWO, THREE]) == of_three


@pytest.mark.parametrize("details", DETAILS)
def test_no_events_no_times(details):
    assert shown_times(details, []) == []


def test_first_and_last_of_two_are_both():
    assert shown_times("FIRSTLAST", [ONE, TWO]) == [ONE, TWO]


def test_the_times_of_a_row_are_those_of_all_its_modes_in_order():
    assert row("x", ALL=[TWO], FIRSTLAST=[ONE, TWO, THREE]).times == [ONE, TWO, THREE]


def test_the_times_of_a_row_are_in_order_when_the_clocks_are_put_back():
    paris = ZoneInfo("Europe/Paris")
    summer = datetime(2026, 10, 25, 0, 50, tzinfo=UTC).astimezone(paris)  # 02:50 by the wall clock
    winter = datetime(2026, 10, 25, 1, 10, tzinfo=UTC).astimezone(paris)  # 02:10, later
    assert row("x", ALL=[summer, winter]).times == [summer, winter]


def test_a_report_counts_its_events():
    report = empty()
    report.important = [Row("a", 3), Row("b", 1)]
    report.interesting = [Row("c", 10)]
    report.other = [Line(ONE, "d"), Line(TWO, "e")]
    assert report.events == 16


def test_a_table_holds_text_only_and_none_is_left_without_rows():
    report = Report("2026-03-14", [], ONE, ONE + timedelta(days=1))
    report.add_table("Bans", ("Address", "Bans"), ((value, 3) for value in ["192.0.2.7"]))
    report.add_table("Nothing", ["Address"], [])
    assert [(table.title, table.columns, table.rows) for table in report.summaries] == [
        ("Bans", [Column("Address"), Column("Bans")], [["192.0.2.7", "3"]])
    ]


def test_of_one_cause_the_heaviest_item_stays():
    report = Report("2026-03-14", [], ONE, ONE + timedelta(days=1))
    report.attend("the disk sda grows old", 40, cause="disk sda")
    report.attend("the disk sda fails", 95, cause="disk sda")
    report.attend("the disk sda is warm", 30, cause="disk sda")
    report.attend("something else", 50)
    report.attend("something else again", 50)
    assert [item.text for item in report.attention] == [
        "the disk sda fails", "something else", "something else again",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="weight = 0 is no weight"):
        report.attend("nothing", 0)


def test_a_summary_has_as_many_cells_as_columns_in_each_row():
    report = Report("2026-03-14", [], ONE, ONE + timedelta(days=1))
    report.add_summary("mail", "Mail", [Column("Bytes", "bytes")], [[3]], facts=["3 bytes"])
    report.add_summary("nothing", "Nothing")
    assert [summary.id for summary in report.summaries] == ["mail"]
    with pytest.raises(ValueError, match="a row has 2 cells"):
        report.add_summary("mail", "Mail", [Column("Bytes", "bytes")], [[3, 4]])
