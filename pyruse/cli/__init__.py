"""The commands of the program `pyruse`, and what they share."""

from __future__ import annotations

import importlib
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyruse.cli.stdout import apart
from pyruse.errors import ConfigError, FaultsError, UserError, did_you_mean
from pyruse.text import printable
from pyruse.version import VERSION

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "init": ("init", "Write the first configuration of this machine."),
    "run": ("run", "Follow the journal: the daemon."),
    "check": ("check", "Check the configuration."),
    "replay": ("replay", "Show what would have happened with past entries."),
    "explain": ("explain", "Show an entry's way through the chains, step by step."),
    "status": ("status", "Show how Pyruse is doing: lag, outbox, bans, faults."),
    "report": ("report", "Show, or send, the report of a day again."),
    "outbox": ("outbox", "List what is to leave Pyruse, or could not; try it again, or drop it."),
    "test-mail": ("testmail", "Send a mail the way that reports go: does it arrive?"),
    "kinds": ("kinds", "List the kinds of what was reported; mute some."),
    "bans": ("bans", "List bans; export, import and tear them down."),
    "ban": ("ban", "Ban addresses or networks by hand."),
    "unban": ("unban", "Lift bans."),
    "stats": ("stats", "Count entries by identifier and priority: what to write chains for."),
    "try": ("try_", "Try a pattern, a chain or rules on past entries, or on a text."),
    "rules": ("rules", "List the rules that are installed: what Pyruse knows of programs."),
    "plugins": ("plugins", "List the plugins that are installed, and their options."),
    "install": ("install", "Install a package of plugins beside this Pyruse; or list them."),
    "uninstall": ("uninstall", "Remove a package of plugins."),
    "schema": ("schema", "Print the JSON schema of the configuration, for editors."),
    "new-plugin": ("new_plugin", "Write a package for a plugin of your own, of any kind."),
    "completion": ("completion", "Print the script by which a shell completes these commands."),
    "import": ("import_", "Turn the configuration of another program into one of Pyruse's."),
    "demo": ("demo", "Show what Pyruse does, on a sample journal."),
}
"""Each command with its module and what the overview says of it: so that `pyruse --help`, and every
other command, need not import them all."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"pyruse.cli.commands.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        if cmd_name != "run" and command.callback is not None:
            command.callback = apart(command.callback)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        is_typing = ctx.resilient_parsing
        if args and args[0] not in COMMANDS and not args[0].startswith("-") and not is_typing:
            raise click.UsageError(
                f'there is no command "{args[0]}" (expected one of: {", ".join(COMMANDS)}'
                f"{did_you_mean(args[0], COMMANDS)})",
                ctx,
            )
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands, without importing them all."""
        from click.shell_completion import CompletionItem

        if incomplete[:1] == "-":
            return click.Command.shell_complete(self, ctx, incomplete)
        return [
            CompletionItem(name, help=text)
            for name, (_, text) in COMMANDS.items()
            if name.startswith(incomplete)
        ]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _show_version(ctx: click.Context, _option: click.Parameter, is_wanted: bool) -> None:
    """Say which versions are at work, and exit."""
    if not is_wanted or ctx.resilient_parsing:
        return
    from pyruse.system.native import at_work, refusal

    native = at_work()
    click.echo(f"pyruse {VERSION}" + (f", entries by {native}" if native else ""))
    if fault := refusal():
        click.echo(f"pyruse: {fault}", err=True)
    ctx.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version,
    help="Show the version and exit.",
)  # fmt: skip
@click.option(
    "-c", "--config", metavar="PATH", type=click.Path(path_type=Path, readable=False),
    help="The configuration: a file or a folder. May stand behind the command, too.",
)  # fmt: skip
def _pyruse(config: Path | None) -> None:
    """Peruse the systemd journal: chains of filters and actions, in one pass.

    The configuration is read from /etc/pyruse (or from PYRUSE_CONFIG).
    """


def program() -> click.Group:
    """The program, with all its commands."""
    return _pyruse


def main() -> None:
    """Run a command; exits with 0 (done), 1 (the work failed) or 2 (usage or configuration)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What the locale's encoding has no letter for is shown as an escape.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        _pyruse(prog_name="pyruse")
    except FaultsError as fault:
        for line in fault.faults:
            click.echo(printable(line), err=True)
        sys.exit(2 if isinstance(fault, ConfigError) else 1)
    except UserError as fault:
        click.echo(f"pyruse: {printable(str(fault))}", err=True)
        sys.exit(1)
    except BrokenPipeError:  # `pyruse … | head`
        sys.stderr.close()
        sys.exit(1)
