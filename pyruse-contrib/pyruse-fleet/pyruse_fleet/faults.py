"""What is wrong with the database, in plain words, whatever PostgreSQL and its library say.

Some faults end by themselves: the database is away. Others wait for somebody to mend them.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

import psycopg
from psycopg.conninfo import conninfo_to_dict

from pyruse import one_line, shortened

_LONGEST_RAW = 200  # characters
_DOCS = "see docs/fleet.md"

Kind = Literal["away", "wait", "wrong"]
"""It ends by itself; so it does, and nothing is wrong at all; somebody has to mend it."""


class Trouble(NamedTuple):
    """Why nothing is shared."""

    kind: Kind
    text: str
    """A fault, with what is expected if somebody can do something about it."""


class Twin(Exception):
    """Another machine takes part under the name of this one."""


class Waiting(Exception):
    """The last run of this machine was there a moment ago."""


class UnfitDatabase(Exception):
    """The database has to be made anew, or brought up to date; the text says how."""


# In order: the first that is found in what is said counts. {server}, {user} and so on: of the url.
_SAID: list[tuple[str, Kind, str]] = [
    (r"failed to resolve host.*Temporary failure", "away", "no name server knows {host}"),
    (
        r"failed to resolve host|could not translate host name",
        "wrong",
        "there is no host {host} (expected the name of the database's server)",
    ),
    (
        r"password authentication failed",
        "wrong",
        "{server} refuses the password of {user} "
        "(expected that of `pyruse-fleet add-host {user} --password-stdin`, in password_file)",
    ),
    (
        r"no password supplied",
        "wrong",
        "{server} wants a password of {user} (expected password_file, or a certificate)",
    ),
    (
        r'database "[^"]*" does not exist',
        "wrong",
        "there is no database {dbname} at {server} (expected that of `pyruse-fleet init`)",
    ),
    (
        r'role "[^"]*" (does not exist|is not permitted)|permission denied for (schema|function)'
        r"|is no host of this fleet",
        "wrong",
        "{user} may not take part, says {server} (expected `pyruse-fleet add-host {user}` there)",
    ),
    (
        r"(no pg_hba\.conf entry|pg_hba\.conf rejects).*no encryption",
        "wrong",
        "{server} lets nobody in without TLS from here "
        f"(expected sslmode=verify-full, or another line in its pg_hba.conf: {_DOCS})",
    ),
    (
        r"no pg_hba\.conf entry|pg_hba\.conf rejects",
        "wrong",
        "{server} does not let {user} in from here "
        f"(expected a line for it in its pg_hba.conf: {_DOCS})",
    ),
    (
        r"certificate verify failed",
        "wrong",
        "the certificate of {server} is not signed by the authority in sslrootcert, or is over "
        "(expected sslrootcert=FILE of the authority that has signed it)",
    ),
    (
        r"does not match host name",
        "wrong",
        "the certificate of {server} is one for another name (expected {host} in it)",
    ),
    (
        r"(root certificate|certificate revocation|certificate|private key) file \"([^\"]*)\"",
        "wrong",
        "the {1} file {2} cannot be used "
        "(expected one that is there, that the user of Pyruse can read, and of a key nobody else)",
    ),
    (
        r"certificate authentication failed|requires a valid client certificate"
        r"|certificate unknown|unknown ca|alert certificate|bad certificate",
        "wrong",
        "{server} refuses this machine's certificate "
        "(expected sslcert and sslkey of an authority that it knows, with the name {user})",
    ),
    (
        r"does not support SSL",
        "wrong",
        "{server} does not do TLS (expected ssl = on in its postgresql.conf)",
    ),
    (
        r"received invalid response to (SSL|GSSAPI) negotiation|invalid response to startup",
        "wrong",
        "what answers at {server} is no PostgreSQL (expected its port)",
    ),
    (
        r"too many (connections|clients)",
        "away",
        "{server} has no connection left for {user}",
    ),
    (
        r"Connection refused|No such file or directory",
        "away",
        "nobody answers at {server}, port {port} (expected PostgreSQL there: listen_addresses)",
    ),
    (
        r"timeout expired|timed out|No route to host|unreachable",
        "away",
        "{server} is not to be reached (expected an open way to its port {port})",
    ),
    (r"starting up|shutting down|not yet accepting|recovery mode", "away", "it starts, or stops"),
    (
        r"read-only|session is not read-write|in recovery",
        "away",
        "it is read-only, as a standby is (expected the server that may be written)",
    ),
    (r"No space left|could not extend|disk full", "away", "its disk is full"),
    (
        r"terminating connection|closed the connection|connection is closed|connection is lost"
        r"|connection to server.*lost|Connection reset|Broken pipe|EOF detected"
        r"|consuming input failed",
        "away",
        "it has closed the connection",
    ),
]
_TWIN = (
    "another machine takes part as {user} (expected a role of its own for each machine: "
    "`pyruse-fleet add-host NAME`, and NAME in the url; for one that was made anew, "
    "`pyruse-fleet add-host {user}` once more)"
)
_WAITING = (
    "{user} was there a moment ago (expected to wait for two minutes: perhaps a copy of this "
    "machine is running)"
)
_UNMADE = (
    "the database {dbname} at {server} has no tables of a fleet, or those of an older version "
    "(expected `pyruse-fleet init` there)"
)
_NO_TABLES = (
    psycopg.errors.UndefinedFunction,
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.InvalidSchemaName,
)


def trouble(fault: BaseException, url: str) -> Trouble:
    """Why nothing is shared.

    :param fault: what was raised, by psycopg or by this package.
    :param url: the database, as libpq has it.
    """
    known, said = _parts(url), one_line(str(fault))
    ours: dict[type[BaseException], tuple[Kind, str]] = {
        Twin: ("wrong", _TWIN),
        Waiting: ("wait", _WAITING),
        **dict.fromkeys(_NO_TABLES, ("wrong", _UNMADE)),
    }
    for raised, (kind, text) in ours.items():
        if isinstance(fault, raised):
            return Trouble(kind, text.format_map(known))
    if isinstance(fault, UnfitDatabase):
        return Trouble("wrong", said)
    for pattern, kind, text in _SAID:
        if found := re.search(pattern, said, re.IGNORECASE):
            return Trouble(kind, text.format("", *found.groups(), **known))
    what = "it cannot be used now" if isinstance(fault, psycopg.Error) else "the plugin has failed"
    said = shortened(said, _LONGEST_RAW) or type(fault).__name__
    return Trouble("away", f"{what}, and says: {said}")


def _parts(url: str) -> dict[str, str]:
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        parts = {}
    host = str(parts.get("host") or parts.get("hostaddr") or "this machine")
    user = str(parts.get("user") or "its user")
    return {
        "host": host,
        "server": "this machine" if host.startswith("/") else host,
        "port": str(parts.get("port") or 5432),
        "user": user,
        "dbname": str(parts.get("dbname") or user),
    }
