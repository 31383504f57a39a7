"""The report as HTML, by the built-in template."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from pyruse.api.report import Line
from pyruse.report.render import Renderer
from tests.report.eventful import eventful, quiet
from tests.report.sample import HOSTILE, at, empty, full, row

VOID = {"meta", "br", "hr", "img", "link", "input"}
"""Elements without an end tag (HTML, "void elements")."""


class Page(HTMLParser):
    """What a browser makes of the page: its elements, and the text of each section."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.text = ""
        self.sections: dict[str, str] = {}
        self._section = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)
        if tag == "h2":
            self._section = dict(attrs).get("id") or ""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.handle_data(" ")

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data
            self.sections[self._section] = self.sections.get(self._section, "") + data


def html(report, limit=10_000):
    return Renderer(None, limit).render(report, "html")


def words(text):
    return " ".join(text.split())


def test_the_whole_report():
    page = Page(html(full()))
    assert words(page.sections[""]) == (
        "aubergine, Saturday 2026-03-14: 4 important 4 important aubergine, Saturday 2026-03-14 "
        "4 important ! From 01:00 to 02:00 the journal has no entries: was the machine down? "
        "12,345 entries 4 important 1,207 interesting 2 other Bans"
    )
    assert words(page.sections["important"]) == (
        "Important 2 messages, 4 events Count Message "
        "3 Disk sdb: I/O error from 03:00:00 until 05:30:00 "
        "1 Out of memory: php-fpm was killed by the kernel, and so was its child 16:00:00"
    )
    assert words(page.sections["interesting"]) == (
        "Interesting 3 messages, 1,207 events Count Message 1,200 Mail refused "
        "4 alice logged in from 192.0.2.4 2 × from 08:00:00 2 × until 11:00:00 "
        "3 bob logged in from 2001:db8::4 08:00:01 (×2), 09:00:00"
    )
    assert words(page.sections["s-bans"]) == (
        "Bans Address Bans Until 192.0.2.7 3 for ever 2001:db8::/64 12"
    )
    assert words(page.sections["other"]).startswith(
        "Other 2 events Time Message 02:00:00 [6/cron] short 02:00:01 [6/backup] a long line"
    )


def test_the_first_screen():
    page = Page(html(eventful()))
    assert words(page.sections[""]).startswith(
        "mercury, Saturday 2026-03-14: 7 things need attention "
        # What mail programs show beside the subject.
        "7 things need attention: root logged in from 203.0.113.66 by password, after 140 failed "
        "logins from there; The disk /dev/sdb is failing: 8 unreadable sectors, 12 I/O errors; "
        "The array md0 runs without /dev/sdb "
        "mercury, Saturday 2026-03-14 7 things need attention ! 120 entries from"
    )
    assert (
        "1 root logged in from 203.0.113.66 by password, after 140 failed logins from there "
        "new address 03:14 2 The disk" in words(page.sections[""])
    )
    assert words(page.sections["unusual"]).startswith(
        "Unlike other days 2 kinds never seen before, 1 daily one absent, 1 rate NEW kernel ata2.00"
    )
    assert words(page.sections["unusual"]).endswith(
        "GONE anacron Job `cron.daily' terminated usually 4 "
        "RATE sshd Failed password for * from * port * ssh2 162 usually 22"
    )
    assert words(page.sections["glance"]) == (
        "At a glance Today Usual Change Failed logins 162 22 +636 % "
        "Mail sent / deferred / bounced 1,431/9/3 1,402/11/2 Mail received 46 MiB 49 MiB Bans 9 4 "
        "Entries by hour, 2,810 at most 34,498 entries 4 important 1,207 interesting 2 other "
        "Logins · Disk space · Bans"
    )


def test_all_that_needs_attention_is_within_the_first_ten_kilobytes():
    report = eventful()
    report.attention.clear()
    for number in range(33):
        report.attend("very " * 30 + f"bad {number}", 60, time=at(1), mark="new", quote="q" * 150)
    page = html(report).encode()
    assert b"bad 9</b>" in page[:10_000]
    assert b"and 23 more below" in page[:10_500]


def test_every_link_leads_somewhere():
    page = html(eventful())
    targets = re.findall(r'href="#([^"]+)"', page)
    assert targets == ["important", "interesting", "other", "s-logins", "s-disks", "s-bans"]
    assert all(f'<h2 id="{target}"' in page for target in targets)


def test_the_meaning_is_there_without_any_style():
    """Many mail programs take away each <style>."""
    page = re.sub(r"<style>.*?</style>", "", html(eventful()), flags=re.DOTALL)
    assert '<h1 class="red" style="color:#b3261e">7 things need attention</h1>' in page
    assert page.count("font-weight:bold") == 4 + 5, "a row that is to stand out does, cell by cell"
    for number in ("1,200", "+636 %", "20 GiB"):
        cell = page[: page.index(number)].rpartition("<td")[2]
        assert 'align="right" nowrap' in cell
    quiet_page = html(quiet())
    assert '<h1 class="fine" style="color:#1a7a3c">Nothing unusual</h1>' in quiet_page


def test_of_an_empty_report_there_is_the_verdict_alone():
    page = Page(html(empty()))
    assert list(page.sections) == [""]
    assert "Nothing unusual 0 entries 0 important 0 interesting 0 other" in words(page.sections[""])


def test_nothing_of_a_log_line_becomes_markup():
    report = full()
    harmless = Page(html(report))
    for _ in range(2):
        report.hosts.append(HOSTILE)
        report.notes.append(HOSTILE)
        report.important = [*report.important, row(HOSTILE, ALL=[at(1)])]
        report.interesting = [*report.interesting, row(HOSTILE, ALL=[at(1)])]
        report.other = [*report.other, Line(at(1), HOSTILE)]
        report.add_table(HOSTILE, [HOSTILE], [[HOSTILE]])
    page = Page(html(report))
    assert set(page.tags) == set(harmless.tags)
    assert "script" not in page.tags
    assert page.attributes == harmless.attributes
    assert {char for char in page.text if not char.isprintable()} <= {"\n", "\N{NO-BREAK SPACE}"}
    for section in ("", "important", "interesting", "other", "notes"):
        assert "<script>pwned = 1</script><img src=x" in page.sections[section]
        if not section:
            continue  # of names of hosts, only the beginning is shown
        assert "\\x1b[31mred\\x1b]0;title\\x07 \\x00 \\x9b2J" in page.sections[section]
        assert "\\u202egnp.exe\\u2066 zero\\u200bwidth {} {0} {MESSAGE}" in page.sections[section]
        assert "{{ 7 * 7 }} {% raw %}" in page.sections[section]


def test_a_hostile_title_stays_in_the_title():
    report = empty("</title><script>pwned = 1</script>")
    assert "script" not in Page(html(report)).tags


def test_a_mail_loads_nothing_from_elsewhere():
    page = html(full())
    assert re.findall(r"https?:|url\(|@import|<link|<script|<img|\bsrc=", page) == []


def test_tables_tell_what_their_cells_are():
    """For readers who hear the report: each table has a name, and its columns have headings."""
    page = html(full())
    assert len(re.findall(r'<th scope="col"', page)) == 2 + 2 + 3 + 2
    named = re.findall(r'<table class="data[^>]*aria-labelledby="([\w-]+)"', page)
    assert named == ["important", "interesting", "s-bans", "other"]
    assert all(f'<h2 id="{name}"' in page for name in named)
    assert '<html lang="en">' in page


def test_of_a_long_section_the_rest_is_counted():
    report = empty()
    report.other = [Line(at(1), f"line {number}") for number in range(1_237)]
    report.interesting = [row(f"row {number}", ALL=[at(1)]) for number in range(5)]
    report.add_table("Table", ["Column"], [[f"cell {number}"] for number in range(6)])
    page = Page(html(report, 3))
    rest = "“pyruse report 2026-03-14 --full” has them all"
    assert f"line 2 … and 1,234 more events: {rest}" in words(page.sections["other"])
    assert words(page.sections["interesting"]).endswith(f"… and 2 more messages: {rest}")
    assert words(page.sections["s-table"]).endswith(f"cell 2 … and 3 more rows: {rest}")
    assert "line 3" not in page.text


def test_long_messages_are_shortened():
    report = empty()
    report.important = [row("<" * 1_000_000, ALL=[at(1)])]
    report.other = [Line(at(1), "&" * 1_000_000)]
    page = html(report)
    assert page.count("(998000 more characters)") == 2
    assert len(page) < 50_000


def test_ten_thousand_lines_make_a_mail_that_can_be_sent():
    report = empty()
    report.other = [Line(at(1), "x" * 100)] * 20_000
    assert len(html(report).encode()) < 90_000
