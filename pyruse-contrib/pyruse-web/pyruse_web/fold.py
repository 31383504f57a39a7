"""Chains in groups: those of rules stand together, and a policy that many rules use stands once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Chain = dict[str, Any]


@dataclass
class Group:
    """Chains that are one node as long as they are folded."""

    name: str
    is_rules: bool
    """Whether they come from a file of rules."""
    chains: list[Chain] = field(default_factory=list)

    @property
    def main(self) -> bool:
        """Whether entries come to it in the main sequence."""
        return any(chain["main"] for chain in self.chains)

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return sum(len(chain["steps"]) for chain in self.chains)

    @property
    def entries(self) -> int | None:
        """How many entries came to it, as far as that is counted."""
        main = [chain["entries"] for chain in self.chains if chain["main"] == self.main]
        known = [number for number in main if number is not None]
        return max(known, default=None) if self.main else (sum(known) if known else None)

    @property
    def events(self) -> int | None:
        """How many of them were recognised as events of the vocabulary."""
        seen = [
            step["seen"]
            for chain in self.chains
            for step in chain["steps"]
            if step["plugin"] == "event" and step["seen"] is not None
        ]
        return sum(seen) if seen else None

    @property
    def uses(self) -> list[str]:
        """The other groups that it jumps to, in order."""
        jumps = (
            step[link]
            for chain in self.chains
            for step in chain["steps"]
            for link in ("then", "else")
        )
        return [name for name in dict.fromkeys(jumps) if name is not None]


def with_numbers(chains: Sequence[Chain], counted: Mapping[str, Mapping[str, Any]]) -> list[Chain]:
    """The chains with what went through them.

    :param chains: as `Observer.chains` gives them.
    :param counted: by the name of a chain, its numbers.
    """
    for chain in chains:
        numbers = counted.get(chain["chain"])
        steps = {step["index"]: step for step in numbers["steps"]} if numbers else {}
        chain["entries"] = None if numbers is None else numbers["entries"]
        for step in chain["steps"]:
            there = steps.get(step["index"])
            step["seen"] = None if there is None else there["seen"]
            step["passed"] = None if there is None else there["passed"]
    return list(chains)


def once(chains: Sequence[Chain]) -> list[Chain]:
    """The chains, those of a policy that were made anew for several rules as one.

    ``instances`` of a chain are the names of all that it stands for; their numbers are added up.
    """
    alike: dict[Any, list[Chain]] = {}
    policies = {
        rules
        for rules in {chain["rules"] for chain in chains} - {None}
        if not any(chain["main"] for chain in chains if chain["rules"] == rules)
    }
    for chain in chains:
        key = _shape(chain) if chain["rules"] in policies else chain["chain"]
        alike.setdefault(key, []).append(chain)
    names: dict[str, str] = {}
    for several in alike.values():
        name = _common([chain["chain"] for chain in several])
        if name in names.values():  # another chain has it
            name = several[0]["chain"]
        names |= {chain["chain"]: name for chain in several}
    return [_added(names[several[0]["chain"]], several, names) for several in alike.values()]


def _shape(chain: Chain) -> Any:
    """What is the same of each chain that was made of the same one."""
    last = chain["chain"].rsplit(" ", 1)[-1]
    steps = (
        (step["kind"], step["plugin"], step["label"], step["invert"]) for step in chain["steps"]
    )
    return chain["rules"], last, tuple(steps)


def _common(names: Sequence[str]) -> str:
    """The words with which all names end: ``guessing`` of ``sshd guessing``."""
    if len(names) == 1:
        return names[0]
    words = [name.split(" ")[::-1] for name in names]
    same = []
    for level in zip(*words, strict=False):
        if len(set(level)) > 1:
            break
        same.append(level[0])
    return " ".join(same[::-1]) or names[0]


def _added(name: str, several: Sequence[Chain], names: Mapping[str, str]) -> Chain:
    steps = []
    for at, step in enumerate(several[0]["steps"]):
        of_all = [chain["steps"][at] for chain in several]
        links = {
            link: None if step[link] is None else names[step[link]] for link in ("then", "else")
        }
        numbers = {key: _sum(one[key] for one in of_all) for key in ("seen", "passed")}
        steps.append({**step, **links, **numbers})
    return {
        **several[0],
        "chain": name,
        "steps": steps,
        "entries": _sum(chain["entries"] for chain in several),
        "instances": [chain["chain"] for chain in several],
    }


def _sum(numbers: Iterable[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def grouped(chains: Sequence[Chain]) -> list[Group]:
    """The groups, in the order of their first chains: a group for each own chain, and for rules."""
    groups: dict[tuple[bool, str], Group] = {}
    for chain in chains:
        is_rules = chain["rules"] is not None
        key = is_rules, chain["rules"] if is_rules else chain["chain"]
        groups.setdefault(key, Group(key[1], is_rules)).chains.append(chain)
    return list(groups.values())
