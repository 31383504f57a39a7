"""Where the chains stand in the drawing."""

from __future__ import annotations

from itertools import combinations

from pyruse_web.graph import WIDTH, drawn


def chain(name, *jumps, main=True):
    """A chain with a step for each pair (then, else)."""
    steps = [
        {
            "index": index, "kind": "filter", "plugin": "equals", "label": None, "invert": False,
            "then": then, "else": otherwise, "seen": None, "passed": None,
        }
        for index, (then, otherwise) in enumerate(jumps)
    ]  # fmt: skip
    return {"chain": name, "main": main, "steps": steps, "entries": None}


def test_every_jump_leads_to_the_right():
    drawing = drawn(
        [
            chain("late", main=False),
            chain("first", ("middle", None), (None, "late")),
            chain("middle", ("late", None), main=False),
            chain("second", (None, "middle")),
        ]
    )
    columns = {box.chain["chain"]: box.column for box in drawing.boxes}
    assert columns == {"first": 0, "second": 0, "middle": 1, "late": 2}
    assert [line.kind for line in drawing.lines] == ["next", "then", "else", "then", "else"]


def test_forty_chains_do_not_overlap():
    jumps = [
        chain(f"jump {number}", (f"jump {number + 13}" if number < 7 else None, None), main=False)
        for number in range(20)
    ]
    main = [
        chain(f"main {number}", *[(f"jump {number}", None)] * (number % 6)) for number in range(20)
    ]
    drawing = drawn([*main, *jumps])
    for one, other in combinations(drawing.boxes, 2):
        assert (
            one.x + WIDTH < other.x
            or other.x + WIDTH < one.x
            or one.y + one.height < other.y
            or other.y + other.height < one.y
        ), (one, other)
    assert all(box.x + WIDTH < drawing.width for box in drawing.boxes)
    assert all(box.y + box.height < drawing.height for box in drawing.boxes)


def test_the_main_sequence_stands_in_its_order():
    drawing = drawn([chain(name, (None, None)) for name in "cab"])
    assert [box.chain["chain"] for box in sorted(drawing.boxes, key=lambda box: box.y)] == [*"cab"]


def test_no_chains_are_no_drawing():
    assert drawn([]).boxes == []
