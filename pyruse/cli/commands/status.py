"""``pyruse status``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyruse.cli.options import config_option, existing_state, settings_alone
from pyruse.cli.output import show_json, show_lines, show_text, shown_time
from pyruse.cli.stdout import echo
from pyruse.text import one_line, shortened

if TYPE_CHECKING:
    from pyruse.daemon.status.overview import Status
    from pyruse.state.expectations import Expected
    from pyruse.state.outbox_item import OutboxItem

_LABELS = 5
_ABSENT = 50
_LONGEST_REASON = 120


@click.command("status")
@config_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option(
    "--chains", is_flag=True,
    help="Show, too, how many entries each chain and step saw and let pass.",
)  # fmt: skip
def command(config: Path | None, form: str, chains: bool) -> None:
    """Show how Pyruse is doing: daemon, lag behind the journal, outbox, bans, faults.

    Exits with 1 when the daemon does not run, cannot be asked, or has handled nothing for a minute
    although there are older entries; when its last reload was refused; when a firewall does not
    answer, or refuses bans; and when mails cannot leave: one has failed for an hour, or was set
    aside (see `pyruse outbox`).

    \b
    pyruse status --chains
    """  # noqa: D301 -- click takes this one character for "as it stands"
    from pyruse.daemon.status.overview import status
    from pyruse.times import now_us

    settings = settings_alone(config)
    found = status(settings, existing_state(settings), now_us())
    if form == "json":
        show_json(found.data())
    else:
        _show(found, settings.report.timezone.zone)
        if chains:
            _show_chains(found, settings.report.timezone.zone)
    if not found.is_well:
        sys.exit(1)


def _show(found: Status, zone: tzinfo) -> None:
    from pyruse.delivery.item_names import named
    from pyruse.options.durations import written
    from pyruse.report.absences import whose

    absent = [one for one in found.expected if one.absent is not None]
    for title, text in (
        ("Daemon", _daemon(found, zone)),
        *(("Settings", text) for text in _settings(found, zone)),
        ("Journal", _journal(found, zone)),
        ("Entries", _entries(found)),
        ("Report", _report(found, zone)),
        ("Mail", _mail(found, zone)),
        ("Outbox", _outbox(found, zone)),
        ("Bans", _bans(found)),
        *(("Firewall", _firewall(one, zone)) for one in found.firewalls),
        *((("Expected", _expected(found, zone)),) if found.expected else ()),
        ("Faults", f"{_counted(len(found.faults), 'kind')} since yesterday"),
    ):
        show_text(text, f"{title:<9}")
    show_lines("What keeps mails from leaving", found.mail.faults if found.mail.to else [])
    show_lines(
        "Set aside, and tried no more (see: pyruse outbox)",
        [
            f"{named(item)} of {shown_time(item.created, zone)}: {item.error}"
            for item in found.set_aside
        ],
    )
    show_lines("Never banned", _protected(found))
    show_lines(
        "Absent" if len(absent) <= _ABSENT else f"Absent, the longest of {len(absent):,}",
        [
            f"{whose(one)}: {_last(one, zone)}, expected every {written(one.every)}"
            for one in absent[:_ABSENT]
        ],
    )
    show_lines(
        "Faults",
        [
            f"{one.place}: {one.text} ({one.count:,} ×, last {shown_time(one.last, zone)})"
            for one in found.faults
        ],
    )


def _protected(found: Status) -> list[str]:
    protected = [] if found.daemon is None else found.daemon.get("protected", [])
    return [f"{one['what']}: {one['where']}" for one in protected]


def _show_chains(found: Status, zone: tzinfo) -> None:
    from pyruse.cli.chains import show_counts

    if found.daemon is None:
        return
    chains = found.daemon.get("chains")
    if chains is None:
        echo("\nChains: not counted (expected `counters = true` in [engine], and a reload)")
        return
    echo(f"\nChains, counted since {shown_time(found.daemon['chains_since'], zone)}:\n")
    show_counts(chains)


def _daemon(found: Status, zone: tzinfo) -> str:
    if found.daemon_fault:
        return f"running, but it cannot be asked: {found.daemon_fault}"
    if found.daemon is None:
        return "not running"
    said = found.daemon
    version = ", ".join(filter(None, [said["version"], said.get("native")]))
    text = (
        f"running since {shown_time(said['since'], zone)} (process {said['pid']}, version "
        f"{version}), {said['memory_bytes'] / 1e6:.0f} MB, {said['cpu_seconds']:.1f} s CPU"
    )
    return f"{text}; held up: {said['held_up_by']}" if said["held_up_by"] else text


def _settings(found: Status, zone: tzinfo) -> Iterator[str]:
    """Which configuration is at work, where it is not the one on the disk."""
    is_running = found.daemon is not None or bool(found.daemon_fault)
    goes_on = "the daemon goes on with its old configuration (see: pyruse check)"
    if refused := found.refused_reload:
        reasons = refused["faults"]
        more = f", and {len(reasons) - 1:,} more" if len(reasons) > 1 else ""
        why = f"{shortened(one_line(reasons[0]), _LONGEST_REASON)}{more}"
        yield f"the reload of {shown_time(refused['at'], zone)} was refused: {why}; {goes_on}"
    elif found.config_faults:
        faults = _counted(len(found.config_faults), "fault")
        yield f"{faults}; {goes_on if is_running else 'no daemon starts so (see: pyruse check)'}"


def _journal(found: Status, zone: tzinfo) -> str:
    if found.journal_fault:
        return f"unknown: {found.journal_fault}"
    if found.behind is None or found.last_handled is None:
        return "nothing is handled yet"
    last = f"last entry handled: {shown_time(found.last_handled, zone)}"
    if not found.behind:
        return f"up to date; {last}"
    lag = "" if found.lag_us is None else f", {found.lag_us / 1e6:,.1f} s"
    entries = "1 entry" if found.behind == 1 else f"{found.behind:,} entries"
    deaf = ", and nothing was handled for a minute (restart Pyruse)" if found.is_deaf else ""
    return f"{entries} behind{lag}{deaf}; {last}"


def _entries(found: Status) -> str:
    text = f"{found.today.entries if found.today else 0:,} today"
    if found.daemon is not None:
        rate = found.daemon["per_second"]
        text += (
            f", {found.daemon['entries']:,} since the start; {rate['minute']:.1f} a second in the "
            f"last minute, {rate['hour']:.1f} in the last hour"
        )
    return text


def _report(found: Status, zone: tzinfo) -> str:
    last = found.last_report
    if last is None or last.reported is None:
        return "none yet"
    return f"the last one is that of {last.day}, made {shown_time(last.reported, zone)}"


def _mail(found: Status, zone: tzinfo) -> str:
    mail = found.mail
    if not mail.to:
        return "to nobody ([email] to): `pyruse report` shows the reports"
    last = mail.last
    text = f"to {', '.join(mail.to)} by {mail.way}"
    if last is not None:
        text += f"; the report of {last.title} was taken {shown_time(last.at, zone)}"
    for number, what in ((mail.set_aside, "set aside"), (mail.late, "failing for an hour")):
        text += f"; {_counted(number, 'mail')} {what}" if number else ""
    return text + ("; cannot leave" if mail.faults else "")


def _outbox(found: Status, zone: tzinfo) -> str:
    from pyruse.delivery.item_names import named

    if not found.waiting and not found.set_aside:
        return "empty"
    parts = [
        f"{_counted(number, noun)}{of} waiting"
        for (noun, of), number in Counter(map(_noun, found.waiting)).items()
    ]
    if found.set_aside:
        parts.append(f"{len(found.set_aside):,} set aside")
    failed = next((item for item in found.waiting if item.error), None)
    if failed is not None:
        reason = shortened(one_line(failed.error or ""), _LONGEST_REASON)
        parts.append(f"{named(failed)} of {shown_time(failed.created, zone)} failed: {reason}")
    return ", ".join(parts)


_KINDS = {"command": "program", "log": "log line"}


def _noun(item: OutboxItem) -> tuple[str, str]:
    """What items are counted as: the noun, and what comes after it."""
    if item.plugin is not None:
        return "parcel", f" of {item.plugin}"
    return _KINDS.get(item.kind, item.kind), ""


def _counted(number: int, noun: str) -> str:
    from pyruse.text import counted

    return counted(number, noun) if number else "none"


def _expected(found: Status, zone: tzinfo) -> str:
    from pyruse.report.absences import whose

    absent = sum(one.absent is not None for one in found.expected)
    text = f"{len(found.expected):,}, {f'{absent:,}' if absent else 'none'} of them absent"
    following = next((one for one in found.expected if one.absent is None), None)
    if following is not None:
        text += f"; next: {whose(following)} until {shown_time(following.due, zone)}"
    return text


def _last(one: Expected, zone: tzinfo) -> str:
    if one.happened:
        return f"not since {shown_time(one.since, zone)}"
    return f"not once since {shown_time(one.since, zone)}"


def _firewall(trouble: dict[str, Any], zone: tzinfo) -> str:
    changes = trouble["waiting"]
    waits = f"{_counted(changes, 'change')} waiting" if changes else "all bans waiting"
    since = shown_time(trouble["since"], zone)
    reason = shortened(one_line(trouble["fault"]), _LONGEST_REASON)
    return f"{waits} for {trouble['firewall']} since {since}: {reason}"


def _bans(found: Status) -> str:
    text = f"{found.bans.total():,} in force"
    if found.bans:
        most = [f"{label} {number:,}" for label, number in found.bans.most_common(_LABELS)]
        others = len(found.bans) - _LABELS
        text += f" ({', '.join(most)}{f', {others:,} more labels' if others > 0 else ''})"
    if found.simulated or found.simulated_chains:
        chains = ", ".join(found.simulated_chains) or "none now"
        text += f"; {found.simulated:,} simulated (chains: {chains})"
    if found.unenforced:
        text += f"; {_counted(found.unenforced, 'change')} that the firewall has not taken yet"
    return text
