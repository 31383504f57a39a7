"""Reported events: what an action reports of each entry, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pyruse.api.report import Details, Section
    from pyruse.options.templates import Template


class Reported(NamedTuple):
    """What an action reports of each entry (see the hook `reported` and `Context.report`)."""

    section: Section
    """Of the report."""
    message: Template
    """What the report says, with the entry's fields."""
    details: Details = "ALL"
    """Which times the row shows."""
    template: str | None = None
    """What all such events are of one kind by; None: see `text`."""
    text: str | None = None
    """The field by whose text the kind is found; None: by the message."""
    weight: int | None = None
    """How much an important event deserves attention, 0 to 100."""
