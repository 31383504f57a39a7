"""The options that choose a part of a journal, for each command that reads: those of journalctl."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pyruse.cli import values
from pyruse.cli.stdout import echo
from pyruse.text import late_pattern, printable

if TYPE_CHECKING:
    from datetime import tzinfo

    from pyruse.config.settings import Settings
    from pyruse.journal.selection import Selection

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
R = TypeVar("R")

_PATH = click.Path(path_type=Path, readable=False)
"""What cannot be read is told of by those who read it."""


class JournalCommand(click.Command):
    """A command with `journal_options`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, with ``-b`` alone as ``-b 0``: click would take ``-b -1`` for two options."""
        return super().parse_args(ctx, _with_whole_boots(args))

    def invoke(self, ctx: click.Context) -> Any:
        """Do the work; if descriptors were short, say that not all was read, and exit with 1."""
        try:
            done = super().invoke(ctx)
        finally:
            is_short = any(chosen.is_short for chosen in ctx.meta.get(_CHOSEN, ()))
            if is_short:
                from pyruse.journal.shortage import NOT_ALL_READ

                echo(f"pyruse: {NOT_ALL_READ}", err=True)
        if is_short:
            sys.exit(1)
        return done


_CHOSEN = f"{__name__}.chosen"
"""What `selection` has given to a command: in the context's `meta`."""
_OFFSET = late_pattern(r"[-+]?[0-9]+\Z")


def _with_whole_boots(args: list[str]) -> list[str]:
    whole: list[str] = []
    for index, argument in enumerate(args):
        if argument == "--":
            return whole + args[index:]
        whole.append(argument)
        if argument in ("-b", "--boot"):
            following = args[index + 1] if index + 1 < len(args) else "-"
            if "=" in following or (following[:1] == "-" and not _OFFSET.match(following)):
                whole.append("0")
    return whole


def journal_options(command: F) -> F:
    """The options of journalctl that choose entries: by place, time, unit, program, field, text."""
    for decorator in (
        click.option(
            "--namespace", metavar="NAME", shell_complete=values.namespaces,
            help='The journal of a namespace; "*": all.',
        ),
        click.option(
            "--file", "files", multiple=True, metavar="FILE", type=_PATH,
            help="A journal file; several times, or with * in its name.",
        ),
        click.option(
            "-D", "--directory", metavar="DIR", type=_PATH,
            help="The journal files of a folder.",
        ),
        click.option(
            "-n", "--lines", "last", metavar="NUMBER",
            help="Only the newest entries that are selected.",
        ),
        click.option(
            "-g", "--grep", metavar="PATTERN",
            help="Entries with this in their message; small letters stand for capitals, too.",
        ),
        click.option(
            "-p", "--priority", metavar="LEVEL[..LEVEL]", shell_complete=values.levels,
            help='Entries as bad as this, or worse: "warning", 4; or from one to another.',
        ),
        click.option("-k", "--dmesg", "kernel", is_flag=True,
                     help="The kernel's entries of this boot (or of that of -b)."),
        click.option(
            "-t", "--identifier", "identifiers", multiple=True, metavar="NAME",
            shell_complete=values.identifiers,
            help="Entries of a program, by SYSLOG_IDENTIFIER; several times.",
        ),
        click.option(
            "-u", "--unit", "units", multiple=True, metavar="UNIT", shell_complete=values.units,
            help="Entries of a unit, and about it; several times, or with * in its name.",
        ),
        click.option(
            "-b", "--boot", metavar="[BOOT]",
            help="Entries of a boot: 0 (the default) is the newest, -1 the one before, or an ID.",
        ),
        click.option("-U", "--until", metavar="TIME", help="Entries up to a point in time."),
        click.option(
            "-S", "--since", metavar="TIME",
            help='Entries from a point in time on: "2026-03-14 10:00", "yesterday", "-2h", ….',
        ),
    ):  # fmt: skip
        command = decorator(command)
    return command


def matches_argument(command: F) -> F:
    """``FIELD=VALUE``, which chooses entries."""
    return click.argument(
        "matches", nargs=-1, metavar="[FIELD=VALUE]...", shell_complete=values.matches
    )(command)


def is_chosen(journal: dict[str, Any]) -> bool:
    """Whether a part of a journal was asked for by any of the options."""
    return any(value not in (None, (), False) for value in journal.values())


def tell_if_nothing(chosen: Selection, entries: int) -> None:
    """Say on standard error that no entry was selected: else, nothing would be shown at all."""
    if not entries:
        echo(
            f"pyruse: {printable(chosen.described)}: no entry is selected (expected other options "
            "for which entries: `pyruse stats` shows those that there are)",
            err=True,
        )


def selection(  # noqa: PLR0913 -- one for each option
    settings: Settings,
    *,
    since: str | None,
    until: str | None,
    boot: str | None,
    directory: Path | None,
    files: tuple[Path, ...],
    namespace: str | None,
    units: tuple[str, ...] = (),
    identifiers: tuple[str, ...] = (),
    kernel: bool = False,
    priority: str | None = None,
    grep: str | None = None,
    last: str | None = None,
    matches: tuple[str, ...] = (),
) -> Selection:
    """The part of a journal that the options choose; the configuration's journal by default.

    The ``matches`` are words of the form ``FIELD=VALUE``, paths of programs, and ``+``.

    :raises click.UsageError: they do not go together, or cannot be understood.
    """
    from msgspec.structs import replace

    from pyruse.journal import matches as of
    from pyruse.journal.selection import Selection

    if sum(1 for one in (directory, files, namespace) if one) > 1:
        raise click.UsageError("--directory, --file and --namespace: expected one of them at most")
    chosen = Selection.of(settings.journal)
    if directory or files or namespace:
        chosen = Selection(directory, _files(files), _namespaces(namespace))
    zone = settings.report.timezone.zone
    chosen = replace(
        chosen,
        since=_instant("--since", since, zone),
        until=_instant("--until", until, zone),
        boot="0" if kernel and boot is None else _boot(boot),
        units=list(units),
        grep=None if grep is None else _understood("--grep", of.pattern, grep),
        last=_number(last),
        groups=[
            *([of.KERNEL] if kernel else []),
            *([of.of_identifiers(identifiers)] if identifiers else []),
            *([_understood("--priority", of.of_priorities, priority)] if priority else []),
            *([_understood("", of.of_fields, matches)] if matches else []),
        ],
    )
    if chosen.since and chosen.until and chosen.since > chosen.until:
        raise click.UsageError("--since is after --until: expected them the other way round")
    if (context := click.get_current_context(silent=True)) is not None:
        context.meta.setdefault(_CHOSEN, []).append(chosen)
    return chosen


def _understood(option: str, parse: Callable[[T], R], value: T) -> R:
    try:
        return parse(value)
    except ValueError as fault:
        raise click.UsageError(f"{option}: {fault}" if option else str(fault)) from None


def _files(paths: tuple[Path, ...]) -> list[Path]:
    """The files that are named, or that a name with ``*`` stands for."""
    if not paths:
        return []
    from glob import glob, has_magic

    found: list[Path] = []
    for path in paths:
        matching = sorted(glob(str(path))) if has_magic(str(path)) and not path.exists() else []
        found += [Path(one) for one in matching] or [path]
    return found


def _namespaces(name: str | None) -> list[str]:
    """A namespace; ``+NAME`` is this one and the default one."""
    if name is None:
        return []
    return ["", name[1:]] if name.startswith("+") else [name]


def _number(text: str | None) -> int | None:
    if text is None or text == "all":
        return None
    if re.fullmatch(r"\+?[0-9]{1,9}", text):
        return int(text)
    raise click.UsageError(f'--lines: "{text}" is no number of entries (expected 10, or "all")')


def _instant(option: str, text: str | None, zone: tzinfo) -> int | None:
    if text is None:
        return None
    from pyruse.journal.when import parse_when
    from pyruse.times import now_us

    return _understood(option, lambda text: parse_when(text, now_us(), zone), text)


def _boot(text: str | None) -> str | None:
    if text is None:
        return None
    compact = text.replace("-", "") if len(text) > 32 else text
    is_id = len(compact) == 32 and set(compact.lower()) <= set("0123456789abcdef")
    if is_id or text.lstrip("+-").isdecimal():
        return compact.lower()
    raise click.UsageError(
        f'--boot: "{text}" is no boot (expected 0, -1, … or an ID of 32 hexadecimal digits)'
    )
