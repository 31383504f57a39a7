"""What every daemon of the sample needs: its place on the machine, its lines, and the time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from pyruse.testing.journal import FieldValue

Message = str | bytes | list[FieldValue]
Fields = dict[str, FieldValue | list[FieldValue]]

HOSTNAME = "aubergine"
MACHINE_ID = "a0be791e0000400080000000000a0be7"
BOOT_ID = "b0075eed000040008000000020260305"
ZONE = ZoneInfo("Europe/Paris")
BOOTED = datetime(2026, 3, 5, 21, 40, 17, tzinfo=ZONE)

ALERT, CRITICAL, ERROR, WARNING, NOTICE, INFO = 1, 2, 3, 4, 5, 6
"""Priorities and facilities of syslog (RFC 5424, tables 1 and 2)."""
KERN, MAIL, DAEMON, AUTH, CRON, AUTHPRIV, LOCAL7 = 0, 2, 3, 4, 9, 10, 23

_CAPABILITIES = {True: "1ffffffffff", False: "0"}
"""A process that has all capabilities, and one that has none."""

_BUSY = (2, 1, 1, 1, 1, 2, 4, 8, 12, 14, 13, 12, 9, 12, 13, 12, 11, 11, 10, 10, 11, 10, 7, 4)
"""How busy people are in each hour of their day."""


class Line(NamedTuple):
    """One entry to be, at a time in seconds after midnight."""

    at: float
    fields: Fields


@dataclass(frozen=True)
class Program:
    """A program that logs, as journald knows it: most of this nobody can forge."""

    identifier: str
    unit: str
    exe: str
    facility: int = DAEMON
    uid: int = 0
    transport: str = "syslog"
    comm: str = ""
    cmdline: str = ""
    slice: str = "system.slice"

    def says(
        self, at: float, message: Message | None, pid: int, priority: int = INFO, **more: Any
    ) -> Line:
        """One line of this program, with ``more`` fields, or other values than usual."""
        fields: Fields = {
            "_TRANSPORT": self.transport,
            "PRIORITY": priority,
            "SYSLOG_FACILITY": self.facility,
            "SYSLOG_IDENTIFIER": self.identifier,
            "_PID": pid,
            "_UID": self.uid,
            "_GID": self.uid,
            "_COMM": self.comm or self.exe.rpartition("/")[2][:15],
            "_EXE": self.exe,
            "_CMDLINE": self.cmdline or self.exe,
            "_CAP_EFFECTIVE": _CAPABILITIES[self.uid == 0],
            "_SELINUX_CONTEXT": "unconfined\n",  # AppArmor's label; it does end in a newline
            "_SYSTEMD_CGROUP": f"/{self.slice}/{self.unit}",
            "_SYSTEMD_UNIT": self.unit,
            "_SYSTEMD_SLICE": self.slice,
            "_SYSTEMD_INVOCATION_ID": identity(self.unit),
        }
        if self.transport == "syslog":
            fields["SYSLOG_PID"] = pid
        if message is not None:
            fields["MESSAGE"] = message
        return Line(at, {**fields, **more})


@dataclass(frozen=True)
class Day:
    """One day of the machine."""

    date: date

    @property
    def midnight(self) -> datetime:
        """When the day begins."""
        return datetime(self.date.year, self.date.month, self.date.day, tzinfo=ZONE)

    def time(self, at: float) -> datetime:
        """The wall-clock time so many seconds after midnight."""
        return self.midnight + timedelta(seconds=at)

    def pid(self, at: float) -> int:
        """Of a process started then: they rise, as on a machine up for days."""
        return 281_000 + int(at * 7.3)

    def entry(self, line: Line, not_before_us: int) -> Fields:
        """The whole entry of a line: with its times, and what all entries have in common."""
        fields = line.fields
        time = max(_us(self.time(line.at)), not_before_us)
        uptime = time - _us(BOOTED)
        own: Fields = {"_BOOT_ID": BOOT_ID, "_MACHINE_ID": MACHINE_ID, "_HOSTNAME": HOSTNAME}
        # Who sends a datagram to journald has the kernel note the time; a pipe has no such time.
        # (SYSLOG_TIMESTAMP, the same once more in whole seconds, would fill a sixth of the file.)
        if fields["_TRANSPORT"] in ("syslog", "journal"):
            own["_SOURCE_REALTIME_TIMESTAMP"] = time - 12 - time % 19
        if fields["_TRANSPORT"] == "kernel":
            own["_SOURCE_MONOTONIC_TIMESTAMP"] = uptime - 400
        return {
            "__REALTIME_TIMESTAMP": time,
            "__MONOTONIC_TIMESTAMP": uptime,
            **own,
            **fields,
        }


def _us(time: datetime) -> int:
    return (time - datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))) // timedelta(microseconds=1)


def clock(text: str) -> float:
    """Seconds after midnight of ``hh:mm`` or ``hh:mm:ss``."""
    hours, minutes, *seconds = (int(part) for part in text.split(":"))
    return float(hours * 3600 + minutes * 60 + sum(seconds))


def identity(name: str) -> str:
    """A 128-bit identifier that is always the same for the same name."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def busy_times(rng: Random, count: int) -> list[float]:
    """So many times of a day, as people come: few at night, most in the morning."""
    hours = rng.choices(range(24), _BUSY, k=count)
    return sorted(3600 * (hour + rng.random()) for hour in hours)


def steady_times(rng: Random, start: str, every: float, count: int) -> Iterator[float]:
    """So many times from ``start`` on, about ``every`` seconds: as a program comes."""
    for number in range(count):
        yield clock(start) + every * (number + 0.4 * rng.random())


def port(rng: Random) -> int:
    """A port that a client may come from."""
    return rng.randrange(32768, 61000)
