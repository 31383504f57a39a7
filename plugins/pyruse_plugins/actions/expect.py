"""The action ``expect``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pyruse import Context, Duration, Entry, Expectation, Key, MailAddress, hookimpl


@dataclass(eq=False, repr=False)
class Expect:
    """Expect that something happens again and again: a backup, a renewal, a sign of life.

    Each entry that comes here shows that it has happened. Where no entry comes for longer than
    `every`, the absence is told once, at that instant, also while nothing else is logged: in
    the report, where `email` says so by mail, and to the chains, as an entry of Pyruse's own. Each
    day's report names what is absent, until it happens again, and so does `pyruse status`. Give
    `every` some time to spare: a backup takes longer on one day than on another.

    It is expected from the first start with this step on, and over restarts; what was logged while
    Pyruse was stopped counts. With `key`, it is expected of each value by itself, from the first
    time on: `key = "_HOSTNAME"` expects it of each machine. Who was absent for as long as
    `[state] keep` says is forgotten. Several steps may expect one name, with the same options.

    Pyruse's own entry has `_TRANSPORT = "pyruse"`, which nobody can forge, `PYRUSE_EVENT =
    "absent"`, the name in `PYRUSE_EXPECTED`, the key in `PYRUSE_KEY`, and the text in `MESSAGE`.

    ```toml
    { action = "expect", name = "backup", every = "25h", email = true }
    { action = "expect", name = "sign of life", key = "_HOSTNAME", every = "1h" }
    ```
    """

    name: str
    """What has to happen."""
    every: Duration
    """At least so often."""
    key: Key | None = None
    """Expect it of each value by itself, such as of each machine."""
    section: Literal["important", "interesting"] = "important"
    """The section of the report that tells of the absence."""
    email: bool | list[MailAddress] = False
    """Whether a mail tells of it, too; or to whom, instead of `[email] to`. The first goes at once,
    and what is absent in the ten minutes after it is gathered into another one."""

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError('name is empty (expected what has to happen, such as "backup")')

    @hookimpl
    def check_options(self, context: Context) -> None:
        context.expect(
            Expectation(
                self.name,
                self.every,
                each=self.key is not None,
                section=self.section,
                mail=bool(self.email),
                to=self.email if isinstance(self.email, list) else None,
            )
        )

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        key = "" if self.key is None else self.key.of(entry) or "(empty)"
        context.happened(entry, self.name, key)
