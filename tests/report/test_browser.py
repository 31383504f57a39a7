"""The report in a real browser: it fits, it can be read, and no log line runs as a script."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from pyruse.api.report import Line
from pyruse.report.render import Renderer
from pyruse.testing.plugin import need
from tests.report.sample import HOSTILE, at, empty, full, row
from tools.browser import DARK, dump_dom, unavailable

pytestmark = pytest.mark.realparts

MEASURE = """<!DOCTYPE html><meta charset="utf-8"><body><pre id="found"></pre>
<script>const widths = {widths}, pages = {pages};
{script}</script></body>
"""

PHONES_AND_DESKTOPS = [320, 375, 768, 1280]


@pytest.fixture(autouse=True)
def browser() -> None:
    need(unavailable())


def render(report) -> str:
    return Renderer(None, 10_000).render(report, "html")


def measured(folder: Path, pages: list[str], *flags: str) -> list[dict[str, Any]]:
    """What the browser says of pages, each in every width."""
    file = folder / "measure.html"
    # "</" would end the script around it.
    quoted = json.dumps(pages).replace("</", "<\\/")
    script = Path(__file__).with_name("measure.js").read_text(encoding="utf-8")
    page = MEASURE.format(widths=PHONES_AND_DESKTOPS, pages=quoted, script=script)
    file.write_text(page, encoding="utf-8")
    dom = dump_dom(file, *flags)
    text = re.search(r'<pre id="found">(.*?)</pre>', dom, re.S)
    assert text is not None
    assert text.group(1), "the pages were not measured"
    found: list[dict[str, Any]] = json.loads(html.unescape(text.group(1)))
    assert len(found) == len(pages) * len(PHONES_AND_DESKTOPS)
    return found


def everything():
    """All that is hard to show: long words, long tables, many times, hostile messages."""
    report = full()
    report.hosts = [f"host-{number}.example.org" for number in range(9)] + ["h" * 200]
    long = f"/{'very' * 60}/{'long-' * 30} {'word ' * 60}"
    for message in (HOSTILE, long):
        report.notes.append(message)
        report.important = [
            *report.important,
            row(message, ALL=[at(4, n % 60) for n in range(100)], FIRST=[at(1)]),
        ]
        report.interesting = [*report.interesting, row(message, ALL=[at(5)] * 100_000)]
        report.other = [*report.other, Line(at(5), message)]
        report.add_table(
            message, ["Address", "Bans", "Until", message], [["2001:db8::1", 1, "", message]]
        )
    report.add_table("Wide", [f"Column {n}" for n in range(12)], [["2026-03-14 23:59:59"] * 12])
    return report


@pytest.mark.parametrize("flags", [[], [DARK]], ids=["light", "dark"])
def test_a_report_fits_and_can_be_read(tmp_path, flags):
    days = empty("2026-03-14 – 2026-03-16", days=3)
    days.other = everything().other
    for found in measured(tmp_path, [render(full()), render(everything()), render(days)], *flags):
        assert found["overflow"] <= 0, found
        assert found["contrast"] >= 4.5, found  # WCAG 2, level AA
        assert (found["background"][0] < 50) == bool(flags), found
        if found["page"] != 1:  # a table of twelve columns has a scroll bar of its own
            assert found["clipped"] == 0, found
        assert found["text"] > 500, found


def test_no_log_line_runs_as_a_script(tmp_path):
    assert not any(found["ran"] for found in measured(tmp_path, [render(everything())]))
    page = tmp_path / "report.html"
    page.write_text(render(everything()), encoding="utf-8")
    dom = dump_dom(page)
    assert "<script" not in dom
    assert "<img" not in dom
    assert "&lt;script&gt;pwned = 1&lt;/script&gt;" in dom


def test_what_must_not_be_would_be_seen(tmp_path):
    """The measure itself: a page that is too wide, too pale, and runs scripts."""
    page = f'<body style="background: #fff; color: #bbb"><div style="width: 2000px">{HOSTILE}</div>'
    for found in measured(tmp_path, [page]):
        assert found["overflow"] > 0
        assert found["contrast"] < 4.5
        assert found["ran"]
