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
from tests.report.eventful import eventful, quiet
from tests.report.sample import HOSTILE, at, empty, full, row
from tools.browser import DARK, dump_dom, screenshot, unavailable

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


def measured(
    folder: Path, pages: list[str], *flags: str, widths: list[int] = PHONES_AND_DESKTOPS
) -> list[dict[str, Any]]:
    """What the browser says of pages, each in every width."""
    file = folder / "measure.html"
    # "</" would end the script around it.
    quoted = json.dumps(pages).replace("</", "<\\/")
    script = Path(__file__).with_name("measure.js").read_text(encoding="utf-8")
    page = MEASURE.format(widths=widths, pages=quoted, script=script)
    file.write_text(page, encoding="utf-8")
    dom = dump_dom(file, *flags)
    text = re.search(r'<pre id="found">(.*?)</pre>', dom, re.S)
    assert text is not None
    assert text.group(1), "the pages were not measured"
    found: list[dict[str, Any]] = json.loads(html.unescape(text.group(1)))
    assert len(found) == len(pages) * len(widths)
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


@pytest.mark.parametrize("flags", [[], [DARK]], ids=["light", "dark"])
def test_the_first_screen_looks_as_it_should(tmp_path, flags):
    """With styles, and where the mail program takes them away: on a phone, and on a desktop."""
    styled = [render(eventful()), render(quiet())]
    bare = [re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL) for page in styled]
    for found in measured(tmp_path, styled + bare, *flags, widths=[390, 1280]):
        assert found["overflow"] <= 0, found
        assert found["clipped"] == 0, found
        assert found["contrast"] >= 4.5, found  # WCAG 2, level AA
        is_dark = bool(flags) and found["page"] < 2
        assert (found["background"][0] < 50) == is_dark, found
        assert found["aligned"], found
        red, green, _ = found["heading"]
        assert (red > green) == (found["page"] % 2 == 0), "red where something needs attention"
        assert found["tops"] == sorted(found["tops"]), "the parts in their order"
    for number, page in enumerate(styled + bare):
        for width in (390, 1280):
            picture = picture_of(page, width, tmp_path / f"{number}-{width}", *flags)
            assert picture.read_bytes().startswith(b"\x89PNG")
            assert picture.stat().st_size > 5_000, "there is something on it"


def picture_of(page: str, width: int, place: Path, *flags: str) -> Path:
    """A picture of a page: to be looked at where the test has failed, or the form has changed."""
    file, frame = place.with_suffix(".page.html"), place.with_suffix(".html")
    file.write_text(page, encoding="utf-8")
    # A browser has no window as narrow as a phone.
    style = f"border: 0; width: {width}px; height: 1600px"
    frame.write_text(f'<body style="margin: 0"><iframe src="{file.name}" style="{style}"></iframe>')
    picture = place.with_suffix(".png")
    screenshot(frame, picture, max(width, 500), 1600, *flags)
    return picture


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
