"""Which groups of chains are unfolded, as the address of the page says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from pyruse_web.fold import Group

_STEPS = 120
"""So many steps of own chains are drawn unless somebody wants to see more, or less."""


@dataclass(frozen=True)
class Folding:
    """What somebody wants to see.

    Addresses name only what differs from the rule: they are short, however many chains there are.
    """

    show: str
    """``all`` or ``none``; else, own chains are unfolded, unless they are too many."""
    base: frozenset[str]
    """The groups that are unfolded by this rule."""
    flipped: frozenset[str]
    """Those for which it is otherwise."""

    @classmethod
    def of(cls, query: QueryParams, groups: Sequence[Group]) -> Folding:
        """What stands in an address; names of groups that there are not do not matter."""
        names = frozenset(group.name for group in groups)
        own = [group for group in groups if not group.is_rules]
        few = sum(group.steps for group in own) <= _STEPS
        show = query.get("show", "")
        usual = frozenset(group.name for group in own) if few else frozenset[str]()
        base = {"all": names, "none": frozenset[str]()}.get(show, usual)
        wanted, unwanted = (frozenset(query.getlist(key)) for key in ("open", "fold"))
        return cls(show, base, ((wanted & names) - base) | (unwanted & base))

    @property
    def opened(self) -> frozenset[str]:
        """The groups that are unfolded."""
        return self.base ^ self.flipped

    def toggled(self, name: str) -> str:
        """The address where a group is folded instead of unfolded, or the other way round."""
        fields = [("show", self.show)] if self.show in ("all", "none") else []
        fields += [
            ("fold" if one in self.base else "open", one) for one in sorted(self.flipped ^ {name})
        ]
        return "/chains" + (f"?{urlencode(fields)}" if fields else "")
