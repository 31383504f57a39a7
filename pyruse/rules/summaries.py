"""The summaries that a file of rules declares: ``[[summaries]]``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pyruse.api.declared import MEASURES, DeclaredSummary
from pyruse.api.vocabulary import EVENTS
from pyruse.errors import did_you_mean
from pyruse.options.faults import ConfigFaults
from pyruse.text import shown

_KEYS = ("title", "event", "rows", "columns", "top")
_MOST = 1_000  # rows


def read_summaries(
    tables: Any, rules: str, chains: Mapping[str, list[Any]], faults: ConfigFaults
) -> Iterator[DeclaredSummary]:
    """Read and check what is declared.

    :param tables: as TOML has it.
    :param rules: the name of the rules.
    :param chains: theirs, which may know events of their own.
    :param faults: of the key ``summaries``.
    """
    if not isinstance(tables, list):
        faults.add(f"{shown(tables)} is no list (expected [[summaries]])")
        return
    known = {name: kind.fields for name, kind in EVENTS.items()} | _own_events(chains)
    ids: set[str] = set()
    for index, table in enumerate(tables):
        here = faults.at(index)
        if not isinstance(table, dict):
            here.add(f"{shown(table)} is no table (expected title, event, rows)")
            continue
        one = _Reader(table, known, here).read(rules)
        if one is None:
            continue
        if one.id in ids:
            here.at("title").add(f"{shown(one.title)} is there already (expected another title)")
        ids.add(one.id)
        yield one


def _own_events(chains: Mapping[str, list[Any]]) -> dict[str, tuple[str, ...]]:
    """The events with ``fields`` that the rules' own steps know."""
    own: dict[str, tuple[str, ...]] = {}
    for step in (step for tables in chains.values() for step in tables):
        if isinstance(step, dict) and step.get("action") == "event":
            name, fields = step.get("name"), step.get("fields")
            if isinstance(name, str) and isinstance(fields, list):
                own[name] = (*own.get(name, ()), *(one for one in fields if isinstance(one, str)))
    return own


class _Reader:
    def __init__(
        self, table: Mapping[str, Any], known: Mapping[str, tuple[str, ...]], faults: ConfigFaults
    ) -> None:
        self._table = table
        self._known = known
        self._faults = faults
        self._events_known = False

    def read(self, rules: str) -> DeclaredSummary | None:
        before = len(self._faults.texts)
        for key in self._table:
            if key not in _KEYS:
                self._faults.at(key).add(
                    f"unknown (expected one of: {', '.join(_KEYS)}{did_you_mean(key, _KEYS)})"
                )
        title = self._table.get("title")
        if not isinstance(title, str) or not title.strip():
            self._faults.at("title").add('missing (expected text, such as "Doors")')
        events = self._events()
        fields = ("service", *(name for event in events for name in self._known.get(event, ())))
        rows = self._names("rows", dict.fromkeys(fields))
        columns: tuple[str, ...] = ("count",)
        if "columns" in self._table:
            columns = self._names("columns", dict.fromkeys([*MEASURES, *fields]))
        top = self._table.get("top", 10)
        if not isinstance(top, int) or isinstance(top, bool) or not 1 <= top <= _MOST:
            self._faults.at("top").add(f"{shown(top)} is no number of rows (expected 1 to {_MOST})")
        if len(self._faults.texts) > before:
            return None
        name = re.sub(r"[^a-z0-9]+", "-", f"{rules} {title}".lower()).strip("-")
        adds = [EVENTS[event].amount for event in events if event in EVENTS]
        return DeclaredSummary(
            name, str(title), events, rows, columns, int(top), adds_bytes="size" in adds
        )

    def _events(self) -> tuple[str, ...]:
        """The names of events, those that nobody knows left out."""
        event = self._table.get("event")
        names: list[Any] = event if isinstance(event, list) else [event]
        if event is None or not names or not all(isinstance(name, str) for name in names):
            self._faults.at("event").add(
                f"{'missing' if event is None else shown(event) + ' is no name'} (expected the "
                "name of an event, or a list of names)"
            )
            return ()
        for name in names:
            if name not in self._known:
                self._faults.at("event").add(
                    f"{shown(name)} is no event (expected one of the vocabulary, or one that a "
                    f"step of these rules has with its fields{did_you_mean(name, self._known)})"
                )
        found = tuple(name for name in names if name in self._known)
        # What is faulty already is told once.
        self._events_known = len(found) == len(names)
        return found

    def _names(self, key: str, known: Mapping[str, Any]) -> tuple[str, ...]:
        names = self._table.get(key)
        if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
            self._faults.at(key).add(
                f"{'missing' if names is None else shown(names) + ' is no list of names'} "
                f"(expected a list of: {', '.join(known)})"
            )
            return ()
        if self._events_known:
            for name in names:
                if name not in known:
                    self._faults.at(key).add(
                        f"{shown(name)} is unknown (expected one of: {', '.join(known)}"
                        f"{did_you_mean(name, known)})"
                    )
        return tuple(names)
