"""A text with its changing parts masked: numbers, addresses, paths, ids, times.

The mask depends on the *levelled* text alone, in which each digit is a 0, and a number has one. So
the kind of a text is the same whichever text came first, and most texts are found in a cache.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

from pyruse.system.native import native
from pyruse.text import late_pattern

T = TypeVar("T")

MASK = "*"
LONGEST = 300
"""Characters of a template."""
_LONGEST_TEXT = 400
"""Characters of a text that are looked at."""
_LONGEST_WORD = 60
"""Characters of a word that is kept in the cache."""
_CACHED = 5_000
_WHOLE_NUMBERS = late_pattern(r"(?<![0A-Za-z])0{2,}(?![0A-Za-z])")
_LEVELLED = bytes.maketrans(b"123456789", b"0" * 9)
"""Of UTF-8, where each byte of another character is above those of digits: bytes take a tenth of
the time."""

_BETWEEN = late_pattern(r"([\s,;()\[\]{}<>\"'=|]+)")
_URL = late_pattern(r"\b[A-Za-z][A-Za-z+.-]{1,20}://[^\s<>\"']+")
_QUERY = late_pattern(r"/[^\s,;()\[\]{}<>\"'=|?]*\?[^\s<>\"']*")
_END = ".:!?"
_QUOTED = late_pattern(r"\"[^\"]{0,200}\"(?:\s{0,2}:(?!\S*//))?")
_IN_SINGLE_QUOTES = late_pattern(r"'(?<![^\s=(\[:,]')[^'\s]{0,200}'(?![^\s.,:;)\]])")
_PLAIN = late_pattern(r"[A-Za-z_-]{0,24}\Z")
_NUMBER = late_pattern(r"[^A-Za-z]*\Z")
_AMOUNT = late_pattern(r"[-+~]?0[0.,]*(?:[A-Za-z%\u00b5]{1,5}|[KMGT]?i?[Bb](?:it)?/s(?:ec)?)\Z")
_HEX = late_pattern(
    r"[0-9A-Fa-f]{6,}\Z|[0-9A-F]{4,}\Z|[@#]?0x[0-9A-Fa-f]+[Lh]?\Z"
    r"|[0-9A-Fa-f]{4,}[+-][0-9A-Fa-f]+\Z"
)
_GROUPED_HEX = late_pattern(r"\W*(?:[0-9A-Fa-f]{1,12}[:.-]+){2,}[0-9A-Fa-f]{0,12}(?:[%/]\w+)?\Z")
_SHORT_HEX = late_pattern(r"[0-9A-Fa-f:]*::[0-9A-Fa-f:.]*(?:%\w+)?\Z")
_INSTANT = late_pattern(
    r"0{1,4}-?0{1,2}-?0{1,2}[T_]0{1,2}[0:.,]*(?:Z|[+-]0{1,2}:?0{1,2})?\Z"
    r"|0{1,2}-[A-Z][a-z]{2}-0+\Z"
)
_NUMBERS = (_NUMBER, _AMOUNT, _HEX, _GROUPED_HEX, _SHORT_HEX, _INSTANT)
_PORT = late_pattern(r"(?<=\w):0{1,5}\Z")
_BRACKETED = late_pattern(r"(?<==)<[^<>\s]{0,200}>")
_SWITCHES = late_pattern(r"0+|[a-z]+|[A-Z]+")
_SHORTEST_ID = 8  # characters
_DIGITS = late_pattern(r"-?0+(?:[.,]0+)*")
_UNIT = late_pattern(
    r"[\w@:.\\-]+\.(?:service|socket|timer|mount|automount|scope|slice|device|target|path|swap)\Z"
)
_TOP = late_pattern(
    r"(?:[a-z]{2}|com|org|net|edu|gov|mil|int|info|biz|dev|app|cloud|local|lan|home|internal"
    r"|localdomain|arpa|onion|example|test)\Z",
    re.IGNORECASE,
)
"""The last part of names of machines."""
_NO_COUNTRIES = frozenset(("py", "sh", "pl", "rb", "so", "cc", "js", "ko", "gz", "xz", "md", "rs"))
"""They end names of files more often."""
_FIRST = frozenset(("com", "org", "net", "io", "edu", "gov", "dev"))
"""The first part of names that are none, such as org.freedesktop.login1."""

_RUNS = late_pattern(r"\*(?:[ ,:;./+-]*\*)+")
_MONTHS = frozenset(
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
)
_DATE = late_pattern(
    r"(?:\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? )?(?:\* )?\b(?:[JFMASOND][a-z]{2}) \*"
    r"(?: (?:AM|PM|[A-Z]{2,4}T|UTC) \*)?"
)
_DURATION = late_pattern(
    r"\* (?:(?:milli|micro|nano)?(?:secs?|seconds?)|ms|us|min(?:ute)?s?|hours?|days?)\b"
)
_LESS = late_pattern(r"<\*(?!>)")
_SIZE_AGAIN = late_pattern(r" \(\* ?[KMGTPkmgtp]?i?[Bb](?:ytes)?\)")
_SIZE = late_pattern(r"\* [KMGTP]i?B\b")


class Masks:
    """Masks texts, and remembers what came of them, and of their words."""

    def __init__(self) -> None:
        self._of_levelled: dict[bytes, str] = {}
        self._chunks: dict[str, str] = {}
        """By what stands between two spaces: most of it is the same again and again."""
        self._words: dict[str, str] = {}
        self._of_chunks: dict[str, str] = {}
        """By the text of which each chunk is masked: most ids and names make one of it."""
        self.template_of = self._template_of
        """The text with its changing parts masked; never empty, of `LONGEST` characters at most."""
        self.masker: Any = None
        """What masks in C, where pyruse-native is installed."""
        if module := native():
            self.masker = module.Masker(
                self._chunks, self._of_chunks, self._template_of, self._of_chunk, self._finished
            )
            self.template_of = self.masker.template_of

    def _template_of(self, text: str) -> str:
        levelled = text[:_LONGEST_TEXT].encode(errors="replace").translate(_LEVELLED)
        template = self._of_levelled.get(levelled)
        if template is None:
            template = self._masked(levelled.decode())
            _keep(self._of_levelled, levelled, template)
        return template

    def _masked(self, text: str) -> str:
        if '"' in text:  # what is quoted may have spaces in it; all else has none
            text = _QUOTED.sub(_of_quoted, _WHOLE_NUMBERS.sub("0", text))
        known = self._chunks.get
        joined = " ".join(
            [
                self._of_chunk(chunk) if (masked := known(chunk)) is None else masked
                for chunk in text.split(" ")
            ]
        )
        return self._of_chunks.get(joined) or self._finished(joined)

    def _finished(self, joined: str) -> str:
        """What comes of a text of which each chunk is masked."""
        template = _plainer(joined)
        _keep(self._of_chunks, joined, template)
        return template

    def _of_chunk(self, chunk: str) -> str:
        """What comes of a text without spaces: of tabs and the like, it may have some."""
        text = _WHOLE_NUMBERS.sub("0", chunk)
        if "'" in text:
            text = _IN_SINGLE_QUOTES.sub(_of_quoted, text)
        if "=<" in text:
            text = _BRACKETED.sub(f"<{MASK}>", text)
        if "://" in text:
            text = _URL.sub(MASK, text)
        if "?" in text:
            text = _QUERY.sub(MASK, text)
        known = self._words.get
        pieces = [known(piece) or self._of_word(piece) for piece in _BETWEEN.split(text) if piece]
        masked = "".join(pieces)
        if len(chunk) <= _LONGEST_WORD:
            _keep(self._chunks, chunk, masked)
        return masked

    def _of_word(self, word: str) -> str:
        bare = word.rstrip(_END)
        masked = _masked_word(bare) + word[len(bare) :]
        if len(word) <= _LONGEST_WORD:
            _keep(self._words, word, masked)
        return masked


def _plainer(text: str) -> str:
    """A text of which each piece is masked, without what differs by accident."""
    words = text.split()
    # Of a list of ids, as many as there are, one is enough.
    text = " ".join(
        [
            word
            for word, before in zip(words, [None, *words], strict=False)
            if word != before or MASK not in word
        ]
    )
    if MASK not in text:
        return text[:LONGEST] or MASK
    text = _RUNS.sub(MASK, text)
    if not _MONTHS.isdisjoint(words):
        text = _DATE.sub(MASK, text)
    text = _SIZE.sub(MASK, _SIZE_AGAIN.sub("", text))
    text = _RUNS.sub(MASK, _LESS.sub(MASK, _DURATION.sub(MASK, text)))
    return text.replace("* ()", "* (*)")[:LONGEST]


def _keep(cache: dict[T, str], text: T, masked: str) -> None:
    if len(cache) >= _CACHED:
        cache.clear()
    cache[text] = masked


def _of_quoted(match: re.Match[str]) -> str:
    text = match[0]
    if text[-1] == ":" or " " in text or _PLAIN.match(text, 1, len(text) - 1):
        return text  # a key of JSON, words, or one word
    return f"{text[0]}{MASK}{text[0]}"


def _masked_word(word: str) -> str:
    if word.isspace() or (word.isalpha() and (word.islower() or len(word) < _SHORTEST_ID)):
        return word
    if _UNIT.match(word):
        return _DIGITS.sub(MASK, word)
    if "/" in word or "\\" in word:
        return MASK if _is_path(word) else word
    if _is_number(word):
        return MASK
    port = _PORT.search(word)
    name = word if port is None else word[: port.start()]
    if _is_name_of_machine(name) or _is_id(name) or _is_number(name):
        return MASK
    return _DIGITS.sub(MASK, word)


def _is_number(word: str) -> bool:
    return "0" in word and any(pattern.match(word) for pattern in _NUMBERS)


def _is_path(word: str) -> bool:
    if word[0] in "/~\\" or "://" in word or word[1:3] == ":\\" or "0" in word:
        return True
    return word.count("/") + word.count("\\") > 1 or "." in word


def _is_name_of_machine(word: str) -> bool:
    local, at, name = word.rpartition("@")
    first, dot, rest = name.partition(".")
    if not dot or not rest:
        return False
    if at and local:
        return True
    last = rest.rpartition(".")[2].lower()
    if not _TOP.match(last) or last in _NO_COUNTRIES:
        return False
    return first.lower() not in _FIRST or "." not in rest


def _is_id(word: str) -> bool:
    """Whether capitals, small letters and digits take turns as in what nobody reads."""
    return len(word) >= _SHORTEST_ID and len(_SWITCHES.findall(word)) * 2 > len(word)
