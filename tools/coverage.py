"""Makes docs/rules/coverage.md: which of the services that many machines run the rules know.

`tools/coverage.toml` says which services those are, and by which names they log. What is known of
them is found in the rules' files.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pyruse.rules.library import Library
from pyruse.rules.rules_file import RulesFile, jumps_of

_DATA = Path(__file__).with_suffix(".toml")
_HEAD = """# Which services the rules know

Each service of the lists below, by the names under which it logs to the journal
(`SYSLOG_IDENTIFIER`):

* **known**: rules tell some of its lines from others. Of a service that is only asked for its
  priority ([`by_priority`](by_priority.md)), what is grave is told, and the rest is noise.
* **noise only**: its lines are recognised, and nobody is told of them.
* **unknown**: its lines are in the last part of the report, with those of all others.

This page is made by `tools/coverage.py`: the lists are in `tools/coverage.toml`, what is known is
found in the rules' files."""


def page(rules: list[RulesFile], library: Library, services: Path = _DATA) -> str:
    """The text of the page.

    :param rules: those that are looked at.
    :param services: lists the services, by the names under which they log.
    """
    lines = [_HEAD]
    claims = [claim for one in rules if not one.is_policy for claim in _claims(one, library)]
    for table in tomllib.loads(services.read_text("utf-8"))["tables"]:
        rows = [_row(service, claims) for service in table["services"]]
        count = Counter(row[2] for row in rows)
        sums = ", ".join(f"{count[kind]} {kind}" for kind in ("known", "noise only", "unknown"))
        lines += [
            f"## {table['title']}", table["about"].strip(), f"{len(rows)} services: {sums}.",
            "\n".join(_lines(table["first"], rows)),
        ]  # fmt: skip
    return "\n\n".join(lines) + "\n"


def _lines(first: str, rows: Iterable[tuple[str, str, str, str]]) -> Iterator[str]:
    yield f"| {first} | logs as | | rules |"
    yield "|---|---|---|---|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


class Claim:
    """Rules that take the lines of some identifiers."""

    def __init__(self, rules: str, step: dict[str, Any], options: dict[str, Any], *, tells: bool):
        self.rules = rules
        self.tells = tells
        """They know more of them than that they are noise."""
        self._step = step
        self._options = options

    def takes(self, identifier: str) -> bool:
        """Whether they take the lines of an identifier."""
        if patterns := self._values("pattern"):
            return any(re.search(pattern, identifier) for pattern in patterns)
        return identifier in [*self._values("value"), *self._values("values")]

    def _values(self, name: str) -> list[str]:
        value = self._step.get(name, [])
        if isinstance(value, str) and value.startswith("$"):
            value = self._options[value[1:]]
        return [value] if isinstance(value, str) else value


def _claims(rules: RulesFile, library: Library) -> Iterator[Claim]:
    options = {name: option.default for name, option in library.options_of(rules).items()}
    found = []
    for name, steps in rules.chains.items():
        for step in steps:
            if step.get("field") == "SYSLOG_IDENTIFIER" and not step.get("invert"):
                events = _events_from(step.get("then", name), rules, library)
                tells = bool(events - {"noise", "forged"})
                found.append(Claim(rules.name, step, options, tells=tells))
    yield from found
    for program in rules.programs:  # of which lines are known by what they say, as those of PAM
        if not any(claim.takes(program) for claim in found):
            yield Claim(rules.name, {"value": program}, {}, tells=True)


def _events_from(chain: str, rules: RulesFile, library: Library) -> set[str]:
    """The events to which a chain may lead, through chains of these rules and policies."""
    found: set[str] = set()
    seen, to_follow = {chain}, [chain]
    for here in to_follow:
        policy = None if here in rules.chains else library.policy_with(here)
        tables = (policy or rules).chains.get(here, [])
        found |= {str(step["name"]) for step in tables if step.get("action") == "event"}
        for jump in jumps_of(tables):
            if jump not in seen:
                seen.add(jump)
                to_follow.append(jump)
    return found


def _row(service: str, claims: list[Claim]) -> tuple[str, str, str, str]:
    title, _, names = service.partition(": ")
    identifiers = names.split(", ")
    taken = [claim for claim in claims if any(map(claim.takes, identifiers))]
    by = sorted({claim.rules for claim in taken if claim.tells}) or sorted(
        {claim.rules for claim in taken}
    )
    known = all(any(claim.takes(one) for claim in taken) for one in identifiers)
    kind = "unknown"
    if known:
        kind = "known" if any(claim.tells for claim in taken) else "noise only"
    return (
        title, ", ".join(f"`{one}`" for one in identifiers), kind,
        ", ".join(f"[`{one}`]({one}.md)" for one in by) if known else "",
    )  # fmt: skip
