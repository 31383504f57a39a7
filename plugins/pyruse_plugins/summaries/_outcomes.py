"""What was done, or failed: certificates, backups."""

from __future__ import annotations

from pyruse import EVENTS, Context, Report
from pyruse_plugins.summaries._sums import Group, grouped, quoted


def outcomes(report: Report, context: Context, events: tuple[str, ...]) -> list[Group]:
    """Events about things with names, in the order of the events; the most frequent first."""
    found = grouped(
        list(context.tallies(report, *events)),
        lambda one: (one.event, one.fields.get("name", ""), one.fields.get("service", "")),
    )
    return sorted(found, key=lambda one: events.index(one.event))


def named(group: Group) -> str:
    """The name, where it is known, for a sentence."""
    return f"{quoted(group.key[1])} " if group.key[1] else ""


def attend(report: Report, group: Group, text: str) -> None:
    """Have something that failed looked at."""
    report.attend(
        text, EVENTS[group.event].weight or 50, time=group.first(report),
        cause=f"{group.event} {group.key[1]}", count=group.count,
    )  # fmt: skip
