"""Each command has a help that is short, with an example that the command takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from pyruse.cli import COMMANDS, program

_LONGEST = 75
"""Lines: so much fits on two screens."""


def commands() -> Iterator[tuple[str, ...]]:
    """The names of all commands, those of groups included."""
    ctx = click.Context(program())
    for name in COMMANDS:
        yield (name,)
        command = program().get_command(ctx, name)
        if isinstance(command, click.Group):
            yield from ((name, one) for one in command.list_commands(ctx))


@pytest.mark.parametrize("names", list(commands()), ids=" ".join)
def test_help(pyruse, names):
    done = pyruse(*names, "--help")
    assert done.code == 0
    lines = done.out.splitlines()
    assert len(lines) <= _LONGEST
    assert max(map(len, lines)) <= 100
    examples = [line.strip() for line in lines if re.match(r"  (\S.* )?pyruse ", line)]
    mine = [one for one in examples if f"pyruse {' '.join(names)}" in one]
    assert mine, "expected an example"
    for example in examples:
        parse(example)


def parse(example: str) -> None:
    """See that a command takes the words of an example.

    :raises click.UsageError: it does not.
    """
    calls = [
        one for one in re.split(r" (?:\||&&|>) ", example) if one.strip().startswith("pyruse ")
    ]
    for call in calls:
        context = program().make_context("pyruse", shlex.split(call)[1:])
        while isinstance(context.command, click.Group):
            words = context._protected_args + context.args
            name, command, rest = context.command.resolve_command(context, words)
            assert command is not None
            context = command.make_context(name, list(rest), parent=context)
