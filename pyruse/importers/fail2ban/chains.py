"""Jails as chains: who writes, what is looked for, how often, and what happens then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pyruse.importers.fail2ban import sessions
from pyruse.importers.fail2ban.filters import Search, address_fields
from pyruse.importers.fail2ban.jails import Jail
from pyruse.importers.fail2ban.patterns import Pattern
from pyruse.importers.outcome import Chain, Step, equals

_LINE = "{_HOSTNAME} {SYSLOG_IDENTIFIER}[{_PID}]: {MESSAGE}"
_LINE_OF_KERNEL = "{_HOSTNAME} kernel: [    0.000000] {MESSAGE}"
_DATE = (
    r"(?:\d{4}[-/.:]\d\d[-/.:]\d\d[ T-]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|[+-]\d\d:?\d\d))?"
    r"|(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d(?:\.\d+)?(?: \d{4})?"
    r"|\d{1,2}[-/][A-Z][a-z]{2}[-/]\d{4}[ :]\d\d:\d\d:\d\d(?:\.\d+)?(?: [+-]\d{4})?"
    r"|[A-Z][a-z]{2}-\d\d-\d\d \d\d:\d\d:\d\d|(?<!\d)\d{10}(?:\.\d{1,6})?(?=\s)"
    r"|\d{1,2}[-./]\d{1,2}[-./]\d{4} \d\d:\d\d:\d\d(?:[.,]\d+)?)"
)
"""A date as most programs write it: fail2ban cuts it out before it looks at a line of a file."""
_EVERYWHERE = ["0.0.0.0/0", "::/0"]


class Names:
    """The names of the fields of a chain: other jails may look at the same entries."""

    def __init__(self, suffix: str) -> None:
        """Put a suffix behind each name."""
        self.suffix = suffix

    def __call__(self, field: str) -> str:
        """The name of a field."""
        return field + self.suffix


def chains_of(jails: Sequence[Jail], search: Search, *, suffix: str, shared: bool) -> list[Chain]:
    """The chains of jails that look for the same.

    :param jails: in their order.
    :param search: what they look for.
    :param suffix: behind the names of its fields.
    :param shared: whether later chains have to see the same entries.
    """
    names = Names(suffix)
    name = jails[0].chain
    lines = f"{name} lines"
    steps, ways = search.guard.steps(name, lines)
    looking = _looking(search, names)
    chains: list[Chain] = []
    ending, further = endings(jails, names, shared=shared)
    if search.has_sessions:
        session_steps, chains = sessions.of(name, search, names)
        looking += session_steps
        chains.append(Chain(f"{name} failed", ending))
    else:
        looking += [*_address(search, names), *ending]
    chains += further
    if search.guard.kernel:
        return [*_with_kernel(name, steps, looking, lines), *chains]
    if "then" in steps[-1]:
        return [Chain(name, steps), *ways, Chain(lines, looking), *chains]
    return [Chain(name, [*steps, *looking]), *chains]


def _with_kernel(name: str, steps: list[Step], looking: list[Step], lines: str) -> list[Chain]:
    """The chains where the kernel's lines are looked at, too; fail2ban gives these a time."""
    first = looking[0]
    kernel = equals("_TRANSPORT", ["kernel"], then=lines)
    if first.get("value") != _LINE:
        return [Chain(name, [kernel, {**steps[-1], "then": lines}]), Chain(lines, looking)]
    of_kernel = f"{name} of the kernel"
    kernel = {**kernel, "then": of_kernel}
    return [
        Chain(name, [kernel, *steps, {**first, "then": lines}]),
        Chain(of_kernel, [{**first, "value": _LINE_OF_KERNEL, "then": lines}]),
        Chain(lines, looking[1:]),
    ]


def endings(
    jails: Sequence[Jail], names: Callable[[str], str], *, shared: bool, prefix6: int | None = None
) -> tuple[list[Step], list[Chain]]:
    """The steps that count failures and ban: of the first jail, and chains of those that follow.

    :param jails: in their order.
    :param names: of the fields.
    :param shared: whether later chains have to see the same entries.
    :param prefix6: the networks of IPv6 that are counted and banned, instead of addresses.
    """
    first, *others = jails
    steps = _ending(first, names, others[0].chain if others else None, shared=shared)
    if prefix6 is not None:
        by_network = ("count", "ban", "reset")
        steps = [
            {**step, "prefix6": prefix6} if step.get("action") in by_network else step
            for step in steps
        ]
    chains = []
    for number, jail in enumerate(others, 1):
        following = others[number].chain if number < len(others) else None
        chains.append(
            Chain(
                jail.chain,
                _ending(jail, names, following, shared=shared),
                [f"[{jail.name}] of {jail.source}; looks for the same as [{first.name}]"],
            )
        )
    return steps, chains


def _looking(search: Search, names: Callable[[str], str]) -> list[Step]:
    """The steps that look for failures."""
    steps: list[Step] = []
    field = {}
    if search.whole_line:
        steps.append({"action": "set", "field": "line", "value": _LINE})
        field = {"field": "line"}
    if search.cut_date:
        parts = [names("before"), names("after")]
        cut = f"(?s)^(?:(?P<{parts[0]}>.{{0,60}}?){_DATE})?(?P<{parts[1]}>.*)$"
        value = "".join(f"{{{part}}}" for part in parts)
        steps.append({"filter": "regex", "pattern": cut, "name": "cut the date out"})
        steps.append({"action": "set", "field": names("undated"), "value": value})
        field = {"field": names("undated")}
    if search.first is not None:
        steps.append({"filter": "regex", **field, "pattern": _text(search.first, names)})
        if "content" in search.first.groups:
            field = {"field": names("content")}
    if search.ignored:
        ignored = _texts(search.ignored, lambda name: f"{name}_ignored")
        steps.append({"filter": "regex", **field, "pattern": ignored, "invert": True})
    steps.append({"filter": "regex", **field, "pattern": _texts(search.patterns, names)})
    return steps


def _text(pattern: Pattern, names: Callable[[str], str]) -> str:
    if names("ip") == "ip":
        return pattern.text
    return pattern.renamed(names).text


def _texts(patterns: tuple[Pattern, ...], names: Callable[[str], str]) -> Any:
    texts = [_text(pattern, names) for pattern in patterns]
    return texts[0] if len(texts) == 1 else texts


def _address(search: Search, names: Callable[[str], str]) -> list[Step]:
    """The steps after which the field ``ip`` is an address."""
    others = address_fields(search)
    if others:
        value = "".join(f"{{{names(name)}}}" for name in others)
        return [
            {"action": "set", "field": names("ip"), "value": value},
            {"filter": "in_networks", "field": names("ip"), "nets": _EVERYWHERE},
        ]
    if "dns" in search.fields or search.may_lack_address:
        return [{"filter": "exists", "field": names("ip")}]
    return []


def _ending(
    jail: Jail, names: Callable[[str], str], following: str | None, *, shared: bool
) -> list[Step]:
    """The steps of a jail that count failures, and ban."""
    ip, failures = names("ip"), names("failures")
    otherwise = {} if following is None else {"else": following}
    counter = {"counter": jail.chain, "key": ip}
    steps: list[Step] = []
    if jail.spares:
        nets = list(jail.spares)
        steps.append(
            {"filter": "in_networks", "field": ip, "nets": nets, "invert": True, **otherwise}
        )
    steps.append({"action": "count", **counter, "within": jail.find_time, "into": failures})
    steps.append({"filter": "at_least", "field": failures, "value": jail.max_retry, **otherwise})
    if not jail.effects.closings:
        message = f"{{{ip}}}: {jail.max_retry} failures or more ({jail.name})"
        steps.append({"action": "report", "section": "interesting", "message": message})
    for closing in jail.effects.closings:
        ban = {"action": "ban", "ip": ip, **jail.length.options(), **closing.options()}
        steps.append({**ban, "label": jail.chain})
    for mail in jail.effects.mails:
        banned = " is banned" if jail.effects.closings else ""
        subject = f"{jail.name}: {{{ip}}}{banned}"
        body = f"{{{ip}}}: failures: {{{failures}}} (jail {jail.name}). The last line:"
        steps.append(mail.step(subject, f"{body}\n\n{{MESSAGE}}"))
    last: dict[str, Any] = {"action": "reset", **counter}
    if following is not None:
        last["then"] = following
    steps.append(last)
    if shared and following is None:
        steps.append({"action": "continue"})
    return steps
