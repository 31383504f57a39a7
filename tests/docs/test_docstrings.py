"""Docstrings begin with a sentence, in reST.

Those of public functions describe all parameters or none: half a list looks like a whole one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT

FOLDERS = [ROOT / "pyruse", ROOT / "plugins" / "pyruse_plugins"]
FILES = sorted(file for folder in FOLDERS for file in folder.rglob("*.py"))

_PARAM = re.compile(r":param (\w+):")
_ODD = re.compile(r":(?:parameter|arg|type|rtype|returns|raise|except)\b[^`]*?:")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.Module) -> Iterator[Function]:
    """Every function and method, also those within others."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def faults(function: Function) -> Iterator[str]:
    """What is wrong with its docstring."""
    text = ast.get_docstring(function)
    if text is None:
        return
    if text.startswith(":"):
        yield "begins with a field (expected a sentence)"
    if odd := _ODD.search(text):
        yield f"{odd[0]} (expected :param NAME:, :return: or :raises ERROR:)"
    described = _PARAM.findall(text)
    spec = function.args
    taken = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, spec.vararg, spec.kwarg]
    names = [one.arg for one in taken if one is not None]
    if unknown := [name for name in described if name not in names]:
        yield f"describes {unknown}, which it does not take"
    elif function.name.startswith("_"):
        return
    elif described and (
        missing := [name for name in names if name not in (*described, "self", "cls")]
    ):
        yield f"describes some parameters, but not {missing} (expected all or none)"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_docstrings(file: Path) -> None:
    tree = ast.parse(file.read_text("utf-8"))
    found = [
        f"{file.relative_to(ROOT)}:{function.lineno}: {function.name}: {fault}"
        for function in functions(tree)
        for fault in faults(function)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ('""":raises ValueError: it is none."""', "begins with a field"),
        ('"""Do it.\n\n    :param c: what.\n    """', "describes ['c']"),
        ('"""Do it.\n\n    :param a: what.\n    """', "describes some parameters, but not ['b']"),
        ('"""Do it.\n\n    :returns: what.\n    """', ":returns: (expected"),
    ],
)
def test_what_is_wrong_is_seen(source: str, fault: str) -> None:
    (function,) = functions(ast.parse(f"def f(a, *, b=1):\n    {source}\n"))
    assert [found[: len(fault)] for found in faults(function)] == [fault]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_constants_are_documented_by_a_string_after_them(file: Path) -> None:
    assert [line for line in file.read_text("utf-8").splitlines() if re.match(r" *#: ", line)] == []
