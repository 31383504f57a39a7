"""What a jail looks for: its filter, in Pyruse's patterns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial

from pyruse.importers.fail2ban.faults import Unreadable
from pyruse.importers.fail2ban.guards import Guard, identifiers, is_of_root, journal_match
from pyruse.importers.fail2ban.jails import Jail
from pyruse.importers.fail2ban.logs import is_syslog
from pyruse.importers.fail2ban.patterns import ADDRESS_GROUPS, Pattern, fields_of, translated
from pyruse.importers.fail2ban.several_lines import is_of_several, split
from pyruse.importers.fail2ban.writers import WRITERS

_PREFIXES = ("lt_short", "lt_journal")
"""Where common.conf has what stands before a message in lines of the journal."""
_PREFIX_OF_FILES = ("lt_file",)
_PREFIX = "__prefix_line"
_UNKNOWN = re.compile(r"<[a-z_][\w/-]*>")
_MOST_PATTERNS = 2000


@dataclass(frozen=True)
class Search:
    """Which entries fail, and what is found in them."""

    guard: Guard
    whole_line: bool
    """Whether patterns are for ``HOST PROGRAM[PID]: MESSAGE``."""
    cut_date: bool
    """Whether they are for the message without the date that a program may write into it."""
    first: Pattern | None
    """What is looked for first; the patterns are for its field ``content``, if it has one."""
    patterns: tuple[Pattern, ...]
    ignored: tuple[Pattern, ...] = ()
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def fields(self) -> set[str]:
        """The fields that may be set."""
        return fields_of([*([self.first] if self.first else []), *self.patterns])

    @property
    def of_process(self) -> bool:
        """Whether the process tells which session a line belongs to."""
        return any(p.of_process for p in self._all())

    @property
    def has_sessions(self) -> bool:
        """Whether lines of one session are looked at together."""
        return self.of_process or "mlfid" in self.fields

    @property
    def may_lack_address(self) -> bool:
        """Whether a line may match without an address in it."""
        first = self.first is not None and bool(self.first.addresses)
        return not first and not all(pattern.addresses for pattern in self.patterns)

    def _all(self) -> Iterable[Pattern]:
        return [*([self.first] if self.first else []), *self.patterns]


def address_fields(search: Search) -> list[str]:
    """The fields that the address has to be put together from; none: it is in ``ip`` already."""
    found = sorted(search.fields & set(ADDRESS_GROUPS))
    return [] if found in ([], ["ip"]) else found


def search_of(jail: Jail) -> Search:
    """What a jail looks for.

    :raises Unreadable: its filter has nothing that can be taken over.
    """
    notes: list[str] = []
    texts = _lines(jail.option("failregex"))
    if not texts:
        if not jail.filter_name:
            raise Unreadable(jail.source, "the jail has neither a filter nor a failregex")
        raise Unreadable(jail.address("failregex"), "there is none")
    if len(texts) > _MOST_PATTERNS:
        raise Unreadable(jail.address("failregex"), f"more than {_MOST_PATTERNS} patterns")
    first = (jail.option("prefregex") or "").strip() or None
    names = (jail.options.get("usedns") or "warn").strip().lower() != "no"
    found = _prefix(jail, [first] if first else texts)
    prefix = None if jail.own_files else found
    translate = partial(translated, names=names, prefix=prefix)
    before = None if first is None else translate(first, jail.address("prefregex"), first=True)
    patterns = _patterns(texts, jail.address("failregex"), translate, before, notes)
    ignored = [
        translate(text, jail.address("ignoreregex")) for text in _lines(jail.option("ignoreregex"))
    ]
    return Search(
        guard=_guard(jail, prefixed=found is not None, notes=notes),
        whole_line=prefix is None and not jail.own_files,
        cut_date=jail.own_files,
        first=before,
        patterns=tuple(dict.fromkeys(patterns)),
        ignored=tuple(ignored),
        notes=tuple(notes),
    )


def _patterns(
    texts: list[str],
    address: str,
    translate: Callable[[str, str], Pattern],
    before: Pattern | None,
    notes: list[str],
) -> list[Pattern]:
    """The patterns of some expressions; those that cannot be taken over are noted.

    :raises Unreadable: none is left.
    """
    patterns = []
    for text in _single(texts, address, notes):
        try:
            pattern = translate(text, address)
        except Unreadable as fault:
            notes.append(f"{fault}; left out")
            continue
        if _accuses_nobody(pattern, before):
            notes.append(f"{address}: has neither <HOST> nor another address; left out: {text}")
        else:
            patterns.append(pattern)
    if not patterns:
        raise Unreadable(address, "; ".join(note.removeprefix(f"{address}: ") for note in notes))
    return patterns


def _single(texts: list[str], address: str, notes: list[str]) -> list[str]:
    """The expressions, each for one line."""
    single: list[str] = []
    for text in texts:
        if _UNKNOWN.fullmatch(text):
            notes.append(f"{address}: {text} is said nowhere (a mode that is not there?); left out")
        elif not is_of_several(text):
            single.append(text)
        elif (parts := split(text)) is not None:
            single += parts
        else:
            notes.append(
                f"{address}: looks at several lines at once, in a way that cannot be taken over; "
                f"left out: {text}"
            )
    return single


def _accuses_nobody(pattern: Pattern, before: Pattern | None) -> bool:
    """Whether neither a pattern nor its session tells of an address: fail2ban refuses it, too."""
    found = [pattern] if before is None else [before, pattern]
    return not any(
        one.addresses or one.of_process or {"dns", "mlfid"} & set(one.groups) for one in found
    )


def _lines(text: str | None) -> list[str]:
    return [line for line in (text or "").split("\n") if line.strip()]


def _prefix(jail: Jail, texts: list[str]) -> str | None:
    """What stands before the message in each of some expressions, or None."""
    definition = jail.filter
    candidates = [
        definition.section(section, _PREFIX)
        for section in (_PREFIX_OF_FILES if jail.own_files else _PREFIXES)
        if _PREFIX in definition.values.options(section)
    ]
    default = definition.values.get("DEFAULT", _PREFIX)
    if default is not None:
        default = definition.expanded(default, definition.address(_PREFIX))
        if _is_prefix(default, definition.get("_daemon")):
            candidates.append(default)
    for candidate in candidates:
        if candidate and candidate.strip() and all(candidate in text for text in texts):
            return candidate
    return None


def _is_prefix(expression: str, daemon: str | None) -> bool:
    """Whether an expression is for the begin of any line, and not for a part of the message."""
    names = identifiers(daemon)[0] or ("x",)
    try:
        prefix = re.compile(expression)
    except re.error:
        return False
    return any(prefix.fullmatch(begin) for begin in (f"host {names[0]}[12]: ", "host ", " "))


def _guard(jail: Jail, *, prefixed: bool, notes: list[str]) -> Guard:
    names, expression = identifiers(jail.filter.get("_daemon")) if prefixed else ((), "")
    guard = Guard(names, expression, of_root=is_of_root(names))
    known = WRITERS.get(jail.filter_name)
    if jail.journal or not is_syslog(jail.log_paths):
        lines = _lines(jail.option("journalmatch"))
        if lines:
            guard = replace(guard, ways=tuple(journal_match(lines, jail.address("journalmatch"))))
    if not guard.identifiers and not guard.expression and not guard.ways and known is not None:
        guard = known
    elif not guard.identifiers and not guard.expression and not guard.ways:
        notes.append(
            "nothing says which program writes its lines, so those of all services are looked at "
            '(not those of users): add { filter = "equals", field = "_SYSTEMD_UNIT", value = "…" } '
            "at the beginning of its chain"
        )
        guard = replace(guard, kernel=not jail.own_files)
    return guard
