from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path

import pytest

from pyruse.errors import UserError

CHAINS = """
[report]
timezone = "Europe/Paris"
{report}
[chains]
all = [ {{ action = "report", section = "important", message = "{{MESSAGE}}" }} ]
"""


def archiving(pipeline, folder):
    flow = pipeline(CHAINS.format(report=f'archive = "{folder}"'))
    flow.feed(MESSAGE="disk <b>sdb</b> fails – élément\x07")
    return flow


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o022, 0o077, 0o000])
def umask(request):
    old = os.umask(request.param)
    yield
    os.umask(old)


def test_a_day_is_kept_in_three_files(pipeline, tmp_path):
    folder = tmp_path / "var" / "reports"
    flow = archiving(pipeline, folder)
    flow.end_day()
    names = ["2026-03-14.html", "2026-03-14.json", "2026-03-14.txt"]
    assert sorted(os.listdir(folder)) == names
    html, data, text = ((folder / name).read_text(encoding="utf-8") for name in names)
    assert "disk &lt;b&gt;sdb&lt;/b&gt; fails – élément\\x07" in html
    assert "1 × disk <b>sdb</b> fails – élément\\x07" in text
    (row,) = json.loads(data)["report"]["important"]
    assert row["message"] == "disk <b>sdb</b> fails – élément\x07"
    flow.end_day()
    assert len(os.listdir(folder)) == 6
    assert flow.faults == []


@pytest.mark.usefixtures("umask")
def test_the_files_are_not_for_everybody(pipeline, tmp_path):
    """Log lines hold what is nobody else's business, and the group of log readers may want them."""
    folder = tmp_path / "reports"
    archiving(pipeline, folder).end_day()
    assert {mode(file) for file in folder.iterdir()} == {0o640}
    assert mode(folder) & 0o027 == 0


def test_what_is_there_is_replaced_at_once(pipeline, tmp_path):
    """`pyruse report --send` writes a day again; a reader of the old file reads it to its end."""
    (tmp_path / "2026-03-14.txt").write_text("old")
    (tmp_path / ".2026-03-14.txt.new").write_text("left behind by a crash " * 1_000)
    with open(tmp_path / "2026-03-14.txt") as reader:
        archiving(pipeline, tmp_path).end_day()
        assert reader.read() == "old"
    assert "left behind" not in (tmp_path / "2026-03-14.txt").read_text()
    assert len(os.listdir(tmp_path)) == 3


def test_a_link_in_the_place_of_the_new_file_is_not_followed(pipeline, tmp_path):
    folder = tmp_path / "reports"
    folder.mkdir()
    (tmp_path / "precious").write_text("precious")
    (folder / ".2026-03-14.html.new").symlink_to(tmp_path / "precious")
    flow = archiving(pipeline, folder)
    flow.end_day()
    assert (tmp_path / "precious").read_text() == "precious"
    assert len(flow.faults) == 1


def test_a_folder_that_cannot_be_made_is_a_fault_and_no_more(pipeline, tmp_path):
    (tmp_path / "file").write_text("")
    flow = archiving(pipeline, tmp_path / "file" / "reports")
    report = flow.end_day()
    assert [row.message for row in report.important] == ["disk <b>sdb</b> fails – élément\x07"]
    (fault,) = flow.faults
    assert fault.place == "plugins.archive_report"
    assert "Not a directory" in fault.text


def test_without_a_folder_nothing_is_written(pipeline, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flow = pipeline(CHAINS.format(report=""))
    flow.end_day()
    assert os.listdir(tmp_path) == []
    assert flow.faults == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("name", ["reports", "a/b/reports"])
def test_what_root_makes_belongs_to_the_owner_of_the_folder(pipeline, tmp_path, name):
    daemon = (1234, 5678)
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, *daemon)
    flow = archiving(pipeline, state / name)
    flow.end_day()
    assert flow.faults == []
    made = list(state.rglob("*"))
    assert len(made) == 3 + len(Path(name).parts)
    assert {(one.stat().st_uid, one.stat().st_gid) for one in made} == {daemon}


def archived(pipeline, folder, options):
    flow = pipeline(
        CHAINS.format(report=f'archive = "{folder}"') + f"[plugins.archive_report]\n{options}\n"
    )
    flow.feed(MESSAGE="disk fails")
    flow.end_day()
    assert flow.faults == []
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_names_may_be_of_folders_for_years_and_months(pipeline, tmp_path):
    folder = tmp_path / "reports"
    options = 'name = "%Y/%m/day-%d"\nforms = ["html", "json"]'
    assert archived(pipeline, folder, options) == [
        "2026/03/day-14.html", "2026/03/day-14.json",
    ]  # fmt: skip
    assert mode(folder / "2026") & 0o027 == 0


def test_what_is_old_is_removed_and_nothing_else(pipeline, tmp_path):
    folder = tmp_path / "reports"
    old = ["2020/01/03.html", "2020/01/03.web1.txt", "2020/02/29.json"]
    others = ["2020/02/notes.txt", "2020/02/29.pdf", "2020/02/x/29.html", "29.html"]
    young = ["2026/03/01.html"]
    for name in (*old, *others, *young):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
        time = 1_773_000_000 if name in young else 1_580_000_000
        os.utime(file, (time, time))
    kept = archived(pipeline, folder, 'name = "%Y/%m/%d"\nexpire = "30d"')
    assert [name for name in kept if name not in (*others, *young)] == [
        "2026/03/14.html", "2026/03/14.json", "2026/03/14.txt",
    ]  # fmt: skip
    assert set(others + young) <= set(kept)
    assert not (folder / "2020/01").exists()  # it is empty


def test_old_files_of_the_default_names_are_removed(pipeline, tmp_path):
    old = ["2020-01-03.html", "2020-01-03.web1.txt", "2020-W03.html", "2020-01.json"]
    for name in (*old, "2020-01-03.zip", "report-2020-01-03.html"):
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, (1_580_000_000, 1_580_000_000))
    assert archived(pipeline, tmp_path, 'expire = "30d"') == [
        "2020-01-03.zip", "2026-03-14.html", "2026-03-14.json", "2026-03-14.txt",
        "report-2020-01-03.html",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ('name = "../%d"', 'name = "../%d" is no name of a file in the folder'),
        ('name = "/srv/%d"', 'name = "/srv/%d" is no name of a file in the folder'),
        ('name = "%Y/%m"', 'name = "%Y/%m" is the same on many days'),
        ("forms = []", "forms is empty"),
        ('forms = ["pdf"]', 'forms[0]: "pdf" is unknown (expected one of: "html", "txt", "json")'),
    ],
)
def test_options_that_cannot_be(pipeline, options, fault):
    with pytest.raises(UserError, match=re.escape(fault)):
        pipeline(CHAINS.format(report="") + f"[plugins.archive_report]\n{options}\n")
