"""Whatever the day, a report is short: what is cut is said, with the command that shows it all."""

from __future__ import annotations

import re
import socket
import tracemalloc

import pytest

from pyruse.api.findings import Column, Unusual
from pyruse.api.report import Report
from pyruse.config.settings import EmailSettings
from pyruse.delivery.mail.message import compose
from pyruse.report.plaintext import WIDTH
from pyruse.report.render import Renderer
from tests.report.eventful import eventful, kind
from tests.report.sample import HOSTILE, at, empty

MB = 1 << 20
LONG = HOSTILE * (MB // len(HOSTILE))
MARKUP = '&"<>' * (MB // 4)
WORDS = "many words " * (MB // 11)
"""A megabyte each: of what is escaped, of what grows in HTML, and of what is wrapped."""


def attacked(text: str) -> Report:
    """A day on which there is too much of everything, in texts of a megabyte."""
    report = eventful()
    report.hosts = [f"{number}{text[:300]}" for number in range(1_000)]
    report.headline = text
    report.notes = [f"{number} entries were lost: {text[:5_000]}" for number in range(500)]
    report.notes.append(text)
    for number in range(33):
        report.attend(f"{number} {text}", 90, time=at(1), mark=text, quote=text, count=10**12)
    report.unusual += [Unusual("new", "k", text, text, 10**12, 10**12)] * 900
    for _ in range(200):
        report.compare(text, 10**15, 10**15 + 0.5)
    report.kinds = [
        kind("important", f"{text[:9_000]} *", [(text, 10**9)] * 20, different=10**6),
        kind("interesting", f"* {text[:9_000]}", [(text, 10**9)], is_new=True),
        kind("other", "*", [(text[:9_000], 1)], program=text[:9_000], level=3),
    ] * 900
    columns = [Column(text[:9_000], "bar"), *[Column(f"c{number}") for number in range(40)]]
    rows = [[number, *[text[:500]] * 40] for number in range(2_000)]
    for number in range(60):
        some = rows if number == 1 else rows[:50]
        report.add_summary(
            f"{text[:90]}{number}", text, columns, some, facts=[text] * 30, emphasis=range(9)
        )
    return report


@pytest.mark.parametrize("text", [LONG, MARKUP, WORDS, "x" * MB, "\n" * MB, "é日" * (MB // 5)],
                         ids=["hostile", "markup", "words", "word", "lines", "wide"])  # fmt: skip
def test_a_report_is_short_whatever_the_day(text: str) -> None:
    report = attacked(text)
    renderer = Renderer(None, 10_000)
    plain, html = (renderer.render(report, form) for form in ("text", "html"))
    assert len(plain.splitlines()) <= 300
    assert max(map(len, plain.splitlines())) <= WIDTH
    assert len(plain.encode()) <= 100_000
    assert len(html.encode()) <= 90_000
    assert "0 entries were lost" in plain
    assert "… and 30 more below" in plain
    for shown in (plain, re.sub("<[^>]*>", "", html)):
        assert "pyruse report 2026-03-14 --full" in " ".join(shown.split())


def test_it_takes_little_memory() -> None:
    report = attacked("many words " * 20_000)
    renderer = Renderer(None, 10_000)
    renderer.render(eventful(), "html")  # what is imported once stays
    tracemalloc.start()
    try:
        renderer.render(report, "html")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 12 * MB


def test_what_is_cut_and_what_is_shown_is_all() -> None:
    report = eventful()
    report.kinds = [
        kind(section, f"{section} kind number {number} of *", [("a", 2), ("b", 1)])
        for section in ("important", "interesting", "other")
        for number in range(700)
    ]
    report.summaries.clear()
    report.add_summary(
        "s", "Sums", [Column("N", "number")], [[n] for n in range(2_000)], left_out=9
    )
    for form in ("text", "html"):
        text = Renderer(None, 10_000).render(report, form)
        for section in ("important", "interesting", "other"):
            shown = text.count(f"{section} kind number ")
            (left_out,) = re.findall(
                rf"(?s){section} kind number [^§]*?… and ([\d,]+) more kinds", text
            )[:1]
            assert shown + int(left_out.replace(",", "")) == 700
        assert text.count("important kind number") > text.count("other kind number"), form
        (rows,) = re.findall(r"… and ([\d,]+) more rows", text)
        assert 20 < 2_009 - int(rows.replace(",", "")) < 2_000


def test_of_every_summary_something_is_shown_before_more_of_one() -> None:
    report = eventful()
    report.summaries.clear()
    for number in range(12):
        rows = [[f"row {row} of {number}"] for row in range(1_000)]
        report.add_summary(f"s{number}", f"Summary {number}", [Column("What")], rows)
    text = Renderer(None, 10_000).render(report, "text")
    assert all(f"row 4 of {number}" in text for number in range(12))
    assert len(text.splitlines()) <= 300


def test_a_muted_kind_is_counted_and_not_shown() -> None:
    report = eventful()
    for one in report.kinds:
        one.is_muted = True
    text = Renderer(None, 10_000).render(report, "text")
    assert "OTHER: 0 kinds, 0 events" in text
    assert "(3 muted kinds: see `pyruse kinds`)" in text
    assert "Reloaded" not in text
    assert "Disk sdb: I/O error" in text, "what is important is told all the same"


def test_a_mail_is_no_larger_than_200_kilobytes(pipeline) -> None:
    """Text and HTML, with what encoding adds."""
    flow = pipeline('[email]\nto = ["root"]\n[chains]\nall = [ { action = "discard" } ]')
    flow.engine.deliver(attacked("é日" * 100_000))
    flow.state.commit()
    (item,) = flow.state.outbox.items("mail")
    mail = compose(item, EmailSettings(), "mercury")
    assert 60_000 < len(mail.as_bytes()) <= 200_000
    assert mail["X-Pyruse-Attention"].isdecimal()
    assert mail["List-Id"] == f"<pyruse.{socket.gethostname()}>"


def test_a_note_is_shown_that_is_shorter_than_the_line_which_would_stand_for_it():
    report = empty()
    report.notes = ["a note"]
    for form in ("text", "html"):
        assert "a note" in Renderer(None, 10).render(report, form)
        assert "1 more note" not in Renderer(None, 10).render(report, form)
