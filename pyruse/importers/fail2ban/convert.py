"""The whole folder: from fail2ban's files to a configuration."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

from pyruse.errors import ConfigError
from pyruse.importers.fail2ban import recidive
from pyruse.importers.fail2ban.chains import Names, chains_of, endings
from pyruse.importers.fail2ban.covered import Cover, Installed, cover_of
from pyruse.importers.fail2ban.durations import duration, seconds
from pyruse.importers.fail2ban.faults import Unreadable
from pyruse.importers.fail2ban.files import Folder
from pyruse.importers.fail2ban.filters import Search, search_of
from pyruse.importers.fail2ban.jails import Jail, enabled_jails, jail_values, read_jail
from pyruse.importers.fail2ban.logs import how_to_log, others
from pyruse.importers.fail2ban.used import Used
from pyruse.importers.findings import Findings
from pyruse.importers.outcome import Chain, Outcome, Step
from pyruse.rules.rules_file import belongs_to

_OF_JAIL = re.compile(r"(?P<jails>\[[^\]]+\]): (?P<text>.*)", re.DOTALL)
_DATABASE = "/var/lib/fail2ban/fail2ban.sqlite3"
_RULES_BAN = 64
"""The prefix length of the networks of IPv6 that rules ban."""
_FORGET = "1d"
"""``dbpurgeage`` by default (fail2ban.conf(5))."""


def convert(path: Path, installed: Installed | None = None) -> Outcome:
    """Turn a folder such as ``/etc/fail2ban`` into a configuration of Pyruse.

    :param path: the folder.
    :param installed: the rules to use where they know what a filter of fail2ban's own looks for;
        None: write each filter as it is.
    :raises ConfigError: nothing of it can be read.
    """
    findings = Findings()
    folder = Folder(path, findings)
    jails = _jails(folder)
    outcome = Outcome(notes=findings.notes, database=_database(folder))
    _spare(jails, outcome)
    jails = _mails(jails, outcome)
    jails = [_with_spares(jail, outcome) for jail in jails]
    used = Used() if installed is None else Used(installed.close_some)
    written: list[tuple[Jail, Search | None, str]] = []
    for jail in jails:
        cover = "--faithful" if installed is None else cover_of(jail, installed)
        if isinstance(cover, Cover) and not recidive.is_recidive(jail):
            cover = used.take(jail, cover) or cover
        if isinstance(cover, Cover):
            _note(jail, outcome.notes)
            continue
        try:
            search = None if recidive.is_recidive(jail) else search_of(jail)
        except Unreadable as fault:
            outcome.notes.append(f"[{jail.name}]: left out: {fault}")
            continue
        written.append((jail, search, cover))
        _note(jail, outcome.notes, search)
    _note_files(jails, outcome.notes)
    used.put_into(outcome)
    _write([(_apart(jail, used), search, why) for jail, search, why in written], outcome)
    if not outcome.chains and not outcome.use:
        raise ConfigError([f"{path}: {note}" for note in outcome.notes])
    outcome.notes[:] = _together(outcome.notes)
    return outcome


def _together(notes: list[str]) -> list[str]:
    """Notes that say the same of several jails, as one."""
    jails: dict[str, list[str]] = {}
    for note in notes:
        parts = _OF_JAIL.fullmatch(note)
        name, text = (parts["jails"], parts["text"]) if parts is not None else ("", note)
        jails.setdefault(text, []).append(name)
    return [f"{', '.join(names)}: {text}" if names[0] else text for text, names in jails.items()]


def _jails(folder: Folder) -> list[Jail]:
    """The jails that are switched on, in their order."""
    notes = folder.findings.notes
    try:
        values = jail_values(folder)
    except Unreadable as fault:
        why = [f"{folder.path}: {fault} (expected the folder of fail2ban)"]
        raise ConfigError([*(f"{folder.path}: {note}" for note in notes), *why]) from None
    forget = _forget(folder)
    jails = []
    for name in enabled_jails(values, notes):
        try:
            jails.append(read_jail(name, values, folder, forget))
        except Unreadable as fault:
            notes.append(f"[{name}]: left out: {fault}")
    if not jails:
        expected = "no jail is switched on (expected enabled = true in the section of a jail)"
        raise ConfigError([f"{folder.path}: {note}" for note in [*notes, expected]])
    return jails


def _forget(folder: Folder) -> str:
    try:
        values = folder.values("fail2ban")
        text = values.get("DEFAULT", "dbpurgeage") or values.get("Definition", "dbpurgeage")
        return duration(seconds(text)) if text else _FORGET
    except Unreadable:
        return _FORGET
    except ValueError as fault:
        folder.findings.notes.append(
            f"fail2ban.conf: [DEFAULT].dbpurgeage: {fault}; {_FORGET} counts"
        )
        return _FORGET


def _database(folder: Folder) -> str | None:
    try:
        values = folder.values("fail2ban")
        file = values.get("DEFAULT", "dbfile") or values.get("Definition", "dbfile")
    except Unreadable:
        return _DATABASE
    file = _DATABASE if file is None else file.strip()
    return None if file in ("", "None", ":memory:") else file


def _spare(jails: list[Jail], outcome: Outcome) -> None:
    """Whom all jails spare is never banned."""
    common = [one for one in jails[0].spares if all(one in jail.spares for jail in jails)]
    if common:
        outcome.settings["bans"] = {"never": common}


def _with_spares(jail: Jail, outcome: Outcome) -> Jail:
    """A jail that names no more whom nobody bans."""
    never = outcome.settings.get("bans", {}).get("never", [])
    return replace(jail, spares=tuple(one for one in jail.spares if one not in never))


def _mails(jails: list[Jail], outcome: Outcome) -> list[Jail]:
    """Put into [email] whom most mails go to."""
    mails = [mail for jail in jails for mail in jail.effects.mails]
    if not mails:
        return jails
    to = Counter(mail.to for mail in mails).most_common(1)[0][0]
    sender = Counter(mail.sender for mail in mails if mail.to == to).most_common(1)[0][0]
    email = {"from": sender, "to": list(to)}
    outcome.settings["email"] = {key: value for key, value in email.items() if value}
    changed = []
    for jail in jails:
        own = [replace(mail, default=mail.to == to) for mail in jail.effects.mails]
        changed.append(replace(jail, effects=replace(jail.effects, mails=own)))
    return changed


def _apart(jail: Jail, used: Used) -> Jail:
    """A jail whose chain does not take the place of one of the rules that are used."""
    if any(belongs_to(jail.name, rules) for rules in used.options):
        return replace(jail, chain=f"jail {jail.name}")
    return jail


def _write(written: list[tuple[Jail, Search | None, str]], outcome: Outcome) -> None:
    """The chains of the jails whose filters are written, those that look for the same together."""
    groups: list[tuple[list[Jail], Search | None, str]] = []
    for jail, search, why in written:
        same = next((g for g in groups if search is not None and g[1] == search), None)
        if same is None:
            groups.append(([jail], search, why))
        else:
            same[0].append(jail)
    searches = [search for _, search, _ in groups if search is not None]
    for jails, search, why in groups:
        if search is None:
            prefix6 = _RULES_BAN if outcome.use else None
            steps, further = endings(jails, Names(""), shared=False, prefix6=prefix6)
            looking = recidive.looking(jails[0], prefix6)
            chains = [Chain(jails[0].chain, [*looking, *steps]), *further]
            comments = [
                f"[{jails[0].name}] of {jails[0].source}: counts the bans, by Pyruse's own lines"
            ]
        else:
            at = searches.index(search)
            earlier = [s for s in searches[:at] if not s.guard.apart(search.guard)]
            later = any(not s.guard.apart(search.guard) for s in searches[at + 1 :])
            suffix = f"_{len(earlier) + 1}" if earlier else ""
            chains = chains_of(jails, search, suffix=suffix, shared=later)
            comments = _origin(jails[0], why)
        first: list[Step] = chains[0].steps
        outcome.chains += [Chain(chains[0].name, first, comments), *chains[1:]]


def _origin(jail: Jail, why: str) -> list[str]:
    mode = f", mode {jail.mode}" if "mode" in jail.filter.options() else ""
    file = f"; filter.d/{jail.filter_name}.conf{mode}" if jail.filter_name else ""
    lines = [f"[{jail.name}] of {jail.source}{file}"]
    if why != "--faithful":
        lines.append(f"Its filter is written out: {why}.")
    return lines


def _note(jail: Jail, notes: list[str], search: Search | None = None) -> None:
    where = f"[{jail.name}]"
    own = search.notes if search is not None else ()
    notes += [f"{where}: {note}" for note in (*own, *jail.notes, *jail.effects.notes)]


def _note_files(jails: list[Jail], notes: list[str]) -> None:
    """What to do about files that the journal has not."""
    readers: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for jail in jails:
        files = [] if jail.journal or recidive.is_recidive(jail) else others(jail.log_paths)
        if files:
            how = how_to_log(jail.filter_name)
            readers.setdefault((tuple(files), how), []).append(f"[{jail.name}]")
    for (paths, how), names in readers.items():
        read = "read" if len(names) > 1 else "reads"
        notes.append(
            f"{', '.join(names)}: {read} {', '.join(paths)}. Pyruse reads the journal alone: {how} "
            "(man 7 pyruse-rules, What servers have to log)"
        )
