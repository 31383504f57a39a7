"""What the configuration of another program becomes, before it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Step = Mapping[str, Any]
"""A table of the configuration: a filter or an action with its options."""


@dataclass(frozen=True)
class Chain:
    """A chain, and what people should know of it."""

    name: str
    steps: list[Step]
    comments: list[str] = field(default_factory=list)


@dataclass
class Outcome:
    """The whole configuration."""

    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Sections by their names, ``rules.sshd`` among them."""
    use: list[str] = field(default_factory=list)
    comments: dict[str, list[str]] = field(default_factory=dict)
    """What stands above a section, by its name; ``use`` is one, too."""
    chains: list[Chain] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    database: str | None = None
    """Of fail2ban: the file with its bans; None: it keeps none."""


def equals(field_name: str, values: list[Any], **jumps: str) -> Step:
    """A filter that a field has one of some values."""
    if len(values) == 1:
        return {"filter": "equals", "field": field_name, "value": values[0], **jumps}
    return {"filter": "in", "field": field_name, "values": values, **jumps}
