"""``pyruse bans``."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyruse.cli import values
from pyruse.cli.options import (
    config_option,
    configuration,
    existing_state,
    settings_alone,
    sound_configuration,
)
from pyruse.cli.output import show_json, show_table, shown_time
from pyruse.cli.stdout import echo
from pyruse.errors import UserError
from pyruse.text import printable, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import tzinfo

    from pyruse.api.firewall import Target
    from pyruse.bans.orders import Answer, Item
    from pyruse.bans.views import BanView
    from pyruse.config.load import Configuration
    from pyruse.config.settings import Settings

_COLUMNS = ("address", "label", "since", "until", "before", "state", "reason")
_FIRST = ("address", "until", "label", "state", "since", "before")
"""What a narrow terminal has room for: the first of these."""
_LONGEST_REASON = 100


@click.command("bans")
@config_option
@click.argument("networks", metavar="[ADDRESS]...", nargs=-1, shell_complete=values.banned)
@click.option(
    "--label", shell_complete=values.labels,
    help="Only bans of this label; of an import, the label of the bans.",
)  # fmt: skip
@click.option("--network", "inside", metavar="NETWORK", help="Only bans in this network.")
@click.option("--all", "everything", is_flag=True, help="Also the bans that are over.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option("--export", is_flag=True, help="Print a list that --restore and others can read.")
@click.option(
    "--import",
    "source",
    metavar="FILE",
    help="Ban the addresses of a list, or the bans in a fail2ban.sqlite3; - is standard input.",
)
@click.option(
    "--restore",
    "restored",
    metavar="FILE",
    help="Ban as an export of your own says: ends, labels, firewalls; - is standard input.",
)
@click.option("--for", "duration", metavar="DURATION", help="Of an import: how long all bans last.")
@click.option("--force", is_flag=True, help="Of an import: as for `pyruse ban`.")
@click.option("--teardown", is_flag=True, help="Take all that is Pyruse's out of the firewall.")
def command(  # noqa: PLR0913 -- one for each option
    config: Path | None,
    networks: tuple[str, ...],
    label: str | None,
    inside: str | None,
    everything: bool,
    form: str,
    export: bool,
    source: str | None,
    restored: str | None,
    duration: str | None,
    force: bool,
    teardown: bool,
) -> None:
    """List bans; export, import and tear them down.

    The list: who is banned, since when and until when, how many bans came before that are not
    forgotten, and why. Works while the daemon runs.

    With ADDRESS, an address or a network, only the bans that close it out, or a part of it. Then
    the exit code tells whether it is banned: 0, or 1 if one of several is not.

    \b
    --import takes one address or network a line, and nothing else: what stands after "#" or ";" is
    no concern of Pyruse's. Or it takes a database of fail2ban: the bans in force with the time that
    is left, and how often each address was banned.

    \b
    --restore takes what --export has printed, and obeys what it says of each ban: so give it your
    own exports alone. --label and --for win over what a file says.

    \b
    --teardown is for the end of Pyruse on this machine. The daemon must not run; its next start
    puts the bans back.

    \b
    pyruse bans --label sshd
    pyruse bans 203.0.113.7 && echo banned
    """  # noqa: D301 -- click takes this one character for "as it stands"  # fmt: skip
    file = source if restored is None else restored
    _see_that_they_go_together(
        alone=(export, source, restored, teardown, everything), imports=(duration, force),
        lists=(inside, *networks), label=label, changes=bool(file or teardown), teardown=teardown,
    )  # fmt: skip
    if networks and inside:
        raise click.UsageError("ADDRESS and --network: expected one of them")
    if file is not None:
        loaded = configuration(config)
        _import(loaded, _items(file, label, duration, restored=restored is not None), force)
    elif teardown:
        from pyruse.cli.ordering import teardown as tear_down

        tear_down(sound_configuration(config))
        echo("the firewall holds nothing of Pyruse's any more")
    else:
        _list(settings_alone(config), networks, label, inside, form, everything, export)


def _list(  # noqa: PLR0913 -- one for each option
    settings: Settings,
    networks: tuple[str, ...],
    label: str | None,
    inside: str | None,
    form: str,
    everything: bool,
    export: bool,
) -> None:
    """List bans; exits with 1 where one of ``networks`` is not banned."""
    listed = _listed(settings, label, inside, everything)
    zone = settings.report.timezone.zone
    free: list[str] = []
    if networks:
        listed, free = _about(listed, networks)
    if export:
        _export(settings, listed, zone)
    elif form == "json" or listed or not free:
        _show(listed, form, zone, _said(label, inside))
    for text in free:
        echo(f"{text}: is not banned", err=True)
    if free:
        sys.exit(1)


def _see_that_they_go_together(  # noqa: PLR0913 -- what the options say
    *,
    alone: tuple[object, ...],
    imports: tuple[object, ...],
    lists: tuple[object, ...],
    label: str | None,
    changes: bool,
    teardown: bool,
) -> None:
    """Refuse options that mean nothing together.

    :raises click.UsageError: they do not go together.
    """
    if sum(map(bool, alone)) > 1:
        raise click.UsageError(
            "--all, --export, --import, --restore, --teardown: expected one at most"
        )
    if any(imports) and not (changes and not teardown):
        raise click.UsageError("--for and --force are for an import: expected --import FILE, too")
    if any(lists) and changes:
        raise click.UsageError(
            "ADDRESS and --network are for lists: expected neither --import nor --teardown"
        )
    if teardown and label:
        raise click.UsageError("--teardown takes everything: expected no --label")


def _about(listed: list[BanView], texts: tuple[str, ...]) -> tuple[list[BanView], list[str]]:
    """The bans of networks, of parts of them, and of what they are in; which are not closed out.

    :param texts: as they were typed.
    """
    from pyruse.addresses import contains, network_of, network_text
    from pyruse.bans.views import IN_FORCE, WAITING
    from pyruse.cli.commands.ban import parse_networks

    found: dict[int, BanView] = {}
    free = []
    for wanted in dict.fromkeys(parse_networks(texts)):
        is_closed_out = False
        for place, one in enumerate(listed):
            network = network_of(one.ban.network)
            is_around = contains(network, wanted)
            if is_around or contains(wanted, network):
                found[place] = one
            is_closed_out |= is_around and one.state in (IN_FORCE, WAITING)
        if not is_closed_out:
            free.append(network_text(wanted))
    return [found[place] for place in sorted(found)], free


def _listed(
    settings: Settings, label: str | None, inside: str | None, everything: bool
) -> list[BanView]:
    from pyruse.bans.views import all_bans, bans_in_force
    from pyruse.state.opening import reading
    from pyruse.times import now_us

    network = None
    if inside is not None:
        from pyruse.cli.commands.ban import parse_networks

        network = parse_networks((inside,))[0]
    with reading(existing_state(settings)) as db:
        read = all_bans if everything else bans_in_force
        return read(db, now_us(), label=label, inside=network)


def _said(label: str | None, inside: str | None) -> str:
    """Which bans are asked for, in words; empty: all."""
    return (f' with the label "{label}"' if label else "") + (f" in {inside}" if inside else "")


def _show(listed: list[BanView], form: str, zone: tzinfo, chosen: str) -> None:
    if form == "json":
        show_json([one.data(zone) for one in listed])
    elif listed:
        rows = (_row(one, zone) for one in listed)
        show_table(f"Bans: {len(listed):,}", _COLUMNS, rows, first=_FIRST)
    else:
        echo(printable(f"nobody is banned{chosen}"), err=True)


def _row(one: BanView, zone: tzinfo) -> list[object]:
    ban = one.ban
    reason = ban.reason
    if len(reason) > _LONGEST_REASON:
        reason = shortened(reason, _LONGEST_REASON)
    if ban.chain:
        reason = f"{ban.chain}: {reason}"
    state = one.state
    if one.fault:
        state += f": {shortened(one.fault, _LONGEST_REASON)}"
    elif one.waiting_since is not None:
        state += f" since {_time(one.waiting_since, zone)}"
    return [
        ban.network, ban.label, shown_time(ban.since, zone), _time(ban.until, zone), ban.count - 1,
        state + _ports(ban.target), reason,
    ]  # fmt: skip


@cache
def _ports(target: Target) -> str:
    """Which ports a target closes, in words; of thousands of bans, most have the same target."""
    ports = f" on ports {', '.join(map(str, target.ports))}" if target.ports else ""
    if target.protocol is not None:
        ports += f" of {target.protocol}" if ports else f" on {target.protocol}"
    return ports


def _time(moment: int | None, zone: tzinfo) -> str:
    return "for ever" if moment is None else shown_time(moment, zone)


def _export(settings: Settings, listed: list[BanView], zone: tzinfo) -> None:
    from pyruse.bans.lists import title, write
    from pyruse.times import now_us

    echo(title(_time(now_us(), zone)))
    for line in write([one.ban for one in listed], settings.bans.backend):
        echo(line)


def import_bans(loaded: Configuration, source: str) -> None:
    """Ban as the database of fail2ban says.

    :raises UserError: it cannot be read.
    """
    _import(loaded, _items(source, None, None, restored=False), force=False)


def _import(loaded: Configuration, items: Iterable[Item], force: bool) -> None:
    from pyruse.bans.orders import BanOrder, parts
    from pyruse.cli.doubts import Doubts
    from pyruse.cli.ordering import carry_out_all, finish

    doubts = Doubts()
    spared = []

    def kept() -> Iterator[Item]:
        for item in items:
            why = None if force else doubts.of(item.network)
            if why is None:
                yield item
            else:
                spared.append((item.network, f"{why} (expected --force if it is meant)"))

    answer = carry_out_all(loaded, (BanOrder(part) for part in parts(kept())))
    answer.spared += spared
    _tell(answer)
    finish(answer, "not in force yet")


def _items(
    source: str, label: str | None, duration: str | None, *, restored: bool
) -> Iterable[Item]:
    """The bans of a list, of a database of fail2ban, or of an export that is to be restored."""
    from pyruse.bans import fail2ban, lists
    from pyruse.cli.commands.ban import checked_label, parse_duration
    from pyruse.times import now_us

    span, now = parse_duration(duration), now_us()
    until = None if span is None else now + span.us
    label = None if label is None else checked_label(label)
    content, name = _content(source)
    if content.startswith(fail2ban.MAGIC) and not restored:
        return _of_fail2ban(content if source == "-" else Path(source), name, label, until)
    text = content.decode(errors="replace")
    if restored:
        return lists.restore(text, name, label, until)
    if lists.is_export(text):
        echo(
            f"{printable(name)}: looks like an export, of which nothing but the addresses is taken "
            "here (expected --restore, if it is your own)",
            err=True,
        )
    return lists.read(text, name, "import" if label is None else label, until)


def _of_fail2ban(
    source: Path | bytes, name: str, label: str | None, until: int | None
) -> list[Item]:
    from pyruse.bans import fail2ban
    from pyruse.cli.ordering import listed
    from pyruse.times import now_us

    now = now_us()
    items, others = fail2ban.read(source, name, now)
    if others:
        echo(
            f"{printable(name)}: {len(others)} bans are of no addresses, and were left out: "
            f"{listed(others)}",
            err=True,
        )
    for item in items:
        item.label = item.label if label is None else label
        if until is not None and (item.until is None or item.until > now):
            item.until = until
    return items


def _content(source: str) -> tuple[bytes, str]:
    """What a file holds, and what it is called in messages."""
    if source == "-":
        return sys.stdin.buffer.read(), "standard input"
    try:
        return Path(source).read_bytes(), source
    except (OSError, ValueError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else fault
        raise UserError(
            f"{source}: cannot be read: {reason} (expected a list of addresses, or a "
            "fail2ban.sqlite3)"
        ) from None


def _tell(answer: Answer) -> None:
    from pyruse.cli.ordering import MOST_SHOWN

    for network, why in answer.spared[:MOST_SHOWN]:
        echo(f"{network}: not banned: {printable(why)}", err=True)
    if len(answer.spared) > MOST_SHOWN:
        echo(f"and {len(answer.spared) - MOST_SHOWN:,} more are not banned", err=True)
    parts = [
        f"{len(answer.done):,} banned",
        f"{len(answer.unchanged):,} banned already for at least as long",
        f"{len(answer.spared):,} spared",
    ]
    if answer.over:
        parts.append(f"{len(answer.over):,} over by now, but remembered")
    if answer.refused:
        parts.append(f"{sum(map(len, answer.refused.values())):,} not in force yet")
    echo(", ".join(parts))
