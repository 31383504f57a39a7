"""``pyruse kinds``."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyruse.cli import values
from pyruse.cli.options import config_option, existing_state, on_terminal, settings_alone
from pyruse.cli.stdout import echo
from pyruse.errors import UserError

if TYPE_CHECKING:
    from pyruse.config.settings import Settings
    from pyruse.state.kinds import KindHistory

_ID = re.compile(r"[0-9a-f]{12}\Z")
_LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
_EXAMPLES = 10
_COLUMNS = ("id", "program", "level", "section", "events", "days", "first", "last", "kind")


@click.command("kinds")
@config_option
@click.argument("words", nargs=-1, metavar="[ID | WORD...]", shell_complete=values.kinds)
@click.option(
    "--day", metavar="DAY", shell_complete=values.days,
    help="Only kinds that came on this day, with its numbers.",
)  # fmt: skip
@click.option("--new", "new", is_flag=True, help="Only kinds that came for the first time then.")
@click.option("--muted", "muted", is_flag=True, help="Only kinds that are muted.")
@click.option(
    "--mute", "mute", multiple=True, metavar="ID", shell_complete=values.kinds,
    help="Tell no more of a kind.",
)  # fmt: skip
@click.option(
    "--unmute", "unmute", multiple=True, metavar="ID", shell_complete=values.kinds,
    help="Tell of it again.",
)  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def command(  # noqa: PLR0913 -- click hands over each option
    config: Path | None,
    words: tuple[str, ...],
    day: str | None,
    new: bool,
    muted: bool,
    mute: tuple[str, ...],
    unmute: tuple[str, ...],
    form: str,
) -> None:
    """List the kinds of what was reported; show one; mute it.

    A kind is what events of the report have in common once numbers, addresses, paths and the like
    are left out: "Connection from * closed". The list has all that came on the days that are kept,
    the most frequent first; WORDs choose those that have all of them in their program, their kind
    or their example.

    An ID alone shows that kind: how often it came each day, and what it said.

    A kind that is muted (--mute ID) is never unlike other days, and the report has one line for it.

    DAY is "2026-03-14", "today", "yesterday" or -N, N days ago; --new alone is about the last day
    that there is. Works while the daemon runs.

    \b
    pyruse kinds sshd --day yesterday
    """  # noqa: D301 -- click takes this one character for "as it stands"
    settings = settings_alone(config)
    if mute or unmute:
        if words or day or new or muted:
            raise click.UsageError("--mute and --unmute: expected nothing but IDs")
        _change(settings, [_id(one) for one in mute], [_id(one) for one in unmute])
        return
    from pyruse.state.opening import reading

    with reading(existing_state(settings)) as db:
        if len(words) == 1 and _ID.match(words[0]) and not (day or new or muted):
            _show_one(db, words[0], form)
            return
        found = _chosen(settings, db, words, day, new, muted)
        _show_list(db, found, form)
        if words and not found and form != "json":
            echo("no kind has these words", err=True)


def _id(text: str) -> int:
    if not _ID.match(text):
        raise click.UsageError(
            f'"{text}" is no kind (expected an ID of 12 hexadecimal digits, as `pyruse kinds` '
            "lists them)"
        )
    return int(text, 16)


def _chosen(  # noqa: PLR0913 -- one for each option
    settings: Settings,
    db: sqlite3.Connection,
    words: Sequence[str],
    day: str | None,
    new: bool,
    muted: bool,
) -> list[KindHistory]:
    from pyruse.cli.days import day_named
    from pyruse.state.kinds import days_with_counts, kind_history
    from pyruse.times import now_us

    if day is not None:
        day = day_named(day, settings.report.calendar.day_of(now_us()))
    elif new:
        day = max(days_with_counts(db), default="")
    found = [
        kind if day is None else kind._replace(days={day: kind.days[day]})
        for kind in kind_history(db)
        if (day is None or day in kind.days)
        and not (new and kind.since != day)
        and not (muted and not kind.is_muted)
        and _has(kind, words)
    ]
    return sorted(found, key=lambda kind: (-kind.events, kind.id))


def _has(kind: KindHistory, words: Sequence[str]) -> bool:
    text = f"{kind.program}\n{kind.template}\n{kind.example}".casefold()
    return all(word.casefold() in text for word in words)


def _show_list(db: sqlite3.Connection, kinds: list[KindHistory], form: str) -> None:
    from pyruse.cli.output import show_json, show_table
    from pyruse.report.kind_texts import with_names
    from pyruse.state.kinds import count_others

    if form == "json":
        show_json([_data(kind) for kind in kinds])
        return
    rows = [
        (
            f"{kind.id:012x}",
            kind.program or "-",
            _level(kind.level) or "-",
            kind.section,
            kind.events,
            len(kind.days),
            kind.since,
            max(kind.days),
            with_names(kind.template) + (" (muted)" if kind.is_muted else ""),
        )
        for kind in kinds
    ]
    if on_terminal():
        _draw_list(kinds)
    else:
        show_table("", _COLUMNS, rows)
    if rest := count_others(db):
        echo(f"events of kinds that came too seldom to be kept: {rest:,}", err=True)


def _draw_list(kinds: list[KindHistory]) -> None:
    """Two lines for each kind, and the first of them of the same form: ids can be copied."""
    from pyruse.cli.output import show_text
    from pyruse.report.kind_texts import with_names
    from pyruse.text import counted

    echo(counted(len(kinds), "kind"))
    for kind in kinds:
        last = max(kind.days)
        days = last if kind.since == last else f"{kind.since} – {last}"
        marks = [kind.section, *([_level(kind.level)] if kind.level is not None else [])]
        marks += ["muted"] if kind.is_muted else []
        text = f"{days}  {kind.program or '-'} ({', '.join(marks)})"
        show_text(text, f"{kind.id:012x}  {kind.events:>7,} ×  ", "    ")
        show_text(with_names(kind.template), "    ")


def _show_one(db: sqlite3.Connection, name: str, form: str) -> None:
    from pyruse.cli.output import show_json, show_table, show_text
    from pyruse.report.kind_texts import with_names
    from pyruse.state.kinds import kind_history, messages_of_kind

    kind = next((one for one in kind_history(db) if one.id == int(name, 16)), None)
    if kind is None:
        raise _unknown([name])
    said = messages_of_kind(db, list(kind.days), kind.section, kind.id, _EXAMPLES)
    examples = said or [(kind.example, kind.events)]
    if form == "json":
        messages = [{"message": message, "events": events} for message, events in examples]
        show_json({**_data(kind), "messages": messages})
        return
    for label, value in (
        ("kind", with_names(kind.template)),
        ("program", kind.program),
        ("level", _level(kind.level)),
        ("section", kind.section),
        ("event", kind.event),
        ("first seen", kind.since),
        ("muted", "yes" if kind.is_muted else ""),
    ):
        if value:
            show_text(value, f"{label:<12}")
    echo()
    show_table("Days", ["day", "events"], list(kind.days.items()))
    echo()
    show_table("The most frequent messages", ["events", "message"], [one[::-1] for one in examples])


def _data(kind: KindHistory) -> dict[str, Any]:
    return {
        "id": f"{kind.id:012x}",
        "template": kind.template,
        "program": kind.program,
        "level": kind.level,
        "section": kind.section,
        "event": kind.event,
        "example": kind.example,
        "first": kind.since,
        "last": max(kind.days),
        "events": kind.events,
        "days": kind.days,
        "muted": kind.is_muted,
    }


def _level(level: int | None) -> str:
    return "" if level is None else _LEVELS[level]


def _unknown(names: Sequence[str]) -> UserError:
    return UserError(
        f"no kind has the ID {', '.join(names)} (expected one that `pyruse kinds` lists)"
    )


def _change(settings: Settings, mute: list[int], unmute: list[int]) -> None:
    """Mute and unmute, by the daemon where one runs."""
    from pyruse.cli.rights import see_that_changeable
    from pyruse.daemon.control import ask
    from pyruse.state.kinds import is_kind, is_muted
    from pyruse.state.opening import reading
    from pyruse.times import now_us

    path = existing_state(settings)
    with reading(path) as db:
        wrong = [one for one in mute if not is_kind(db, one)]
        wrong += [one for one in unmute if not is_muted(db, one)]
    if wrong:
        raise _unknown([f"{one:012x}" for one in wrong])
    see_that_changeable(path)
    changes = {**dict.fromkeys(mute, now_us()), **dict.fromkeys(unmute)}
    said = ask(path, {"request": "mute", "kinds": list(changes.items())})
    if said is None:
        _change_without_daemon(path, changes)
    elif not said.get("ok"):
        raise UserError(str(said.get("fault")))
    for kind, since in changes.items():
        echo(f"{kind:012x}: {'told of again' if since is None else 'muted'}")


def _change_without_daemon(path: str, changes: dict[int, int | None]) -> None:
    from pyruse.state.database import State
    from pyruse.state.hand_over import hand_over
    from pyruse.state.lock import StateLock

    lock = StateLock(path)
    try:
        with State(path) as state:
            for kind, since in changes.items():
                state.kinds.mute(kind, since)
            state.commit()
    finally:
        hand_over(path)
        lock.release()
