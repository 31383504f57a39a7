"""What may stand at a place of a command line, for the completion of shells.

Whatever goes wrong, nothing is offered and nothing is said: somebody is typing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import sqlite3

    from click.shell_completion import CompletionItem

    from pyruse.config.settings import Settings
    from pyruse.journal.whereabouts import Whereabouts

Complete = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]
_Offers = Iterable[str | tuple[str, str]]

_PATIENCE_S = 0.1
"""So long values are looked for in the files of a journal, the newest first."""


def _offered(offers: Callable[[click.Context, str], _Offers]) -> Complete:
    """Of what there is, offer what begins as typed: values, or pairs of a value and its help."""

    @wraps(offers)
    def complete(
        ctx: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        given = ctx.params.get(parameter.name or "")
        known = {str(one) for one in given} if isinstance(given, (tuple, list)) else set()
        found = []
        try:
            for offer in offers(ctx, incomplete):
                value, text = (offer, None) if isinstance(offer, str) else offer
                if value.startswith(incomplete) and value not in known:
                    found.append(CompletionItem(value, help=text))
        except Exception:  # noqa: BLE001 -- see above
            return []
        return found

    return complete


@_offered
def banned(ctx: click.Context, incomplete: str) -> _Offers:
    """The networks that are banned."""
    from pyruse.state.choices import networks

    with _state(ctx) as db:
        return networks(db, incomplete)


@_offered
def outbox_items(ctx: click.Context, _: str) -> _Offers:
    """What is in the outbox, by the ids that `pyruse outbox` shows."""
    from pyruse.delivery.item_names import SHORT_ID
    from pyruse.state import choices

    with _state(ctx) as db:
        return [(item_id[:SHORT_ID], text) for item_id, text in choices.outbox_items(db)]


@_offered
def labels(ctx: click.Context, _: str) -> _Offers:
    """The labels of bans."""
    from pyruse.state import choices

    with _state(ctx) as db:
        return choices.labels(db)


@_offered
def days(ctx: click.Context, _: str) -> _Offers:
    """The days that are kept."""
    from pyruse.state import choices

    yield from ("today", "yesterday")
    with _state(ctx) as db:
        yield from choices.days(db)


@_offered
def machines(ctx: click.Context, _: str) -> _Offers:
    """The machines that the state knows."""
    from pyruse.state import choices

    with _state(ctx) as db:
        return choices.machines(db)


@_offered
def kinds(ctx: click.Context, _: str) -> _Offers:
    """The ids of kinds, with what they are."""
    from pyruse.state import choices

    with _state(ctx) as db:
        return [(f"{number:012x}", template) for number, template in choices.kinds(db)]


@_offered
def plugins(ctx: click.Context, _: str) -> _Offers:
    """The names of plugins."""
    from pyruse.registry.kinds import PLUGINS

    return _installed(PLUGINS, ctx, "*.py")


@_offered
def rules(ctx: click.Context, _: str) -> _Offers:
    """The names of rules."""
    from pyruse.registry.kinds import RULES

    return _installed((RULES,), ctx, "*.toml")


@_offered
def chains_and_rules(ctx: click.Context, _: str) -> _Offers:
    """The chains of the configuration, and the names of rules."""
    from pyruse.config.files import chosen, read
    from pyruse.registry.kinds import RULES

    path = chosen(_config(ctx))
    own = list(read(path).chains) if path.exists() else []
    return [*own, *_installed((RULES,), ctx, "*.toml")]


@_offered
def units(ctx: click.Context, _: str) -> _Offers:
    """The units of the journal that is chosen."""
    return sorted(_values(ctx, "_SYSTEMD_UNIT"))


@_offered
def identifiers(ctx: click.Context, _: str) -> _Offers:
    """The programs of the journal that is chosen."""
    return sorted(_values(ctx, "SYSLOG_IDENTIFIER"))


@_offered
def fields(ctx: click.Context, _: str) -> _Offers:
    """The fields of the journal that is chosen."""
    return sorted(_fields(ctx))


@_offered
def matches(ctx: click.Context, incomplete: str) -> _Offers:
    """``FIELD=``, and once that is typed, its values."""
    field, separator, _ = incomplete.partition("=")
    if separator:
        return [f"{field}={value}" for value in sorted(_values(ctx, field))]
    return [f"{name}=" for name in sorted(_fields(ctx))]


@_offered
def levels(_: click.Context, __: str) -> _Offers:
    """The names of priorities."""
    from pyruse.journal.matches import LEVELS

    return LEVELS


@_offered
def namespaces(_: click.Context, __: str) -> _Offers:
    """The journal namespaces of this machine."""
    from pyruse.journal.whereabouts import Whereabouts

    return ["*", *Whereabouts().namespaces_here()]


def _config(ctx: click.Context) -> Path | None:
    chosen = ctx.params.get("config") or ctx.find_root().params.get("config")
    return None if chosen is None else Path(chosen)


def _settings(ctx: click.Context) -> Settings:
    from pyruse.config.sections import sound_settings

    return sound_settings(_config(ctx))


@contextmanager
def _state(ctx: click.Context) -> Iterator[sqlite3.Connection]:
    from pyruse.state.opening import reading

    with reading(_settings(ctx).state.url.path) as db:
        yield db


def _installed(groups: Iterable[str], ctx: click.Context, pattern: str) -> list[str]:
    """The names that packages have for plugins of some groups; and those of files."""
    from pyruse.config.files import chosen
    from pyruse.registry.entry_points import of_groups

    names = {point.name for point in of_groups(tuple(groups))}
    path = chosen(_config(ctx))
    folder = (path if path.is_dir() else path.parent) / "plugins"
    return sorted(names | {file.stem for file in folder.glob(pattern)})


def _values(ctx: click.Context, field: str) -> set[str]:
    return _found(ctx, lambda raw: {str(one) for one in raw.query_unique(field)})


def _fields(ctx: click.Context) -> set[str]:
    return _found(ctx, lambda raw: set(raw.enumerate_fields()))


def _found(ctx: click.Context, look: Callable[[Any], set[str]]) -> set[str]:
    """What is found in the indexes of the journal's files, in the time that there is."""
    import os

    from systemd import journal

    files = [file.path for some in _whereabouts(ctx).files().values() for file in some]
    until = time.monotonic() + _PATIENCE_S
    found: set[str] = set()
    for file in sorted(files, key=os.path.getmtime, reverse=True):
        raw = journal.Reader(files=[file])
        found |= look(raw)
        raw.close()
        if time.monotonic() > until:
            break
    return found


def _whereabouts(ctx: click.Context) -> Whereabouts:
    from pyruse.journal.whereabouts import Whereabouts

    given = ctx.params
    if given.get("directory"):
        return Whereabouts(Path(given["directory"]))
    if given.get("files"):
        return Whereabouts(paths=[Path(one) for one in given["files"]])
    if given.get("namespace"):
        return Whereabouts(namespaces=[given["namespace"]])
    try:
        chosen = _settings(ctx).journal
    except Exception:  # noqa: BLE001 -- none is there, or it has faults: this machine's journal
        return Whereabouts()
    namespaces_ = [*([chosen.namespace] if chosen.namespace else []), *chosen.namespaces]
    return Whereabouts(chosen.directory, chosen.files, namespaces_)
