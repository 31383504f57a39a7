"""The filter ``regex``."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pyruse import Condition, Context, Entry, Field, NewField, Pattern, Traits, hookimpl


class Patterns(tuple[Pattern, ...]):
    """One regular expression, or a list of them."""

    SCHEMA: ClassVar[dict[str, Any]] = {
        "anyOf": [Pattern.SCHEMA, {"type": "array", "items": Pattern.SCHEMA, "minItems": 1}]
    }

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read one pattern, or a list of patterns.

        :raises ValueError: there is none, or one is no regular expression.
        """
        if value == []:
            raise ValueError("the list is empty (expected at least one regular expression)")
        return cls(map(Pattern.parse, value if isinstance(value, list) else [value]))

    @staticmethod
    def parse_item(value: Any) -> Pattern:
        """Read one pattern of a list.

        :raises ValueError: it is no regular expression.
        """
        return Pattern.parse(value)


@dataclass(eq=False, repr=False)
class Regex:
    r"""Pass when a regular expression is found in a field, and take fields out of it.

    The syntax is Python's; the expression may be found anywhere in the text unless it begins with
    `^`. Of several patterns, the first one that is found counts. Named groups, `(?P<user>\S+)`, become
    fields of the entry for the steps after this one; `save` gives names to the unnamed groups of a
    single pattern. A group that took no part in the match sets no field. A missing field never
    matches.

    `{address}` takes an IP address, however it is written: `203.0.113.7`, `203.0.113.7:5060`,
    `[2001:db8::7]:5060`, `::ffff:203.0.113.7`, `fe80::1%eth0`, `203.0.113.7#53`. The field `ip` gets
    the address alone, always written in the same way, and the field `ip_port` the port, if there is
    one; `{address:client}` sets `client` and `client_port` instead. Where there is no address, the
    pattern is not found, and the next one is tried: `{address}` never takes white space, nor a part
    of something longer, such as `10.0.0.1.example.com`. After an IPv6 address without brackets, say
    where the port is: `{address}:\d+`. To mean the text `{address}`, write `\{address}`.

    ```toml
    { filter = "regex", field = "MESSAGE", pattern = '^Failed password for (?P<user>.*) from {address} port \d+ ssh2$' }
    { filter = "regex", field = "MESSAGE", pattern = ['^a: {address}$', '^b {address:client} to {address:server}$'] }
    { filter = "regex", field = "MESSAGE", pattern = '^session of (\w+) from (\S+)$', save = ["user", "ip"] }
    ```
    """  # noqa: E501 -- an example is one line in TOML

    traits: ClassVar[Traits] = Traits(pure=True)

    pattern: Patterns
    """What to look for: an expression, or a list of them."""
    field: Field = Field("MESSAGE")
    """Where to look."""
    save: list[NewField] = dataclasses.field(default_factory=list)
    """Names for the unnamed groups, in their order; only with a single pattern."""

    def __post_init__(self) -> None:
        self._optimize = False
        self._field = self.field  # an attribute that the class has, too, is found more slowly
        self._search: Callable[[str], Any] = self._first
        self._saved = self._groups_to_save() if self.save else []
        self._sets_fields = any(pattern.groups for pattern in self.pattern) or bool(self._saved)

    def _groups_to_save(self) -> list[tuple[int, NewField]]:
        if len(self.pattern) > 1:
            raise ValueError(
                "save goes with a single pattern (expected named groups, such as (?P<user>…))"
            )
        regex = self.pattern[0].outline
        unnamed = [
            group for group in range(1, regex.groups + 1) if group not in regex.groupindex.values()
        ]
        if len(self.save) > len(unnamed):
            raise ValueError(
                f"save has more names, {len(self.save)}, than the pattern has unnamed groups, "
                f"{len(unnamed)} (expected at most one name a group)"
            )
        return list(zip(unnamed, self.save, strict=False))

    @hookimpl
    def on_start(self, context: Context) -> None:
        self._optimize = context.optimize
        if all(pattern.is_compiled for pattern in self.pattern):
            self._prepare()
        else:
            self._search = self._first

    def _first(self, text: str) -> Any:
        """The first search of all puts another in its place: most rules never see an entry."""
        self._prepare()
        return self._search(text)

    def _prepare(self) -> None:
        self._search = Pattern.first_of(self.pattern, optimize=self._optimize)

    @hookimpl
    def condition(self) -> Condition:
        return Condition.patterns(self.field, self.pattern, self._saved)

    @hookimpl
    def match_entry(self, entry: Entry) -> bool:
        text = entry.text(self._field)
        if text is None:
            return False
        search = self._search
        match = search(text)
        if match is None:
            return False
        if self._sets_fields:
            fields = match.groupdict()
            for group, name in self._saved:
                if match[group] is not None:
                    fields[name] = match[group]
            entry.set_many(fields)  # a group that took no part is None
        return True
