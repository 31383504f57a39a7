"""``pyruse outbox``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyruse.cli import values
from pyruse.cli.options import config_option, existing_state, on_terminal, settings_alone
from pyruse.cli.output import show_json, show_text, shown_time
from pyruse.cli.stdout import echo
from pyruse.errors import UserError
from pyruse.text import one_line, printable

if TYPE_CHECKING:
    from pyruse.config.settings import Settings
    from pyruse.state.outbox_item import OutboxItem

_SHOWN = 20
"""So many items of each list are shown to people."""
_ALL = "all"


@click.command("outbox")
@config_option
@click.argument("ids", nargs=-1, metavar="[ID | all]...", shell_complete=values.outbox_items)
@click.option("--retry", is_flag=True, help="Try these again now, or all of them.")
@click.option("--drop", is_flag=True, help="Forget these: they never leave.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def command(config: Path | None, ids: tuple[str, ...], retry: bool, drop: bool, form: str) -> None:
    """List what waits to leave Pyruse, and what was set aside since it cannot leave.

    An ID shows that item alone, with its text. The first characters of an ID are enough, where no
    other one begins with them. Works whether the daemon runs or not.

    \b
    pyruse outbox
    pyruse outbox --retry            # all, once the mail server works again
    pyruse outbox --drop 4f2a91c0
    """  # noqa: D301 -- click takes this one character for "as it stands"
    from pyruse.state.database import State
    from pyruse.state.outbox import Outbox

    if retry and drop:
        raise click.UsageError("--retry and --drop: expected one of them")
    if drop and not ids:
        raise click.UsageError("--drop: expected the IDs of what is to be forgotten, or all")
    settings = settings_alone(config)
    with State(existing_state(settings), read_only=True) as state, state.at_one_instant():
        outbox = Outbox()
        outbox.load(state.db)
    items = _chosen(outbox.items(), ids)
    if retry or drop:
        _change(settings, items, drop=drop)
    elif form == "json":
        show_json([_data(item) for item in items])
    elif ids and _ALL not in ids:
        for item in items:
            _show_one(item, settings.report.timezone.zone)
    else:
        _show(items, settings.report.timezone.zone)


def _chosen(items: list[OutboxItem], ids: Sequence[str]) -> list[OutboxItem]:
    """The items that are named; all, where none is.

    :raises UserError: an ID is of none, or of several.
    """
    if not ids or _ALL in ids:
        return items
    chosen = []
    for name in ids:
        found = [item for item in items if item.id.startswith(name.casefold())]
        if len(found) != 1:
            what = f"{len(found)} items begin so" if found else "is no item of the outbox"
            raise UserError(
                f"{printable(name)}: {what} (expected an ID that `pyruse outbox` lists)"
            )
        chosen += [one for one in found if one not in chosen]
    return chosen


def _change(settings: Settings, items: list[OutboxItem], *, drop: bool) -> None:
    """Have the daemon try items again or forget them; where none runs, do so here."""
    from pyruse.cli.rights import see_that_changeable
    from pyruse.daemon.control import ask
    from pyruse.text import counted

    if not items:
        echo("nothing waits, and nothing was set aside")
        return
    ids = [item.id for item in items]
    path = settings.state.url.path
    see_that_changeable(path)
    said = ask(path, {"request": "outbox", "drop" if drop else "retry": ids})
    if said is None:
        leaving = _change_here(path, ids, drop=drop)
    elif said.get("ok"):
        leaving = said["leaving"]
    else:
        raise UserError(f"the daemon: {said.get('fault')}")
    done = counted(len(ids) - len(leaving), "item")
    if drop:
        echo(f"{done} dropped")
    elif said is None:
        echo(f"{done} will be tried again when the daemon starts")
    else:
        echo(f"{done} tried again now: `pyruse outbox` shows what is left")
    if leaving:
        raise UserError(f"{counted(len(leaving), 'item')}: being sent just now, and not dropped")


def _change_here(path: str, ids: list[str], *, drop: bool) -> list[str]:
    from pyruse.cli.changing import changed_here

    with changed_here(path) as state:
        if drop:
            return state.outbox.drop(ids)
        state.outbox.retry(ids)
        return []


def _data(item: OutboxItem) -> dict[str, Any]:
    """For programs. Instants are microseconds since the epoch."""
    return {
        "id": item.id,
        "kind": item.family,
        "state": "set aside" if item.refused else "waiting",
        "report": item.report,
        "subject": item.payload.get("subject"),
        "to": item.payload.get("to"),
        "created": item.created,
        "tries": item.attempts,
        "next": None if item.refused else max(item.due, item.created),
        "fault": item.error,
    }


def _show(items: list[OutboxItem], zone: tzinfo) -> None:
    waiting = [item for item in items if not item.refused]
    aside = [item for item in items if item.refused]
    if not on_terminal():
        for item in (*waiting, *aside):
            data = _data(item)
            cells = (
                item.id, data["state"], item.family, ", ".join(data["to"] or []),
                shown_time(item.created, zone), item.attempts,
                "" if item.refused else _next(item, zone), _what(item), item.error or "",
            )  # fmt: skip
            echo("\t".join(one_line(str(cell)) for cell in cells))
        return
    if not items:
        echo("Nothing waits, and nothing was set aside.")
    for title, found in (("Waiting", waiting), ("Set aside, and tried no more", aside)):
        if found:
            echo(f"{title}: {len(found):,}")
            # The newest is what people look for.
            for item in found[: -_SHOWN - 1 : -1]:
                _show_lines(item, zone)
            if len(found) > _SHOWN:
                more = f"and {len(found) - _SHOWN:,} more (all: pyruse outbox --format json)"
                show_text(more, "  ")
    if aside:
        show_text("Once the reason is gone: pyruse outbox --retry; to forget one: --drop ID")


def _show_lines(item: OutboxItem, zone: tzinfo) -> None:
    from pyruse.delivery.item_names import SHORT_ID

    show_text(_what(item), f"  {item.id[:SHORT_ID]}  ")
    for line in _facts(item, zone):
        show_text(line, " " * (SHORT_ID + 4), " " * (SHORT_ID + 6))


def _facts(item: OutboxItem, zone: tzinfo) -> Iterator[str]:
    from pyruse.text import counted

    if to := item.payload.get("to"):
        yield f"to {', '.join(to)}"
    tries = counted(item.attempts, "try") if item.attempts else "not tried yet"
    due = "" if item.refused else f", next {_next(item, zone)}"
    yield f"since {shown_time(item.created, zone)}, {tries}{due}"
    if item.error:
        yield item.error


def _what(item: OutboxItem) -> str:
    from pyruse.delivery.item_names import named

    if item.report is not None:
        return f"the report of {item.report}"
    return named(item)


def _next(item: OutboxItem, zone: tzinfo) -> str:
    from pyruse.times import now_us

    return shown_time(item.due, zone) if item.due > now_us() else "now"


def _show_one(item: OutboxItem, zone: tzinfo) -> None:
    from pyruse.delivery.mail.texts import text_of

    show_text(_what(item), f"{item.id}  ", "  ")
    for line in _facts(item, zone):
        show_text(line, "", "  ")
    if "parts" in item.payload and item.kind == "mail":
        echo(f"\n{printable(text_of(item.payload))}")
