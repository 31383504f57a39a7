"""The tables of what authors of plugins see: a class by its source."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

_DIRECTIVE = re.compile(r"^:(param|raises|return) ?(\w*): ", re.MULTILINE)


class Member(NamedTuple):
    """A public attribute or method of a class."""

    name: str
    text: str
    """The name with its type, or the signature, as Python writes it."""
    documentation: str


def members(cls: type) -> list[Member]:
    """What authors may use of a class: its public attributes and methods, in the source's order."""
    [definition] = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(definition, ast.ClassDef)
    return [one for one in _members(definition.body) if not one.name.startswith("_")]


def _members(body: list[ast.stmt]) -> Iterator[Member]:
    for statement, following in pairwise([*body, ast.Pass()]):
        match statement:
            case ast.FunctionDef(name="__init__"):
                yield from _set_by_init(statement)
            case ast.FunctionDef():
                yield _function(statement)
            case ast.AnnAssign(target=ast.Name(id=name)) if not _is_class_variable(statement):
                yield Member(name, _declaration(statement), _text(following))


def _set_by_init(init: ast.FunctionDef) -> Iterator[Member]:
    for statement, following in pairwise([*init.body, ast.Pass()]):
        match statement:
            case ast.Assign(targets=[ast.Attribute(value=ast.Name("self"), attr=name)]):
                yield Member(name, name, _text(following))
            case ast.AnnAssign(target=ast.Attribute(value=ast.Name("self"), attr=name)):
                yield Member(name, f"{name}: {ast.unparse(statement.annotation)}", _text(following))


def _declaration(statement: ast.AnnAssign) -> str:
    """Name, type and default; a default that is made anew each time (``field(…)``) says nothing."""
    made = isinstance(statement.value, ast.Call) and ast.unparse(statement.value.func) == "field"
    if statement.value is None or made:
        return f"{ast.unparse(statement.target)}: {ast.unparse(statement.annotation)}"
    return ast.unparse(statement)


def _is_class_variable(statement: ast.AnnAssign) -> bool:
    return ast.unparse(statement.annotation).startswith("ClassVar")


def _text(statement: ast.stmt) -> str:
    """The text of a statement that is one, as stands below an attribute."""
    match statement:
        case ast.Expr(value=ast.Constant(value=str() as text)):
            return inspect.cleandoc(text)
    return ""


def _function(function: ast.FunctionDef) -> Member:
    documentation = ast.get_docstring(function) or ""
    gives = "" if function.returns is None else ast.unparse(function.returns)
    if any(isinstance(one, ast.Name) and one.id == "property" for one in function.decorator_list):
        return Member(function.name, f"{function.name}: {gives}", documentation)
    arguments = function.args
    arguments.args = arguments.args[1:]  # self
    # A default stands apart from an annotation, and texts are in the quotes of the project.
    spaced = re.sub(r"(?<=[\w\]])=", " = ", ast.unparse(arguments)).replace("'", '"')
    signature = f"{function.name}({spaced})"
    text = signature if gives == "None" else f"{signature} -> {gives}"
    return Member(function.name, text, documentation)


def table(cls: type) -> str:
    """The public members of a class as a table in Markdown."""
    told = members(cls)
    rows = [f"| `{_cell(one.text)}` | {_cell(_in_a_line(one.documentation))} |" for one in told]
    what = (
        "attribute"
        if not any(re.match(r"\w+\(", one.text) for one in told)
        else "attribute or method"
    )
    return "\n".join([f"| {what} | what it is |", "|---|---|", *rows])


def _in_a_line(documentation: str) -> str:
    """A docstring with its directives, without line breaks."""
    text, *parts = _DIRECTIVE.split(documentation)
    lines = [" ".join(text.split())]
    for kind, what, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        words = {"param": f"`{what}`", "raises": f"Raises `{what}`", "return": "Gives"}[kind]
        lines.append(f"{words}: {' '.join(body.split())}")
    return "<br>".join(line for line in lines if line)


def _cell(text: str) -> str:
    return re.sub(r"(?<!`)``(?!`)", "`", text).replace("|", r"\|")
