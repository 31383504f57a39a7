"""The rules that are installed, read when they are asked for."""

from __future__ import annotations

from functools import cached_property

from pyruse.errors import ConfigError
from pyruse.registry.found import Found, PluginError
from pyruse.registry.kinds import RULES
from pyruse.registry.packages import OWN
from pyruse.registry.registry import Registry
from pyruse.rules.rules_file import RuleOption, RulesFile, chains_prefix, read_rules


class Library:
    """Gives rules by name; each file is read once."""

    def __init__(self, registry: Registry) -> None:
        """Read nothing yet.

        :param registry: has the files.
        """
        self._registry = registry
        self._read: dict[str, RulesFile | ConfigError] = {}

    @property
    def names(self) -> list[str]:
        """Of all the rules, in order."""
        return self._registry.names(RULES)

    def rules(self, name: str) -> RulesFile:
        """The rules of a name.

        :raises ConfigError: there are none, or they are broken: a line for each fault.
        """
        if name not in self._read:
            try:
                found = self._registry.find(RULES, name)
                self._read[name] = _read(found)
            except PluginError as fault:
                self._read[name] = ConfigError([str(fault)])
            except ConfigError as fault:
                self._read[name] = fault
        known = self._read[name]
        if isinstance(known, ConfigError):
            raise known
        return known

    def options_of(self, rules: RulesFile) -> dict[str, RuleOption]:
        """The options that some rules have, those of the policies that they lead to among them.

        :param rules: the rules.
        """
        options = dict(rules.options)
        for policy in self.policies_of(rules):
            options = {**policy.options, **options}
        return options

    def policies_of(self, rules: RulesFile) -> list[RulesFile]:
        """The policies that some rules lead to, by others, too; without those that are broken."""
        found: dict[str, RulesFile] = {}
        to_follow = [rules]
        while to_follow:
            here = to_follow.pop()
            for chain in here.jumps:
                policy = None if chain in here.chains else self._policy_with(chain)
                if policy is not None and policy.name not in (rules.name, *found):
                    found[policy.name] = policy
                    to_follow.append(policy)
        return list(found.values())

    def policy_with(self, chain: str) -> RulesFile | None:
        """The policy that has a chain of this name; None: there is none.

        :raises ConfigError: the policy by whose name the chain's name begins is broken.
        """
        found = self.owner_of(chain)
        return found if found is not None and found.is_policy else None

    def _policy_with(self, chain: str) -> RulesFile | None:
        try:
            return self.policy_with(chain)
        except ConfigError:  # whoever uses it is told
            return None

    def owner_of(self, chain: str) -> RulesFile | None:
        """The rules that have a chain of this name; None: no rules have one.

        :raises ConfigError: the rules by whose name the chain's name begins are broken.
        """
        for words in range(chain.count(" ") + 1, 0, -1):  # the longest name that fits
            for name in self._by_prefix.get(" ".join(chain.split(" ")[:words]), ()):
                rules = self.rules(name)
                if chain in rules.chains:
                    return rules
        return None

    @cached_property
    def _by_prefix(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in self.names:
            found.setdefault(chains_prefix(name), []).append(name)
        return found


def _read(found: Found) -> RulesFile:
    """Read the file of rules; whoever sees what is wrong with it gets to know the package.

    :raises PluginError: there is no file.
    :raises ConfigError: with all the faults of the file.
    """
    try:
        own = found.distribution == OWN
        return read_rules(found.name, found.load(), found.origin, tested=own)
    except ConfigError as fault:
        if found.distribution in (None, OWN):
            raise
        raise ConfigError([f"{found.described}: {text}" for text in fault.faults]) from None
