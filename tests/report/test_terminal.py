"""The report on a terminal."""

from __future__ import annotations

import re
from datetime import timedelta
from io import StringIO
from pathlib import Path

from rich.console import Console

from pyruse.api.report import Line
from pyruse.report.terminal import print_report, print_verdict
from tests.report.eventful import eventful
from tests.report.sample import HOSTILE, at, empty, full, row


def drawn(report, width=100, limit=10_000):
    """What the terminal gets."""
    file = StringIO()
    console = Console(file=file, force_terminal=True, color_system="standard", width=width)
    print_report(report, console, limit)
    return file.getvalue()


def shown(report, width=100, limit=10_000):
    """What the reader sees: the lines without their colours."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", drawn(report, width, limit))
    return [line.rstrip() for line in text.replace("\N{NO-BREAK SPACE}", " ").splitlines()]


def test_the_whole_report():
    lines = shown(full(), 78)
    assert lines[0] == "aubergine, Saturday 2026-03-14: 4 important"
    start = lines.index("12,345 entries, from 00:00:03 until 23:59:58")
    assert lines[start + 1] == "4 important, 1,207 interesting, 2 other"
    assert any("the journal has no entries" in line for line in lines)
    start = lines.index("Important  2 messages, 4 events")
    assert lines[start + 1] == (
        "3 × Disk sdb: I/O error                           from 03:00:00 until 05:30:00"
    )
    start = lines.index("Interesting  3 messages, 1,207 events")
    assert lines[start + 1 : start + 5] == [
        "1,200 × Mail refused",
        "    4 × alice logged in from 192.0.2.4",
        "          2 × from 08:00:00",
        "          2 × until 11:00:00",
    ]
    assert "Bans" in lines
    assert any(line.split() == ["192.0.2.7", "3", "for", "ever"] for line in lines)
    start = lines.index("Other  2 events")
    assert lines[start + 1] == "02:00:00  [6/cron] short"
    assert lines[-3:] == [
        "          of two lines",
        "",
        "2026-03-14 00:00 to 2026-03-15 00:00, Europe/Paris",
    ]


def test_a_day_on_which_much_happened():
    lines = shown(eventful(), 78)
    assert lines[0] == "mercury, Saturday 2026-03-14: 7 things need attention"
    golden = Path(__file__).with_name("eventful.txt").read_text()
    plain = golden.replace("\N{NO-BREAK SPACE}", " ").splitlines()
    begin, end = plain.index(""), plain.index("IMPORTANT: 2 kinds, 13 events")
    same = plain[begin:end]
    assert lines[lines.index("") :][: len(same)] == same, "the first screen"
    assert any(line.split() == ["198.51.100.77", "1,204", "nginx", "scanning"] for line in lines)
    assert max(map(len, lines)) <= 78


def test_the_verdict_alone():
    file = StringIO()
    print_verdict(eventful(), Console(file=file, width=60), reasons=True)
    lines = file.getvalue().splitlines()
    assert lines[0].startswith("mercury, Saturday 2026-03-14: 7 things need attention")
    assert lines[-1] == "    … and 4 more"
    assert max(map(len, lines)) <= 60


def test_an_empty_report():
    lines = shown(empty())
    assert lines == [
        "aubergine, Saturday 2026-03-14: nothing unusual",
        "",
        "0 entries",
        "0 important, 0 interesting, 0 other",
        "",
        "2026-03-14 00:00 to 2026-03-15 00:00, Europe/Paris",
    ]


def test_a_message_is_neither_markup_nor_a_terminal_sequence():
    report = full()
    report.notes.append("fault: of a step")
    colours = set(re.findall(r"\x1b[^m]*m", drawn(report)))
    report.hosts.append(HOSTILE)
    report.notes.append(HOSTILE)
    report.important = [*report.important, row(HOSTILE, ALL=[at(1)])]
    report.other = [*report.other, Line(at(1), HOSTILE)]
    report.add_table(HOSTILE, [HOSTILE], [[HOSTILE]])
    text = drawn(report, 1_000)
    assert set(re.findall(r"\x1b[^m]*m", text)) <= colours
    seen = "\n".join(shown(report, 1_000))
    assert {char for char in seen if not char.isprintable()} == {"\n"}
    assert seen.count("{% raw %} [bold]rich[/bold] [/] \\x1b") == 5
    assert seen.count("\\x1b[31mred\\x1b]0;title\\x07 \\x00 \\x9b2J \\u202egnp") == 5


def test_no_line_is_wider_than_the_terminal():
    report = full()
    report.other = [*report.other, Line(at(1), "word " * 100 + "x" * 1_000)]
    for width in (40, 80, 200):
        assert max(map(len, shown(report, width))) <= width


def test_of_a_long_section_the_rest_is_counted():
    report = empty()
    report.other = [Line(at(1) + timedelta(seconds=number), "line") for number in range(10)]
    assert shown(report, limit=2)[-5:-2] == [
        "01:00:00  line",
        "01:00:01  line",
        "… and 8 more events: “pyruse report 2026-03-14 --full” has them all",
    ]
