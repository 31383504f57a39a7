"""Where the chains stand in the drawing."""

from __future__ import annotations

from itertools import combinations

from pyruse_web.fold import grouped, once
from pyruse_web.graph import WIDTH, drawn


def chain(name, *jumps, main=True, rules=None, seen=None):
    """A chain with a step for each pair (then, else)."""
    steps = [
        {
            "index": index, "kind": "filter", "plugin": "equals", "label": None, "invert": False,
            "then": then, "else": otherwise, "seen": seen, "passed": None,
        }
        for index, (then, otherwise) in enumerate(jumps)
    ]  # fmt: skip
    return {"chain": name, "main": main, "rules": rules, "steps": steps, "entries": seen}


def drawing_of(chains, opened=None):
    groups = grouped(once(chains))
    return drawn(groups, {group.name for group in groups} if opened is None else opened)


def test_every_jump_leads_to_the_right():
    drawing = drawing_of(
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
    drawing = drawing_of([*main, *jumps])
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
    drawing = drawing_of([chain(name, (None, None)) for name in "cab"])
    assert [box.chain["chain"] for box in sorted(drawing.boxes, key=lambda box: box.y)] == [*"cab"]


def test_no_chains_are_no_drawing():
    assert drawing_of([]).boxes == []


PROGRAMS = [f"program{number}" for number in range(30)]


def thirty_rules():
    """Thirty rules of two chains, each of which has a policy "guessing" of its own."""
    for name in PROGRAMS:
        yield chain(name, (f"{name} lines", None), rules=name, seen=1000)
        yield chain(f"{name} lines", (f"{name} guessing", None), main=False, rules=name, seen=100)
    for name in PROGRAMS:
        yield chain(f"{name} guessing", (None, "forged"), main=False, rules="guessing", seen=10)
    yield chain("forged", main=False, rules="forged")


def test_thirty_rules_are_thirty_boxes_of_a_row_and_their_policy_is_there_once():
    drawing = drawing_of([*thirty_rules()], opened=())
    assert [box.name for box in drawing.boxes] == [*PROGRAMS, "guessing", "forged"]
    assert {box.column for box in drawing.boxes[:30]} == {0}
    assert [box.column for box in drawing.boxes[30:]] == [1, 2]
    assert drawing.lines == []
    assert (drawing.width < 1200, drawing.height < 2000) == (True, True)
    guessing = drawing.boxes[30]
    assert (len(guessing.group.chains), guessing.entries) == (1, 300)


def test_rules_that_are_opened_show_their_chains_and_a_policy_all_that_go_through_it():
    drawing = drawing_of([*thirty_rules()], opened={"program3", "guessing"})
    assert [box.name for box in drawing.boxes if box.chain] == [
        "program3",
        "program3 lines",
        "guessing",
    ]
    guessing = next(box for box in drawing.boxes if box.name == "guessing")
    assert guessing.chain["instances"] == [f"{name} guessing" for name in PROGRAMS]
    assert guessing.steps[0]["seen"] == 300
    assert [line.kind for line in drawing.lines if line.kind != "next"] == ["then", "then", "else"]


def test_instances_that_are_not_alike_stand_apart():
    chains = [
        chain("sshd", ("sshd guessing", None), rules="sshd"),
        chain("sshd guessing", (None, None), main=False, rules="guessing"),
        chain("nginx guessing", (None, None), (None, None), main=False, rules="guessing"),
    ]
    names = [one["chain"] for one in once(chains)]
    assert names == ["sshd", "sshd guessing", "nginx guessing"]


def test_folded_chains_that_jump_to_each_other_are_drawn_all_the_same():
    chains = [
        chain("first one", ("second one", None), rules="first"),
        chain("second one", ("first two", None), rules="second"),
        chain("first two", main=False, rules="first"),
    ]
    assert len(drawing_of(chains, opened=()).boxes) == 2


def test_a_thousand_chains_in_a_row_are_drawn():
    chains = [chain(str(at), (str(at + 1), None), main=not at) for at in range(1000)]
    drawing = drawing_of([*chains, chain("1000", main=False)])
    assert max(box.column for box in drawing.boxes) == 1000
