"""``pyruse test-mail``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pyruse.cli.options import config_option, configuration
from pyruse.cli.stdout import echo
from pyruse.options.mail_address import MailAddress
from pyruse.text import printable


@click.command("test-mail")
@config_option
@click.option("--to", multiple=True, metavar="ADDRESS", help="Who gets it; by default, [email] to.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def command(config: Path | None, to: tuple[str, ...], form: str) -> None:
    """Send a mail the way that reports go, and tell what the mail server answered.

    Where the daemon runs, it sends the mail itself, from within the sandbox of its service. Exits
    with 0 when the server has taken the mail for everybody, else with 1.

    \b
    pyruse test-mail
    pyruse test-mail --to you@example.org
    """  # noqa: D301 -- click takes this one character for "as it stands"
    from msgspec.structs import asdict

    from pyruse.cli.output import show_json
    from pyruse.cli.trial_mail import send_trial
    from pyruse.errors import UserError

    loaded = configuration(config)
    recipients = [_address(one) for one in to] or list(map(str, loaded.settings.email.to))
    if not recipients:
        raise UserError(
            '[email] to: nobody gets the mails (expected to = ["you@example.org"], or --to)'
        )
    done = send_trial(loaded, recipients)
    if form == "json":
        show_json({"ok": done.is_well, "to": recipients, **asdict(done)})
        sys.exit(not done.is_well)
    if not done.through_daemon:
        echo("Pyruse does not run: this command itself sends the mail, in no sandbox", err=True)
    if done.end != "sent":
        raise UserError(done.fault)
    if done.refusals:
        raise UserError(f"refused for {', '.join(done.refusals)} (the others have it)")
    echo(printable(f"The mail to {', '.join(recipients)} was taken: {done.answer}"))
    echo("Where it goes from there, the log of the mail server tells.")


def _address(text: str) -> str:
    try:
        return str(MailAddress.parse(text))
    except ValueError as fault:
        raise click.UsageError(f"--to: {fault}") from None
