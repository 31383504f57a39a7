"""The report by mail."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from pyruse import PARTS, Context, Every, Mail, MailAddress, Report, hookimpl

_NO_NAME = re.compile(r"[^A-Za-z0-9.-]+")
_HTML = 0.5
_TEXT = 0.22
"""Of what a mail may have: with what encoding adds, a third at most (RFC 2045), it is all of it."""


@dataclass(eq=False, repr=False)
class ReportMail:
    """One mail: who gets what of which reports."""

    to: list[MailAddress] = field(default_factory=list)
    """Who gets it; by default, `[email] to`."""
    every: Every = "day"
    """Which report: that of each day, or the digest of each week or month (`[report] digests`)."""
    hosts: list[str] = field(default_factory=list)
    """With `[report] hosts = "apart"`: of which machines, such as `"web*"`; by default, of all."""
    parts: list[str] = field(default_factory=lambda: list(PARTS))
    """Which parts of it: `attention`, `unusual`, `glance`, `important`, `interesting`,
    `summaries`, `other`, `notes`, or the names of summaries, such as `logins`."""
    form: Literal["whole", "short"] = "whole"
    """`short`: only what needs attention, and where the report is in the archive."""
    quiet: Literal["send", "skip"] | None = None
    """Whether there is a mail also where nothing needs attention; by default, `[report] quiet`."""
    encrypt_to: list[str] | None = None
    """The OpenPGP keys of who gets it; by default, `[email] encrypt_to`."""

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError(f"parts is empty (expected some of: {', '.join(PARTS)})")

    def is_of(self, report: Report) -> bool:
        """Whether it tells of a report."""
        if report.every != self.every:
            return False
        names = [report.machine] if report.machine else report.hosts
        return not self.hosts or any(
            fnmatchcase(name, pattern) for name in names for pattern in self.hosts
        )


@dataclass(eq=False, repr=False)
class MailReport:
    """Mail each day's report, as text and as HTML, to the addresses in `[email] to`.

    By default, the subject says what the report is for: `mercury: 2 need attention: backup.service
    failed: exit-code; the disk sdc fails`, or `mercury: nothing unusual on Fri 27 Nov (34,498
    entries, 9 bans)`. `[report] subject` is a template of one line, 200 characters at most. It may
    have `{host}` (several are separated by commas), `{verdict}` (all that follows the host, as
    above), `{reasons}` (what needs attention, as far as there is room) and `{attention}` (how much
    does), `{day}` (`2026-11-27`) and `{date}` (`Fri 27 Nov`), `{entries}` (how many were read),
    `{bans}` (how many began), and how many rows the sections have: `{important}`, `{interesting}`,
    `{other}`:

    ```toml
    [report]
    subject = "{host}: {important} important, {interesting} interesting on {day}"
    ```

    The mail is no larger than `[report] largest`, and than the mail server takes. It tells what is
    cut: of the events called other first, of the important ones last.

    Mail programs can sort by two headers. `X-Pyruse-Attention` is the number of things that need
    attention, 0 on a quiet day; `List-Id` is the same every day: `<pyruse.HOST>`, with the name of
    this machine, or of the one that the report is about.

    Nothing is mailed where nobody is named. Several mails, each for people of its own:

    ```toml
    [[plugins.mail_report.mails]]
    to = ["admins@example.org"]

    [[plugins.mail_report.mails]]
    to = ["boss@example.org"]
    every = "week"
    parts = ["attention", "glance", "backups"]
    quiet = "skip"
    ```
    """

    mails: list[ReportMail] = field(default_factory=lambda: [ReportMail()])
    """The mails; by default one, with all of each day's report, to `[email] to`."""

    @hookimpl
    def publish_report(self, report: Report, context: Context) -> None:
        for mail in self.mails:
            if not mail.is_of(report):
                continue
            if report.is_quiet and (mail.quiet or context.quiet) == "skip":
                continue
            recipients = mail.to or context.recipients
            if recipients:
                _send(mail, recipients, report, context)


def _send(mail: ReportMail, to: Sequence[str], report: Report, context: Context) -> None:
    whole = report if set(PARTS) <= set(mail.parts) else report.only(mail.parts)
    html = None
    if mail.form == "whole":
        # HTML first: a fault in its template is told by a note, which then is in the text, too.
        html = context.render(whole, "html", int(_HTML * context.largest))
        text = context.render(whole, "text", int(_TEXT * context.largest))
    else:
        text = context.render(report.only(["attention", "notes"]), "text")
        text += f"\nThe whole report: {_place(report, context)}\n"
    subject = context.subject(report)
    host = _NO_NAME.sub("-", report.machine or socket.gethostname())[:200].strip("-.")
    headers = {
        "List-Id": f"<pyruse.{host or 'localhost'}>",  # RFC 2919
        "X-Pyruse-Attention": str(len(report.attention)),
    }
    made = Mail(subject, text, html, to=to, encrypt_to=mail.encrypt_to, headers=headers)
    context.mail(None, made)


def _place(report: Report, context: Context) -> str:
    """Where the whole report is."""
    archive = context.options("archive_report")
    if context.archive is not None and archive is not None:
        place: str = archive.place(report, context.archive)
        return place
    return f"pyruse report {report.title}"
