"""The first configuration of a machine, as text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


@dataclass
class FirstConfiguration:
    """What `pyruse init` writes."""

    rules: Sequence[str]
    to: Sequence[str] = ()
    """Who gets the mails; nobody: reports are kept as files."""
    smtp: str | None = None
    """The URL of a mail server, instead of the program sendmail."""
    sendmail: str | None = None
    """The program that takes mail, where it is not at its usual place."""
    never: Sequence[str] = field(default_factory=list)
    firewall: str | None = None

    def text(self, day: str) -> str:
        """The file.

        :param day: when it is written.
        """
        return "\n".join(self._lines(day)) + "\n"

    def _lines(self, day: str) -> Iterator[str]:
        yield f"# Written by `pyruse init` on {day}. After a change: pyruse check, and then"
        yield "# systemctl reload pyruse. `pyruse rules` lists what may be used."
        yield from _wrapped("use", self.rules)
        yield ""
        if self.to:
            yield "[email]"
            yield f"to = {_toml(self.to)}"
            yield "at_once = 70    # failed units, dying disks and the like; docs/report.md"
            if self.smtp is not None:
                yield f"smtp = {_toml(self.smtp)}"
            elif self.sendmail not in (None, "/usr/sbin/sendmail"):
                yield f"sendmail = {_toml([str(self.sendmail), '-t', '-i'])}"
        else:
            yield "[report]"
            yield "# Nobody gets mail: each day's report is kept here."
            yield 'archive = "/var/lib/pyruse/reports"'
        if self.never or self.firewall not in (None, "nftables"):
            yield ""
            yield "[bans]"
            if self.firewall not in (None, "nftables"):
                yield f"backend = {_toml(self.firewall)}"
            if self.never:
                yield f"never = {_toml(self.never)}     # besides this machine's own addresses"


_WIDTH = 100


def _wrapped(key: str, values: Sequence[str]) -> Iterator[str]:
    """A list on one line, or on several."""
    line = f"{key} = {_toml(values)}"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"{key} = ["
    line = " "
    for value in values:
        item = f" {_toml(value)},"
        if len(line) + len(item) > _WIDTH:
            yield line
            line = " "
        line += item
    yield line
    yield "]"


def _toml(value: object) -> str:
    """Text and lists are written in TOML as in JSON."""
    return json.dumps(value if isinstance(value, str) else list(value))  # type: ignore[call-overload]
