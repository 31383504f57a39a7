"""Pyruse peruses the systemd journal: chains of filters and actions, in one pass.

This module has all that authors of plugins need; nothing else is promised to stay as it is.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pyruse.addresses import (
    Address,
    Network,
    network_around,
    network_text,
    parse_address,
    parse_network,
    text_around,
)
from pyruse.api.bans import Ban, BanRequest, UnbanReason
from pyruse.api.context import Context, LogLevel
from pyruse.api.declared import DeclaredSummary
from pyruse.api.effects import Attachment, Mail, Program
from pyruse.api.expectation import Expectation
from pyruse.api.findings import (
    Attention,
    CellType,
    Column,
    Glance,
    KindRow,
    Summary,
    Unusual,
)
from pyruse.api.firewall import Element, Firewall, FirewallError, Sets, Target, Watch
from pyruse.api.memory import Counters, Raised, Table
from pyruse.api.observer import Observer
from pyruse.api.parcel import Parcel, Refused
from pyruse.api.ports import Protocol, ports_of
from pyruse.api.report import PARTS, Details, Every, Line, Report, Row, Section, Times
from pyruse.api.tally import Tally
from pyruse.api.traits import Traits
from pyruse.api.vocabulary import EVENTS, EventKind
from pyruse.entry.entry import Entry, address_of, as_text
from pyruse.errors import UserError, did_you_mean
from pyruse.hookspecs import hookimpl
from pyruse.options.durations import Duration
from pyruse.options.fields import AddressField, Field, FieldPrefix, NewField
from pyruse.options.keys import Key
from pyruse.options.mail_address import MailAddress
from pyruse.options.networks import Networks
from pyruse.options.patterns import Pattern
from pyruse.options.secret_file import SecretFile
from pyruse.options.sizes import Size
from pyruse.options.templates import Template
from pyruse.text import one_line, printable, shortened, shown
from pyruse.times import datetime_of, time_us_of

if TYPE_CHECKING:
    from pyruse.bans.firewalls.by_program import ProgramFirewall
    from pyruse.bans.firewalls.changes import Change, Changes
    from pyruse.bans.firewalls.program import CommandLine, FirewallProgram, ProgramRefusal
    from pyruse.report.pages import page_templates, page_variables
    from pyruse.system.programs import Standby, run_program

__all__ = [
    "EVENTS",
    "PARTS",
    "Address",
    "AddressField",
    "Attachment",
    "Attention",
    "Ban",
    "BanRequest",
    "CellType",
    "Change",
    "Changes",
    "Column",
    "CommandLine",
    "Context",
    "Counters",
    "DeclaredSummary",
    "Details",
    "Duration",
    "Element",
    "Entry",
    "EventKind",
    "Every",
    "Expectation",
    "Field",
    "FieldPrefix",
    "Firewall",
    "FirewallError",
    "FirewallProgram",
    "Glance",
    "Key",
    "KindRow",
    "Line",
    "LogLevel",
    "Mail",
    "MailAddress",
    "Network",
    "Networks",
    "NewField",
    "Observer",
    "Parcel",
    "Pattern",
    "Program",
    "ProgramFirewall",
    "ProgramRefusal",
    "Protocol",
    "Raised",
    "Refused",
    "Report",
    "Row",
    "SecretFile",
    "Section",
    "Sets",
    "Size",
    "Standby",
    "Summary",
    "Table",
    "Tally",
    "Target",
    "Template",
    "Times",
    "Traits",
    "UnbanReason",
    "Unusual",
    "UserError",
    "Watch",
    "__version__",
    "address_of",
    "as_text",
    "datetime_of",
    "did_you_mean",
    "hookimpl",
    "network_around",
    "network_text",
    "one_line",
    "page_templates",
    "page_variables",
    "parse_address",
    "parse_network",
    "ports_of",
    "printable",
    "run_program",
    "shortened",
    "shown",
    "text_around",
    "time_us_of",
]


_LAZY = {
    "Change": "pyruse.bans.firewalls.changes",
    "Changes": "pyruse.bans.firewalls.changes",
    "CommandLine": "pyruse.bans.firewalls.program",
    "FirewallProgram": "pyruse.bans.firewalls.program",
    "ProgramFirewall": "pyruse.bans.firewalls.by_program",
    "ProgramRefusal": "pyruse.bans.firewalls.program",
    "Standby": "pyruse.system.programs",
    "page_templates": "pyruse.report.pages",
    "page_variables": "pyruse.report.pages",
    "run_program": "pyruse.system.programs",
}
"""What is imported once it is asked for, and where it is."""


def __getattr__(name: str) -> Any:
    """What takes its time to be looked up or imported, once it is asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version("pyruse")
    if name == "Observer":
        return Observer
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
