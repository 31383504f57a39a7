"""Which rules a configuration uses, and the chains that they bring.

Chains stay the only concept: what comes out is tables of steps, as if an administrator had written
them. A policy is written once, and made anew for each of the rules that jump to it: "guessing"
becomes "sshd guessing", with the options of sshd.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any

from msgspec import Struct, field

from pyruse.errors import ConfigError
from pyruse.options.faults import ConfigFaults
from pyruse.rules.containers import container_chain
from pyruse.rules.library import Library
from pyruse.rules.rules_file import RulesFile, belongs_to, chains_prefix, jumps_of
from pyruse.rules.values import RuleTables, Values
from pyruse.text import shown

LAST = "everything_else"
"""The rules that stand behind all the others, and that ``use`` brings by itself."""


class Expansion(Struct):
    """The chains of a configuration with those of its rules."""

    chains: dict[str, Any] = field(default_factory=dict)
    """In the order in which entries pass them, as TOML has them."""
    sources: dict[str, str] = field(default_factory=dict)
    """The file of each chain that rules have brought."""
    origins: dict[tuple[str, int], dict[str, str]] = field(default_factory=dict)
    """Of a step (chain and index): by option, where an administrator has written its value."""
    used: list[RulesFile] = field(default_factory=list)
    """The rules that ``use`` names."""
    notices: list[str] = field(default_factory=list)
    """What is doubtful."""
    tested: set[str] = field(default_factory=set)
    """The chains of rules that tests have seen to be valid."""
    later: dict[str, Callable[[], Expansion]] = field(default_factory=dict)
    """By chain that has its first step only, what brings it whole, with all that it leads to …"""
    later_plugins: set[tuple[str, str]] = field(default_factory=set)
    """… and the filters and actions of all these: see `RulesFile.plugins`."""


def expand(  # noqa: PLR0913 -- what a configuration says of rules
    use: Mapping[str, str],
    tables: Mapping[str, Any],
    own: Mapping[str, Any],
    library: Library,
    file_of: Callable[[str], str],
    faults: list[str],
    *,
    whole: bool = True,
) -> Expansion:
    """Bring the chains of rules among those of the files.

    The files' own chains come first; then those of the rules; then "everything else". A chain of
    the files with the name of a rules' chain stands in its place.

    :param use: the names of rules, each with the place where it is written.
    :param tables: ``[rules]``.
    :param own: the chains of the files.
    :param library: has the rules.
    :param file_of: the file that a key of ``[rules]`` stands in.
    :param faults: what is wrong is added.
    :param whole: bring all; else, of rules in which an administrator cannot have made a fault,
        bring the first step of each chain that entries come to by themselves, and the rest when it
        is asked for.
    """
    expander = _Expander(RuleTables(tables, library.names, file_of), own, library, faults)
    return expander.expand(use, whole=whole)


class _Expander:
    def __init__(
        self, tables: RuleTables, own: Mapping[str, Any], library: Library, faults: list[str]
    ) -> None:
        self._tables = tables
        self._own = own
        self._library = library
        self._faults = faults
        self._result = Expansion()
        self._brought: dict[str, list[Any]] = {}
        """The chains of rules, as far as some entry can get there."""
        self._at_work: dict[str, RulesFile] = {}
        self._of_containers: list[str] = []
        """Chains for what comes out of containers."""

    def expand(self, use: Mapping[str, str], *, whole: bool) -> Expansion:
        result = self._result
        for name, place in use.items():
            rules = self._rules(name, place)
            if rules is not None:
                result.used.append(rules)
                if rules.is_policy and rules.name != LAST:
                    result.notices.append(
                        f"{place}: {shown(name)} does nothing by itself (expected the rules of a "
                        "program: they bring it along)"
                    )
        last = self._rules(LAST, "") if use else None
        main: dict[str, RulesFile] = {}
        for rules in [*result.used, *([last] if last else [])]:
            self._at_work[rules.name] = rules
            if not rules.is_policy or rules is last:
                main |= dict.fromkeys(rules.main, rules)
            Values(rules, rules, self._tables).look_up_all()
        later = set() if whole else self._may_come_later(result.used)
        for chain, rules in main.items():
            if rules.name in later:
                self._bring_later(chain, rules)
            else:
                self._bring(chain, rules, rules)
        for rules in result.used:
            self._bring_for_containers(rules)
        for tables in self._own.values():
            self._bring_for_own(tables)
        result.notices += self._tables.check(self._at_work, self._faults)
        if use:
            self._put_in_order(main)
        else:
            result.chains = {**self._own, **self._brought}
        return result

    def _may_come_later(self, used: Iterable[RulesFile]) -> set[str]:
        """The rules that hold nothing but what our tests have seen to be valid.

        The first rules that lead to a policy come at once, so that what is wrong with its options,
        or with the firewall, is told at the start.
        """
        own = {*self._own, *(jump for tables in self._own.values() for jump in jumps_of(tables))}
        later: set[str] = set()
        brought: set[str] = set()
        for rules in used:
            policies = self._library.policies_of(rules)
            new = {policy.name for policy in policies} - brought
            brought |= new
            if (
                not new
                and not rules.is_policy
                and all(one.tested for one in (rules, *policies))
                and rules.name not in self._tables.tables
                and not any(option in self._tables.tables for option in rules.options)
                and not any(
                    belongs_to(name, one.name) for one in (rules, *policies) for name in own
                )
                and all(map(_begins_with_filter, map(rules.chains.__getitem__, rules.main)))
            ):
                later.add(rules.name)
                self._result.later_plugins |= rules.plugins
                for policy in policies:
                    self._result.later_plugins |= policy.plugins
                    self._at_work.setdefault(policy.name, policy)
                    Values(rules, policy, self._tables).look_up_all()
        return later

    def _bring_later(self, chain: str, rules: RulesFile) -> None:
        """Bring the first step of a chain."""
        first, _ = Values(rules, rules, self._tables).filled(rules.chains[chain][0], _NO_FAULTS)
        self._brought[chain] = [first]
        self._result.sources[chain] = rules.file
        self._result.tested.add(chain)
        self._result.later[chain] = partial(self._brought_whole, chain, rules)

    def _brought_whole(self, chain: str, rules: RulesFile) -> Expansion:
        faults: list[str] = []
        expander = _Expander(self._tables, self._own, self._library, faults)
        expander._bring(chain, rules, rules)
        if faults:
            raise ConfigError(faults)
        expander._result.chains = expander._brought
        return expander._result

    def _rules(self, name: str, place: str) -> RulesFile | None:
        try:
            return self._library.rules(name)
        except ConfigError as fault:
            # A broken file tells where by itself; a name that nobody has is a fault of `use`.
            where = "" if name in self._library.names else f"{place}: "
            self._faults += [f"{where}{text}" for text in fault.faults]
            return None

    def _bring(self, chain: str, rules: RulesFile, policy: RulesFile) -> str:
        """Bring a chain, and all that it jumps to.

        :param chain: its name in its file.
        :param rules: that it is for.
        :param policy: whose file it stands in: the rules' own, or that of a policy.
        :return: the name that it has here.
        """
        name = chain if policy is rules else f"{chains_prefix(rules.name)} {chain}"
        if chain in self._own:
            return chain
        if name in self._own or name in self._brought:
            return name
        if policy is not rules and name in rules.chains:
            self._faults.append(
                f'{rules.file}: chains."{name}": is named as {chain} is for these rules (expected '
                "another name)"
            )
        self._brought[name] = []  # chains that go round are told of where they are linked
        self._result.sources[name] = policy.file
        if policy.tested:
            self._result.tested.add(name)
        values = Values(rules, policy, self._tables)
        here = ConfigFaults(f'{policy.file}: chains."{chain}"', self._faults)
        for index, table in enumerate(policy.chains[chain]):
            filled, origins = values.filled(table, here.at(index))
            self._result.origins[name, index] = origins
            if isinstance(filled, dict):
                for link in ("then", "else"):
                    if isinstance(filled.get(link), str):
                        filled[link] = self._target(filled[link], rules, policy)
            self._brought[name].append(filled)
        return name

    def _bring_for_containers(self, rules: RulesFile) -> None:
        tables = container_chain(rules, self._tables, self._faults)
        if tables and rules.lines is not None:
            name = f"{chains_prefix(rules.name)} containers"
            self._of_containers.append(name)
            self._brought[name] = tables
            self._result.sources[name] = rules.file
            for table in tables:
                for link in ("then", "else"):
                    if link in table:
                        table[link] = self._target(table[link], rules, rules)

    def _target(self, chain: str, rules: RulesFile, policy: RulesFile) -> str:
        """The chain that a jump leads to, brought along; what is not there is told of later."""
        if chain in policy.chains:
            return self._bring(chain, rules, policy)
        if chain in self._own:
            return chain
        other = self._policy_with(chain)
        if other is None:
            return chain
        if other.name not in self._at_work:
            self._at_work[other.name] = other
        Values(rules, other, self._tables).look_up_all()
        return self._bring(chain, rules if self._is_own(rules, other) else other, other)

    def _is_own(self, rules: RulesFile, policy: RulesFile) -> bool:
        """Whether some rules have a policy of their own."""
        return (
            not policy.shared
            or any(name in rules.options for name in policy.options)
            or any(self._tables.given(rules.name, name, None) for name in policy.options)
            or any(f"{chains_prefix(rules.name)} {name}" in self._own for name in policy.chains)
        )

    def _policy_with(self, chain: str) -> RulesFile | None:
        try:
            return self._library.policy_with(chain)
        except ConfigError as fault:
            self._faults += fault.faults
            return None

    def _bring_for_own(self, tables: Any) -> None:
        """Bring what an own chain jumps to: a policy by itself, or a chain of rules in use."""
        for chain in jumps_of(tables):
            if chain in self._own or chain in self._brought:
                continue
            try:
                found = self._library.owner_of(chain)
            except ConfigError as fault:
                self._faults += fault.faults
                continue
            if found is not None and (found.is_policy or found in self._result.used):
                self._at_work[found.name] = found
                Values(found, found, self._tables).look_up_all()
                self._bring(chain, found, found)
            for rules in self._result.used:  # "sshd guessing"
                policy_chain = chain.removeprefix(f"{chains_prefix(rules.name)} ")
                if found is None and policy_chain != chain:
                    self._target(policy_chain, rules, rules)

    def _put_in_order(self, main: Collection[str]) -> None:
        """Own chains, rules, "everything else": so the main sequence is."""
        last = chains_prefix(LAST)
        all_chains = {**self._brought, **self._own}
        ordered = dict.fromkeys(name for name in self._own if name not in main)
        # The rules for the programs of this machine would say that these have not written it.
        ordered |= dict.fromkeys(self._of_containers)
        # Rules that look at the same field stand together, and cost one look-up; at last come those
        # that look at each message.
        ordered |= dict.fromkeys(sorted(main, key=self._first_field))
        ordered |= dict.fromkeys(all_chains)
        if last in ordered:
            del ordered[last]
            ordered[last] = None
        self._result.chains = {name: all_chains[name] for name in ordered}

    def _first_field(self, chain: str) -> tuple[bool, str]:
        tables = self._brought.get(chain) or []
        first = tables[0] if tables and isinstance(tables[0], dict) else {}
        field = str(first.get("field", "MESSAGE"))
        return field != "SYSLOG_IDENTIFIER", "~" if field == "MESSAGE" else field


_NO_FAULTS = ConfigFaults("")
"""For what tests have seen to be valid."""


def _begins_with_filter(tables: list[Any]) -> bool:
    """Whether a chain begins with a filter that lets out of the chain whatever does not pass."""
    first = tables[0] if len(tables) > 1 else {}
    return "filter" in first and not {"then", "else", "invert"}.intersection(first)
