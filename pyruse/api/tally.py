"""How often an event came on a day, as plugins see it."""

from __future__ import annotations

from msgspec import Struct


class Tally(Struct):
    """How often an event came with the same fields. Instants are microseconds since the epoch."""

    day: str
    """``YYYY-MM-DD``."""
    event: str
    host: str
    """The machine that it happened on; empty where the entry does not say."""
    fields: dict[str, str]
    """Empty for an event without fields."""
    is_rest: bool
    """Whether this is the sum of many: of an event, the 2,000 to 3,000 most frequent rows are kept
    of a day. `fields` has what they have in common then, without what strangers choose, such as
    names, paths and addresses."""
    count: int
    amount: int
    """The sum of what adds up, such as bytes."""
    first: int
    last: int
