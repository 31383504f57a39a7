"""Plugins use what is promised, and nothing else: names of what they are given, and imports.

What is promised stands in tables of docs/hooks.md and docs/writing-plugins.md, made from the same
classes.
mypy sees the rest: a Protocol has no other names. But `Entry` and `Report` are classes, and Python
stops nobody.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, MutableMapping
from pathlib import Path

import pytest

from pyruse import Context, Counters, Entry, Observer, Report, Table
from tests.conftest import ROOT
from tools.api_docs import members

BUILT_IN = sorted((ROOT / "plugins").rglob("*.py"))
CONTRIB = sorted((ROOT / "pyruse-contrib").rglob("*.py"))

_MAPPING = {name for name in dir(MutableMapping) if not name.startswith("_")}
PROMISED: dict[str, set[str]] = {
    **{
        cls.__name__: {member.name for member in members(cls)}
        for cls in (Context, Counters, Observer, Report, Table)
    },
    Entry.__name__: {member.name for member in members(Entry)} | _MAPPING,
}
"""By the name of the type, the names that plugins may use of its objects."""

Typed = dict[str, str]
"""By an expression such as ``entry`` or ``self._observer``, the name of its type."""


def faults(source: str) -> list[str]:
    """Which names a plugin uses that are not promised."""
    found = []
    for scope in ast.walk(ast.parse(source)):
        if isinstance(scope, ast.ClassDef | ast.FunctionDef):
            for known, name, line in _uses(scope):
                if name not in PROMISED[known]:
                    found.append(f"{line}: {name} of {known}")
    return sorted(set(found))


def _uses(scope: ast.ClassDef | ast.FunctionDef) -> Iterator[tuple[str, str, int]]:
    """The attributes that are looked up: of which type, which one, and in which line."""
    typed = _typed(scope)
    for node in ast.walk(scope):
        if isinstance(node, ast.Attribute):
            known = typed.get(ast.unparse(node.value))
            if known is not None:
                yield known, node.attr, node.lineno


def _typed(scope: ast.ClassDef | ast.FunctionDef) -> Typed:
    """What is known of the types in a function, or of the attributes of a class."""
    functions = [one for one in ast.walk(scope) if isinstance(one, ast.FunctionDef)]
    if isinstance(scope, ast.ClassDef):
        return {
            expression: known
            for function in functions
            for expression, known in _assigned(function, _arguments(function)).items()
            if expression.startswith("self.")
        }
    arguments = _arguments(scope)
    return arguments | _assigned(scope, arguments)


def _arguments(function: ast.FunctionDef) -> Typed:
    arguments = [*function.args.args, *function.args.kwonlyargs]
    return {
        one.arg: known
        for one in arguments
        if one.annotation is not None and (known := _named(one.annotation)) is not None
    }


def _assigned(function: ast.FunctionDef, known: Typed) -> Typed:
    """What is given another name: ``self._observer = observer``, ``table = context.table(…)``."""
    found: Typed = {}
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[target], value=value):
                was = _type_of(value, known)
                if was is not None:
                    found[ast.unparse(target)] = was
            case ast.AnnAssign(target=target, annotation=annotation):
                was = _named(annotation)
                if was is not None:
                    found[ast.unparse(target)] = was
    return found


def _type_of(value: ast.expr, known: Typed) -> str | None:
    match value:
        case ast.Call(func=ast.Attribute(value=of, attr="table")):
            return "Table" if _type_of(of, known) == "Context" else None
        case ast.Attribute(value=of, attr="counters" | "observer" as name):
            return name.capitalize() if _type_of(of, known) == "Context" else None
    return known.get(ast.unparse(value))


def _named(annotation: ast.expr) -> str | None:
    text = ast.unparse(annotation).strip("'\"").removesuffix(" | None")
    return text if text in PROMISED else None


def imports(source: str) -> list[str]:
    """The modules of Pyruse that a file imports."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.ImportFrom(module=str() as module, level=0):
                found.append(module)
            case ast.Import(names=names):
                found += [one.name for one in names]
    return [one for one in found if one.partition(".")[0] == "pyruse"]


def _name(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("file", [*BUILT_IN, *CONTRIB], ids=_name)
def test_plugins_use_the_names_that_are_promised(file: Path) -> None:
    assert faults(file.read_text("utf-8")) == []


@pytest.mark.parametrize("file", BUILT_IN, ids=_name)
def test_built_in_plugins_import_what_pyruse_exports(file: Path) -> None:
    assert set(imports(file.read_text("utf-8"))) <= {"pyruse"}


@pytest.mark.parametrize("file", CONTRIB, ids=_name)
def test_contributed_packages_and_their_tests_use_the_public_door(file: Path) -> None:
    assert set(imports(file.read_text("utf-8"))) <= {"pyruse", "pyruse.testing"}


def test_files_are_looked_at() -> None:
    assert len(BUILT_IN) > 30
    assert len({file.relative_to(ROOT / "pyruse-contrib").parts[0] for file in CONTRIB}) == 8


SOURCE = """
class Step:
    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def match_entry(self, entry: Entry, context: Context) -> bool:
        entry._known["_UID"] = 0
        table = context.table("mine")
        table.changes()
        context.counters.count("c", "k", at=entry.time_us)
        context._services.state
        return entry.pop("x") is self._observer._state

def shown(report: Report | None, counters: Counters):
    report.render()
    counters.expire(0)
    mine.expire(0)
"""


def test_a_name_that_is_not_promised_is_found() -> None:
    assert [line.partition(": ")[2] for line in faults(SOURCE)] == [
        "_services of Context", "_state of Observer", "render of Report", "expire of Counters",
        "_known of Entry", "changes of Table",
    ]  # fmt: skip


def test_a_private_import_is_found() -> None:
    source = (
        "from pyruse import Entry\nimport pyruse.errors\nfrom pyruse.state.tables import Table\n"
    )
    assert imports(source) == ["pyruse", "pyruse.errors", "pyruse.state.tables"]
