"""This machine's own addresses, which are never banned."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from pyruse.addresses import Address

_FIB4 = Path("/proc/net/fib_trie")
_IF6 = Path("/proc/net/if_inet6")


def own_addresses() -> set[Address]:
    """The addresses of this machine's interfaces, as the kernel knows them now (proc(5)).

    Where the kernel tells nothing (no IPv6, no /proc), that family is left out.
    """
    return {*_ipv4(), *_ipv6()}


def _ipv4() -> set[Address]:
    found: set[Address] = set()
    address = ""
    # A leaf of the trie is "|-- ADDRESS"; beneath it, "/32 host LOCAL" says that it is ours.
    for line in _lines(_FIB4):
        word = line.strip()
        if word.startswith("|-- "):
            address = word[4:]
        elif word == "/32 host LOCAL":
            found.add(ipaddress.IPv4Address(address))
    return found


def _ipv6() -> set[Address]:
    return {ipaddress.IPv6Address(bytes.fromhex(line.split()[0])) for line in _lines(_IF6)}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
