"""A time zone for tests that run by the machine's clock, whenever that is."""

from __future__ import annotations

from datetime import UTC, datetime


def zone_where_it_is_noon(now: datetime | None = None) -> str:
    """The name of a time zone in which no day ends while the test runs.

    :param now: an instant in UTC; default: this moment.
    """
    ahead = 12 - (now or datetime.now(UTC)).hour
    return f"Etc/GMT{'-' if ahead > 0 else '+'}{abs(ahead)}" if ahead else "UTC"
