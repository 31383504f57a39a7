"""One step of a chain: from its table to the plugin's object with its options."""

from __future__ import annotations

from typing import Any, Literal

from pyruse.chains.model import Chain, Step
from pyruse.errors import did_you_mean
from pyruse.options.build import build
from pyruse.registry.found import PluginError
from pyruse.registry.kinds import ACTIONS, FILTERS
from pyruse.registry.registry import Registry
from pyruse.text import shown

_Kind = Literal["filter", "action"]
_GROUPS: dict[_Kind, str] = {"filter": FILTERS, "action": ACTIONS}

LINKS: dict[str, dict[str, type]] = {
    "filter": {"then": str, "else": str, "name": str, "invert": bool},
    "action": {"then": str, "name": str},
}
"""The options that every step has, beside those of its plugin."""
_LINK_WORDS = {
    "then": "the name of a chain",
    "else": "the name of a chain",
    "name": "text",
    "invert": "true or false",
}


class StepBuilder:
    """Makes steps; classes are loaded and checked once each."""

    def __init__(self, registry: Registry, faults: list[str]) -> None:
        self._registry = registry
        self._faults = faults
        self._classes: dict[tuple[str, str], type | PluginError] = {}

    def build(self, chain: Chain, index: int, table: Any) -> Step | None:
        """The step of a table, or None when something is wrong with it: faults are added."""
        address = f"{chain.address}[{index}]"
        if not isinstance(table, dict):
            self._faults.append(
                f'{address}: {shown(table)} is no step (expected {{ filter = "…", … }} or '
                '{ action = "…", … })'
            )
            return None
        kind = self._kind(table, address)
        if kind is None:
            return None
        options = {name: value for name, value in table.items() if name != kind}
        links = self._links(kind, options, address)
        name = table[kind]
        if not isinstance(name, str):
            self._faults.append(
                f"{address}.{kind}: {shown(name)} is no name (expected one that `pyruse plugins` "
                "lists)"
            )
            return None
        instance = self._instance(kind, name, options, address)
        return Step(
            chain.name, index, kind, name, instance,
            then=links.get("then"), otherwise=links.get("else"),
            invert=bool(links.get("invert")), label=links.get("name"), source=chain.source,
            options=options,
        )  # fmt: skip

    def _kind(self, table: dict[str, Any], address: str) -> _Kind | None:
        kinds: list[_Kind] = [kind for kind in _GROUPS if kind in table]
        if len(kinds) == 1:
            return kinds[0]
        what = "both a filter and an action" if kinds else "neither a filter nor an action"
        hints = [] if kinds else [hint for name in table if (hint := did_you_mean(name, _GROUPS))]
        self._faults.append(
            f'{address}: {what} (expected filter = "…" or action = "…"{"".join(hints[:1])})'
        )
        return None

    def _links(self, kind: _Kind, options: dict[str, Any], address: str) -> dict[str, Any]:
        """Take ``then``, ``else``, ``name`` and ``invert`` out of the options."""
        links: dict[str, Any] = {}
        for link, wanted in LINKS[kind].items():
            if link in options:
                value = options.pop(link)
                if type(value) is wanted:
                    links[link] = value
                else:
                    self._faults.append(
                        f"{address}.{link}: {shown(value)} is of the wrong type "
                        f"(expected {_LINK_WORDS[link]})"
                    )
        for link in LINKS["filter"]:
            if link in options and link not in LINKS[kind]:
                del options[link]
                self._faults.append(
                    f"{address}.{link}: an action has no {link} (expected in filters)"
                )
        return links

    def _instance(self, kind: _Kind, name: str, options: dict[str, Any], address: str) -> Any:
        cls = self._class(kind, name, address)
        if cls is None:
            return None
        try:
            return build(cls, options, address, self._faults, others=LINKS[kind])
        except Exception as fault:  # noqa: BLE001 -- a class of anybody's: it may raise anything
            found = self._registry.find(_GROUPS[kind], name)
            text = f"cannot be made: {type(fault).__name__}: {fault}"
            self._faults.append(f"{address}: {found.error(text)}")
            return None

    def _class(self, kind: _Kind, name: str, address: str) -> type | None:
        group = _GROUPS[kind]
        if (group, name) not in self._classes:
            try:
                self._classes[group, name] = self._registry.find(group, name).load()
            except PluginError as fault:
                self._classes[group, name] = fault
        found = self._classes[group, name]
        if isinstance(found, PluginError):
            self._faults.append(f"{address}.{kind}: {found}")
            return None
        return found
