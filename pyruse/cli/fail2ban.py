"""What ``pyruse import fail2ban`` does besides: take bans over, compare with fail2ban."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyruse.errors import UserError
from pyruse.text import printable

if TYPE_CHECKING:
    from pyruse.config.load import Configuration
    from pyruse.entry.entry import Entry
    from pyruse.journal.selection import Selection

_PROGRAMS = ("fail2ban-server", "fail2ban-client", "fail2ban-regex")
_FIELDS = (
    "MESSAGE", "SYSLOG_IDENTIFIER", "SYSLOG_PID", "SYSLOG_FACILITY", "PRIORITY", "_COMM", "_EXE",
    "_GID", "_HOSTNAME", "_PID", "_SYSTEMD_CGROUP", "_SYSTEMD_SLICE", "_SYSTEMD_UNIT", "_TRANSPORT",
    "_UID", "CONTAINER_NAME",
)  # fmt: skip
"""What fail2ban makes a line of, and what ``journalmatch`` names."""
_MOST_SHOWN = 40
_BATCH = 2000


def take_bans(loaded: Configuration, database: str | None) -> None:
    """Ban whom fail2ban bans at present, for the time that is left.

    :raises UserError: the database cannot be read.
    """
    from pyruse.cli.commands.bans import import_bans

    if database is None:
        raise UserError(
            "fail2ban keeps no database, so its bans are not known (expected a file as dbfile in "
            "fail2ban.conf)"
        )
    import_bans(loaded, database)


def compare(loaded: Configuration, folder: Path, chosen: Selection) -> None:
    """Tell whom fail2ban would have banned, and whom the imported configuration.

    :param loaded: the imported configuration.
    :param folder: of fail2ban.
    :param chosen: the entries.
    """
    from pyruse.addresses import contains, parse_network
    from pyruse.engine.faults import Faults
    from pyruse.replay.replay import replay

    outcome = replay(loaded, chosen, Faults(lambda *_: None))
    ours: dict[str, list[str]] = {}
    for ban in outcome.bans:
        ours.setdefault(ban.ip, []).append(ban.label)
    python = _python()
    if not outcome.entries:
        click.echo(
            "nothing is compared: no entries were found there (expected others: --since, "
            "--directory, --file, …; who may not read the journal sees none)",
            err=True,
        )
        return
    click.echo(f"compared over {outcome.entries:,} entries:", err=True)
    if python is None:
        click.echo(
            "fail2ban is not installed here, so there is nothing to compare with (expected its "
            f"program fail2ban-server). Pyruse would have banned: {len(ours):,}",
            err=True,
        )
        _show("by Pyruse", ours)
        return
    theirs = _of_fail2ban(python, folder, loaded, chosen)
    # Rules ban the network around an IPv6 address.
    networks = {ip: parse_network(ip) for ip in ours}
    kept_out = {
        ip: [name for name, network in networks.items() if contains(network, parse_network(ip))]
        for ip in theirs
    }
    both = {name for names in kept_out.values() for name in names}
    click.echo(f"banned by both: {sum(map(bool, kept_out.values())):,}", err=True)
    _show("by fail2ban alone", {ip: jails for ip, jails in theirs.items() if not kept_out[ip]})
    _show("by Pyruse alone", {ip: labels for ip, labels in ours.items() if ip not in both})


def _show(title: str, bans: dict[str, list[str]]) -> None:
    click.echo(f"{title}: {len(bans):,}", err=True)
    for ip in sorted(bans)[:_MOST_SHOWN]:
        click.echo(f"  {ip} ({printable(', '.join(dict.fromkeys(bans[ip])))})", err=True)
    if len(bans) > _MOST_SHOWN:
        click.echo(f"  and {len(bans) - _MOST_SHOWN:,} more", err=True)


def _python() -> str | None:
    """The Python that has fail2ban."""
    for program in _PROGRAMS:
        found = shutil.which(program)
        if found is None:
            continue
        with Path(found).open("rb") as file:
            first = file.readline(200).decode(errors="replace").strip()
        interpreter = first.removeprefix("#!").strip().split(" ")
        if first.startswith("#!") and interpreter[-1]:
            if interpreter[0].endswith("/env"):
                return shutil.which(interpreter[-1])
            return interpreter[0]
    return None


def _of_fail2ban(
    python: str, folder: Path, loaded: Configuration, chosen: Selection
) -> dict[str, list[str]]:
    """The addresses that fail2ban bans, with the jails.

    :raises UserError: it does not answer.
    """
    from pyruse.addresses import address_text
    from pyruse.importers.fail2ban import original

    code = Path(original.__file__).read_text("utf-8")
    with tempfile.TemporaryFile("w+", encoding="utf-8") as entries:
        for line in _lines(loaded, chosen):
            entries.write(line)
        entries.seek(0)
        done = subprocess.run(
            [python, "-c", code, str(folder.absolute())],
            stdin=entries, capture_output=True, text=True, check=False, cwd="/",
        )  # fmt: skip
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        raise UserError(
            f"fail2ban cannot be asked: {printable(last)} (expected fail2ban 0.11 or later)"
        )
    banned: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        answer = json.loads(line)
        ip = address_text(answer["ip"])
        if ip is not None:
            banned.setdefault(ip, []).append(answer["jail"])
    return banned


def _lines(loaded: Configuration, chosen: Selection) -> Iterable[str]:
    from pyruse.entry.decoding import Decoder

    journal = chosen.open(Decoder(loaded.settings.journal.legacy_encoding))
    try:
        while batch := [json.dumps(_fields(entry)) for entry in journal.entries(_BATCH)]:
            yield "\n".join(batch) + "\n"
    finally:
        journal.close()


def _fields(entry: Entry) -> dict[str, object]:
    fields: dict[str, object] = {"at": entry.time_us / 1_000_000}
    for name in _FIELDS:
        value = entry.get(name)
        if value is not None:
            fields[name] = value if isinstance(value, int) else str(value)
    return fields
