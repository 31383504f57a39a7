"""``pyruse ban``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyruse.cli import values
from pyruse.cli.options import config_option, configuration
from pyruse.cli.stdout import echo
from pyruse.errors import UserError
from pyruse.text import encodable, printable

if TYPE_CHECKING:
    from pyruse.addresses import Network
    from pyruse.bans.orders import Where
    from pyruse.options.durations import Duration


@click.command("ban")
@config_option
@click.argument("networks", metavar="NETWORK...", nargs=-1, required=True)
@click.option(
    "--for", "duration", metavar="DURATION", help='Such as "1d", or seconds; else, for ever.'
)
@click.option(
    "--ports", metavar="PORTS", help='Only these, such as "25,465" or "1000-2000" (TCP and UDP).'
)
@click.option("--protocol", help="Only this protocol, or its ports: tcp, udp, icmp, ….")
@click.option(
    "--label",
    shell_complete=values.labels,
    default="manual",
    show_default=True,
    help="What the ban is called.",
)
@click.option(
    "--force", is_flag=True,
    help="Also where your own session comes from, and networks broader than a /8 (IPv6: /16).",
)  # fmt: skip
def command(  # noqa: PLR0913 -- one for each option
    config: Path | None,
    networks: tuple[str, ...],
    duration: str | None,
    ports: str | None,
    protocol: str | None,
    label: str,
    force: bool,
) -> None:
    """Ban addresses or networks by hand.

    Works at once, whether the daemon runs or not. A ban that is in force already lasts until the
    later end. This machine's own addresses and those of "[bans] never" are never banned.

    \b
    pyruse ban 203.0.113.7 --for 1d --label mail
    """  # noqa: D301 -- click takes this one character for "as it stands"  # fmt: skip
    from pyruse.addresses import network_text
    from pyruse.bans.orders import BanOrder, Item
    from pyruse.cli.doubts import addresses_of_session, doubt
    from pyruse.cli.ordering import carry_out, finish
    from pyruse.options.durations import written
    from pyruse.times import now_us

    parsed = parse_networks(networks)
    span = parse_duration(duration)
    label = checked_label(label)
    where = _where(ports, protocol)
    session = set() if force else addresses_of_session()
    for network in parsed:
        why = doubt(network, session)
        if why is not None and not force:
            text = network_text(network)
            raise UserError(f"{text}: not banned: {why} (expected --force if it is meant)")
    loaded = configuration(config)
    until = None if span is None else now_us() + span.us
    reason = f"pyruse ban, by {user()}"
    items = [Item(network_text(network), label, reason, until, where) for network in parsed]
    answer = carry_out(loaded, BanOrder(items))
    length = "for ever" if span is None else f"for {written(span.us)}"
    for done in answer.done:
        echo(f"{done}: banned {length}")
    for known in answer.unchanged:
        echo(f"{known}: banned already, for at least as long")
    for over in answer.over:
        echo(f"{over}: banned {length}, which is over by now")
    spared = [f"{network}: not banned: {why}" for network, why in answer.spared]
    finish(answer, "not in force yet", spared)


def _where(ports: str | None, protocol: str | None) -> Where | None:
    """Where the ban is put, by ``--ports`` and ``--protocol``; None: everywhere.

    :raises click.UsageError: they are not understood.
    """
    from pyruse.api.ports import check_protocol, ports_of
    from pyruse.bans.orders import Where

    if ports is None and protocol is None:
        return None
    texts = [] if ports is None else [text.strip() for text in ports.split(",")]
    try:
        parsed = ports_of(int(text) if text.isdecimal() else text for text in texts)
        check_protocol(protocol, parsed)
    except ValueError as fault:
        raise click.UsageError(printable(str(fault))) from None
    return Where(ports=list(parsed), protocol=protocol)


def parse_networks(texts: tuple[str, ...]) -> list[Network]:
    """Networks and addresses of a command line.

    :raises click.UsageError: one is neither.
    """
    from pyruse.addresses import parse_listed

    try:
        return [parse_listed(text) for text in texts]
    except ValueError as fault:
        raise click.UsageError(printable(str(fault))) from None


def parse_duration(text: str | None) -> Duration | None:
    """The value of ``--for``.

    :raises click.UsageError: it is no duration.
    """
    from pyruse.options.durations import Duration

    if text is None:
        return None
    try:
        return Duration.parse(text)
    except ValueError as fault:
        raise click.UsageError(f"--for: {printable(str(fault))}") from None


def checked_label(text: str) -> str:
    """The value of ``--label``.

    :raises click.UsageError: it is empty, too long, or no text.
    """
    from pyruse.bans.orders import LONGEST_LABEL

    if encodable(text) != text:
        raise click.UsageError("--label is no UTF-8 (expected text)")
    if len(text) > LONGEST_LABEL:
        raise click.UsageError(
            f"--label has {len(text):,} characters (expected {LONGEST_LABEL} at most)"
        )
    if not text.strip():
        raise click.UsageError('--label is empty (expected a word or two, such as "mail")')
    return text


def user() -> str:
    """Who typed the command, by sudo(8) and the environment."""
    import pwd

    name = os.environ.get("SUDO_USER")
    if name:
        return printable(name)
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
