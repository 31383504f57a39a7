"""Options that several commands have, and what they stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pyruse.cli.stdout import echo, stdout
from pyruse.errors import UserError
from pyruse.text import printable

if TYPE_CHECKING:
    from pyruse.config.load import Configuration
    from pyruse.config.settings import Settings

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


def configuration(path: Path | None, *, whole: bool = True) -> Configuration:
    """Load the configuration, and say on standard error what is wrong with installed plugins.

    :param path: of the file or folder.
    :param whole: see `pyruse.config.load.configure`.
    :raises ConfigError: it has faults.
    """
    import gc

    from pyruse.config.load import load

    gc.disable()  # what is made here stays, but would be looked at again and again
    try:
        loaded = load(path, whole=whole)
    finally:
        gc.enable()
    for notice in loaded.notices:
        echo(f"pyruse: {printable(notice)}", err=True)
    return loaded


def sound_configuration(path: Path | None) -> Configuration:
    """Load the configuration, for commands that look, or lift; of a faulty one, what is sound.

    Its faults are said on standard error. There are no chains then.

    :raises ConfigError: there is none, or nobody can tell which state it is about.
    """
    from pyruse.errors import ConfigError

    try:
        return configuration(path)
    except ConfigError:
        from pyruse.config.load import load_sound

        loaded = load_sound(path)
        warn(loaded.settings.faults)
        return loaded


def settings_if_any(path: Path | None) -> Settings:
    """The settings, for commands that only read a journal: without any, those of this machine.

    :raises ConfigError: the configuration that was named has faults.
    """
    from pyruse.config.load import load
    from pyruse.config.settings import Settings
    from pyruse.errors import ConfigError

    try:
        return load(path).settings
    except ConfigError:
        if path is not None:
            raise
        return Settings()


def settings_alone(path: Path | None) -> Settings:
    """Load the settings, for commands that look at the state: a fault in a chain does not matter.

    Other faults are said on standard error, and the rest is used.

    :raises ConfigError: there are none, or nobody can tell which state they are about.
    """
    from pyruse.config.sections import sound_settings

    settings = sound_settings(path)
    warn(settings.faults)
    return settings


def warn(faults: Iterable[str]) -> None:
    """Say on standard error what is wrong with a configuration of which the rest is used."""
    told = [printable(fault) for fault in faults]
    for fault in told:
        echo(fault, err=True)
    if told:
        echo(
            "pyruse: the configuration has faults: this command makes do with the rest of it "
            "(expected none: see `pyruse check`)",
            err=True,
        )


def existing_state(settings: Settings) -> str:
    """The path of the state.

    :raises UserError: there is none yet.
    """
    from pyruse.cli.rights import see_that_readable

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
