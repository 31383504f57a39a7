"""A regular expression of fail2ban's as one of Pyruse's.

The tags become groups: ``<HOST>`` an address or, apart from it, a name; ``<F-USER>…</F-USER>`` the
field ``user``. Python's ``re`` takes the rest as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from pyruse.importers.fail2ban.faults import Unreadable

PREFIX = "\ue000"
"""Stands for the begin of a line, up to the message: of private use in Unicode."""
_NAME = r"[\w\-.^_]*\w"
_PRIVATE = re.compile("[\ue000-\ue00f]")
_TAG = re.compile(
    r"<(?P<closing>/?)(?:F-(?P<field>[A-Z0-9_\-]+)"
    r"|(?P<address>HOST|ADDR|IP4|IP6|DNS|CIDR|SUBNET|SKIPLINES))(?P<empty>/?)>"
)
_FLAGS_INSIDE = re.compile(r"(?<!\\)\((?:\?:)?\(\?([aiLmsux]+)\)")
_FLAGS_FIRST = re.compile(r"\(\?([aiLmsux]+)\)")
_GROUP = re.compile(
    r"(?P<escape>\\.)|\(\?P<(?P<opened>\w+)>|\(\?P=(?P<again>\w+)\)"
    r"|\(\?\((?P<asked>[^\W\d]\w*)\)|\{address:(?P<address>\w+)\}",
    re.DOTALL,
)
_PLAIN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
"""Escapes and sets: a dot in them is a dot."""
_UNNAMED = re.compile(r"(?<!\\)\{address\}")
_BRACE = re.compile(r"(?<!\\)((?:\\\\)*)\{address")
_PREFIXED = re.compile(rf"\A\^+(?P<groups>(?:\((?:\?P<\w+>|\?:)?)*){PREFIX}(?:\\s[*+])?")
"""The prefix at the begin, also within groups."""
_RELAYED = r"(?:kernel:\s?\[ *[\d.]+\]:?\s+|\[ID \d+ \S+\]\s+)?"
"""What the kernel, and Solaris' syslog, write before the message of a program."""
_GOES_ON = re.compile(r"\\?[-_.]|[A-Za-z0-9]")
_FIELDS = {"id": "fid", "port": "fport"}
ADDRESS_GROUPS = ("ip", "ip4", "ip6", "ip_text", "fid")
_WRITTEN_OUT = (
    r"\[?(?P<ip_text>(?:::f{4,6}:)?(?:\d{1,3}\.){3}\d{1,3}"
    r"|(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4})\]?"
)
"""What begins like an address, also where it goes on like a name, as in ``192.0.2.1-4711``."""


@dataclass(frozen=True)
class Pattern:
    """A pattern, and what it finds."""

    text: str
    groups: tuple[str, ...]
    """The fields that it may set, without the ports of addresses."""
    prefixed: bool = False
    """Whether it begins with what the prefix of a line is."""
    of_process: bool = False
    """Whether the prefix, and with it the process, says which session a line belongs to."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """The fields that may hold the address."""
        return tuple(name for name in ADDRESS_GROUPS if name in self.groups)

    def renamed(self, new: Callable[[str], str]) -> Pattern:
        """The same with other names of groups."""

        def put(found: re.Match[str]) -> str:
            if found["opened"]:
                return f"(?P<{new(found['opened'])}>"
            if found["again"]:
                return f"(?P={new(found['again'])})"
            if found["asked"]:
                return f"(?({new(found['asked'])})"
            if found["address"]:
                return f"{{address:{new(found['address'])}}}"
            return found[0]

        # "{address}" is "{address:ip}", and becomes so where its field has another name.
        text = self.text if new("ip") == "ip" else _UNNAMED.sub("{address:ip}", self.text)
        text = _GROUP.sub(put, text)
        return replace(self, text=text, groups=tuple(map(new, self.groups)))


def translated(
    regex: str,
    address: str,
    *,
    names: bool,
    prefix: str | None = None,
    first: bool = False,
) -> Pattern:
    """Translate a regular expression.

    :param regex: as fail2ban has it, all parameters put in.
    :param address: where it stands.
    :param names: whether a host name may stand where the address is expected (``usedns``).
    :param prefix: the expression for the begin of a line, up to the message.
    :param first: whether it is what others are looked for behind (``prefregex``).
    :raises Unreadable: Python's ``re`` does not take it.
    """
    if _PRIVATE.search(regex):
        raise Unreadable(address, "has characters of private use in Unicode")
    text = _BRACE.sub(lambda found: rf"{found[1]}\{{address", regex)  # it means itself
    prefixed = prefix is not None and prefix in text
    if prefix is not None and prefixed:
        text = text.replace(prefix, PREFIX)
    text = re.sub(r"(?<!\\)\(\?P([<=])ip\b", r"(?P\1ip_group", text)  # {address} has this name
    text = _tags(text, names=names)
    text = _FLAGS_INSIDE.sub(r"(?\1:", text)
    of_process = bool(re.search(rf"\(\?P<mlfid>[^()]*{PREFIX}", text))
    relayed = _RELAYED if first and "kernel" in (prefix or "") else ""
    text = _begin(text, rf"^\s*{relayed}" if prefixed else None)
    text = text.replace(PREFIX, "")
    outline = re.sub(r"(?<!\\)\{address:(\w+)\}", r"(?P<\1>x)", _UNNAMED.sub("(?P<ip>x)", text))
    try:
        groups = re.compile(outline).groupindex
    except (re.error, OverflowError, RecursionError) as fault:
        raise Unreadable(address, f"is no regular expression: {fault}: {regex}") from None
    pattern = Pattern(text, tuple(groups), prefixed, of_process)
    if any(map(_taken, groups)):
        pattern = pattern.renamed(_free)
    return pattern


_OF_STEPS = frozenset({"failures", "line", "pending", "session", "users"})
"""Fields that the steps of imported chains set themselves."""


def _taken(name: str) -> bool:
    """Whether no step can set a field of this name, or should."""
    return (
        name.startswith("_")
        or name.upper() == name
        or name in _OF_STEPS
        or (name.endswith("_port") and name.removesuffix("_port") in ADDRESS_GROUPS)
    )


def _free(name: str) -> str:
    bare = name.strip("_").lower()
    return name if not _taken(name) else f"{bare}_group" if bare else "group"


def _tags(text: str, *, names: bool) -> str:
    opened: list[str] = []

    def put(tag: re.Match[str]) -> str:
        kind, field = tag["address"], tag["field"]
        if kind is not None or tag["empty"]:
            written = _address(kind or field, tag[0], names=names)
            goes_on = _GOES_ON.match(text, tag.end())
            return written.replace("{address}", _WRITTEN_OUT) if goes_on else written
        if tag["closing"]:
            return ")" if field in opened else tag[0]
        opened.append(field)
        name = field.lower().replace("-", "_")
        return f"(?P<{_FIELDS.get(name, name)}>"

    return _TAG.sub(put, text)


_ADDRESSES = {
    "ADDR": "{address}",
    "IP4": r"(?=[\d.:f]){address:ip4}",
    "IP6": r"(?=[\da-fA-F]*:){address:ip6}",
    "DNS": f"(?P<dns>{_NAME})",
    "CIDR": r"(?P<cidr>\d+)",
    "SUBNET": r"{address}(?:/(?P<cidr>\d+))?",
    "ID": r"(?P<fid>\S+)",
    "PORT": r"(?P<fport>\w+)",
}


def _address(kind: str, written: str, *, names: bool) -> str:
    if kind == "HOST":
        return f"(?:{{address}}|(?P<dns>{_NAME}))" if names else "{address}"
    return _ADDRESSES.get(kind, written)


def _begin(text: str, begin: str | None) -> str:
    """The same with what keeps an attacker from evading it: blanks and line feeds do not matter.

    :param begin: the begin of a message; None: the expression is for something else.
    """
    flags = "s"
    while (first := _FLAGS_FIRST.match(text)) is not None:
        flags += first[1]
        text = text[first.end() :]
    text = re.sub(rf"\(\?P<mlfid>{PREFIX}\)", PREFIX, text)
    if begin is not None:
        text = _PREFIXED.sub(lambda found: f"{begin}{found['groups']}", text, count=1)
    if "." not in _PLAIN.sub("", text) and flags == "s":
        return text
    return f"(?{''.join(dict.fromkeys(flags))}){text}"


def fields_of(patterns: Iterable[Pattern]) -> set[str]:
    """The fields that some of the patterns may set."""
    return {name for pattern in patterns for name in pattern.groups}
