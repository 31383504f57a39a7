"""Which entries a pattern, a chain or rules take, and which lines of their programs they do not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from pyruse.chains.model import Step
from pyruse.chains.travel import OnFault, Travel, travel
from pyruse.chains.values import fields_of
from pyruse.config.load import Configuration
from pyruse.engine.assembly import assemble
from pyruse.engine.engine import Engine
from pyruse.engine.expectations import OWN
from pyruse.engine.faults import Faults
from pyruse.engine.modes import DRY, Bind
from pyruse.engine.patience import Patience, StepTooSlow
from pyruse.entry.entry import Entry
from pyruse.options.fields import NewField
from pyruse.options.patterns import Pattern
from pyruse.state.database import State
from pyruse.text import one_line, shortened

_MOST = 1_000
"""So many different lines of a program, and values of a field, are told apart; more are counted."""
_PROGRAMS = 1_000
_EXAMPLES = 20
_LONGEST = 300
"""Characters of a line or of a value."""
_CHANGING = re.compile(r"\b(?=\w*\d)\w[\w.:-]*")
"""What differs from line to line: numbers, addresses, identifiers."""

Take = Callable[[Iterable[Entry]], None]
"""Tries something on entries."""


class Group(Struct):
    """Lines, or values, that are alike."""

    count: int = 0
    example: str = ""


class Groups:
    """Groups by name, of which there are no more than a limit."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._groups: dict[str, Group] = {}
        self.count = 0
        """How many lines, or values, there were."""
        self.left_out = 0
        """How many of them are in no group, as there were too many groups."""

    def add(self, name: str, example: str) -> None:
        """Add a line, or a value."""
        self.count += 1
        group = self._groups.get(name)
        if group is None:
            if len(self._groups) >= self._most:
                self.left_out += 1
                return
            group = self._groups[name] = Group(example=shortened(example, _LONGEST))
        group.count += 1

    def __len__(self) -> int:
        return len(self._groups)

    def largest(self, number: int) -> list[Group]:
        """The groups with most in them."""
        return sorted(self._groups.values(), key=lambda group: -group.count)[:number]


class Example(Struct, frozen=True):
    """An entry that was taken."""

    time_us: int
    message: str
    fields: dict[str, str]


class Tried(Struct):
    """What came of trying something on entries."""

    programs: Collection[str] = ()
    """Whose lines are looked at where nothing takes them; none: those of which some were taken."""
    entries: int = 0
    taken: int = 0
    too_slow: int = 0
    """For so many entries, the pattern took too long: the daemon would stop it, too."""
    by: Counter[str] = field(default_factory=Counter)
    """What has taken them: an event, or a step."""
    taken_of: Counter[str] = field(default_factory=Counter)
    """How many were taken of each program."""
    fields: dict[str, Groups] = field(default_factory=dict)
    """The values that came out, by field."""
    examples: list[Example] = field(default_factory=list)
    _missed: dict[str, Groups] = field(default_factory=dict)

    def takes(self, entry: Entry, by: str, fields: Mapping[str, Any]) -> None:
        """An entry was taken.

        :param entry: the entry.
        :param by: what took it.
        :param fields: what came out.
        """
        self.entries += 1
        self.taken += 1
        self.by[by] += 1
        self.taken_of[_program(entry)] += 1
        texts = {name: str(value) for name, value in fields.items() if value is not None}
        for name, text in texts.items():
            self.fields.setdefault(name, Groups()).add(text, text)
        if len(self.examples) < _EXAMPLES:
            message = shortened(entry.text("MESSAGE") or "", _LONGEST)
            cut = {name: shortened(text, _LONGEST) for name, text in texts.items()}
            self.examples.append(Example(entry.time_us, message, cut))

    def misses(self, entry: Entry) -> None:
        """An entry was not taken."""
        self.entries += 1
        program = _program(entry)
        groups = self._missed.get(program)
        if groups is None:
            if len(self._missed) >= _PROGRAMS:
                return
            groups = self._missed[program] = Groups()
        line = one_line(shortened(entry.text("MESSAGE") or "", _LONGEST))
        groups.add(_CHANGING.sub("#", line), line)

    @property
    def missed(self) -> dict[str, Groups]:
        """The lines of the programs in question that nothing has taken, by program."""
        asked = self.programs or self.taken_of
        return {name: self._missed[name] for name in sorted(asked) if name in self._missed}


def _program(entry: Entry) -> str:
    name = entry.text("SYSLOG_IDENTIFIER") or entry.text("_COMM") or "-"
    return shortened(one_line(name), 80)


def pattern_taker(pattern: Pattern, of_field: str, tried: Tried) -> Take:
    """Try a pattern.

    :param pattern: the pattern.
    :param of_field: the field that it is looked for in.
    :param tried: gets what comes of it.
    """
    searching = False
    patience = Patience(lambda: tried.entries, lambda _: pattern if searching else None)

    def found(text: str) -> Mapping[str, Any] | None:
        nonlocal searching
        try:
            searching = True
            match = pattern.search(text)
        except StepTooSlow:
            tried.too_slow += 1
            return None
        finally:
            searching = False
        return None if match is None else match.groupdict()

    def take(entries: Iterable[Entry]) -> None:
        with patience:
            for entry in entries:
                text = entry.text(of_field)
                fields = None if text is None else found(text)
                if fields is None:
                    tried.misses(entry)
                else:
                    tried.takes(entry, "the pattern", fields)

    return take


class ChainsTaker:
    """Tries chains: an entry is taken if some action is done with it."""

    def __init__(self, configuration: Configuration, faults: Faults, tried: Tried) -> None:
        """Put the chains to work, with a state in memory.

        :param configuration: with these chains alone.
        :param faults: tells of what goes wrong.
        :param tried: gets what comes of it.
        :raises ConfigError: options do not go together.
        """
        self._tried = tried
        self._state = State()
        self._done: list[Step] = []
        """The actions that were done with the current entry."""
        steps = configuration.steps
        self._sets = dict.fromkeys(
            str(name) for step in steps for name in fields_of(step, NewField)
        )
        mode = replace(DRY, own=set, binding=self._noted, travel=self._travel)
        self._engine: Engine = assemble(configuration, self._state, faults, mode)
        self._engine.start()
        self._patience = Patience(lambda: tried.entries, self._engine.travel.at_work)

    def __call__(self, entries: Iterable[Entry]) -> None:
        """Lead entries through the chains."""
        with self._patience:
            self._engine.handle(entries)
        self._engine.expire(self._engine.last_time)
        self._engine.tell_news()

    def close(self) -> None:
        """Put everything away."""
        self._engine.stop()
        self._state.close()

    def _noted(self, bind: Bind) -> Bind:
        """Have it noted which actions are done."""

        def bound(step: Step) -> Callable[[Entry], Any]:
            call = bind(step)
            if step.kind != "action":
                return call

            def act(entry: Entry) -> Any:
                self._done.append(step)
                return call(entry)

            return act

        return bound

    def _travel(self, entrance: Any, on_fault: OnFault) -> Travel:
        plain = travel(entrance, on_fault)

        def lead(entry: Entry) -> None:
            self._done.clear()
            plain.lead(entry)
            if entry.text("_TRANSPORT") == OWN:
                return
            if not self._done:
                self._tried.misses(entry)
                return
            meaning = entry.text("meaning") if "meaning" in self._sets else None
            step = self._done[-1]
            by = f"event {meaning}" if meaning else f"{step.place} {step.plugin}"
            self._tried.takes(entry, by, {name: entry.text(name) for name in self._sets})

        return Travel(lead, plain.at_work)


def only(configuration: Configuration, names: Iterable[str]) -> Configuration:
    """A configuration with some of its chains alone, and those that they jump to."""
    wanted = list(names)
    for name in wanted:
        for step in configuration.chains[name].steps:
            wanted += [target for target in step.jumps if target not in wanted]
    chains = {name: chain for name, chain in configuration.chains.items() if name in set(wanted)}
    return replace(configuration, chains=chains)
