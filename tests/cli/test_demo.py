"""``pyruse demo``: what people see first."""

from __future__ import annotations


def test_a_day_of_a_small_server(process, tmp_path):
    done = process("demo")
    assert (done.code, done.err) == (0, "")
    assert "Bans that there would have been: " in done.out
    assert "\n\nThe report as HTML: " in done.out
    first, last = done.out.splitlines()[0], done.out.rpartition("\n\n")[2].splitlines()
    assert first.startswith("aubergine, Saturday 2026-03-14: ")
    assert last[0] == first, "the verdict is the last thing to be read"
    html = (tmp_path / "pyruse-demo.html").read_text()
    assert html.lstrip().lower().startswith("<!doctype html>")
    assert [file.name for file in tmp_path.iterdir()] == ["pyruse-demo.html"]


def test_its_configuration_has_no_faults(pyruse, tmp_path):
    done = pyruse("demo", "--show-config")
    assert (done.code, done.err) == (0, "")
    file = tmp_path / "demo.toml"
    file.write_text(done.out)
    assert pyruse("check", "-c", file).code == 0


def test_a_place_where_nothing_can_be_written(pyruse, tmp_path):
    done = pyruse("demo", "-o", tmp_path / "nowhere" / "x.html")
    assert done.code == 1
    assert done.err == (
        f"pyruse: {tmp_path}/nowhere/x.html: cannot be written: No such file or directory "
        "(expected a place for the report; another one is chosen with -o FILE)\n"
    )
