"""Adds up tallies, and puts the sums into words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyruse import Column, Context, Report, Tally, datetime_of, one_line

_LONGEST = 60  # characters of a value in a table
_PLAIN = re.compile(r"[\w.:/@+-]{1,60}\Z")
"""What cannot be taken for a part of a list."""
_LIKE_SEVERAL = re.compile(r"[,“”]| \(")
"""What a list of values has, and a single one seldom."""


@dataclass(eq=False, repr=False)
class Group:
    """Tallies that share a row of a table."""

    key: tuple[str, ...]
    host: str
    """The machine, where the table is about several."""
    tallies: list[Tally]
    count: int = 0
    """How many events they are."""

    @property
    def event(self) -> str:
        """The event that the first of them is."""
        return self.tallies[0].event

    @property
    def amount(self) -> int:
        """What adds up."""
        return sum(one.amount for one in self.tallies)

    def first(self, report: Report) -> datetime:
        """When it came first, as the report writes times."""
        return moment(min(one.first for one in self.tallies), report)

    def last(self, report: Report) -> datetime:
        """When it came last."""
        return moment(max(one.last for one in self.tallies), report)

    def named(self, field: str, at_most: int) -> str:
        """The most frequent values of a field, in words."""
        return in_words(values_of(self.tallies, field), at_most)


def moment(time_us: int, report: Report) -> datetime:
    """An instant as a report writes times."""
    zone = report.begin.tzinfo
    assert zone is not None, "reports have aware times"
    return datetime_of(time_us, zone)


def grouped(tallies: Sequence[Tally], key: Callable[[Tally], tuple[str, ...]]) -> list[Group]:
    """Tallies by a key, and by machine where they are of several; the most frequent first."""
    several = len({one.host for one in tallies if one.host}) > 1
    groups: dict[tuple[str, tuple[str, ...]], Group] = {}
    for one in tallies:
        host, values = one.host if several else "", key(one)
        group = groups.get((host, values))
        if group is None:
            group = groups[host, values] = Group(values, host, [])
        group.tallies.append(one)
        group.count += one.count
    return sorted(groups.values(), key=lambda group: (-group.count, group.key, group.host))


def by_fields(*names: str) -> Callable[[Tally], tuple[str, ...]]:
    """A key: the values of some fields, empty where there is none."""
    return lambda tally: tuple([tally.fields.get(name, "") for name in names])


def add_table(  # noqa: PLR0913 -- all that makes a table
    report: Report, id_: str, title: str, columns: Sequence[Column], groups: Sequence[Group],
    row: Callable[[Group], list[Any]], top: int, *, facts: Iterable[str] = (),
    stands_out: Callable[[Group], bool] = lambda _: False,
) -> None:  # fmt: skip
    """Add a table with a row for each group, at most `top` of them.

    `row` makes the cells, but for that of the machine; `stands_out` says whether a row is to.
    """
    several = any(group.host for group in groups)
    report.add_summary(
        id_, title, [*[Column("Machine")] * several, *columns],
        [[*([cell(one.host)] if several else []), *row(one)] for one in groups[:top]],
        facts=facts, left_out=max(0, len(groups) - top),
        emphasis=[at for at, one in enumerate(groups[:top]) if stands_out(one)],
    )  # fmt: skip


def total(tallies: Iterable[Tally]) -> int:
    """How many events they are."""
    return sum(tally.count for tally in tallies)


def values_of(tallies: Iterable[Tally], field: str) -> Counter[str]:
    """The values of a field, each with the number of events that have it."""
    found: Counter[str] = Counter()
    for tally in tallies:
        value = tally.fields.get(field)
        if value:
            found[value] += tally.count
    return found


def in_words(values: Mapping[str, int], at_most: int) -> str:
    """The most frequent values with their numbers: ``203.0.113.9 (140), and 12 others``.

    What looks like more than one value is in quotes: log lines may say anything.
    """
    ordered = sorted(values.items(), key=lambda item: (-item[1], item[0]))
    if len(ordered) == 1 and not _LIKE_SEVERAL.search(ordered[0][0]):
        return cell(ordered[0][0])
    several = len(ordered) > 1
    words = [
        f"{quoted(value)} ({count:,})" if several else quoted(value)
        for value, count in ordered[:at_most]
    ]
    if len(ordered) > at_most:
        others = len(ordered) - at_most
        words.append(f"and {others:,} other{'s' if others > 1 else ''}")
    return ", ".join(words)


def quoted(value: str) -> str:
    """A value within a sentence or a list."""
    if _PLAIN.match(value):
        return value
    text = cell(value).replace("“", '"').replace("”", '"')
    return f"“{text}”"


def cell(value: str) -> str:
    """A value that has a cell of its own."""
    text = one_line(value).strip()
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def counted(count: int, noun: str) -> str:
    """A number with its noun: ``1 address``, ``2 addresses``."""
    plural = re.sub(r"y$", "ie", noun) + ("es" if noun.endswith("s") else "s")
    return f"{count:,} {noun if count == 1 else plural}"


def median(numbers: Iterable[float]) -> float:
    """The number in the middle; there must be one.

    Not that of `statistics`, which takes longer to import than all summaries together.
    """
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def usual(report: Report, context: Context, *events: str) -> float | None:
    """How often events come on other days: the median; None: there are no other days yet."""
    days = context.tallied_before(report, *events)
    return median(days.values()) if days else None


def compare(
    report: Report, context: Context, name: str, events: Sequence[Sequence[str]],
    today: Sequence[int],
) -> None:  # fmt: skip
    """Put numbers of the day beside the usual ones, unless there are none at all.

    Each number of `today` counts the events in the same place of `events`.
    """
    known = [usual(report, context, *several) for several in events]
    if not any(today) and not any(known):
        return
    others = [number for number in known if number is not None]
    if len(today) == 1:
        report.compare(name, today[0], known[0])
    else:
        report.compare(name, today, others if len(others) == len(known) else None)


def check_positive(**options: int) -> None:
    """See that options are numbers from 1 on.

    :raises ValueError: one is not.
    """
    for name, value in options.items():
        if value < 1:
            raise ValueError(f"{name} = {value} would show nothing (expected 1 or more)")
