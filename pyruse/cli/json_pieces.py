"""JSON piece by piece, so that a report of a million events never is one text."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice, zip_longest
from typing import Any

import msgspec

from pyruse.text import is_harmless_json, json_escaped

_AT_ONCE = 1_000
"""So many items of a list are written at once."""


def json_pieces(data: Any) -> Iterator[bytes]:
    """Data as one JSON document; what a log line may do to a terminal stays an escape.

    :param data: may have iterators in it, each of which becomes a list; they are read in order.
    """
    streams: list[Iterator[Any]] = []
    mark = os.urandom(16).hex()  # no log line has that in it

    def stand_in(value: object) -> str:
        if not isinstance(value, Iterator):
            raise NotImplementedError(f"{type(value)} is nothing that JSON has")
        streams.append(value)
        return mark

    document = _formatted(msgspec.json.encode(data, enc_hook=stand_in))
    around = document.split(f'"{mark}"'.encode())
    for text, stream in zip_longest(around, streams):
        yield _harmless(text)
        if stream is not None:
            line = text[text.rfind(b"\n") + 1 :]
            yield from _list(stream, len(line) - len(line.lstrip()))


def _list(items: Iterator[Any], indent: int) -> Iterator[bytes]:
    """A list that begins on a line with so many spaces before it."""
    # As many lists around it give the items their place on the line, and are taken off again.
    around = indent // 2
    outside = (around + 1) * (around + 2)
    before = b"[\n"
    while some := list(islice(items, _AT_ONCE)):
        text = _formatted(b"[" * around + msgspec.json.encode(some) + b"]" * around)
        yield before + _harmless(text[outside:-outside])
        before = b",\n"
    yield b"[]" if before == b"[\n" else b"\n" + b" " * indent + b"]"


def _formatted(document: bytes) -> bytes:
    return msgspec.json.format(document, indent=2)


def _harmless(text: bytes) -> bytes:
    return text if is_harmless_json(text) else json_escaped(text.decode()).encode()
