"""The chains as a drawing: where every box and line has its place.

The main sequence goes down on the left; chains that are jumped to stand to the right of those that
jump to them. So every jump leads to the right, and the eye follows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

WIDTH = 270
"""Of a box."""
HEAD, ROW = 32, 22
"""How high its heading and the row of a step are."""
_BETWEEN_COLUMNS, _BETWEEN_BOXES, _MARGIN = 90, 26, 16


@dataclass
class Box:
    """A chain at its place."""

    chain: dict[str, Any]
    column: int = 0
    y: int = 0

    @property
    def x(self) -> int:
        """Its left side."""
        return _MARGIN + self.column * (WIDTH + _BETWEEN_COLUMNS)

    @property
    def height(self) -> int:
        """With all its steps."""
        return HEAD + ROW * len(self.chain["steps"]) + 6

    def row(self, position: int) -> int:
        """The top of the row of a step."""
        return self.y + HEAD + ROW * position


@dataclass(frozen=True)
class Line:
    """A way from one chain to another."""

    kind: Literal["then", "else", "next"]
    path: str


@dataclass
class Drawing:
    """Everything that is drawn, in units of CSS pixels."""

    width: int
    height: int
    boxes: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


def drawn(chains: Sequence[dict[str, Any]]) -> Drawing:
    """Lay out the chains that `Observer.chains` gives."""
    boxes = {chain["chain"]: Box(chain) for chain in chains}
    jumps = list(_jumps(boxes.values()))
    _into_columns(boxes, jumps)
    _down_the_columns(boxes, jumps)
    every = list(boxes.values())
    width = max((box.x + WIDTH for box in every), default=0) + _MARGIN
    height = max((box.y + box.height for box in every), default=0) + _MARGIN
    lines = [*_sequence([box for box in every if box.chain["main"]])]
    for source, position, kind, target in jumps:
        lines.append(Line(kind, _curve(source, position, boxes[target])))
    return Drawing(width, height, every, lines)


_Jump = tuple[Box, int, Literal["then", "else"], str]


def _jumps(boxes: Iterable[Box]) -> Iterable[_Jump]:
    kinds: tuple[Literal["then", "else"], ...] = ("then", "else")
    for box in boxes:
        for position, step in enumerate(box.chain["steps"]):
            for kind in kinds:
                if step[kind] is not None:
                    yield box, position, kind, step[kind]


def _into_columns(boxes: dict[str, Box], jumps: Sequence[_Jump]) -> None:
    """Each chain to the right of all that jump to it. There are no loops: Pyruse takes none."""
    moved = True
    while moved:
        moved = False
        for source, _, _, target in jumps:
            if boxes[target].column <= source.column:
                boxes[target].column = source.column + 1
                moved = True


def _down_the_columns(boxes: dict[str, Box], jumps: Sequence[_Jump]) -> None:
    """One below the other; a chain that is jumped to stands near to where that happens."""
    for column in range(max((box.column for box in boxes.values()), default=0) + 1):
        here = [box for box in boxes.values() if box.column == column]
        if column:
            here.sort(key=lambda box: _wanted(box, jumps))
        y = _MARGIN
        for box in here:
            box.y = max(y, int(_wanted(box, jumps))) if column else y
            y = box.y + box.height + _BETWEEN_BOXES


def _wanted(box: Box, jumps: Sequence[_Jump]) -> float:
    name = box.chain["chain"]
    rows = [source.row(position) for source, position, _, target in jumps if target == name]
    return sum(rows) / len(rows) - HEAD / 2 if rows else _MARGIN


def _sequence(main: Sequence[Box]) -> Iterable[Line]:
    """From one main chain to the next one: there goes what leaves a chain."""
    for box, following in pairwise(main):
        x = box.x + 24
        yield Line("next", f"M{x} {box.y + box.height}V{following.y - 6}")


def _curve(source: Box, position: int, target: Box) -> str:
    x, y = source.x + WIDTH, source.row(position) + ROW // 2
    to_x, to_y = target.x - 6, target.y + HEAD // 2
    bend = max(40, (to_x - x) // 2)
    return f"M{x} {y}C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"
