"""The administrator's own templates."""

from __future__ import annotations

import pytest

from pyruse.api.report import Line
from pyruse.report.render import Renderer
from tests.report.sample import HOSTILE, at, empty, full

USED_INSTEAD = "(the built-in template was used instead)"


def own(folder, name, text):
    (folder / name).write_text(text)
    return Renderer(folder, 10_000)


def test_an_own_template_takes_the_place_of_the_built_in_one(tmp_path):
    renderer = own(
        tmp_path,
        "report.txt.j2",
        "{{ report.title }}: {{ report.entries | number }}\n"
        "{% for line in report.other %}\n{{ line.time | clock }} {{ line.message | brief }}\n"
        "{% endfor %}\n",
    )
    assert renderer.render(full(), "text").splitlines()[:2] == [
        "2026-03-14: 12,345",
        "02:00:00 [6/cron] short",
    ]
    assert "<!DOCTYPE html>" in renderer.render(full(), "html")  # still the built-in one


def test_an_own_template_may_change_a_part_of_the_built_in_one(tmp_path):
    renderer = own(
        tmp_path,
        "report.html.j2",
        '{% extends "builtin/report.html.j2" %}\n'
        "{% block other %}<p>{{ report.other | length }} & more</p>{% endblock %}",
    )
    page = renderer.render(full(), "html")
    assert "<p>2 & more</p>" in page
    assert "Disk sdb" in page
    assert "[6/cron]" not in page


def test_an_own_template_is_read_again_when_it_was_changed(tmp_path):
    renderer = own(tmp_path, "report.txt.j2", "one")
    assert renderer.render(empty(), "text") == "one"
    own(tmp_path, "report.txt.j2", "another")
    assert renderer.render(empty(), "text") == "another"


@pytest.mark.parametrize(
    "text", ["{{ report.other[0].message }}", "{{ [report.other[0].message] }}"]
)
def test_without_a_filter_too_nothing_of_a_log_line_gets_out_raw(tmp_path, text):
    report = empty()
    report.other = [Line(at(1), HOSTILE)]
    own(tmp_path, "report.txt.j2", text)
    renderer = own(tmp_path, "report.html.j2", text)
    for form in ("text", "html"):
        shown = renderer.render(report, form)
        assert shown.isprintable()
        assert "x1b[31mred" in shown
    assert "<" not in shown


def test_what_an_html_template_includes_is_escaped_too(tmp_path):
    (tmp_path / "part.j2").write_text("{{ report.title }}")
    renderer = own(tmp_path, "report.html.j2", "{% include 'part.j2' %}")
    assert renderer.render(empty("<b>"), "html") == "&lt;b&gt;"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("fine\n{% for %}\n", "line 2: Expected an expression, got 'end of statement block'"),
        ("fine\n\n{{ colour }}", "line 3: UndefinedError: 'colour' is undefined"),
        ("{{ nothing.title }}", "line 1: UndefinedError: 'nothing' is undefined"),
        ("\n{{ report.title | paint }}", "line 2: No filter named 'paint'."),
        ("\n{{ 1 / report.entries }}", "line 2: ZeroDivisionError: division by zero"),
        ("{% include 'part.j2' %}", "line 1: TemplateNotFound: part.j2"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["text", "html"])
def test_a_faulty_template_does_not_cost_the_report(tmp_path, form, text, fault):
    name = {"text": "report.txt.j2", "html": "report.html.j2"}[form]
    renderer = own(tmp_path, name, text)
    report = empty()
    built_in = Renderer(None, 10_000).render(empty(), form)
    shown = renderer.render(report, form)
    assert report.notes == [f"{tmp_path / name}, {fault} {USED_INSTEAD}"]
    assert "the built-in template" in " ".join(shown.split())
    # Apart from that note, it is the report as ever.
    report.notes.clear()
    assert Renderer(None, 10_000).render(report, form) == built_in


def test_a_fault_is_told_once(tmp_path):
    renderer = own(tmp_path, "report.txt.j2", "{{ colour }}")
    report = empty()
    renderer.render(report, "text")
    assert renderer.render(report, "text").count("is undefined") == 1


def test_a_fault_in_an_included_template_names_that_file(tmp_path):
    (tmp_path / "part.j2").write_text("\n\n{{ colour }}")
    renderer = own(tmp_path, "report.txt.j2", "{% include 'part.j2' %}")
    report = empty()
    renderer.render(report, "text")
    (note,) = report.notes
    assert note.startswith(f"{tmp_path}/part.j2, line 3: UndefinedError")


def test_a_template_that_cannot_be_read_does_not_cost_the_report(tmp_path):
    (tmp_path / "report.txt.j2").write_bytes(b"\xff\xfe")
    report = empty()
    assert "nothing" in Renderer(tmp_path, 10_000).render(report, "text")
    (note,) = report.notes
    assert note.startswith(f"{tmp_path}/report.txt.j2: UnicodeDecodeError")


def test_a_template_without_end_does_not_cost_the_report(tmp_path):
    renderer = own(tmp_path, "report.txt.j2", "{% include 'report.txt.j2' %}")
    report = empty()
    assert "nothing" in renderer.render(report, "text")
    assert "RecursionError" in report.notes[0]


def test_a_folder_that_is_not_there_is_none(tmp_path):
    report = empty()
    assert "nothing" in Renderer(tmp_path / "missing", 10_000).render(report, "text")
    assert report.notes == []


def test_faults_are_found_before_they_matter(tmp_path):
    renderer = own(
        tmp_path, "report.txt.j2", "{% for row in report.important %}{{ row.colour }}{% endfor %}"
    )
    own(tmp_path, "report.html.j2", "{{ report.title }}")
    (fault,) = renderer.faults()
    assert fault.startswith(f"{tmp_path}/report.txt.j2, line 1: UndefinedError: ")
    assert Renderer(None, 1).faults() == []


def test_a_folder_that_cannot_be_looked_into_does_not_cost_the_report(tmp_path):
    renderer = Renderer(tmp_path / ("x" * 300), 10_000)
    assert "nothing unusual" in renderer.render(empty(), "text")
