"""The language of fail2ban's files: what counts over what, and what is put in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pyruse.importers.fail2ban.definitions import Definition
from pyruse.importers.fail2ban.faults import Unreadable
from pyruse.importers.fail2ban.files import Folder
from pyruse.importers.fail2ban.option_lists import read_all, read_one
from pyruse.importers.findings import Findings

Write = Callable[[str, str], None]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path, Findings())


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, text: str) -> None:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    return write


# Files


def test_local_files_and_those_of_the_folder_count_over_the_main_one(folder, write):
    write("jail.conf", "[a]\nx = conf\n")
    write("jail.d/2.conf", "[a]\nx = 2.conf\n")
    write("jail.d/1.conf", "[a]\nx = 1.conf\ny = 1.conf\n")
    write("jail.local", "[a]\nz = local\n")
    write("jail.d/3.local", "[a]\nz = 3.local\n")
    values = folder.values("jail")
    assert [values.get("a", name) for name in "xyz"] == ["2.conf", "1.conf", "3.local"]
    assert values.address("a", "y") == "jail.d/1.conf: [a].y"


def test_what_is_included_before_counts_less_and_after_more(folder, write):
    write(
        "jail.conf", "[INCLUDES]\nbefore = b.conf\nafter = a.conf\n  gone.conf\n[s]\nx = 2\ny = 2\n"
    )
    write("b.conf", "[s]\nx = 1\nw = 1\n")
    write("b.local", "[s]\nw = b.local\n")
    write("a.conf", "[s]\ny = 3\n")
    values = folder.values("jail")
    assert [values.get("s", name) for name in "wxy"] == ["b.local", "2", "3"]
    assert folder.findings.notes == []


def test_files_that_include_each_other_end(folder, write):
    write("jail.conf", "[INCLUDES]\nbefore = b.conf\n[s]\nx = 1\n")
    write("b.conf", "[INCLUDES]\nbefore = jail.conf\n[s]\nx = 2\ny = 2\n")
    values = folder.values("jail")
    assert [values.get("s", name) for name in "xy"] == ["1", "2"]


def test_a_chain_of_includes_has_an_end(folder, write):
    for number in range(60):
        write(f"{number}.conf", f"[INCLUDES]\nbefore = {number + 1}.conf\n[s]\nx = {number}\n")
    assert folder.values("0").get("s", "x") == "0"
    assert folder.findings.notes == ["21.conf: included 20 files deep; left out"]


def test_a_file_of_more_than_a_mebibyte_is_left_out(folder, write):
    write("jail.conf", "[s]\nx = 1\n")
    write("jail.local", "[s]\nx = " + "2" * (1 << 20))
    assert folder.values("jail").get("s", "x") == "1"
    assert folder.findings.notes == ["jail.local: is larger than 1,048,576 bytes; left out"]


def test_comments_are_no_part_of_values(folder, write):
    write(
        "jail.conf",
        "[s]\nx = a ; not this\n  # nor this\n  b\n; nor this\ny = c;d\n\nz =\n  1\n\n  2\n",
    )
    values = folder.values("jail")
    assert [values.get("s", name) for name in "xyz"] == ["a\nb", "c;d", "\n1\n\n2"]


# %(name)s


def get(folder: Folder, option: str) -> str | None:
    return folder.values("jail").get("s", option)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("of_default", "default-s"),
        ("of_section", "mine"),
        ("deep", "<mine>"),
        ("other", "other-default-s"),
        ("default", "default-s"),
        ("percent", "100% %(x)s"),
        ("Capitals", "MINE"),
        ("old", "old and new"),
    ],
)
def test_names_are_put_in(folder, write, option, value):
    write(
        "jail.conf",
        "[DEFAULT]\nd = default-%(__name__)s\nx = default x\nof_default = %(d)s\n"
        "[s]\nold = old\nx = mine\nof_section = %(X)s\ndeep = <%(of_section)s>\n"
        "other = %(t/x)s-%(d)s\ndefault = %(default/d)s\npercent = 100%% %%(x)s\nCAPITALS = MINE\n"
        "[t]\nx = other\n",
    )
    write("jail.local", "[s]\nold = %(known/old)s and new\n")
    assert get(folder, option) == value


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("x = %(y)s", "%(y)s is said nowhere"),
        ("x = %(y)s\ny = %(x)s", "a value is put into itself, or too deep into others"),
        ("x = 50%", '"%" is followed by neither "%" nor "(NAME)s"'),
        (  # twenty of twenty of twenty …
            "x = %(x2)s\n" + "".join(f"x{n} = " + f"%(x{n + 1})s" * 20 + "\n" for n in range(2, 18))
            + "x18 =",
            "becomes longer than 1,048,576 characters",
        ),
        (
            "x = " + "%(a)s" * 40 + "\na = " + "%(b)s" * 40 + "\nb = " + "%(c)s" * 40 + "\nc = "
            + "c" * 40,
            "becomes longer than 1,048,576 characters",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_put_in_is_told_with_file_section_and_option(folder, write, text, fault):
    write("jail.conf", f"[s]\n{text}\n")
    with pytest.raises(Unreadable) as error:
        get(folder, "x")
    assert str(error.value).startswith("jail.conf: [s].")
    assert str(error.value).endswith(fault)


# <name>


def definition(folder: Folder, **given: str) -> Definition:
    return Definition(folder.values("filter.d/f"), given, {"maxretry": "7"})


@pytest.mark.parametrize(
    ("given", "option", "value"),
    [
        ({}, "plain", "b-HOST-<HOST>"),
        ({"b": "given"}, "plain", "given-HOST-<HOST>"),
        ({}, "nested", "one"),
        ({"mode": "two"}, "nested", "b"),
        ({"mode": "three"}, "nested", "<re-three>"),
        ({}, "init", "initial"),
        ({"i": "given"}, "init", "given"),
        ({"i": "given"}, "known", "initial given"),
        ({}, "section", "S one"),
        ({}, "of_jail", "7"),
        ({}, "missing", None),
    ],
)
def test_parameters_are_put_in(folder, write, given, option, value):
    write(
        "filter.d/f.conf",
        "[Definition]\nb = b\nplain = <b>-HOST-<HOST>\nmode = one\nnested = <re-<mode>>\n"
        "re-one = one\nre-two = <b>\ninit = <i>\nknown = <known/i> <i>\nsection = <t/x>\n"
        "of_jail = %(maxretry)s\n[Init]\ni = initial\n[t]\nx = S <mode>\n",
    )
    assert definition(folder, **given).get(option) == value


@pytest.mark.parametrize(
    "text", ["x = <x>a", "x = <y>\ny = a<x>", "x = <y><y>\ny = <z><z>\nz = <x><x>"]
)
def test_parameters_that_never_end_are_told(folder, write, text):
    write("filter.d/f.conf", f"[Definition]\n{text}\n")
    with pytest.raises(Unreadable, match=r"^filter.d/f.conf: \[Definition\].x: <.> is put in for"):
        definition(folder).get("x")


# name[option=value]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a", [("a", {})]),
        ("a[]", [("a", {})]),
        ("a[x=1]", [("a", {"x": "1"})]),
        ('a[x="1, 2]", y=\'"3"\']', [("a", {"x": "1, 2]", "y": '"3"'})]),
        ("a[x=1][y=2]", [("a", {"x": "1", "y": "2"})]),
        ("a[x = 1 ,\n  y=two words]\n b", [("a", {"x": "1", "y": "two words"}), ("b", {})]),
        ("a[bantime.x-y=1d 2h]", [("a", {"bantime.x-y": "1d 2h"})]),
        ("", []),
    ],
)
def test_names_with_options(text, found):
    assert read_all(text) == found


@pytest.mark.parametrize("text", ["a[x", "a[x=1", "a[=1]", 'a[x="1" 2]', "[x=1]"])
def test_faulty_names_with_options(text):
    with pytest.raises(ValueError, match=r"."):
        read_all(text)


def test_a_jail_has_one_filter():
    with pytest.raises(ValueError, match=r"^2 names \(expected one\)$"):
        read_one("a b")
