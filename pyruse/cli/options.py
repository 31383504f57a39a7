"""Options that several commands have, and what they stand for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import tzinfo
from pathlib import Path
from typing import Any, TypeVar

import click

from pyruse.cli.rights import see_that_readable
from pyruse.cli.stdout import echo, stdout
from pyruse.config.load import Configuration, load
from pyruse.config.settings import Settings
from pyruse.errors import UserError
from pyruse.journal.selection import Selection
from pyruse.text import printable
from pyruse.times import now_us

F = TypeVar("F", bound=Callable[..., Any])

_PATH = click.Path(path_type=Path, readable=False)
"""What cannot be read is told of by those who read it."""


def config_option(command: F) -> F:
    """``-c/--config``."""
    return click.option(
        "-c",
        "--config",
        type=_PATH,
        callback=_config_of,
        help="A configuration file, or a folder with pyruse.toml and conf.d (default: "
        "PYRUSE_CONFIG, or /etc/pyruse).",
    )(command)


def _config_of(ctx: click.Context, _: click.Parameter, path: Path | None) -> Path | None:
    """The configuration that was chosen, be it before the command (`pyruse -c PATH check`)."""
    before: Path | None = ctx.find_root().params.get("config")
    return before if path is None else path


class JournalCommand(click.Command):
    """A command with `journal_options`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, with ``-b`` alone as ``-b 0``: click would take ``-b -1`` for two options."""
        return super().parse_args(ctx, _with_whole_boots(args))


_OFFSET = re.compile(r"[-+]?[0-9]+\Z")


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
    """``--since --until --boot --directory --file --namespace``, as journalctl has them."""
    for decorator in (
        click.option("--namespace", metavar="NAME", help="The journal of a namespace."),
        click.option(
            "--file", "files", multiple=True, metavar="FILE", type=_PATH,
            help="A journal file; may be given several times.",
        ),
        click.option(
            "-D", "--directory", metavar="DIR", type=_PATH,
            help="The journal files of a folder.",
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


def selection(  # noqa: PLR0913 -- one for each option
    settings: Settings,
    *,
    since: str | None,
    until: str | None,
    boot: str | None,
    directory: Path | None,
    files: tuple[Path, ...],
    namespace: str | None,
) -> Selection:
    """The part of a journal that the options choose; the configuration's journal by default.

    :raises click.UsageError: they do not go together, or cannot be understood.
    """
    if sum(1 for one in (directory, files, namespace) if one) > 1:
        raise click.UsageError("--directory, --file and --namespace: expected one of them at most")
    chosen = Selection.of(settings.journal)
    if directory or files or namespace:
        chosen = Selection(directory, list(files), [namespace] if namespace else [])
    zone = settings.report.timezone.zone
    chosen = replace(
        chosen,
        since=_instant("--since", since, zone),
        until=_instant("--until", until, zone),
        boot=_boot(boot),
    )
    if chosen.since and chosen.until and chosen.since > chosen.until:
        raise click.UsageError("--since is after --until: expected them the other way round")
    return chosen


def _instant(option: str, text: str | None, zone: tzinfo) -> int | None:
    if text is None:
        return None
    from pyruse.journal.when import parse_when

    try:
        return parse_when(text, now_us(), zone)
    except ValueError as fault:
        raise click.UsageError(f"{option}: {fault}") from None


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


def configuration(path: Path | None) -> Configuration:
    """Load the configuration, and say on standard error what is wrong with installed plugins.

    :raises ConfigError: it has faults.
    """
    loaded = load(path)
    for notice in loaded.notices:
        echo(f"pyruse: {printable(notice)}", err=True)
    return loaded


def existing_state(settings: Settings) -> str:
    """The path of the state.

    :raises UserError: there is none yet.
    """
    path = settings.state.url.path
    try:
        Path(path).stat()
    except FileNotFoundError:
        raise UserError(
            f"{path}: there is no state yet (expected that `pyruse run` has run)"
        ) from None
    except OSError:
        pass  # said next
    see_that_readable(path)
    return path


def on_terminal() -> bool:
    """Whether standard output is a terminal: a person reads it, with colours and tables."""
    return stdout().isatty()
