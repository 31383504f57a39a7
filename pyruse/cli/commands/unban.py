"""``pyruse unban``."""

from __future__ import annotations

from pathlib import Path

import click

from pyruse.cli import values
from pyruse.cli.options import config_option, sound_configuration
from pyruse.cli.stdout import echo


@click.command("unban")
@config_option
@click.argument("networks", metavar="[NETWORK]...", nargs=-1, shell_complete=values.banned)
@click.option("--all", "everybody", is_flag=True, help="Lift all the bans.")
@click.option("--label", shell_complete=values.labels, help="Lift only the bans of this label.")
def command(
    config: Path | None, networks: tuple[str, ...], everybody: bool, label: str | None
) -> None:
    """Lift the bans of addresses, or of networks and all addresses in them.

    Works at once, whether the daemon runs or not. A ban of a broader network stays, since it is
    about others, too: the command names it.

    A faulty configuration keeps nobody closed out: the command says what is wrong with it, and does
    its work with the rest.

    \b
    pyruse unban 203.0.113.7
    """  # noqa: D301 -- click takes this one character for "as it stands"
    from pyruse.addresses import network_text
    from pyruse.bans.orders import UnbanOrder
    from pyruse.cli.commands.ban import checked_label, parse_networks
    from pyruse.cli.ordering import MOST_SHOWN, carry_out, finish

    if bool(networks) == everybody:
        raise click.UsageError("expected addresses or networks, or --all")
    label = None if label is None else checked_label(label)
    texts = None if everybody else [network_text(one) for one in parse_networks(networks)]
    answer = carry_out(sound_configuration(config), UnbanOrder(texts, label))
    for done in answer.done[:MOST_SHOWN]:
        echo(f"{done}: no longer banned")
    if len(answer.done) > MOST_SHOWN:
        echo(f"and {len(answer.done) - MOST_SHOWN:,} more")
    if everybody and not answer.done and not answer.refused:
        echo("nobody is banned")
    if not everybody:
        for known in answer.unchanged:
            echo(f"{known}: is not banned")
    for network, around in answer.around:
        echo(
            f"{network}: still closed out with {around}, which is banned as a whole (to lift that: "
            f"pyruse unban {around})",
            err=True,
        )
    finish(answer, "still closed out")
