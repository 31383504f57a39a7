"""Entries that break programs: each is legal in a journal, and each has been seen in one."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from .model import DAEMON, ERROR, INFO, NOTICE, Day, Line, Message, Program, clock


def lines(day: Day, rng: Random) -> Iterator[Line]:
    """One entry of each kind."""
    latin1 = "Pièce jointe refusée : trop volumineuse".encode("iso-8859-1")
    yield _app(day, "07:20", "webmail", latin1, NOTICE)

    digest = bytes(rng.randrange(256) for _ in range(32))
    yield _app(day, "03:29:58", "archive", "Archive verified", SNAPSHOT_DIGEST=digest)

    yield _app(day, "10:10", "ups", None, UPS_STATUS="OL", UPS_CHARGE=98)

    yield _app(day, "11:11", "deploy", "Released", RELEASE_TAG=["web", "production"])

    yield _app(day, "11:12", "deploy", ["First of two messages", "Second of two messages"])

    colours = "\x1b[32minfo\x1b[39m \x1b[1mapp\x1b[22m listening on port 3000"
    yield _app(day, "11:13", "app", colours)

    trace = "Unhandled exception\n  File \"/srv/app/main.py\", line 12, in <module>\nKeyError: 'x'"
    yield _app(day, "12:34:56", "app", trace, ERROR)

    yield _app(day, "13:13", "ünïcode", "Ærøskøbing, Łódź, 東京, 🍆")

    braces = "{MESSAGE} {0} {undefined!r} %s %(name)s $(id) `id`"
    yield _app(day, "13:14", "templates", braces)

    yield _app(day, "13:15", "app", "")


def _app(
    day: Day, time: str, name: str, message: Message | None, priority: int = INFO, **more: Any
) -> Line:
    """A line of a program of the administrator's own, that logs to the journal itself."""
    program = Program(name, f"{name}.service", f"/opt/{name}/{name}", DAEMON, 998, "journal")
    at = clock(time)
    return program.says(at, message, day.pid(at), priority, **more)
