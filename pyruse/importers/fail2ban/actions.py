"""What the actions of a jail do, as far as they have a counterpart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pyruse.importers.fail2ban.definitions import Definition
from pyruse.importers.fail2ban.faults import Unreadable
from pyruse.importers.fail2ban.files import Folder
from pyruse.importers.fail2ban.ports import ports_of
from pyruse.options.mail_address import MailAddress

_FIREWALLS = re.compile(
    r"(?:iptables|nftables|firewallcmd|shorewall|ufw|route|hostsdeny|apf|symbiosis)(?:-[\w-]+)?"
)
_WHOLE = re.compile(r".*allports|shorewall.*|route|hostsdeny|apf|.*xt_recent.*")
"""They close everything."""
_OTHER_SYSTEMS = re.compile(r"bsd-ipfw|ipfw|ipfilter|pf|npf|osx-\w+")
_MAILS = re.compile(r"(?:send)?mail(?:-[\w-]+)?|smtp\.py")
_PACKAGES = {
    "abuseipdb": ("pyruse-abuse", "abuseipdb"),
    "blocklist_de": ("pyruse-abuse", "blocklist_de"),
    "complain": ("pyruse-abuse", "xarf_mail"),
    "xarf-login-attack": ("pyruse-abuse", "xarf_mail"),
    "apprise": ("pyruse-apprise", "notify"),
}
"""Packages with an action that does the same."""
_SERVICES = frozenset(
    (
        "badips", "badips.py", "cloudflare", "cloudflare-token", "dshield", "ipthreat",
        "mynetwatchman", "netscaler", "nginx-block-map", "nsupdate",
    )
)  # fmt: skip
_LETS_IN = frozenset({"RETURN", "ACCEPT"})
_TO = ("dest", "destemail")
_BARE = re.compile(r"<([^<>]+)>")
"""The address in ``Name <address>``."""


@dataclass(frozen=True)
class Closing:
    """What a ban closes."""

    ports: tuple[int | str, ...] = ()
    protocol: str | None = None

    def options(self) -> dict[str, Any]:
        """Options of a ``ban`` step."""
        options: dict[str, Any] = {"ports": list(self.ports)} if self.ports else {}
        if self.ports and self.protocol is not None:
            options["protocol"] = self.protocol
        return options


@dataclass(frozen=True)
class Mail:
    """A mail of each ban."""

    to: tuple[str, ...]
    sender: str
    default: bool = False
    """Whether it goes to whom all mails go to."""

    def step(self, subject: str, message: str) -> dict[str, Any]:
        """An ``email`` step."""
        to = {} if self.default else {"to": list(self.to)}
        return {"action": "email", "subject": subject, "message": message, **to, "every": "1m"}


@dataclass
class Effects:
    """What happens when an address is banned."""

    closings: list[Closing] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def effects(actions: list[tuple[str, dict[str, str]]], folder: Folder) -> Effects:
    """What the actions of a jail do.

    :raises Unreadable: one of them does the opposite of a ban.
    """
    found = Effects()
    for name, options in actions:
        if _FIREWALLS.fullmatch(name):
            if options.get("blocktype", "").upper() in _LETS_IN:
                raise Unreadable(
                    "action", f"{name} lets the addresses in (blocktype = {options['blocktype']})"
                )
            closing = _closing(name, options, folder)
            if closing not in found.closings:
                found.closings.append(closing)
        elif _MAILS.fullmatch(name):
            mail = _mail(name, options, found.notes)
            if mail not in found.mails:
                found.mails.append(mail)
        elif name in _PACKAGES:
            package, step = _PACKAGES[name]
            found.notes.append(
                f'action {name}: the package {package} does this: add {{ action = "{step}", … }} '
                "before the ban"
            )
        elif name in _SERVICES:
            found.notes.append(
                f"action {name}: Pyruse tells this service nothing; if you need it, set "
                "[bans.command], a backend that calls a program of yours for each ban and unban"
            )
        elif _OTHER_SYSTEMS.fullmatch(name):
            found.notes.append(f"action {name}: a firewall of another system than Linux; left out")
        elif name != "dummy":
            found.notes.append(_own(name, folder))
    found.closings = _together(found.closings)
    return found


def _mail(name: str, options: Mapping[str, str], notes: list[str]) -> Mail:
    said = next((options[key] for key in _TO if options.get(key)), "root")
    words = said.replace(",", " ").split()
    to = [word for word in words if _is_address(word)]
    if len(to) < len(words):
        others = ", ".join(word for word in words if word not in to)
        notes.append(f"action {name}: no mail address, and left out: {others}")
    sender = options.get("sender", "").removesuffix("@<fq-hostname>")
    bare = _BARE.search(sender)
    sender = bare[1] if bare is not None else sender
    return Mail(tuple(to or ["root"]), sender if _is_address(sender) else "")


def _is_address(text: str) -> bool:
    try:
        MailAddress.parse(text)
    except ValueError:
        return False
    return True


def _together(closings: list[Closing]) -> list[Closing]:
    """The same ports of TCP and of UDP are what a ban closes by default."""
    if Closing() in closings:
        return [Closing()]
    kept: list[Closing] = []
    for closing in closings:
        twin = next((k for k in kept if k.ports == closing.ports), None)
        if twin is None:
            kept.append(closing)
        elif {twin.protocol, closing.protocol} == {"tcp", "udp"}:
            kept[kept.index(twin)] = Closing(closing.ports)
        else:
            kept.append(closing)
    return kept


def _closing(name: str, options: Mapping[str, str], folder: Folder) -> Closing:
    if _WHOLE.fullmatch(name) or options.get("type") == "allports":
        return Closing()
    port, protocol = options.get("port"), options.get("protocol")
    if port is None:
        port = _of_file(name, options, "port", folder)
    try:
        ports = tuple(ports_of(port or ""))
    except ValueError as fault:
        raise Unreadable("port", str(fault)) from None
    kind = (protocol or _of_file(name, options, "protocol", folder) or "tcp").lower()
    return Closing(ports, kind if kind in ("tcp", "udp", "sctp", "dccp", "udplite") else None)


def _of_file(name: str, options: Mapping[str, str], option: str, folder: Folder) -> str | None:
    try:
        return Definition(folder.values(f"action.d/{name}"), options).get(option)
    except Unreadable:
        return None


def _own(name: str, folder: Folder) -> str:
    """What to do about an action of the administrator's own."""
    if name.endswith(".py"):
        return f"action {name}: a program in Python; write a plugin with on_ban and on_unban"
    try:
        # Parameters stay as they are: one of them may be a password.
        values = folder.values(f"action.d/{name}")
        ban, unban = (
            " ".join((values.get("Definition", option) or "").split())
            for option in ("actionban", "actionunban")
        )
    except Unreadable as fault:
        return f"action {name}: {fault}"
    runs = f"actionban is: {ban}" if ban else "actionban is empty"
    if unban:
        return (
            f"action {name}: {runs}; actionunban is: {unban}. To run both, give them to "
            '[bans.command], and add a second ban with backend = "command" behind the ban'
        )
    return f'action {name}: {runs}. Add {{ action = "run", command = […] }} behind the ban'
