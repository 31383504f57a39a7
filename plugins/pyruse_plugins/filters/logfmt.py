"""The filter ``logfmt``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pyruse import Entry, Field, FieldPrefix, hookimpl
from pyruse_plugins.filters._members import Chosen, Pairs, limited, members, set_fields

_PAIR = re.compile(
    r'\s*(?P<key>[^\s="]+)(?:=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s"]*)))?(?=\s|\Z)',
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}


@dataclass(eq=False, repr=False)
class Logfmt:
    r"""Pass when a field holds pairs such as `level=info msg="user logged in"`, and make fields of them.

    The pairs become the fields `logfmt.level`, `logfmt.msg`, … (`prefix` puts another word in front),
    all of them text; a word without a value has the value `true`. In quotes, `\"`, `\\`, `\n`, `\t`
    and the like are read as Go writes them. With `fields`, just the pairs that it names become fields,
    under the names that you give them.

    What holds for `json` holds here: no pair takes the place of another field, a name that occurs
    twice is left out, and without `fields`, so are names with other characters than letters, digits
    and underscores, and all but 256 pairs. A text that is not all pairs and words, or that has no
    pair, does not pass; nor does one of more than 262,144 characters, and Pyruse says so.

    ```toml
    { filter = "logfmt" }
    { filter = "logfmt", fields = { ip = "remote_addr", user = "uname" } }
    ```
    """  # noqa: E501 -- the first line is the summary

    field: Field = Field("MESSAGE")
    """Where the pairs are."""
    prefix: FieldPrefix | None = None
    """What the names of the fields begin with, before a dot; by default, `logfmt`."""
    fields: Chosen | None = None
    """Fields to set, each with the name of its pair."""

    def __post_init__(self) -> None:
        if self.fields is not None and self.prefix is not None:
            raise ValueError(
                "prefix is for fields that are not named (expected either prefix or fields)"
            )
        if self.fields is None and self.prefix is None:
            self.prefix = FieldPrefix("logfmt")
        if self.fields is not None:  # names of pairs have dots of their own, and nothing inside
            self.fields = Chosen((name, (".".join(way),)) for name, way in self.fields)

    @hookimpl
    def match_entry(self, entry: Entry) -> bool:
        text = entry.text(self.field)
        if text is None or "=" not in text:
            return False
        pairs = _pairs(limited(text, self.field))
        if pairs is None:
            return False
        set_fields(entry, members(pairs), self.prefix, self.fields)
        return True


def _pairs(text: str) -> Pairs | None:
    """The pairs of a text; None: it holds something else, too, or no pair."""
    pairs: Pairs = []
    text = text.rstrip()
    end, has_value = 0, False
    while end < len(text):
        pair = _PAIR.match(text, end)
        if pair is None:
            return None
        key, quoted, plain = pair.groups()
        if quoted is not None:
            plain = _ESCAPE.sub(_unescaped, quoted) if "\\" in quoted else quoted
        has_value = has_value or plain is not None
        pairs.append((key, "true" if plain is None else plain))
        end = pair.end()
    return pairs if has_value else None


def _unescaped(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2]
    return chr(int(code, 16)) if code else _CONTROLS.get(escape[3], escape[3])
