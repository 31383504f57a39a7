"""Reading what chains have called important: one row for each cause."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Cause(NamedTuple):
    """The important events that are about the same thing. Instants are µs since the epoch."""

    cause: str
    """What has caused them; empty: that is not known, and they are of one kind."""
    event: str
    """What the one that is told means, or nothing."""
    weight: int | None
    """How much that one deserves attention; None: as much as its meaning says."""
    message: str
    """The heaviest one, and of these the first."""
    quote: str | None
    kind: int | None
    events: int
    first: int
    is_same: bool
    """Whether all say the same."""


def important_by_cause(db: sqlite3.Connection, days: Sequence[str], limit: int) -> Iterator[Cause]:
    """The important events of some days, by cause, else by kind: the heaviest first.

    Logins are told apart by what they say: of the same user, one may be a burglar.

    :param db: a connection to a state.
    :param days: as ``YYYY-MM-DD``.
    :param limit: so many at most.
    """
    marks = ", ".join("?" * len(days))
    query = f"""
        WITH mine AS (
            SELECT coalesce(cause, '') AS cause, coalesce(event, '') AS event, weight, message,
                   quote, kind, time, rowid AS id,
                   CASE WHEN event = 'login' OR (coalesce(cause, '') = '' AND kind IS NULL)
                            THEN 'm ' || message
                        WHEN coalesce(cause, '') != '' THEN 'c ' || cause
                        ELSE 'k ' || kind END AS about
            FROM events WHERE day IN ({marks}) AND section = 'important'),
        ranked AS (
            SELECT *, row_number() OVER (heaviest) AS place, count(*) OVER whole AS number,
                   min(time) OVER whole AS first, min(message) OVER whole AS least,
                   max(message) OVER whole AS most
            FROM mine
            WINDOW heaviest AS (PARTITION BY about ORDER BY coalesce(weight, 50) DESC, time, id),
                   whole AS (PARTITION BY about))
        SELECT cause, event, weight, message, quote, kind, number, first, least = most
        FROM ranked WHERE place = 1
        ORDER BY coalesce(weight, 50) DESC, number DESC, first, id LIMIT ?"""
    for *facts, is_same in db.execute(query, (*days, limit)):
        yield Cause._make((*facts, bool(is_same)))


def told_causes(
    db: sqlite3.Connection, days: Sequence[str], events: Sequence[str]
) -> set[tuple[str, str]]:
    """What some events of which chains have told are about: event and cause.

    :param db: a connection to a state.
    :param days: as ``YYYY-MM-DD``.
    :param events: the names of the events.
    """
    query = f"""SELECT DISTINCT event, cause FROM event_heads
                WHERE day IN ({", ".join("?" * len(days))})
                AND section IN ('important', 'interesting')
                AND event IN ({", ".join("?" * len(events))}) AND cause IS NOT NULL"""
    return set(db.execute(query, (*days, *events)))
