"""Where `remember` keeps its values, and `recall` and `forget` find them."""

from __future__ import annotations

from pyruse import Context, Table

LONGEST = 1_000
"""Characters of a value; the rest is cut."""


def table(context: Context, memory: str) -> Table:
    """The table of a memory: each value is a list of the instant (µs) and what was remembered."""
    return context.table(f"remember {memory}")
