"""The types of options: what a configuration file says becomes an object when it is read.

A type of a plugin's own works the same way: a class with a class method ``parse(value)``, which
raises ``ValueError("fault (expected …)")``. Optional are ``SCHEMA``, a JSON schema; ``IN_WORDS``,
what is expected, such as "a duration"; and, for a type that takes a list, ``parse_item(value)``, by
which faults are told item by item.
"""

from __future__ import annotations

import ipaddress
import re
import string
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from socket import AF_INET, AF_INET6, inet_ntoa, inet_pton
from typing import Any, ClassVar, Self

from pyruse.entry.decoding import typed
from pyruse.entry.entry import Entry, as_text
from pyruse.options.quick_search import Search, either, quick_search
from pyruse.text import printable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Field(str):
    """The name of a field that the step reads."""

    IN_WORDS: ClassVar[str] = "the name of a field"
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """:raises ValueError: it is no possible name of a field."""
        if isinstance(value, str) and _NAME.match(value):
            return cls(value)
        raise ValueError(
            f"{shown(value)} is no field name (expected letters, digits and underscores, "
            'such as "MESSAGE" or "ip")'
        )

    def typed(self, value: Any) -> Any:
        """A configured value as this field has it in entries (``PRIORITY`` is a number, …).

        :raises ValueError: the field never has such a value.
        """
        return typed(self, value)


class NewField(Field):
    """The name of a field that the step sets. The journal's own fields cannot be set."""

    IN_WORDS: ClassVar[str] = "the name of a field to set"
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_]*$"}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """:raises ValueError: it is no possible name, or it is a trusted field's."""
        field = super().parse(value)
        if field.startswith("_"):
            raise ValueError(
                f'"{field}" cannot be set (expected a name that does not begin with an underscore: '
                "those are the journal's own)"
            )
        return field


_DURATION = re.compile(r"(?:[0-9]{1,12}(?:ms|[wdhms]))+\Z")
_DIGITS = re.compile(r"[0-9]{1,12}\Z")
_PART = re.compile(r"(\d+)(ms|[wdhms])")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class Duration(timedelta):
    """A span of time above zero: ``90`` or ``"90s"``, ``"15m"``, ``"2h"``, ``"1h30m"``."""

    SCHEMA: ClassVar[dict[str, Any]] = {
        "anyOf": [
            {"type": "integer", "minimum": 1},
            {"type": "string", "pattern": "^([0-9]+(ms|[wdhms]))+$"},
        ]
    }

    @classmethod
    def parse(cls, value: Any) -> Self:
        """:raises ValueError: it is no duration, or not above zero."""
        seconds = 0.0
        if isinstance(value, int) and not isinstance(value, bool):
            seconds = value
        elif isinstance(value, str) and _DIGITS.match(value):
            seconds = int(value)
        elif isinstance(value, str) and _DURATION.match(value):
            seconds = sum(int(n) * _SECONDS[unit] for n, unit in _PART.findall(value))
        if 0 < seconds < 1e10:  # some 300 years; timedelta itself ends at 2.7 million
            return cls(seconds=seconds)
        raise ValueError(
            f'{shown(value)} is no duration (expected seconds, or "90s", "15m", "2h", "5d", "1w", '
            '"1h30m")'
        )

    @cached_property
    def us(self) -> int:
        """The same in microseconds."""
        return self // timedelta(microseconds=1)


_BRACES = "fields in braces, such as {MESSAGE}; a brace itself is written twice"
_EXCLAIMED = "!r, !s or !a"


class Template:
    """A message with fields of an entry in it: ``"{user} from {ip}"`` (Python's ``str.format``).

    A missing field renders as nothing. A value never is a template itself, however it looks.
    """

    IN_WORDS: ClassVar[str] = "text, with fields such as {MESSAGE} in it"
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string"}

    def __init__(self, text: str) -> None:
        """:raises ValueError: it is no valid template."""
        self.text = text
        self._parts: list[tuple[str, str | None, str, str | None]] = []
        try:
            parts = list(string.Formatter().parse(text))
        except ValueError as fault:
            if "conversion" in str(fault):
                raise self._fault("after ! there is no conversion", _EXCLAIMED) from None
            raise self._fault("a brace stands alone", _BRACES) from None
        for literal, field, spec, conversion in parts:
            self._check(field, spec, conversion)
            self._parts.append((literal, field, spec or "", conversion))

    @classmethod
    def parse(cls, value: Any) -> Self:
        """:raises ValueError: it is no valid template."""
        if not isinstance(value, str):
            raise ValueError(f"{shown(value)} is no message (expected text)")
        return cls(value)

    def _check(self, field: str | None, spec: str | None, conversion: str | None) -> None:
        if field is None:
            return
        if not _NAME.match(field):
            raise self._fault(f"{{{field}}} names no field", _BRACES)
        if spec and "{" in spec:
            raise self._fault(
                f"{{{field}:{spec}}} has a field in its format",
                "a fixed format, such as {count:>5}",
            )
        if conversion not in (None, "r", "s", "a"):
            raise self._fault(f"!{conversion} is no conversion", _EXCLAIMED)

    def _fault(self, what: str, expected: str) -> ValueError:
        return ValueError(f"{shown(self.text)} is no message: {what} (expected {expected})")

    @property
    def fields(self) -> list[str]:
        """The names of the fields that the message uses, in their order."""
        return [field for _, field, _, _ in self._parts if field is not None]

    def render(self, fields: Mapping[str, Any]) -> str:
        """The message with the values of these fields.

        A value that its format does not fit (a number's, given text) is shown without it.
        """
        pieces: list[str] = []
        for literal, field, spec, conversion in self._parts:
            pieces.append(literal)
            if field is not None:
                value = fields.get(field)
                if value is not None:
                    pieces.append(_formatted(value, spec, conversion))
        return "".join(pieces)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Template({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


_CONVERSIONS: dict[str, Callable[[str], str]] = {"r": repr, "a": ascii, "s": str}


def _formatted(value: Any, spec: str, conversion: str | None) -> str:
    text = as_text(value)
    if conversion is not None:
        value = text = _CONVERSIONS[conversion](text)
    if not spec:
        return text
    try:
        return format(value if isinstance(value, int | float | datetime) else text, spec)
    except (ValueError, TypeError, OverflowError):
        return text


class Pattern:
    """A regular expression of Python's ``re``, searched for anywhere in the text."""

    IN_WORDS: ClassVar[str] = "a regular expression"
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string", "format": "regex"}

    def __init__(self, text: str) -> None:
        """:raises ValueError: it is no valid regular expression, or a group has a bad name."""
        try:
            # What Python warns of works as it is written, if hardly as it is meant.
            with warnings.catch_warnings(record=True) as doubts:
                warnings.simplefilter("always")
                self.regex = re.compile(text)
        except (re.error, OverflowError, RecursionError) as fault:
            raise ValueError(
                f"{shown(text)} is no regular expression: {fault} (expected Python's syntax; "
                "in TOML, patterns are best written in single quotes)"
            ) from None
        self.doubts = [str(doubt.message) for doubt in doubts]
        """What is most likely not meant: `pyruse check` warns of it."""
        self.search: Search = self.regex.search
        self.groups: list[NewField] = []
        for name in self.regex.groupindex:
            try:
                self.groups.append(NewField.parse(name))
            except ValueError as fault:
                raise ValueError(f"group {fault}") from None

    @cached_property
    def quick_search(self) -> Search:
        """Finds the same as `search`, with less work."""
        return quick_search(self.regex)

    @staticmethod
    def either(patterns: Sequence[Pattern]) -> Search | None:
        """What finds something where one of the patterns finds something, if that is less work."""
        return either([pattern.regex for pattern in patterns])

    @classmethod
    def parse(cls, value: Any) -> Self:
        """:raises ValueError: it is no valid regular expression."""
        if not isinstance(value, str):
            raise ValueError(f"{shown(value)} is no regular expression (expected text)")
        return cls(value)

    @property
    def text(self) -> str:
        """The expression as it was written."""
        return self.regex.pattern

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


class Networks:
    """Networks and single addresses: ``["192.168.1.0/24", "2001:db8::1"]``.

    ``address in networks`` takes the same time for one network and for a hundred thousand.
    """

    IN_WORDS: ClassVar[str] = 'a list of networks, such as ["192.168.1.0/24"]'
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "array", "items": {"type": "string"}}

    def __init__(self, networks: list[Network]) -> None:
        self.networks = networks
        self._by_mask: dict[int, dict[int, set[int]]] = {4: {}, 6: {}}
        for network in networks:
            masks = self._by_mask[network.version]
            masks.setdefault(int(network.netmask), set()).add(int(network.network_address))

    @classmethod
    def parse(cls, value: Any) -> Self:
        """:raises ValueError: it is no list of networks."""
        if not isinstance(value, list):
            raise ValueError(
                f'{shown(value)} is no list of networks (expected ["192.168.1.0/24", …])'
            )
        return cls([parse_network(item) for item in value])

    @staticmethod
    def parse_item(value: Any) -> Network:
        """:raises ValueError: it is no network."""
        return parse_network(value)

    def __contains__(self, address: Address) -> bool:
        return self.covers(address.version, int(address))

    def covers(self, version: int, number: int) -> bool:
        """The same for an address of IPv4 or IPv6, given as its number."""
        for mask, known in self._by_mask[version].items():  # noqa: SIM110 -- half the time of any()
            if number & mask in known:
                return True
        return False

    def __iter__(self) -> Iterator[Network]:
        return iter(self.networks)

    def __len__(self) -> int:
        return len(self.networks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Networks) and other.networks == self.networks

    def __hash__(self) -> int:
        return hash(tuple(self.networks))


def parse_network(value: Any) -> Network:
    """A network such as ``192.168.1.0/24``, or an address as a network of one.

    Host bits may be set; an IPv4 network written in IPv6 (``::ffff:…``) becomes an IPv4 one.

    :raises ValueError: it is neither.
    """
    try:
        if not isinstance(value, str):
            raise ValueError
        network = ipaddress.ip_network(value.strip(), strict=False)
    except ValueError:
        raise ValueError(
            f'{shown(value)} is no network (expected an address or "192.168.1.0/24", '
            '"2001:db8::/32")'
        ) from None
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return ipaddress.IPv4Network((mapped, network.prefixlen - 96))
    return network


def network_around(address: Address, prefix4: int, prefix6: int) -> Network:
    """The network of this prefix length that an address is in."""
    # Of a number: of an address, ipaddress would make text, and parse that.
    if address.version == 4:
        return ipaddress.IPv4Network((int(address), prefix4), strict=False)
    return ipaddress.IPv6Network((int(address), prefix6), strict=False)


def text_around(address: Address, prefix4: int, prefix6: int) -> str:
    """The same as people write it (see `network_text`)."""
    if address.version == 4 and prefix4 == 32:
        return inet_ntoa(address.packed)  # as ipaddress writes it, in a fifth of the time
    return network_text(network_around(address, prefix4, prefix6))


def contains(outer: Network, network: Network) -> bool:
    """Whether a network is inside of another one, or the same."""
    if isinstance(network, ipaddress.IPv4Network):
        return isinstance(outer, ipaddress.IPv4Network) and network.subnet_of(outer)
    return isinstance(outer, ipaddress.IPv6Network) and network.subnet_of(outer)


def network_text(network: Network) -> str:
    """A network as people write it: a single address without its prefix length."""
    single = network.prefixlen == network.max_prefixlen
    return str(network.network_address if single else network)


def parse_address(value: Any) -> Address | None:
    """The address that a text is, or None where it is none.

    White space and brackets around it are taken off, and so is a zone (``fe80::1%eth0``,
    RFC 4007); an IPv4 address written in IPv6 (``::ffff:1.2.3.4``, RFC 4291 §2.5.5.2) is an
    IPv4 address.
    """
    if not isinstance(value, str) or len(value) > _LONGEST_ADDRESS:
        return None
    return _parsed(value)


_LONGEST_ADDRESS = 100
"""Characters, with zone, brackets and white space: RFC 4291 needs 45."""


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Address | None:
    """Several steps ask for the address of one entry, and who attacks comes again."""
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    text = text.partition("%")[0]
    try:
        # As strict as ipaddress, in a third of the time.
        if ":" not in text:
            return ipaddress.IPv4Address(inet_pton(AF_INET, text))
        address = ipaddress.IPv6Address(inet_pton(AF_INET6, text))
    except (OSError, ValueError):
        return None
    return address.ipv4_mapped or address


def address_of(entry: Entry, field: str) -> Address | None:
    """The address that a field of the entry holds, or None where it holds none."""
    return parse_address(entry.get(field))


_LONGEST_SHOWN = 80
_DEEPEST_SHOWN = 3


def shown(value: Any) -> str:
    """A configured value as error messages show it: on one line, printable, not too long."""
    text = _toml(value, 0)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def quoted(text: str) -> str:
    """A text in quotes, on one line: in single ones, as patterns are, where that is plainer."""
    end = "" if len(text) <= _LONGEST_SHOWN else "…"
    text = printable(text[:_LONGEST_SHOWN]).replace("\n", "\\n").replace("\t", "\\t")
    mark = "'" if "'" not in text and ('"' in text or "\\" in text) else '"'
    return f"{mark}{text}{end}{mark}"


def _toml(value: Any, depth: int) -> str:
    text = ""
    match value:
        case str():
            text = quoted(value)
        case bool():
            text = str(value).lower()
        case int() if value.bit_length() > _LONGEST_SHOWN:
            text = "that"  # Python refuses to write thousands of digits
        case list() | dict() if depth == _DEEPEST_SHOWN:
            text = "…"
        case list():
            text = f"[{', '.join(_toml(item, depth + 1) for item in value[:_LONGEST_SHOWN])}]"
        case dict():
            items = [f"{name} = {_toml(item, depth + 1)}" for name, item in value.items()]
            text = f"{{ {', '.join(items)} }}" if items else "{}"
        case _:
            text = str(value)
    return text
