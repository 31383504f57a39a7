"""What was done, or failed: certificates, backups."""

from __future__ import annotations

from pyruse import Context, Report
from pyruse_plugins.summaries._sums import Group, grouped


def outcomes(report: Report, context: Context, events: tuple[str, ...]) -> list[Group]:
    """Events about things with names, in the order of the events; the most frequent first."""
    found = grouped(
        list(context.tallies(report, *events)),
        lambda one: (one.event, one.fields.get("name", ""), one.fields.get("service", "")),
    )
    return sorted(found, key=lambda one: events.index(one.event))
