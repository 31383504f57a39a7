"""Whatever is in an entry: it costs that entry at most, and nothing of it is ever executed."""

from __future__ import annotations

import email.policy
import json
import re
from collections.abc import Iterator
from email.parser import BytesParser
from html.parser import HTMLParser
from importlib.metadata import entry_points
from io import StringIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.console import Console

from pyruse.api.report import Line, Report, Row
from pyruse.delivery.mail.message import compose
from pyruse.entry.decoding import Decoder
from pyruse.entry.entry import Entry
from pyruse.entry.made import make_entry
from pyruse.options.templates import Template
from pyruse.report.render import Renderer
from pyruse.report.terminal import print_report
from pyruse.testing.pipeline import Pipeline
from pyruse.text import one_line
from tests.reliability.hostile import FIELDS, STEPS, VALUES, chains
from tests.report.eventful import eventful

KINDS = {
    point.name: kind
    for kind in ("filter", "action")
    for point in entry_points(group=f"pyruse.{kind}s")
    if point.value.startswith("pyruse_plugins.")
}

CONFIG = f"""
[journal]
legacy_encoding = "utf-7"
[email]
to = ["root@example.org"]
{chains(KINDS)}
"""

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal acts upon, but for the line break."""

value = st.one_of(
    st.sampled_from(VALUES),
    st.text(st.characters(), max_size=50),
    st.binary(max_size=50),
    st.integers(-(2**70), 2**70).map(str),
    st.text("٠١٢٣٤٥٦٧٨٩²½Ⅷ", min_size=1, max_size=5),
    st.lists(st.sampled_from([str(one) for one in VALUES]), min_size=2, max_size=4).map("".join),
)
entry = st.fixed_dictionaries(
    {"ROUTE": st.sampled_from(sorted(STEPS))},
    optional={
        **{name: value | st.lists(value, max_size=3) for name in FIELDS},
        "UNUSUAL_" + "X" * 60: value,
    },
)

RENDERER = Renderer(None, 10_000)


def test_every_built_in_step_is_tried() -> None:
    """Whoever adds a step adds it to tests/reliability/hostile.py, with each way to read fields."""
    assert set(STEPS) == set(KINDS)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(entry, min_size=1, max_size=8), st.lists(st.integers(0, 700), min_size=8))
def test_no_entry_costs_more_than_itself(entries: list[dict[str, Any]], pauses: list[int]) -> None:
    pipeline = Pipeline(CONFIG)
    for fields, pause in zip(entries, pauses, strict=False):
        pipeline.clock.advance(pause + 1)
        pipeline.feed(**fields)
    outcome = pipeline.outcome  # commits
    report = outcome.report
    total = sum(row.count for row in (*report.important, *report.interesting)) + len(report.other)
    ended = pipeline.state.db.execute("SELECT count(*) FROM events").fetchone()[0]
    assert total == ended
    # What hostile values may cause is a fault of the value: never of a programmer.
    for fault in pipeline.faults:
        kinds = r"ban|unban|count|dnat_\w+|reset|remember|recall|forget|expect|network"
        assert re.match(rf"action ({kinds}): [^\n]*( has no |expected )", fault.text), fault
    _check_report(report)
    for item in pipeline.state.outbox.items("mail"):
        _check_mail(compose(item, pipeline.engine.settings.email, "host").as_bytes(), 1)
    assert json.loads(json.dumps(outcome.data()))
    for argv in outcome.commands:
        assert argv[0] == "/bin/true"
        assert len(argv) == 4
        assert not any("\0" in argument for argument in argv)
    pipeline.end_day()
    *_, mail = pipeline.state.outbox.items("mail")
    _check_mail(compose(mail, pipeline.engine.settings.email, "host").as_bytes(), 2)
    pipeline.state.close()


def _check_report(report: Report) -> None:
    text = RENDERER.render(report, "text")
    assert CONTROLS.search(text) is None
    data = json.loads(RENDERER.render(report, "json"))["report"]
    assert [line["message"] for line in data["other"]] == [line.message for line in report.other]
    assert [row["message"] for row in data["important"]] == [
        row.message for row in report.important
    ]
    html = RENDERER.render(report, "html")
    assert CONTROLS.search(html) is None
    # Elements and attributes are those that reports of harmless messages have, too.
    assert _forms(html) <= _forms(RENDERER.render(_harmless(report), "html")) | EVENTFUL
    drawn = StringIO()
    print_report(report, Console(file=drawn, width=100, color_system=None))
    assert CONTROLS.search(drawn.getvalue()) is None


def _harmless(report: Report) -> Report:
    copy = replace(report, hosts=["host"], notes=["a note"] * len(report.notes))
    copy.important, copy.interesting = (
        [Row("harmless", row.count, row.details) for row in rows]
        for rows in (report.important, report.interesting)
    )
    copy.other = [Line(line.time, "harmless") for line in report.other]
    copy.attention = [
        replace(item, text="harmless", quote=item.quote and "harmless") for item in report.attention
    ]
    copy.kinds = [
        replace(
            kind, template="harmless", program=kind.program and "program",
            messages=[("harmless", count) for _, count in kind.messages],
        )
        for kind in report.kinds
    ]  # fmt: skip
    return copy


def _forms(html: str) -> set[tuple[str, ...]]:
    """Each element that there is, with the names of its attributes."""
    return {(tag, *(name for name, _ in attributes or ())) for tag, attributes in _elements(html)}


def _elements(html: str) -> Iterator[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: Any) -> None:
            found.append((tag, attrs))

        def handle_endtag(self, tag: str) -> None:
            found.append((f"/{tag}", None))

        def handle_comment(self, data: str) -> None:
            found.append(("comment", data))

    parser = Parser(convert_charrefs=True)
    parser.feed(html)
    parser.close()
    return iter(found)


EVENTFUL = _forms(RENDERER.render(eventful(), "html"))
HEADERS = {
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version",
    "Content-Type", "Content-Transfer-Encoding", "X-Pyruse-Attention", "List-Id",
}  # fmt: skip


def _check_mail(data: bytes, forms: int) -> None:
    head, _, _ = data.partition(b"\r\n\r\n")
    assert {
        line.partition(b":")[0].decode() for line in head.split(b"\r\n") if line[:1] > b" "
    } <= (HEADERS)
    assert max(map(len, data.split(b"\r\n"))) <= 998  # RFC 5322 §2.1.1
    mail = BytesParser(policy=email.policy.default).parsebytes(data)
    assert set(mail.keys()) <= HEADERS
    assert [mail["To"]] in (["root@example.org"], ["root@host"], ["root"])
    assert CONTROLS.search(str(mail["Subject"])) is None
    parts = [part for part in mail.walk() if not part.is_multipart()]
    assert len(parts) == forms
    for part in parts:
        content = part.get_content().replace("\r\n", "\n")
        assert CONTROLS.search(content) is None, content


@given(st.text(st.characters(), max_size=200))
def test_a_value_is_never_a_template(text: str) -> None:
    made = Entry(0, values={"MESSAGE": text, "user": "{MESSAGE}"})
    assert Template("{MESSAGE}").render(made) == text
    assert Template("{user}|{MESSAGE!s}").render(made) == f"{{MESSAGE}}|{text}"


@given(st.integers(0, 10**4000) | st.floats(), st.sampled_from("bcdeEfFgGnosxX%"))
def test_a_number_that_does_not_fit_its_format_is_shown_without(number: float, form: str) -> None:
    shown = Template(f"{{PRIORITY:{form}}}").render(Entry(0, values={"PRIORITY": number}))
    assert isinstance(shown, str)
    shown.encode()


@given(
    st.sampled_from(FIELDS), st.binary(max_size=60), st.sampled_from(["utf-7", "ascii", "cp437"])
)
def test_whatever_the_bytes_of_a_field_they_can_be_kept(
    name: str, raw: bytes, encoding: str
) -> None:
    text = make_entry({name: raw}, Decoder(encoding)).text(name)
    assert text is not None
    text.encode()


@pytest.mark.parametrize(
    "steps",
    [
        '{ action = "count", counter = "c", key = "odd", into = "n" }',
        '{ action = "count", counter = "c", key = "ip", distinct = "odd" }',
        '{ action = "reset", counter = "c", key = "odd", grace = "1m" }',
        '{ action = "dnat_capture", saddr = "odd", addr = "odd" }',
        '{ action = "ban", ip = "ip" }',
        '{ action = "report", section = "other", message = "{odd}" }',
        '{ action = "email", message = "{odd}", subject = "{odd}" }',
        '{ action = "log", message = "{odd}" }',
        '{ action = "run", command = ["x", "{odd}"] }',
    ],
)
def test_half_a_character_does_not_keep_the_state_from_being_committed(pipeline, steps) -> None:
    """A plugin that reads JSON may set such text: no encoding takes it, nor does SQLite."""
    running = pipeline(f"[chains]\na = [{steps}]")
    half = make_entry({"ip": "192.0.2.7", "MESSAGE": "\ud800"}, time_us=running.clock.us)
    half["odd"] = "\ud800 and more"
    half["odds"] = ["\udfff"]
    assert running.engine.handle([half]) == 1
    running.state.commit()
    assert half.text("odd") == "? and more"
    assert half.text("odds") == "?"


@given(st.text(st.sampled_from(" \t\n\r\x1cab\u2028é"), max_size=40))
def test_one_line_is_one_line(text: str) -> None:
    line = one_line(text)
    assert not re.search(r"[\n\r\t]", line)
    assert line.replace(" ", "").replace("\\x1c", "").replace("\\u2028", "") == re.sub(
        r"[\s\x1c\u2028]", "", text
    )


def test_a_megabyte_of_spaces_is_made_one_line_at_once() -> None:
    """With a pattern that looks for spaces before each line break, it would take a quarter of an
    hour: longer than any test may."""
    assert one_line("é" + " " * 1_000_000 + "x") == "é" + " " * 1_000_000 + "x"
