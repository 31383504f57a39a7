"""A dispatch table that learns: where filters lead an entry that depend on a few fields alone.

Chains often begin with filters of the same few fields: ``SYSLOG_IDENTIFIER`` is "sshd", ``_UID`` is
0, …. A filter whose trait is `pure` gives the same answer for the same values. So the filters are
asked once for each combination of values, and the table remembers where that led: to the first step
that does more, or nowhere. However many chains such a row of filters goes through, it costs an
entry a look-up for each field that decides.

The table is a tree. A branch asks for one field; by its value, it leads to another branch, to a
node, or nowhere (None): no step would do anything with such an entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from pyruse.api.traits import traits_of
from pyruse.chains.link import Branch, Node
from pyruse.chains.model import Step
from pyruse.chains.traffic import Counter
from pyruse.chains.values import fields_of
from pyruse.entry.entry import UNREAD, Entry
from pyruse.options.fields import Field, NewField

MOST: Final = 4_096
"""Ways that are remembered."""
_AT_ONCE: Final = 4
"""One of so many is remembered as soon as its value comes, and for good. Strangers make up values
without end: what comes later is remembered if its value comes again, until there is no room."""
LONGEST: Final = 128
"""Characters of a text that is remembered."""
_EVER_NEW = frozenset({"MESSAGE", "SYSLOG_RAW", "SYSLOG_TIMESTAMP"})
"""Hardly two entries have the same value of these: who asks for them is no part of the table. Nor
is who asks for a field that steps set: the journal's own have names in capitals."""
_KEPT = frozenset({bool, int, str, UUID, type(None)})
"""Of one of these types, values that are equal look alike, too."""


def key_of(value: Any) -> Any:
    """By what a branch knows a value: a text by itself, all else by its type, too."""
    return value if value.__class__ is str else (value.__class__, value)  # 1 equals True


class _Branch(Branch):
    __slots__ = ("_counters", "_known", "_node", "_table")

    def __init__(
        self, table: Table, field: str, node: Node, known: frozenset[str], counters: list[Counter]
    ) -> None:
        """Know no way yet.

        :param field: is asked for.
        :param node: the filter that wants to know it.
        :param known: the fields that have one value each in all entries that come here.
        :param counters: those that the way here leads past.
        """
        super().__init__(field, node.step, node.call)
        self._table = table
        self._node = node
        self._known = known | {field}
        self._counters = counters

    def fault(self, entry: Entry) -> Node:
        _count(self._counters, entry)
        return self._node

    def learn(self, value: Any, entry: Entry) -> Iterator[Node | None]:
        table, counters = self._table, self._counters.copy()
        node: Node | None = self._node
        if not table.admits(self, value):
            _count(counters, entry)
            yield from self._plainly(entry)
            return
        while node is not None:
            yield node
            fields = table.fields[node.step]  # of what is not built yet, the same as before it
            if fields is None:
                break
            if not fields <= self._known:
                node = _Branch(table, min(fields - self._known), node, self._known, counters)
                counters = []
                break
            try:
                passed = node.call(entry)
            except BaseException:
                _count(counters, entry)
                raise
            if passed and node.step in table.setting:
                # It has set fields of this entry, and has to be asked by the next one, too.
                _count(counters, entry)
                table.keep(self, value, _behind(counters, node))
                yield node.passed
                return
            node = node.passed if passed else node.failed
            while isinstance(node, Counter):
                counters.append(node)
                node = node.passed
        node = _behind(counters, node)
        table.keep(self, value, node)
        yield node

    def seek(self, raw: Any, entry: Entry) -> Iterable[Node | None]:
        value = entry.get(self.field)
        try:
            way = self.ways[key_of(value)]
        except (KeyError, TypeError):  # a list, or a table, cannot be looked up
            return self.learn(value, entry)
        if raw is None or (raw is not UNREAD and len(raw) <= LONGEST):
            if len(self.by_bytes) >= MOST:  # "06" is the same number as "6"
                self.by_bytes.clear()
            self.by_bytes[raw] = value, way, None if way is None else way.branch
        return (way,)

    def _plainly(self, entry: Entry) -> Iterator[Node | None]:
        """The whole row of filters, past the branches in it: they would not know a way either."""
        fields, setting = self._table.fields, self._table.setting
        node: Node | None = self._node
        while node is not None:
            yield node
            step = node.step  # a counter's is the filter before it
            if fields[step] is None:
                return
            if not node.call(entry):
                node = node.failed
            elif step in setting:
                yield node.passed
                return
            else:
                node = node.passed
        yield None


def _count(counters: Sequence[Counter], entry: Entry) -> None:
    for counter in counters:
        counter.call(entry)


def _behind(counters: Sequence[Counter], node: Node | None) -> Node | None:
    """Count, then go on at a node."""
    return counters[0].joined(counters[1:], node) if counters else node


def _is_few(field: str) -> bool:
    return field.isupper() and field not in _EVER_NEW


class Table:
    """The branches at the nodes of a graph, and what is known of its steps."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        """Put a branch wherever a row of filters begins that it may lead past.

        :param nodes: those of a graph; the first one is where entries come in.
        """
        self._lasting = 0
        self._passing: list[tuple[Branch, Any]] = []
        self._seen: set[tuple[Branch, Any]] = set()
        self.fields: dict[Step, frozenset[str] | None] = {}
        """The fields alone that a step depends on; None: each entry has to come to it."""
        self.setting: set[Step] = set()
        """The filters that set fields where they pass."""
        self.add(nodes, nodes[:1])

    def add(self, nodes: Sequence[Node], first: Sequence[Node] = ()) -> None:
        """The same for a part of the graph that has come later.

        :param nodes: of the part.
        :param first: those at which there is a branch for a single filter, too.
        """
        for node in dict.fromkeys([*first, *self._beginnings(nodes)]):
            fields = self._fields_of(node)
            if not fields or node.step in self.setting or node.branch is not None:
                continue
            if node in first or any(map(self._goes_on, (node.passed, node.failed))):
                node.branch = _Branch(self, min(fields), node, frozenset(), [])

    def _goes_on(self, node: Node | None) -> bool:
        """Whether a row of filters goes on here."""
        while isinstance(node, Counter):
            node = node.passed
        return node is not None and bool(self._fields_of(node))

    def _beginnings(self, nodes: Iterable[Node]) -> Iterator[Node]:
        """The nodes that entries come to from a step that each entry has to come to."""
        for node in nodes:
            ways = [node.passed, node.failed, node.faulty]
            if self._fields_of(node) is not None:
                ways = [node.passed] if node.step in self.setting else []
            for way in ways:
                behind = way
                while isinstance(behind, Counter):
                    behind = behind.passed
                if behind is not None:
                    yield behind

    def _fields_of(self, node: Node) -> frozenset[str] | None:
        step = node.step
        if step not in self.fields:
            traits, fields = traits_of(step.instance), frozenset(fields_of(step, Field))
            pure = traits.pure and not traits.outside_effects and all(map(_is_few, fields))
            # A filter that names no field looks at some other one.
            self.fields[step] = fields if pure and (fields or step.kind == "action") else None
            if next(fields_of(step, NewField), None) is not None:
                self.setting.add(step)
        return self.fields[step]

    def admits(self, branch: Branch, value: Any) -> bool:
        """Whether it is worth remembering where a value leads: else the plain way costs less."""
        if value.__class__ not in _KEPT or (value.__class__ is str and len(value) > LONGEST):
            return False
        if self._lasting < MOST // _AT_ONCE:
            return True
        seen = branch, key_of(value)
        if seen in self._seen:
            self._seen.remove(seen)
            return True
        if len(self._seen) >= MOST:
            self._seen.clear()
        self._seen.add(seen)
        return False

    def keep(self, branch: Branch, value: Any, way: Node | None) -> None:
        """Remember where a value leads."""
        key = key_of(value)
        if self._lasting < MOST // _AT_ONCE:
            self._lasting += 1
        else:
            if self._lasting + len(self._passing) >= MOST:
                for one, other in self._passing:
                    one.ways.pop(other, None)
                    one.by_bytes.clear()
                self._passing.clear()
            self._passing.append((branch, key))
        branch.ways[key] = way
