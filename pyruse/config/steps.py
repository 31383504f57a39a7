"""Chains and their steps: from their tables to the plugins' objects with their options."""

from __future__ import annotations

from typing import Any, Literal

from pyruse.chains.model import Chain, Step
from pyruse.config.files import Document
from pyruse.errors import did_you_mean, in_words
from pyruse.options.build import build, options_of
from pyruse.options.faults import ConfigFaults, RedirectedFaults
from pyruse.options.patterns import taken_as_valid
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


def chains_of(document: Document, steps_of: StepMaker, faults: list[str]) -> dict[str, Chain]:
    """The chains, with the steps that have no faults.

    :param document: of all the files.
    :param steps_of: makes the steps.
    :param faults: what is wrong is added.
    """
    chains: dict[str, Chain] = {}
    for name, tables in document.chains.items():
        chain = chains[name] = Chain(name, [], document.source("chains", name))
        here = ConfigFaults(chain.address, faults)
        if not isinstance(tables, list):
            here.add(
                f"{shown(tables)} is no chain (expected a list of steps: "
                '[ { filter = "…" }, { action = "…" } ])'
            )
            continue
        for index, table in enumerate(tables):
            origins = document.origins.get((name, index), {})
            with taken_as_valid(name in document.tested and not origins):
                step = steps_of.step(chain, index, table, RedirectedFaults(here.at(index), origins))
            if step is not None:
                chain.steps.append(step)
    if not document.chains and not document.use and not document.faults:
        document.section("chains", faults).add(
            'there are none (expected at least one, or rules: use = ["sshd"]; `pyruse rules` '
            "lists them)"
        )
    return chains


class StepMaker:
    """Makes steps; classes are loaded and checked once each."""

    def __init__(self, registry: Registry) -> None:
        """Load nothing yet.

        :param registry: has the filters and actions.
        """
        self._registry = registry
        self._classes: dict[tuple[str, str], type | PluginError] = {}

    def step(self, chain: Chain, index: int, table: Any, faults: ConfigFaults) -> Step | None:
        """The step of a table, or None when something is wrong with it: faults are added."""
        if not isinstance(table, dict):
            faults.add(
                f'{shown(table)} is no step (expected {{ filter = "…", … }} or '
                '{ action = "…", … })'
            )
            return None
        kind = _kind(table, faults)
        if kind is None:
            return None
        options = {name: value for name, value in table.items() if name != kind}
        links = _links(kind, options, faults)
        name = table[kind]
        if not isinstance(name, str):
            faults.at(kind).add(
                f"{shown(name)} is no name (expected one that `pyruse plugins` lists)"
            )
            return None
        if "name" in links and self._has_name(kind, name):
            options["name"] = links["name"]
        instance = self._instance(kind, name, options, faults)
        return Step(
            chain.name, index, kind, name, instance,
            then=links.get("then"), otherwise=links.get("else"),
            invert=bool(links.get("invert")), label=links.get("name"), source=chain.source,
        )  # fmt: skip

    def _instance(
        self, kind: _Kind, name: str, options: dict[str, Any], faults: ConfigFaults
    ) -> Any:
        cls = self._class(kind, name, faults.at(kind))
        if cls is None:
            return None
        try:
            instance = build(cls, options, faults, others=LINKS[kind])
            if "traits" in getattr(instance, "__dict__", ()):
                raise TypeError(
                    "traits are set on the object, where nobody sees them (expected them on the "
                    "class: traits: ClassVar[Traits] = …)"
                )
            return instance
        except KeyboardInterrupt:
            raise
        except BaseException as fault:  # noqa: BLE001 -- a class of anybody's: it may raise anything
            found = self._registry.find(_GROUPS[kind], name)
            faults.add(str(found.error(f"cannot be made: {in_words(fault)}")))
            return None

    def _has_name(self, kind: _Kind, name: str) -> bool:
        """Whether the label of a step is an option of its plugin, too."""
        cls = self._class(kind, name, ConfigFaults(""))  # what is wrong is told with the instance
        return cls is not None and any(option.name == "name" for option in options_of(cls))

    def load(self, kind: str, name: str) -> None:
        """Load a class that will be needed: later, there may be no descriptors to spare."""
        self._class("filter" if kind == "filter" else "action", name, ConfigFaults(""))

    def _class(self, kind: _Kind, name: str, faults: ConfigFaults) -> type | None:
        group = _GROUPS[kind]
        if (group, name) not in self._classes:
            try:
                self._classes[group, name] = self._registry.find(group, name).load()
            except PluginError as fault:
                self._classes[group, name] = fault
        found = self._classes[group, name]
        if isinstance(found, PluginError):
            faults.add(str(found))
            return None
        return found


def _kind(table: dict[str, Any], faults: ConfigFaults) -> _Kind | None:
    kinds: list[_Kind] = [kind for kind in _GROUPS if kind in table]
    if len(kinds) == 1:
        return kinds[0]
    what = "both a filter and an action" if kinds else "neither a filter nor an action"
    hints = [] if kinds else [hint for name in table if (hint := did_you_mean(name, _GROUPS))]
    faults.add(f'{what} (expected filter = "…" or action = "…"{"".join(hints[:1])})')
    return None


def _links(kind: _Kind, options: dict[str, Any], faults: ConfigFaults) -> dict[str, Any]:
    """Take ``then``, ``else``, ``name`` and ``invert`` out of the options."""
    links: dict[str, Any] = {}
    for link, wanted in LINKS[kind].items():
        if link in options:
            value = options.pop(link)
            if type(value) is wanted:
                links[link] = value
            else:
                faults.at(link).add(
                    f"{shown(value)} is of the wrong type (expected {_LINK_WORDS[link]})"
                )
    for link in LINKS["filter"]:
        if link in options and link not in LINKS[kind]:
            del options[link]
            faults.at(link).add(f"an action has no {link} (expected in filters)")
    return links
