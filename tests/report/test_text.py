"""The report as plain text, by the built-in template."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import pytest

from pyruse.api.report import Line
from pyruse.report.plaintext import WIDTH
from pyruse.report.render import Renderer
from tests.report.eventful import eventful
from tests.report.sample import HOSTILE, PARIS, at, empty, full, row

GOLDEN = Path(__file__).with_name("eventful.txt")
FOOT = f"""
------------------------------------------------------------------------------
Pyruse {version("pyruse")}: 2026-03-14 00:00 to 2026-03-15 00:00, Europe/Paris
"""

FULL = """\
aubergine, Saturday 2026-03-14: 4 important
===========================================
! From 01:00 to 02:00 the journal has no entries: was the machine down?

12,345 entries, from 00:00:03 until 23:59:58
4 important, 1,207 interesting, 2 other

IMPORTANT: 2 messages, 4 events
------------------------------------------------------------------------------
3 × Disk sdb: I/O error                           from 03:00:00 until 05:30:00
1 × Out of memory: php-fpm was killed by the kernel, and so was its child
                                                                      16:00:00

INTERESTING: 3 messages, 1,207 events
------------------------------------------------------------------------------
1,200 × Mail refused
    4 × alice logged in from 192.0.2.4
          2 × from 08:00:00
          2 × until 11:00:00
    3 × bob logged in from 2001:db8::4                 08:00:01 (×2), 09:00:00

BANS
------------------------------------------------------------------------------
Address        Bans  Until
192.0.2.7         3  for ever
2001:db8::/64    12

OTHER: 2 events
------------------------------------------------------------------------------
02:00:00  [6/cron] short
02:00:01  [6/backup] a long line a long line a long line a long line a long
          line a long line a long line a long line
          of two lines
"""

EMPTY = """\
aubergine, Saturday 2026-03-14: nothing unusual
===============================================

0 entries
0 important, 0 interesting, 0 other
"""


def text(report, limit=10_000):
    # A non-breaking space keeps a time and its number together.
    return Renderer(None, limit).render(report, "text").replace("\N{NO-BREAK SPACE}", " ")


def section(report, title, limit=10_000):
    """The lines of a section."""
    lines = text(report, limit).partition(f"\n{title}")[2].split("\n")[2:]
    return lines[: lines.index("")]


def test_the_whole_report():
    assert text(full()) == FULL + FOOT


def test_an_empty_report():
    assert text(empty()) == EMPTY + FOOT


def test_a_day_on_which_much_happened_is_as_it_was_when_somebody_last_looked():
    """Where the form is changed on purpose: `python -m tests.report.test_text` writes it anew."""
    found = Renderer(None, 10_000).render(eventful(), "text")
    assert found.replace(f"Pyruse {version('pyruse')}:", "Pyruse VERSION:") == GOLDEN.read_text()


def test_no_line_is_wider_than_a_terminal():
    report = full()
    report.important = [*report.important, row(HOSTILE * 3, ALL=[at(4)] * 3)]
    report.other = [*report.other, Line(at(5), "x" * 1_000)]
    report.add_table(
        "Wide", [f"Column {n}" for n in range(5)], [["long text " * 9] * 5, ["y" * 99] * 5]
    )
    assert max(map(len, text(report).splitlines())) <= WIDTH


def test_several_hosts():
    report = empty()
    report.hosts = ["aubergine", "basil", "chili"]
    assert text(report).startswith("aubergine, basil, chili, Saturday")
    report.hosts += [f"machine{number}" for number in range(90)]
    assert text(report).startswith("aubergine, basil, chili and 90 more, Saturday")
    assert ", of 93 machines: aubergine, basil, chili, machine0, " in " ".join(text(report).split())


def test_of_a_long_section_the_rest_is_counted():
    report = empty()
    report.other = [Line(at(1), f"line {number}") for number in range(1_237)]
    report.important = [row(f"row {number}", ALL=[at(1)]) for number in range(4)]
    assert section(report, "OTHER", 3) == [
        "01:00:00  line 0",
        "01:00:00  line 1",
        "01:00:00  line 2",
        "… and 1,234 more events: “pyruse report 2026-03-14 --full” has them all",
    ]
    assert section(report, "IMPORTANT", 3)[3:] == [
        "… and 1 more message: “pyruse report 2026-03-14 --full” has them all"
    ]


def test_of_a_long_section_of_a_replay_the_same_command_has_the_rest():
    report = empty("2026-03-14")
    report.kept = False
    report.other = [Line(at(1), "line")] * 3
    assert section(report, "OTHER", 1)[1:] == ["… and 2 more events: “--full” has them all"]


def test_of_many_times_the_first_and_the_last_are_shown():
    report = empty()
    times = [at(1) + timedelta(seconds=number) for number in range(5_000)]
    report.important = [row("often", ALL=times)]
    shown = " ".join(line.strip() for line in section(report, "IMPORTANT")[1:])
    assert shown.startswith("01:00:00, 01:00:01, ")
    assert "01:00:19, … 4,960 more …, 02:22:59" not in shown
    assert "01:00:19, … 4,960 more …, 02:23:00" in shown
    assert shown.endswith(", 02:23:19")


def test_forty_times_are_shown_all():
    report = empty()
    report.important = [row("often", ALL=[at(1, number) for number in range(40)])]
    assert "more" not in text(report)
    assert "01:39:00" in text(report)


def test_a_message_of_a_megabyte_is_shortened():
    report = empty()
    report.important = [row("x" * 1_000_000, ALL=[at(1)])]
    report.other = [Line(at(1), "y" * 1_000_000)]
    shown = text(report)
    assert shown.count("(998000 more characters)") == 2
    assert len(shown) < 6_000


def test_a_message_of_many_lines_is_shortened():
    report = empty()
    report.other = [Line(at(1), "line\n" * 1_000)]
    lines = section(report, "OTHER")
    assert len(lines) == 20
    assert lines[-1] == "          line… (4900 more characters)"


def test_nothing_of_a_log_line_reaches_a_terminal_raw():
    report = full()
    for place in (HOSTILE, HOSTILE * 3):
        report.hosts.append(place)
        report.notes.append(place)
        report.important = [*report.important, row(place, ALL=[at(1)])]
        report.other = [*report.other, Line(at(1), place)]
        report.add_table(place, [place], [[place]])
    shown = text(report)
    assert {char for char in shown if not char.isprintable()} == {"\n"}
    assert "\\x1b[31mred\\x1b]0;title\\x07 \\x00 \\x9b2J" in shown
    assert "\\u202egnp.exe\\u2066 zero\\u200bwidth" in " ".join(shown.split())
    assert "{} {0} {MESSAGE} {{ 7 * 7 }} {% raw %}" in " ".join(shown.split())


def test_no_message_can_pass_for_a_line_of_the_report():
    report = empty()
    report.important = [row("one\nOTHER\n9 × forged\r\nthree", ALL=[at(1)])]
    report.other = [Line(at(1), "one\n02:00:00  forged")]
    assert section(report, "IMPORTANT")[:3] == ["1 × one", "    OTHER", "    9 × forged\\x0d"]
    assert section(report, "OTHER") == ["01:00:00  one", "          02:00:00  forged"]


def test_every_time_has_its_date_where_the_report_spans_several_days():
    report = empty("2026-03-14 – 2026-03-15", days=2)
    report.important = [row("x", FIRSTLAST=[at(1), at(1) + timedelta(days=1)])]
    assert text(report).splitlines()[0] == "aubergine, 2026-03-14 – 2026-03-15: 2 important"
    assert "from 2026-03-14 01:00:00 until 2026-03-15 01:00:00" in text(report)


def test_an_event_of_another_day_has_its_date():
    """An entry came late: its own day was reported already."""
    report = empty()
    report.other = [Line(at(1) - timedelta(days=1), "late"), Line(at(1), "in time")]
    assert section(report, "OTHER") == ["2026-03-13 01:00:00  late", "01:00:00  in time"]


def test_times_without_their_date_when_the_day_ends_in_the_morning():
    report = empty(begin=at(6))
    report.other = [Line(at(23), "evening"), Line(at(2) + timedelta(days=1), "night")]
    assert section(report, "OTHER") == ["23:00:00  evening", "02:00:00  night"]


def paris(*utc: int) -> datetime:
    return datetime(*utc, tzinfo=UTC).astimezone(PARIS)  # type: ignore[misc, arg-type]


def test_the_day_when_the_clocks_are_put_back():
    """From 02:00 to 03:00 every time of day comes twice, and the offset from UTC tells which."""
    report = empty("2026-10-25", datetime(2026, 10, 25, tzinfo=PARIS))
    report.other = [
        Line(paris(2026, 10, 24, 23, 59, 59), "before"),
        Line(paris(2026, 10, 25, 0, 30), "first"),
        Line(paris(2026, 10, 25, 1, 30), "second"),
        Line(paris(2026, 10, 25, 2), "after"),
        Line(paris(2026, 10, 25, 22, 59, 59), "end"),
    ]
    assert section(report, "OTHER") == [
        "01:59:59  before",
        "02:30:00+02:00  first",
        "02:30:00+01:00  second",
        "03:00:00  after",
        "23:59:59  end",
    ]
    assert "(25 hours, for the clocks changed)" in " ".join(text(report).split())


def test_the_day_that_ends_in_the_hour_that_comes_twice():
    begin = datetime(2026, 10, 24, 2, 30, tzinfo=PARIS)
    report = empty("2026-10-24", begin)
    report.other = [
        Line(paris(2026, 10, 25, 0, 10), "in it"),
        Line(paris(2026, 10, 25, 1, 10), "after it"),  # earlier by the wall clock
    ]
    assert section(report, "OTHER") == [
        "02:10:00+02:00  in it",
        "2026-10-25 02:10:00+01:00  after it",
    ]


def test_the_day_when_the_clocks_are_put_forward():
    report = empty("2026-03-29", datetime(2026, 3, 29, tzinfo=PARIS))
    report.other = [
        Line(paris(2026, 3, 29, 0, 59, 59), "before"),
        Line(paris(2026, 3, 29, 1), "after"),
    ]
    assert section(report, "OTHER") == ["01:59:59  before", "03:00:00  after"]
    assert "(23 hours, for the clocks changed)" in " ".join(text(report).split())


def test_a_replay_of_nothing():
    begin = datetime(1970, 1, 1, tzinfo=UTC)
    report = empty("no entries", begin, days=0)
    assert text(report).splitlines()[0] == "aubergine, no entries: nothing unusual"
    assert text(report).endswith(": empty\n")


@pytest.mark.parametrize("seconds", [0, 1])
def test_seconds_of_the_period_are_shown_where_they_matter(seconds):
    report = empty(begin=at(1, 2, seconds))
    ends = "2026-03-14 01:02:01 to 2026-03-15 01:02:01"
    if seconds == 0:
        ends = "2026-03-14 01:02 to 2026-03-15 01:02"
    assert f": {ends}, Europe/Paris\n" in text(report)


if __name__ == "__main__":
    now = Renderer(None, 10_000).render(eventful(), "text")
    GOLDEN.write_text(now.replace(f"Pyruse {version('pyruse')}:", "Pyruse VERSION:"))
