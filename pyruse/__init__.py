"""Pyruse peruses the systemd journal: chains of filters and actions, in one pass.

This module has all that authors of plugins need; nothing else is promised to stay as it is.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyruse.addresses import (
        Address,
        Network,
        address_text,
        network_around,
        network_text,
        parse_address,
        parse_network,
        text_around,
    )
    from pyruse.api.bans import Ban, BanRequest, UnbanReason
    from pyruse.api.condition import Condition
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
    from pyruse.api.reported import Reported
    from pyruse.api.tallied import Tallied
    from pyruse.api.tally import Tally
    from pyruse.api.traits import Traits
    from pyruse.api.vocabulary import EVENTS, EventKind
    from pyruse.api.worked_out import WorkedOut
    from pyruse.bans.firewalls.by_program import ProgramFirewall
    from pyruse.bans.firewalls.changes import Change, Changes
    from pyruse.bans.firewalls.program import CommandLine, FirewallProgram, ProgramRefusal
    from pyruse.entry.entry import Entry, address_of, as_text
    from pyruse.errors import UserError, did_you_mean
    from pyruse.hookspecs import hookimpl
    from pyruse.options.durations import Duration
    from pyruse.options.fields import AddressField, Field, FieldPrefix, NewField
    from pyruse.options.keys import Key
    from pyruse.options.mail_address import MailAddress
    from pyruse.options.names_elsewhere import BanLabel, CounterName
    from pyruse.options.networks import Networks
    from pyruse.options.patterns import Pattern
    from pyruse.options.secret_file import SecretFile
    from pyruse.options.sizes import Size
    from pyruse.options.templates import Template
    from pyruse.report.pages import page_templates, page_variables
    from pyruse.system.programs import Standby, run_program
    from pyruse.text import one_line, printable, shortened, shown
    from pyruse.times import datetime_of, time_us_of

__all__ = [
    "EVENTS",
    "PARTS",
    "Address",
    "AddressField",
    "Attachment",
    "Attention",
    "Ban",
    "BanLabel",
    "BanRequest",
    "CellType",
    "Change",
    "Changes",
    "Column",
    "CommandLine",
    "Condition",
    "Context",
    "CounterName",
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
    "Reported",
    "Row",
    "SecretFile",
    "Section",
    "Sets",
    "Size",
    "Standby",
    "Summary",
    "Table",
    "Tallied",
    "Tally",
    "Target",
    "Template",
    "Times",
    "Traits",
    "UnbanReason",
    "Unusual",
    "UserError",
    "Watch",
    "WorkedOut",
    "__version__",
    "address_of",
    "address_text",
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


_OF = {
    "pyruse.addresses": "Address Network address_text network_around network_text parse_address "
    "parse_network text_around",
    "pyruse.api.bans": "Ban BanRequest UnbanReason",
    "pyruse.api.condition": "Condition",
    "pyruse.api.context": "Context LogLevel",
    "pyruse.api.declared": "DeclaredSummary",
    "pyruse.api.effects": "Attachment Mail Program",
    "pyruse.api.expectation": "Expectation",
    "pyruse.api.findings": "Attention CellType Column Glance KindRow Summary Unusual",
    "pyruse.api.firewall": "Element Firewall FirewallError Sets Target Watch",
    "pyruse.api.memory": "Counters Raised Table",
    "pyruse.api.observer": "Observer",
    "pyruse.api.parcel": "Parcel Refused",
    "pyruse.api.ports": "Protocol ports_of",
    "pyruse.api.report": "Details Every Line PARTS Report Row Section Times",
    "pyruse.api.reported": "Reported",
    "pyruse.api.tallied": "Tallied",
    "pyruse.api.tally": "Tally",
    "pyruse.api.traits": "Traits",
    "pyruse.api.vocabulary": "EVENTS EventKind",
    "pyruse.api.worked_out": "WorkedOut",
    "pyruse.bans.firewalls.by_program": "ProgramFirewall",
    "pyruse.bans.firewalls.changes": "Change Changes",
    "pyruse.bans.firewalls.program": "CommandLine FirewallProgram ProgramRefusal",
    "pyruse.entry.entry": "Entry address_of as_text",
    "pyruse.errors": "UserError did_you_mean",
    "pyruse.hookspecs": "hookimpl",
    "pyruse.options.durations": "Duration",
    "pyruse.options.fields": "AddressField Field FieldPrefix NewField",
    "pyruse.options.keys": "Key",
    "pyruse.options.mail_address": "MailAddress",
    "pyruse.options.names_elsewhere": "BanLabel CounterName",
    "pyruse.options.networks": "Networks",
    "pyruse.options.patterns": "Pattern",
    "pyruse.options.secret_file": "SecretFile",
    "pyruse.options.sizes": "Size",
    "pyruse.options.templates": "Template",
    "pyruse.report.pages": "page_templates page_variables",
    "pyruse.system.programs": "Standby run_program",
    "pyruse.text": "one_line printable shortened shown",
    "pyruse.times": "datetime_of time_us_of",
}
"""The names by the modules that they are in."""
_MODULES = {name: module for module, names in _OF.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    """Import what is asked for: a command that shows bans needs little of all this."""
    if name == "__version__":
        from pyruse.version import VERSION

        return VERSION
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_MODULES[name]), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
