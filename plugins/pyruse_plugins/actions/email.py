"""The action ``email``."""

from __future__ import annotations

from dataclasses import dataclass

from pyruse import Context, Duration, Entry, Mail, MailAddress, Template, hookimpl


@dataclass(eq=False, repr=False)
class Email:
    """Send a mail at once.

    With `every`, this step sends at most one mail in that time: the first one goes out at once, and
    what comes meanwhile is gathered into the next one, which says how many there were. A flood of
    entries never becomes a flood of mails then.

    ```toml
    { action = "email", subject = "Disk error: {_HOSTNAME}", message = "{MESSAGE}", every = "10m" }
    ```
    """

    message: Template
    """The text."""
    subject: Template | None = None
    """The subject; by default, that of `[email] subject`."""
    to: list[MailAddress] | None = None
    """To whom, instead of `[email] to`."""
    every: Duration | None = None
    """At most one mail in this time."""

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        subject = None if self.subject is None else self.subject.render(entry)
        mail = Mail(subject, self.message.render(entry), to=self.to, every=self.every)
        context.mail(entry, mail)
