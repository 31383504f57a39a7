"""The rules that are installed, read when they are asked for."""

from __future__ import annotations

from pyruse.registry.found import PluginError
from pyruse.registry.kinds import RULES
from pyruse.registry.registry import Registry
from pyruse.rules.rules_file import RulesFile, belongs_to, read_rules


class Library:
    """Gives rules by name; each file is read once."""

    def __init__(self, registry: Registry) -> None:
        """Read nothing yet.

        :param registry: has the files.
        """
        self._registry = registry
        self._read: dict[str, RulesFile | PluginError] = {}

    @property
    def names(self) -> list[str]:
        """Of all the rules, in order."""
        return self._registry.names(RULES)

    def rules(self, name: str) -> RulesFile:
        """The rules of a name.

        :raises PluginError: there are none, or they are broken: a line for each fault.
        """
        if name not in self._read:
            try:
                found = self._registry.find(RULES, name)
                self._read[name] = read_rules(name, found.load(), found.origin)
            except PluginError as fault:
                self._read[name] = fault
        known = self._read[name]
        if isinstance(known, PluginError):
            raise known
        return known

    def owner_of(self, chain: str) -> RulesFile | None:
        """The rules that have a chain of this name; None: no rules have one.

        :raises PluginError: the rules by whose name the chain's name begins are broken.
        """
        for name in sorted(self.names, key=len, reverse=True):
            if belongs_to(chain, name):
                rules = self.rules(name)
                if chain in rules.chains:
                    return rules
        return None
