"""JSON that is written piece by piece is the JSON of all of it at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date
from itertools import count
from typing import Any

import msgspec
import pytest

from pyruse.cli.json_pieces import json_pieces

Make = Callable[[Iterable[Any]], Any]


def document(make: Make) -> Any:
    return {
        "none": make([]),
        "report": {
            "rows": make(
                [{"message": "one", "times": ["1", "2"]}, {"message": "two", "times": []}]
            ),
            "lines": make({"number": number, "text": "é"} for number in range(2_500)),
        },
        "deep": [{"in": {"it": make([[1, [2]], {}])}}],
        "last": None,
    }


def test_iterators_are_lists() -> None:
    written = b"".join(json_pieces(document(iter)))
    assert written == msgspec.json.format(msgspec.json.encode(document(list)), indent=2)
    assert written == b"".join(json_pieces(document(list)))


@pytest.mark.parametrize("items", [[], [1], list(range(3_000))])
def test_the_whole_of_it_may_be_an_iterator(items: list[int]) -> None:
    assert json.loads(b"".join(json_pieces(iter(items)))) == items


@pytest.mark.parametrize("make", [iter, list])
def test_what_a_line_may_do_to_a_terminal_stays_an_escape(make: Make) -> None:
    texts = ["\x1b[2J", "del \x7f", "c1 \x9b", "\u202e reversed", "é", "plain", '"quoted"\n']
    data = {"plain": "x", "texts": make(texts), "after": "\u200b"}
    written = b"".join(json_pieces(data)).decode()
    assert json.loads(written) == {**data, "texts": texts}
    for unsafe in "\x1b\x7f\x9b\u202e\u200b":
        assert unsafe not in written
    assert "é" in written


def test_only_some_items_are_read_at_once() -> None:
    numbers = count()
    pieces = json_pieces({"items": map(str, numbers)})
    next(pieces)
    assert repr(numbers) == "count(0)"
    assert len(json.loads(next(pieces) + b"]")) == 1_000
    assert repr(numbers) == "count(1000)"


def test_what_json_does_not_have_is_refused() -> None:
    assert b"".join(json_pieces([date(2026, 3, 14)])) == b'[\n  "2026-03-14"\n]'
    with pytest.raises((TypeError, NotImplementedError)):
        b"".join(json_pieces([object()]))
