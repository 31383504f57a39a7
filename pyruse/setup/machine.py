"""What is on this machine: programs that rules know, a firewall, who is asking."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from pyruse.addresses import Address, parse_address
from pyruse.errors import ConfigError, UserError
from pyruse.journal.selection import Selection
from pyruse.rules.library import Library
from pyruse.system.programs import run_program

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib:/usr/lib/systemd"
_TIMEOUT = 5.0  # seconds
_MOST_PARENTS = 50
_FIREWALLS = (("nftables", "nft", "list", "tables"), ("ipset", "ipset", "list", "-name"))
_PROGRAMS = {"nftables": ("nft",), "ipset": ("ipset", "iptables")}
_REFUSAL = "Operation not permitted"


@dataclass(frozen=True)
class Machine:
    """What was found."""

    rules: list[str]
    """The names of the rules whose programs have logged here, or are installed."""
    firewall: str | None
    """The backend of bans: ``nftables`` or ``ipset``; None: neither works here."""
    firewall_refuses: bool
    """Whether it is there, and refuses whoever asks: root's rights are needed for it."""
    session: str | None
    """The network of whoever is logged in and asks, over ssh; None: it is not known, or nobody."""


def look(library: Library) -> Machine:
    """Look at this machine; nothing is changed.

    :param library: has the rules.
    """
    address = session_address()
    return Machine(
        rules_for_this_machine(library),
        *firewall(),
        None if address is None else network_of(address),
    )


def rules_for_this_machine(library: Library) -> list[str]:
    """The names of the rules whose programs have logged here, or are installed."""
    try:
        logged = Selection().values_of("SYSLOG_IDENTIFIER")
    except UserError:
        logged = set()  # whoever goes on reads the journal, and is told
    logged |= {name.partition("(")[0] for name in logged}  # such as wordpress(www.example.org)
    logged.add("kernel")  # each machine has one, though in a container it says nothing
    found = []
    for name in library.names:
        try:
            programs = library.rules(name).programs
        except ConfigError:
            continue  # `pyruse rules` tells of broken ones
        here = (one for one in programs if one in logged or shutil.which(one, path=PATH))
        if any(here):
            found.append(name)
    return found


def network_of(address: Address) -> str:
    """What is to be spared around an address: the local network that it is in, or it alone.

    Of IPv6, it is the network of prefix length 64, in which addresses change by themselves.
    """
    if address.version == 6:
        return str(ip_network((address, 64), strict=False))
    return str(ip_network((address, 24), strict=False)) if address.is_private else str(address)


def session_address() -> Address | None:
    """Where the ssh session comes from that this process belongs to, sudo or not."""
    found = _of_session(os.environ)
    pid = os.getppid()
    for _ in range(_MOST_PARENTS):
        if found is not None or pid <= 1:
            break
        # sudo takes the variable away; the shell that it was called from has it still.
        found = _of_session(_environment(pid))
        pid = _parent(pid)
    return found


def _of_session(environment: Mapping[str, str]) -> Address | None:
    """By what sshd sets: see ssh(1)."""
    client = environment.get("SSH_CONNECTION", "").partition(" ")[0]
    address = parse_address(client) if client else None
    return None if address is None or address.is_loopback else address


def _environment(pid: int) -> dict[str, str]:
    try:
        raw = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return {}
    pairs = (item.partition(b"=") for item in raw.split(b"\0"))
    return {name.decode("utf-8", "replace"): os.fsdecode(value) for name, _, value in pairs}


def _parent(pid: int) -> int:
    try:
        # The name of the program, in brackets, may have spaces and brackets itself: proc(5).
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def firewall() -> tuple[str | None, bool]:
    """The one that works, or else the one that only refuses; and whether it refuses."""
    refusing = None
    for backend, program, *command in _FIREWALLS:
        if not all(shutil.which(one, path=PATH) for one in _PROGRAMS[backend]):
            continue
        found = str(shutil.which(program, path=PATH))
        fault = run_program([found, *command], timeout=_TIMEOUT).fault
        if fault is None:
            return backend, False
        if _REFUSAL in fault:  # of the kernel (EPERM): the program works
            refusing = refusing or backend
    return refusing, refusing is not None
