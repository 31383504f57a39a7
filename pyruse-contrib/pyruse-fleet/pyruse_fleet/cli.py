"""The program ``pyruse-fleet``, for the administrator of the fleet."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import psycopg

from pyruse import UserError, one_line
from pyruse_fleet import hosts, report, schema, status
from pyruse_fleet.doubts import doubts
from pyruse_fleet.faults import trouble

_NO_ROLE = re.compile(r'(role "[^"]*") does not exist')
_INTERRUPTED = 130
"""The exit code of what Ctrl-C has ended, as of shells."""
_MOST_BANS = 1_000_000_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; the exit code is 1 where it cannot be done, with a line that says why."""
    options = _parser().parse_args(arguments)
    try:
        if options.command is None:
            from pyruse_fleet.demo import run

            run()
            return
        with _connected(options.url) as connection:
            options.command(connection, options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except UserError as fault:
        sys.exit(f"pyruse-fleet: {fault}")
    except psycopg.errors.UndefinedTable:
        sys.exit(
            "pyruse-fleet: there are no tables of a fleet (expected `pyruse-fleet init` first)"
        )
    except psycopg.errors.InsufficientPrivilege as fault:
        sys.exit(
            f"pyruse-fleet: this role may not do that, says the database: {one_line(str(fault))} "
            "(expected the owner of the database, who may make roles)"
        )
    except psycopg.Error as fault:
        sys.exit(f"pyruse-fleet: the database has failed, and says: {one_line(str(fault))}")


def _connected(url: str) -> psycopg.Connection:
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.Error as fault:
        what, _, _ = trouble(fault, url).text.partition(" (expected")
        if unknown := _NO_ROLE.search(str(fault)):
            what = f"the database has no {unknown[1]}"
        raise UserError(f"{what} (expected --url of the database, for its owner)") from None


def _init(connection: psycopg.Connection, options: argparse.Namespace) -> None:
    done = schema.migrate(connection)
    _say(f"migrations applied: {', '.join(map(str, done))}" if done else "nothing to do")
    for doubt in doubts(connection):
        _say(f"note: {doubt}")


def _add_host(connection: psycopg.Connection, options: argparse.Namespace) -> None:
    password = sys.stdin.readline().rstrip("\n") if options.password_stdin else None
    if password == "":
        raise UserError("there is no password on standard input (expected a line with one)")
    is_new = not hosts.takes_part(connection, options.name)
    role = hosts.add(connection, options.name, options.role, password, options.quota)
    _say(f"{options.name} may take part, as the role {role}")
    if is_new and password is None:
        _say("note: it has no password (expected a certificate, or --password-stdin)")


def _remove_host(connection: psycopg.Connection, options: argparse.Namespace) -> None:
    lift = options.lift_bans or options.forget
    lifted = hosts.remove(connection, options.name, lift=lift, forget=options.forget)
    _say(f"{options.name} is out" + (f"; {lifted} bans lifted" if lift else ""))


def _rename_host(connection: psycopg.Connection, options: argparse.Namespace) -> None:
    hosts.rename(connection, options.name, options.new)
    _say(f"{options.name} is called {options.new} now, and logs in as before")


def _status(connection: psycopg.Connection, options: argparse.Namespace) -> None:
    found = status.read(connection)
    _say(json.dumps(status.data(found), indent=2) if options.json else status.text(found))


def _report(connection: psycopg.Connection, options: argparse.Namespace) -> None:
    fleet = report.read(connection, options.day)
    _say(json.dumps(report.data(fleet), indent=2) if options.json else report.text(fleet))


def _day(text: str) -> date:
    if text in ("today", "yesterday"):
        return datetime.now().astimezone().date() - timedelta(days=text == "yesterday")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text} is no day (expected 2026-11-28, today or yesterday)"
        ) from None
    if day > datetime.now(UTC).date() + timedelta(days=1):
        raise argparse.ArgumentTypeError(
            f"{text} has not begun anywhere (expected 2026-11-28, today or yesterday)"
        )
    return day


def _bans(text: str) -> int:
    if text.isdecimal() and int(text) <= _MOST_BANS:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is no number of bans (expected 0 to {_MOST_BANS:,})")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("pyruse-fleet", description=__doc__)
    parser.add_argument(
        "--url", default=os.environ.get("PYRUSE_FLEET_URL", ""),
        help="the database, for its owner (else $PYRUSE_FLEET_URL, or libpq's PGHOST and so on)",
    )  # fmt: skip
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    init = commands.add_parser("init", help="make the tables, or bring them up to date")
    init.set_defaults(command=_init)

    add = commands.add_parser("add-host", help="let a host take part; also one that was removed")
    add.set_defaults(command=_add_host)
    add.add_argument("name", help="of the host, as reports call it")
    add.add_argument("--role", help="its role in the database; by default, as before, or its name")
    add.add_argument(
        "--password-stdin", action="store_true", help="it logs in with the password on stdin"
    )
    add.add_argument(
        "--quota",
        type=_bans,
        help="how many bans in force it may have told, at first 10,000; limits its days, too",
    )

    remove = commands.add_parser("remove-host", help="keep a host out from now on")
    remove.set_defaults(command=_remove_host)
    remove.add_argument("name")
    remove.add_argument(
        "--lift-bans", action="store_true", help="lift what it has banned, and nobody else has"
    )
    remove.add_argument(
        "--forget", action="store_true", help="lift its bans, and let its name be free again"
    )

    rename = commands.add_parser("rename-host", help="give a host another name")
    rename.set_defaults(command=_rename_host)
    rename.add_argument("name")
    rename.add_argument("new", metavar="NEW-NAME")

    state = commands.add_parser("status", help="who is behind, and since when")
    state.set_defaults(command=_status)
    day = commands.add_parser("report", help="the fleet's day")
    day.set_defaults(command=_report)
    day.add_argument("day", nargs="?", type=_day, default="yesterday", help="by default, yesterday")
    for one in (state, day):
        one.add_argument("--json", action="store_true", help="for programs")

    demo = commands.add_parser("demo", help="a fleet of three on this machine, for a look")
    demo.set_defaults(command=None)
    return parser


if __name__ == "__main__":
    main()
