"""Markdown in the language of man(7): headings, paragraphs, lists, code, tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token


def roff(markdown: str) -> Iterator[str]:
    """The lines of a text; a heading of the first level is a section."""
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    yield from _Writer(tokens).lines()


class _Writer:
    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._lists: list[int | None] = []
        """For each list that we are in: the number of the next item; None: it has no numbers."""
        self._begins = False
        """Whether an item or a section has just begun, which needs no paragraph."""

    def lines(self) -> Iterator[str]:
        at = 0
        while at < len(self._tokens):
            token = self._tokens[at]
            if token.type == "heading_open":
                yield from _heading(token.tag, self._tokens[at + 1])
                self._begins = True
                at += 2
            elif token.type == "table_open":
                end = self._end(at, "table_close")
                yield from _table(self._tokens[at:end])
                at = end
                self._begins = False
            elif token.type in ("fence", "code_block"):
                yield from self._code(token.content)
            elif token.type == "paragraph_open":
                yield from self._paragraph(self._tokens[at + 1])
                at += 2
            else:
                yield from self._list(token)
            at += 1

    def _end(self, at: int, kind: str) -> int:
        return next(i for i in range(at, len(self._tokens)) if self._tokens[i].type == kind)

    def _list(self, token: Token) -> Iterator[str]:
        if token.type in ("bullet_list_open", "ordered_list_open"):
            if self._lists:
                yield ".RS 4"
            self._lists.append(1 if token.type.startswith("ordered") else None)
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            self._lists.pop()
            if self._lists:
                yield ".RE"
        elif token.type == "list_item_open":
            number = self._lists[-1]
            if number is None:
                yield r'.IP "\(bu" 2'
            else:
                yield f'.IP "{number}." 3'
                self._lists[-1] = number + 1
            self._begins = True

    def _paragraph(self, inline: Token) -> Iterator[str]:
        if not self._begins:
            yield ".IP" if self._lists else ".PP"
        self._begins = False
        yield from _lines_of(_inline(inline))

    def _code(self, text: str) -> Iterator[str]:
        if not self._begins:
            yield ".IP" if self._lists else ".PP"
        self._begins = False
        yield ".RS 4"
        yield ".EX"
        for line in text.rstrip("\n").split("\n"):
            yield _guarded(escaped(line, is_code=True))
        yield ".EE"
        yield ".RE"


def _heading(tag: str, inline: Token) -> Iterator[str]:
    text = _plain(inline)
    yield f'.SH "{text}"' if tag == "h1" else f'.SS "{text}"'


def _table(tokens: Sequence[Token]) -> Iterator[str]:
    """A row as an item: the first cell, and then what its other cells say."""
    rows: list[list[Token]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(token)
    names = [_plain(cell) for cell in rows[0]]
    for row in rows[1:]:
        yield ".TP"
        yield _guarded(_inline(row[0]) or r"\&")
        told = [
            _inline(cell) if at == len(row) - 1 else f"{names[at]}: {_inline(cell)}"
            for at, cell in enumerate(row)
            if at and cell.content
        ]
        yield from _lines_of("; ".join(told) or r"\&")


def _plain(inline: Token) -> str:
    """A text without any marks, for the arguments of a macro."""
    children = inline.children or []
    text = "".join(child.content if child.content else " " * (child.type == "softbreak")
                   for child in children)  # fmt: skip
    return escaped(text).replace('"', r"\(dq")


_FONTS = {"strong_open": r"\fB", "em_open": r"\fI", "strong_close": r"\fR", "em_close": r"\fR"}


def _inline(inline: Token) -> str:
    """A text with its fonts; lines that need not be broken are one."""
    made = address = ""
    for child in inline.children or []:
        if child.type == "code_inline":
            made += rf"\fB{escaped(child.content, is_code=True)}\fR"
        elif child.type in ("softbreak", "hardbreak"):
            made += " "
        elif child.type == "link_close":
            made += rf" <{escaped(address)}>"
        elif child.type == "link_open":
            address = str(child.attrGet("href"))
        elif child.type == "image":
            continue
        else:
            made += _FONTS.get(child.type, "") or escaped(child.content)
    return made


def _lines_of(text: str) -> Iterator[str]:
    """One sentence a line, as roff expects it."""
    for sentence in re.split(r"(?<=[.!?:]) +(?=[A-Z\\])", text.strip()):
        if sentence:
            yield _guarded(sentence)


def _guarded(line: str) -> str:
    """A line that is no request."""
    return rf"\&{line}" if line.startswith((".", "'")) else line


def escaped(text: str, *, is_code: bool = False) -> str:
    """A text as roff has it: in ASCII, and nothing of it has a meaning."""
    text = text.replace("\\", r"\e")
    if is_code:
        text = text.replace("-", r"\-").replace("'", r"\(aq").replace("`", r"\(ga")
        text = text.replace("^", r"\(ha").replace("~", r"\(ti")
    return "".join(one if ord(one) < 128 else rf"\[u{ord(one):04X}]" for one in text)
