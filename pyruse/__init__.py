"""Pyruse peruses the systemd journal: chains of filters and actions, in one pass.

This module has all that authors of plugins need; nothing else is promised to stay as it is.
"""

from pyruse.bans.firewall import Element, Firewall, FirewallError, Sets, Target
from pyruse.config.settings import MailAddress
from pyruse.context import Context
from pyruse.entry import Entry, as_text
from pyruse.hookspecs import hookimpl
from pyruse.options import (
    Address,
    Duration,
    Field,
    Network,
    Networks,
    NewField,
    Pattern,
    Template,
    address_of,
    parse_address,
    parse_network,
)
from pyruse.report.model import Details, Report, Row, Section
from pyruse.state.tables import Table
from pyruse.text import one_line, printable, shortened
from pyruse.times import datetime_of, time_us_of

__all__ = [
    "Address",
    "Context",
    "Details",
    "Duration",
    "Element",
    "Entry",
    "Field",
    "Firewall",
    "FirewallError",
    "MailAddress",
    "Network",
    "Networks",
    "NewField",
    "Pattern",
    "Report",
    "Row",
    "Section",
    "Sets",
    "Table",
    "Target",
    "Template",
    "__version__",
    "address_of",
    "as_text",
    "datetime_of",
    "hookimpl",
    "one_line",
    "parse_address",
    "parse_network",
    "printable",
    "shortened",
    "time_us_of",
]


def __getattr__(name: str) -> str:
    """``__version__``, looked up when it is asked for: the look-up takes its time."""
    if name == "__version__":
        from importlib.metadata import version

        return version("pyruse")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
