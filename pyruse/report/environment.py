"""Prepares templates of reports: where they are, and what they can use.

A template has these variables:

* ``report``: the `Report`;
* ``verdict``, ``about``: whether anything needs doing, and what the report is about, in words;
* ``heading``, ``period``: the same as a title, and the period;
* ``learns``: how long it takes until it is known what is usual; empty where it is known;
* ``totals``: how many events each section has, such as ``totals["important"]``;
* ``command``: what shows all that is left out;
* ``limit``: so many rows of a section are shown at most;
* ``shown``: what there is room for: ``shown.attention``, ``shown.unusual``, ``shown.glance``;
  ``shown.kinds["important"]`` (or ``interesting``, ``other``), of which ``shown`` are the kinds and
  ``count``, ``events`` and ``muted`` the numbers of all; ``shown.important``,
  ``shown.interesting``, ``shown.other``, which are the events as rows; ``shown.summaries``, pairs
  of a summary and the number of its rows, ``shown.tables``, the number of rows of each of the
  report's; ``shown.notes``, texts, of which ``shown.losses`` tell of entries that nobody has read,
  and ``shown.remarks`` are the others (see `Choice`);
* ``line_width``: of text, in columns;
* ``version``: of Pyruse;

and, on top of Jinja's own, these filters:

* ``TIME | clock``: a time, as briefly as the report's period allows; ``TIME | minute``: without
  seconds; ``KIND | span``: from when until when;
* ``ROW | when``: when the events of a row happened, a list of texts (``when(true)``: of many
  times, all);
* ``KIND | told``: its ``label``, ``text`` and ``values`` (see `Told`);
* ``LINE | quoted(LENGTH)``: the beginning of a line of the log;
* ``ITEM | marks``: remarks on what needs attention; ``UNUSUAL | unlike``: a sentence on all of it;
* ``GLANCE | change``: how far it is from the usual; ``VALUE | figures(TYPE)``: its numbers;
* ``MESSAGE | brief``: a message, shortened to what people can read;
* ``TEXT | one_line``, ``TEXT | printable``, ``TEXT | shortened(LENGTH)``; ``TEXT | columns``: how
  many columns of a terminal it takes;
* ``NUMBER | number`` (``12,345``), ``NUMBER | counted("event")`` (``1 event``, ``2 events``);
* ``ROWS | events``: how many events they stand for;
* ``NUMBER | remainder("line")``: the line that stands for so many lines which are not shown;
* ``TEXT | wrapped(INDENT)``, ``WRAPPED | aside(REMARKS, INDENT)``, ``SUMMARY | text_table(LIMIT)``,
  ``ITEM | attention_block(NUMBER)``, ``UNUSUAL | unusual_block``, ``GLANCES | glance_table``,
  ``KIND | kind_block(DIGITS)``, ``HOURS | sparkline``: for plain text;
* ``SUMMARY | without_empty(LIMIT)``: without the columns that have nothing in its first rows;
* ``SUMMARY | texts(LIMIT)``: its first rows, as texts; ``SUMMARY | right_aligned``: whether each
  column is aligned to the right; ``SUMMARY | bar_lengths(LIMIT, LONGEST)``: the bars of its cells;
  ``HOURS | heights(HIGHEST)``: those of the hours; ``ID | anchor``: the name of its place.

``{% extends "builtin/report.html.j2" %}`` begins a template that changes some blocks of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pyruse.api.findings import Attention, Glance, KindRow, Summary, Unusual
from pyruse.api.report import SECTIONS, Report, Row, events_of
from pyruse.columns import columns
from pyruse.report import wording
from pyruse.report.cells import LONGEST, bar_lengths, right_aligned, texts, without_empty
from pyruse.report.choice import Choice
from pyruse.report.glances import change, numbers
from pyruse.report.kind_texts import told
from pyruse.report.plaintext import WIDTH, aside, text_table, wrapped
from pyruse.report.sparkline import heights, sparkline
from pyruse.report.text_blocks import attention_block, glance_table, kind_block, unusual_block
from pyruse.system.openssl import without_openssl
from pyruse.text import counted, one_line, printable, shortened
from pyruse.version import VERSION

with without_openssl():
    from jinja2 import (
        ChoiceLoader,
        Environment,
        FileSystemLoader,
        PrefixLoader,
        StrictUndefined,
        TemplateSyntaxError,
        Undefined,
        pass_context,
        select_autoescape,
    )
    from jinja2.runtime import Context
    from markupsafe import Markup

_BUILTIN = Path(__file__).with_name("templates")


def environment(folder: Path | None) -> Environment:
    """Jinja's environment: templates of a folder, if there is one, stand before the built-in."""
    builtin = FileSystemLoader(_BUILTIN)
    own = [] if folder is None else [FileSystemLoader(folder)]
    environment = Environment(
        loader=ChoiceLoader([*own, builtin, PrefixLoader({"builtin": builtin})]),
        # HTML unless the name says that it is text: what an HTML template includes is escaped too.
        autoescape=select_autoescape(disabled_extensions=("txt.j2",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_harmless,
    )
    environment.filters.update(
        anchor=wording.anchor,
        aside=_aside,
        attention_block=_attention_block,
        bar_lengths=bar_lengths,
        brief=wording.brief,
        change=change,
        clock=_clock,
        columns=columns,
        counted=counted,
        events=events_of,
        figures=numbers,
        glance_table=_glance_table,
        heights=heights,
        kind_block=_kind_block,
        marks=wording.marks,
        minute=_minute,
        number="{:,}".format,
        one_line=one_line,
        printable=printable,
        quoted=wording.quoted,
        remainder=_remainder,
        right_aligned=right_aligned,
        shortened=shortened,
        span=_span,
        sparkline=sparkline,
        text_table=_text_table,
        texts=_texts,
        told=told,
        unlike=wording.unlike,
        unusual_block=_unusual_block,
        when=_when,
        without_empty=without_empty,
        wrapped=_wrapped,
    )
    return environment


def variables(
    report: Report, limit: int, shown: Choice, line_width: int | None = None
) -> dict[str, Any]:
    """What a template is given."""
    return {
        "report": report,
        "verdict": wording.verdict(report),
        "about": wording.about(report),
        "heading": wording.heading(report),
        "period": wording.period(report),
        "learns": wording.learns(report),
        "totals": {section: wording.events_in(report, section) for section in SECTIONS},
        "command": wording.command(report),
        "limit": limit,
        "shown": shown,
        "line_width": line_width or WIDTH,
        "version": VERSION,
        "clock": wording.Clock(report.begin, report.end),
    }


def fault_in(fault: Exception, template: Path) -> str:
    """Where in the administrator's templates a fault is, and what it is."""
    if isinstance(fault, TemplateSyntaxError):
        return f"{fault.filename or template}, line {fault.lineno}: {fault.message}"
    place = str(template)
    trace = fault.__traceback__
    while trace is not None:
        # Jinja puts the lines of templates into tracebacks; the last one is where it happened.
        file = Path(trace.tb_frame.f_code.co_filename)
        if file.is_relative_to(template.parent):
            place = f"{file}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return f"{place}: {type(fault).__name__}: {fault}"


def _harmless(value: Any) -> Any:
    """The text that a template prints: no control character of a log line gets out."""
    if isinstance(value, Undefined):
        return value  # it complains when it is printed
    if isinstance(value, Markup):
        return Markup(printable(value))
    return printable(str(value))


@pass_context
def _clock(context: Context, moment: datetime) -> str:
    clock: wording.Clock = context["clock"]
    return clock(moment)


@pass_context
def _minute(context: Context, moment: datetime) -> str:
    clock: wording.Clock = context["clock"]
    return clock.minute(moment)


@pass_context
def _span(context: Context, kind: KindRow) -> str:
    clock: wording.Clock = context["clock"]
    return clock.span(kind.first, kind.last)


@pass_context
def _wrapped(context: Context, text: str, indent: int = 0, width: int | None = None) -> str:
    return wrapped(text, indent, width or context["line_width"])


@pass_context
def _aside(
    context: Context, text: str, remarks: list[str], indent: int = 0, width: int | None = None
) -> str:
    return aside(text, remarks, indent, width or context["line_width"])


@pass_context
def _attention_block(context: Context, item: Attention, number: int) -> str:
    return attention_block(item, number, context["clock"], context["line_width"])


@pass_context
def _unusual_block(context: Context, one: Unusual) -> str:
    return unusual_block(one, context["line_width"])


@pass_context
def _glance_table(context: Context, rows: Sequence[Glance]) -> str:
    return glance_table(rows, context["line_width"])


@pass_context
def _kind_block(context: Context, kind: KindRow, digits: int) -> str:
    return kind_block(kind, digits, context["clock"], context["line_width"])


@pass_context
def _when(context: Context, row: Row, every: bool = False) -> list[str]:
    return wording.when(row, context["clock"], every=every)


@pass_context
def _remainder(context: Context, count: int, noun: str) -> str:
    return wording.remainder(context["report"], count, noun)


@pass_context
def _texts(context: Context, summary: Summary, limit: int) -> list[list[str]]:
    return texts(summary, limit, context["clock"].minute)


@pass_context
def _text_table(context: Context, summary: Summary, limit: int, longest: int = LONGEST) -> str:
    return text_table(summary, limit, context["clock"].minute, longest, context["line_width"])
