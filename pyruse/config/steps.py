"""One step of a chain: from its table to the plugin's object with its options."""

from __future__ import annotations

from typing import Any, Literal

from pyruse.chains.model import Chain, Step
from pyruse.config.build import build
from pyruse.options import shown
from pyruse.plugins import ACTIONS, FILTERS, Found, PluginError, Registry

_Kind = Literal["filter", "action"]
_GROUPS: dict[_Kind, str] = {"filter": FILTERS, "action": ACTIONS}

#: The options that every step has, beside those of its plugin.
LINKS: dict[str, dict[str, type]] = {
    "filter": {"then": str, "else": str, "name": str, "invert": bool},
    "action": {"then": str, "name": str},
}


class StepBuilder:
    """Makes steps; classes are loaded and checked once each."""

    def __init__(self, registry: Registry, faults: list[str]) -> None:
        self._registry = registry
        self._faults = faults
        self._classes: dict[tuple[str, str], type | None] = {}

    def build(self, chain: Chain, index: int, table: Any) -> Step | None:
        """The step of a table, or None when something is wrong with it: faults are added."""
        address = f"{chain.address}[{index}]"
        if not isinstance(table, dict):
            self._faults.append(
                f"{address}: {shown(table)} is no step (expected a table such as "
                '{ filter = "equals", … })'
            )
            return None
        kind = self._kind(table, address)
        if kind is None:
            return None
        options = {name: value for name, value in table.items() if name != kind}
        links = self._links(kind, options, address)
        name = table[kind]
        if not isinstance(name, str):
            self._faults.append(f"{address}.{kind}: {shown(name)} is no name (expected text)")
            return None
        instance = self._instance(kind, name, options, address)
        return Step(
            chain.name, index, kind, name, instance,
            then=links.get("then"), otherwise=links.get("else"),
            invert=bool(links.get("invert")), label=links.get("name"), source=chain.source,
        )  # fmt: skip

    def _kind(self, table: dict[str, Any], address: str) -> _Kind | None:
        kinds: list[_Kind] = [kind for kind in _GROUPS if kind in table]
        if len(kinds) == 1:
            return kinds[0]
        what = "both a filter and an action" if kinds else "neither a filter nor an action"
        self._faults.append(f'{address}: {what} (expected filter = "…" or action = "…")')
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
                    words = "text" if wanted is str else "true or false"
                    self._faults.append(
                        f"{address}.{link}: {shown(value)} is of the wrong type (expected {words})"
                    )
        for link in LINKS["filter"].keys() - LINKS[kind].keys():
            if link in options:
                del options[link]
                self._faults.append(f"{address}.{link}: an action has none (expected in filters)")
        return links

    def _instance(self, kind: _Kind, name: str, options: dict[str, Any], address: str) -> Any:
        cls = self._class(kind, name, address)
        if cls is None:
            return None
        try:
            return build(cls, options, address, self._faults)
        except Exception as fault:  # noqa: BLE001 -- a class of anybody's: it may raise anything
            found = self._registry.find(_GROUPS[kind], name)
            text = f"cannot be made: {type(fault).__name__}: {fault}"
            self._faults.append(f"{address}: {found.error(text)}")
            return None

    def _class(self, kind: _Kind, name: str, address: str) -> type | None:
        group = _GROUPS[kind]
        if (group, name) not in self._classes:
            self._classes[group, name] = None
            try:
                found: Found = self._registry.find(group, name)
                self._classes[group, name] = found.load()
            except PluginError as fault:
                self._faults.append(f"{address}.{kind}: {fault}")
        elif self._classes[group, name] is None:
            self._faults.append(f'{address}.{kind}: the {kind} "{name}" cannot be used, see above')
        return self._classes[group, name]
