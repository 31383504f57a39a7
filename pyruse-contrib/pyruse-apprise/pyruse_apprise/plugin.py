"""The action ``notify``, and reports and bans by Apprise."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Literal

from pyruse import (
    Ban,
    Context,
    Duration,
    Entry,
    Program,
    Report,
    Template,
    datetime_of,
    hookimpl,
    one_line,
    shortened,
)
from pyruse_apprise.services_file import ServicesFile

_LONGEST_TITLE = 200  # characters
_MINUTE = Duration(minutes=1)


@dataclass
class Notify:
    """Notify people by one or more of the services that Apprise knows.

    Chats, push messages, SMS, …: where to stands in a file of URLs, and `tag` chooses some of them.
    With `every`, this step notifies at most once in that time: the first time at once, and what
    comes meanwhile is gathered into the next notification, which says how many there were.

    ```toml
    { action = "notify", config = "/etc/pyruse/apprise.conf", title = "{_HOSTNAME}", message = "{MESSAGE}", every = "10m" }
    ```
    """  # noqa: E501 -- an example is one line in TOML

    message: Template
    """The text."""
    config: ServicesFile
    """The file with the URLs of the services."""
    tag: str = "all"
    """Those of the services that have this tag in the file: `a, b` is either of two, `a b` both."""
    title: Template = Template("Pyruse")
    """The title, where a service has titles."""
    type: Literal["info", "success", "warning", "failure"] = "warning"
    """What it is: many services show a sign or a colour for it."""
    every: Duration | None = None
    """At most one notification in this time."""
    timeout: Duration = _MINUTE
    """So long all the services together may take, with two more tries of each."""

    @hookimpl
    def check_options(self, context: Context) -> None:
        if not context.dry_run:  # the daemon never loads Apprise
            return
        try:
            self.config.read()
        except ValueError:
            return  # `pyruse check` warns of it by itself
        from pyruse_apprise.services import find

        find(self.config, self.tag)

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        command = _command(self.config, self.tag, self.type, self.title.render(entry))
        text = self.message.render(entry)
        context.run(entry, Program(command, self.timeout, text, self.every))


@dataclass
class AppriseReport:
    """Send each day's report, or its beginning, by the services that Apprise knows.

    The important events come first in it. Nothing is sent without `config`.

    ```toml
    [plugins.apprise_report]
    config = "/etc/pyruse/apprise.conf"
    tag = "report"
    ```
    """

    config: ServicesFile | None = None
    """The file with the URLs of the services."""
    tag: str = "all"
    """Those of the services that have this tag in the file."""
    when: Literal["always", "important"] = "always"
    """Every day, or only when something important has happened."""
    limit: int = 4_000
    """So many characters are sent, and it is told how many more there are."""
    timeout: Duration = field(default=_MINUTE)
    """So long all the services together may take, with two more tries of each."""

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise ValueError(f"limit = {self.limit} would send nothing (expected 1 or more)")

    @hookimpl
    def on_day_end(self, report: Report, context: Context) -> None:
        if self.config is None or (self.when == "important" and not report.important):
            return
        kind = "warning" if report.important else "info"
        title = f"Pyruse on {', '.join(report.hosts)}: {report.title}"
        text = shortened(context.render(report, "text"), self.limit)
        command = _command(self.config, self.tag, kind, title)
        context.run(None, Program(command, self.timeout, text))


@dataclass
class AppriseBans:
    """Notify of bans, by the services that Apprise knows. Nothing is sent without `config`.

    ```toml
    [plugins.apprise_bans]
    config = "/etc/pyruse/apprise.conf"
    tag = "bans"
    labels = ["ssh"]
    ```
    """

    config: ServicesFile | None = None
    """The file with the URLs of the services."""
    tag: str = "all"
    """Those of the services that have this tag in the file."""
    labels: list[str] | None = None
    """Only bans with one of these labels; without it, all of them."""
    every: Duration = field(default=_MINUTE)
    """At most one notification in this time, with all the bans that came meanwhile."""
    timeout: Duration = field(default=_MINUTE)
    """So long all the services together may take, with two more tries of each."""

    @hookimpl
    def on_ban(self, ban: Ban, context: Context) -> None:
        if self.config is None or (self.labels is not None and ban.label not in self.labels):
            return
        until = "for ever"
        if ban.until is not None:
            until = f"until {datetime_of(ban.until, context.zone):%Y-%m-%d %H:%M:%S}"
        text = f"{ban.network} is banned {until} ({ban.label})"
        command = _command(self.config, self.tag, "info", "Pyruse: bans")
        context.run(None, Program(command, self.timeout, text, self.every))


def _command(config: str, tag: str, kind: str, title: str) -> list[str]:
    """The program that sends what is on its standard input.

    The interpreter is named, as the folder of this program may be on nobody's PATH; -P keeps it
    from looking for modules in the current folder.
    """
    return [
        sys.executable, "-P", "-m", "pyruse_apprise",
        f"--config={config}", f"--tag={tag}", f"--type={kind}",
        f"--title={shortened(one_line(title), _LONGEST_TITLE)}",
    ]  # fmt: skip
