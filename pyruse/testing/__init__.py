"""For the tests of plugins: fixtures (see `pyruse.testing.plugin`), and what they are made of.

Tests with annotations import the types from here. pytest loads this module in every project where
Pyruse is installed, so each is imported when it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyruse.errors import ConfigError
    from pyruse.testing.daemon import Daemon, MakeDaemon
    from pyruse.testing.http_server import Answer, HttpServer, Request
    from pyruse.testing.journald import Journald
    from pyruse.testing.machines import Machines
    from pyruse.testing.namespace import NetworkNamespace
    from pyruse.testing.pipeline import Clock, MakeEntry, MakeJournal, MakePipeline, Pipeline
    from pyruse.testing.plugin import CheckRules, need
    from pyruse.testing.smtp import SmtpServer
    from pyruse.testing.waiting import TIME_LIMIT, wait_until
    from pyruse.testing.zones import zone_where_it_is_noon

__all__ = [
    "TIME_LIMIT",
    "Answer",
    "CheckRules",
    "Clock",
    "ConfigError",
    "Daemon",
    "HttpServer",
    "Journald",
    "Machines",
    "MakeDaemon",
    "MakeEntry",
    "MakeJournal",
    "MakePipeline",
    "NetworkNamespace",
    "Pipeline",
    "Request",
    "SmtpServer",
    "need",
    "wait_until",
    "zone_where_it_is_noon",
]

_MODULES = {
    "Answer": "pyruse.testing.http_server",
    "CheckRules": "pyruse.testing.plugin",
    "ConfigError": "pyruse.errors",
    "Daemon": "pyruse.testing.daemon",
    "HttpServer": "pyruse.testing.http_server",
    "Journald": "pyruse.testing.journald",
    "Machines": "pyruse.testing.machines",
    "MakeDaemon": "pyruse.testing.daemon",
    "NetworkNamespace": "pyruse.testing.namespace",
    "Request": "pyruse.testing.http_server",
    "SmtpServer": "pyruse.testing.smtp",
    "TIME_LIMIT": "pyruse.testing.waiting",
    "need": "pyruse.testing.plugin",
    "wait_until": "pyruse.testing.waiting",
    "zone_where_it_is_noon": "pyruse.testing.zones",
}


def __getattr__(name: str) -> Any:
    """What is imported once it is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES.get(name, "pyruse.testing.pipeline")), name)
