"""Standard output is the command's alone: what plugins print goes to standard error.

So `--format json` stays JSON, whatever a plugin does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from contextvars import ContextVar
from functools import wraps
from typing import Any, TextIO

import click

_STDOUT: ContextVar[TextIO | None] = ContextVar("stdout", default=None)
"""Of the process, while `sys.stdout` is standard error; None: it is not."""


def stdout() -> TextIO:
    """Standard output, for what a command has to say."""
    return _STDOUT.get() or sys.stdout


def echo(message: str | bytes = "", *, nl: bool = True, err: bool = False) -> None:
    """Print a line.

    :param message: the line; bytes are printed as they are.
    :param nl: end it.
    :param err: print it to standard error.
    """
    click.echo(message, nl=nl, err=err, file=None if err else stdout())


def apart(command: Callable[..., Any]) -> Callable[..., Any]:
    """Have all but `echo` and `stdout` print to standard error while a command is at work."""
    if getattr(command, "is_apart", False):
        return command

    @wraps(command)
    def at_work(*arguments: Any, **options: Any) -> Any:
        before = _STDOUT.set(sys.stdout)
        try:
            with redirect_stdout(sys.stderr):
                return command(*arguments, **options)
        finally:
            _STDOUT.reset(before)

    at_work.is_apart = True  # type: ignore[attr-defined]
    return at_work
