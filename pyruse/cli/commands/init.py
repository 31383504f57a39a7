"""``pyruse init``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyruse.cli.options import config_option
from pyruse.cli.stdout import echo
from pyruse.errors import UserError
from pyruse.text import printable

if TYPE_CHECKING:
    from pyruse.config.load import Configuration
    from pyruse.journal.selection import Selection
    from pyruse.registry.registry import Registry
    from pyruse.replay.recognised import Recognised
    from pyruse.replay.replay import Outcome
    from pyruse.rules.library import Library
    from pyruse.setup.machine import Machine
    from pyruse.setup.mail_way import MailWay


@click.command("init")
@config_option
@click.option("-y", "--yes", is_flag=True, help="Ask nothing: take what was found.")
@click.option("--to", multiple=True, metavar="ADDRESS", help="Who gets the mails; several times.")
@click.option("--smtp", metavar="URL", help="A mail server, instead of what was found.")
@click.option("--never", multiple=True, metavar="NETWORK", help="Is never banned; several times.")
@click.option("--service", is_flag=True, help="Put the systemd service in place, and start it.")
@click.option("--packaged", is_flag=True, hidden=True, help="Nothing is started: a package does.")
def command(  # noqa: PLR0913 -- one for each option
    config: Path | None,
    yes: bool,
    to: tuple[str, ...],
    smtp: str | None,
    never: tuple[str, ...],
    service: bool,
    packaged: bool,
) -> None:
    """Write the first configuration of this machine, and show what it would have done yesterday.

    Looks at the journal, the mail program, the firewall and the ssh session from which it is
    called; asks on a terminal; writes pyruse.toml. No file is ever overwritten, so it can be called
    again.

    \b
    pyruse init
    pyruse init --service --yes --to root
    """  # noqa: D301 -- click takes this one character for "as it stands"
    from pyruse.config.files import chosen
    from pyruse.config.load import load, registry_of
    from pyruse.rules.library import Library
    from pyruse.setup.machine import look

    _check_options(to, smtp, never)
    yes = yes or packaged
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("there is nobody to ask (expected a terminal, or --yes)")
    if service and os.geteuid() != 0:
        from pyruse.cli.rights import with_sudo

        raise UserError(f"--service: this user may not do it (expected root: {with_sudo()})")
    place = chosen(config)
    file = place if place.suffix == ".toml" else place / "pyruse.toml"
    registry = registry_of(file.parent)
    library = Library(registry)
    machine = look(library)
    if file.exists():
        _say(f"{file}: is there already, and stays as it is")
        for name, given in (("--to", to), ("--smtp", smtp), ("--never", never)):
            if given:
                _warn(f"{name} has no effect: {file} is there already (expected a change of it)")
        _tell_new_rules(load(place), machine)
    else:
        text = _asked(file, machine, library, to=to, smtp=smtp, never=never, yes=yes)
        _write(file, text, registry)
        _say(f"{file}: written")
    _tell_firewall(machine)
    configuration = load(place)
    if service or packaged or (not yes and _is_wanted()):
        _put_service(configuration, starts=not packaged)
        if not packaged:
            _try_mail(configuration)
    _check(configuration)
    if not packaged:  # a long journal would hold up the installation
        _show_yesterday(configuration)


def _say(text: str) -> None:
    echo(printable(text))


def _warn(text: str) -> None:
    echo(f"warning: {printable(text)}", err=True)


def _check_options(to: Sequence[str], smtp: str | None, never: Sequence[str]) -> None:
    """See that what was given can stand in a configuration.

    :raises click.UsageError: it cannot.
    """
    from pyruse.config.settings import SmtpUrl
    from pyruse.options.mail_address import MailAddress
    from pyruse.options.networks import Networks

    servers = [] if smtp is None else [smtp]
    given: list[tuple[str, Sequence[str], Callable[[str], object]]] = [
        ("--to", to, MailAddress.parse),
        ("--smtp", servers, SmtpUrl.parse),
        ("--never", never, Networks.parse_item),
    ]
    faults = [
        f"{name}: {fault}"
        for name, values, parse in given
        for value in values
        if (fault := _fault_in(value, parse)) is not None
    ]
    if faults:
        raise click.UsageError("\n".join(faults))


def _fault_in(value: str, parse: Callable[[str], object]) -> str | None:
    try:
        parse(value)
    except ValueError as fault:
        return str(fault)
    return None


def _tell_firewall(machine: Machine) -> None:
    if machine.firewall is None:
        _say(
            "warning: neither nftables nor ipset works here, so nobody can be banned (expected: "
            "apt install nftables)"
        )
    elif machine.firewall_refuses:
        expected = "sudo pyruse init" if os.geteuid() else "a container with NET_ADMIN"
        _say(
            f"warning: {machine.firewall} is here, but gives no rights to the user who asks, so "
            f"whether it can ban is not known (expected root's rights: {expected})"
        )


def _asked(  # noqa: PLR0913 -- one for each option
    file: Path,
    machine: Machine,
    library: Library,
    *,
    to: tuple[str, ...],
    smtp: str | None,
    never: tuple[str, ...],
    yes: bool,
) -> str:
    """The text of the configuration, after the administrator was asked.

    :raises click.UsageError: there are no rules for this machine.
    """
    from pyruse.setup.first_configuration import FirstConfiguration

    rules = list(machine.rules)
    if not yes:
        _say(f"Programs that Pyruse knows, and that are here: {', '.join(rules) or 'none'}")
        _say("Enter takes all of them; else name those that you want.")
        words = click.prompt("Rules to use", default=" ".join(rules), show_default=False)
        while fault := _fault_of(rules := words.replace(",", " ").split(), library):
            _say(fault)
            words = click.prompt(
                "Rules to use", default=" ".join(machine.rules), show_default=False
            )
    elif fault := _fault_of(rules, library):
        raise click.UsageError(fault)
    recipients, way = _mail(file, to, smtp, yes=yes)
    spared = list(never)
    if not spared and machine.session is not None:
        question = f"Never ban {machine.session}, where your ssh session comes from?"
        if yes or click.confirm(question, default=True):
            spared = [machine.session]
    made = FirstConfiguration(rules, recipients, way.smtp, way.sendmail, spared, machine.firewall)
    return made.text(date.today().isoformat())  # noqa: DTZ011 -- the administrator's


def _mail(
    file: Path, to: tuple[str, ...], smtp: str | None, *, yes: bool
) -> tuple[list[str], MailWay]:
    """Who gets mails, and by which way."""
    from socket import gethostname

    from pyruse.config.settings import SmtpUrl
    from pyruse.delivery.mail.address import host_name, mail_name
    from pyruse.setup import mail_way

    recipients = list(to) or ["root"]
    sender = f"pyruse@{host_name(mail_name(gethostname()))}"
    way = mail_way.MailWay(smtp=smtp) if smtp else mail_way.find(recipients, sender)
    if not way.is_there:
        _say(mail_way.no_mail(file, to, way.why))
        return list(to), way
    if smtp and (doubt := mail_way.doubt_of(SmtpUrl.parse(smtp))):
        _warn(doubt)
    if not (to or yes):
        recipients = _recipients()
    _say(mail_way.in_words(way, recipients))
    if about := mail_way.about_local_users(recipients):
        _say(about)
    return recipients, way


def _recipients() -> list[str]:
    from pyruse.options.mail_address import MailAddress

    while True:
        named: list[str] = click.prompt("Mail goes to", default="root").replace(",", " ").split()
        faults = [fault for one in named if (fault := _fault_in(one, MailAddress.parse))]
        if named and not faults:
            return named
        for fault in faults:
            _say(fault)


def _fault_of(rules: list[str], library: Library) -> str | None:
    unknown = [name for name in rules if name not in library.names]
    if rules and not unknown:
        return None
    what = f"there are no rules {', '.join(unknown)}" if unknown else "no rules are named"
    return f"{what} (expected some that `pyruse rules` lists)"


def _write(file: Path, text: str, registry: Registry) -> None:
    from pyruse.config.files import from_text
    from pyruse.config.load import configure
    from pyruse.errors import UserError

    configure(from_text(text, str(file)), registry)  # no fault is written, whatever was typed
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as target:
            target.write(text)
    except OSError as fault:
        raise UserError(
            f"{file}: cannot be written: {fault.strerror} (expected root: sudo pyruse init; "
            "another place is chosen with -c FOLDER)"
        ) from None


def _tell_new_rules(configuration: Configuration, machine: Machine) -> None:
    used = {rules.name for rules in configuration.used}
    new = [name for name in machine.rules if name not in used]
    if used and new:
        _say(f"rules that are not used, though their programs are here: {', '.join(new)}")


def _check(configuration: Configuration) -> None:
    from pyruse.chains.lint import warnings
    from pyruse.delivery.mail.transport import check as check_mail
    from pyruse.setup.web_logs import unseen_logs
    from pyruse.system.sandbox import listens, rights_are_kept_from_programs

    mail = configuration.settings.email
    # That there is no mail was said when the configuration was written.
    doubts = []
    if mail.to:
        doubts = check_mail(mail, sandboxed=rights_are_kept_from_programs, listens=listens)
    used = {rules.name for rules in configuration.used}
    for text in (
        *warnings(configuration.chains),
        *doubts,
        *unseen_logs(used),
    ):
        _warn(text)


def _is_wanted() -> bool:
    from pyruse.setup.service import is_installed

    return not is_installed() and click.confirm("Put the systemd service in place, and start it?")


def _put_service(configuration: Configuration, *, starts: bool) -> None:
    from pyruse.setup.mail_way import needs_drop_in
    from pyruse.setup.service import install, start

    settings = configuration.settings
    has_changed = install(
        sendmail=needs_drop_in(settings.email) is not None,
        ipset=settings.bans.backend == "ipset",
        prepared=not starts,
        tell=_say,
    )
    if starts:
        start(_say, restart=has_changed)


def _try_mail(configuration: Configuration) -> None:
    """Send a mail from within the service: so the administrator knows whether reports arrive."""
    from pyruse.cli.trial_mail import send_trial
    from pyruse.daemon.control import ask
    from pyruse.errors import UserError

    settings = configuration.settings
    recipients = list(map(str, settings.email.to))
    try:
        if not recipients or ask(settings.state.url.path, {"request": "status"}) is None:
            return
        done = send_trial(configuration, recipients)
    except UserError as fault:
        _warn(f"a trial mail could not be sent: {fault}")
        return
    if done.is_well:
        _say(f"a trial mail to {', '.join(recipients)} was taken: {done.answer}")
    else:
        why = done.fault or f"refused for {', '.join(done.refusals)}"
        _warn(f"a trial mail was not taken: {why}")


def _show_yesterday(configuration: Configuration) -> None:
    """What the configuration would have done yesterday; on a machine of today, until now."""
    from msgspec.structs import replace

    from pyruse.journal.selection import Selection
    from pyruse.journal.when import parse_when
    from pyruse.text import counted
    from pyruse.times import now_us

    zone = configuration.settings.report.timezone.zone
    whole = Selection.of(configuration.settings.journal)
    now = now_us()
    midnight = parse_when("today", now, zone)
    yesterday = replace(whole, since=parse_when("yesterday", now, zone), until=midnight)
    when, outcome, found = "Yesterday", *_tried(configuration, yesterday)
    if not outcome.entries:
        when, outcome, found = "Today", *_tried(configuration, replace(whole, since=midnight))
    if not outcome.entries:
        _say("The journal has no entries yet that could be shown.")
        return
    banned = len({ban.ip for ban in outcome.bans})
    lines = len(outcome.render("text").splitlines())
    _say(
        f"{when}: would have banned {banned:,} addresses; report of "
        f"{counted(lines, 'line')}; {found.share:.0%} of {outcome.entries:,} entries "
        "recognised (pyruse replay --since yesterday shows it)"
    )


def _tried(configuration: Configuration, chosen: Selection) -> tuple[Outcome, Recognised]:
    from pyruse.engine.faults import Faults
    from pyruse.replay.recognised import Recognised
    from pyruse.replay.replay import replay

    found = Recognised()
    return replay(configuration, chosen, Faults(lambda *_: None), recognised=found), found
