"""The chains as a drawing: where every box and line has its place.

The main sequence goes down on the left; what is jumped to stands to the right of what jumps to it.
So every jump leads to the right, and the eye follows it. Chains that are folded are a box of one
row, and what they jump to stands in it as text: lines from thirty boxes to the same five would be
read by nobody.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from pyruse_web.fold import Chain, Group

WIDTH = 320
"""Of a box."""
HEAD, ROW = 32, 22
"""How high its heading and the row of a step are."""
_BETWEEN_COLUMNS, _BETWEEN_BOXES, _MARGIN = 90, 26, 16
_BETWEEN_FOLDED = 8


@dataclass
class Box:
    """A chain, or a folded group of chains, at its place."""

    name: str
    group: Group
    chain: Chain | None = None
    """None: it is folded."""
    column: int = 0
    y: int = 0

    @property
    def x(self) -> int:
        """Its left side."""
        return _MARGIN + self.column * (WIDTH + _BETWEEN_COLUMNS)

    @property
    def steps(self) -> list[dict[str, Any]]:
        """Those that are drawn."""
        return [] if self.chain is None else self.chain["steps"]

    @property
    def main(self) -> bool:
        """Whether it is in the main sequence."""
        return self.group.main if self.chain is None else bool(self.chain["main"])

    @property
    def entries(self) -> int | None:
        """How many came to it, as far as that is counted."""
        return self.group.entries if self.chain is None else self.chain["entries"]

    @property
    def height(self) -> int:
        """With all its steps."""
        return HEAD + ROW + 2 if self.chain is None else HEAD + ROW * len(self.steps) + 6

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


def drawn(groups: Sequence[Group], opened: Collection[str]) -> Drawing:
    """Lay out groups of chains.

    :param groups: all of them.
    :param opened: the names of those whose chains are drawn with their steps.
    """
    every: list[Box] = []
    at: dict[str, Box] = {}
    for group in groups:
        if group.name in opened:
            boxes = [Box(chain["chain"], group, chain) for chain in group.chains]
            at |= {box.name: box for box in boxes}
        else:
            boxes = [Box(group.name, group)]
            at |= {chain["chain"]: boxes[0] for chain in group.chains}
        every += boxes
    jumps = list(_jumps(every, at))
    _into_columns(every, at)
    _down_the_columns(every, jumps)
    width = max((box.x + WIDTH for box in every), default=0) + _MARGIN
    height = max((box.y + box.height for box in every), default=0) + _MARGIN
    lines = [*_sequence([box for box in every if box.main and not box.column])]
    lines += [Line(kind, _curve(source, row, target)) for source, row, kind, target in jumps]
    return Drawing(width, height, every, lines)


_Jump = tuple[Box, int, Literal["then", "else"], Box]


def _jumps(boxes: Iterable[Box], at: dict[str, Box]) -> Iterable[_Jump]:
    kinds: tuple[Literal["then", "else"], ...] = ("then", "else")
    for box in boxes:
        for position, step in enumerate(box.steps):
            for kind in kinds:
                if step[kind] is not None and at[step[kind]] is not box:
                    yield box, position, kind, at[step[kind]]


def _into_columns(boxes: Sequence[Box], at: dict[str, Box]) -> None:
    """Each box to the right of all that jump to it.

    Chains never go round, but folded ones may jump to each other: of these, the first stays left.
    """
    targets: dict[int, set[int]] = defaultdict(set)
    number = {id(box): place for place, box in enumerate(boxes)}
    for place, box in enumerate(boxes):
        names = box.group.uses if box.chain is None else _links(box.steps)
        targets[place] = {number[id(at[name])] for name in names} - {place}
    sources = Counter(target for several in targets.values() for target in several)
    waiting = dict.fromkeys(range(len(boxes)))
    ready = [place for place in waiting if not sources[place]]
    while waiting:
        here = ready.pop() if ready else next(iter(waiting))
        if waiting.pop(here, 0) == 0:
            continue
        for target in targets[here]:
            if target in waiting:
                boxes[target].column = max(boxes[target].column, boxes[here].column + 1)
            sources[target] -= 1
            if not sources[target] and target in waiting:
                ready.append(target)


def _links(steps: Iterable[dict[str, Any]]) -> list[str]:
    return [step[link] for step in steps for link in ("then", "else") if step[link] is not None]


def _down_the_columns(boxes: Sequence[Box], jumps: Sequence[_Jump]) -> None:
    """One below the other; a chain that is jumped to stands near to where that happens."""
    for column in range(max((box.column for box in boxes), default=0) + 1):
        rows: dict[int, list[int]] = defaultdict(list)
        for source, position, _, target in jumps:
            rows[id(target)].append(source.row(position))
        wanted = {key: sum(several) / len(several) - HEAD / 2 for key, several in rows.items()}
        here = [box for box in boxes if box.column == column]
        if column:
            here.sort(key=lambda box: wanted.get(id(box), _MARGIN))
        y = _MARGIN
        for box in here:
            box.y = max(y, int(wanted.get(id(box), _MARGIN))) if column else y
            y = box.y + box.height
            y += _BETWEEN_FOLDED if box.chain is None else _BETWEEN_BOXES


def _sequence(main: Sequence[Box]) -> Iterable[Line]:
    """From one main chain to the next one: there goes what leaves a chain."""
    for box, following in pairwise(main):
        x = box.x + 24
        if following.y - box.y - box.height > _BETWEEN_FOLDED:  # what is closer needs no arrow
            yield Line("next", f"M{x} {box.y + box.height}V{following.y - 6}")


def _curve(source: Box, position: int, target: Box) -> str:
    x, y = source.x + WIDTH, source.row(position) + ROW // 2
    to_x, to_y = target.x - 6, target.y + HEAD // 2
    bend = max(40, (to_x - x) // 2)
    return f"M{x} {y}C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"
