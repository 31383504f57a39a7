"""Reports for the tests, made by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pyruse.api.report import Details, Line, Report, Row, Times, shown_times

PARIS = ZoneInfo("Europe/Paris")
MIDNIGHT = datetime(2026, 3, 14, tzinfo=PARIS)

HOSTILE = (
    "<script>pwned = 1</script><img src=x onerror='pwned = 1'> & \" \x1b[31mred\x1b]0;title\x07 "
    "\x00 \x9b2J \u202egnp.exe\u2066 zero\u200bwidth {} {0} {MESSAGE} {{ 7 * 7 }} {% raw %} "
    "[bold]rich[/bold] [/] \\x1b"
)
"""What an attacker may get into a log line: markup, terminal escapes, text that is reordered or
hidden, and the syntaxes of all that a message passes through on its way."""


def at(hour: int, minute: int = 0, second: int = 0) -> datetime:
    return MIDNIGHT.replace(hour=hour, minute=minute, second=second)


def row(message: str, **modes: list[datetime]) -> Row:
    """A row with the times of each details mode."""
    details: list[Times] = []
    for mode, times in modes.items():
        name: Details = mode  # type: ignore[assignment]
        details.append(Times(name, len(times), shown_times(name, times)))
    return Row(message, sum(times.count for times in details), details)


def empty(title: str = "2026-03-14", begin: datetime = MIDNIGHT, days: int = 1) -> Report:
    """A report of so many days, by the wall clock."""
    return Report(title, ["aubergine"], begin, begin + timedelta(days=days))


def full() -> Report:
    """A report that has something of everything."""
    report = empty()
    report.first, report.last, report.entries = at(0, 0, 3), at(23, 59, 58), 12_345
    report.important = [
        row("Disk sdb: I/O error", FIRSTLAST=[at(3), at(4), at(5, 30)]),
        row("Out of memory: php-fpm was killed by the kernel, and so was its child", ALL=[at(16)]),
    ]
    report.interesting = [
        row("Mail refused", NONE=[at(1)] * 1_200),
        row("alice logged in from 192.0.2.4", FIRST=[at(8), at(9)], LAST=[at(10), at(11)]),
        row("bob logged in from 2001:db8::4", ALL=[at(8, 0, 1), at(8, 0, 1), at(9)]),
    ]
    report.other = [
        Line(at(2), "[6/cron] short"),
        Line(at(2, 0, 1), f"[6/backup] {'a long line ' * 8}\nof two lines"),
    ]
    report.add_table(
        "Bans",
        ["Address", "Bans", "Until"],
        [["192.0.2.7", 3, "for ever"], ["2001:db8::/64", 12, ""]],
    )
    report.notes = ["From 01:00 to 02:00 the journal has no entries: was the machine down?"]
    return report
