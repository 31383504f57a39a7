"""The addresses of a host name, as the machine's resolver gives them (getaddrinfo(3))."""

from __future__ import annotations

import ipaddress
import socket

from msgspec import Struct, field

from pyruse.addresses import Network

_MOST = 256
"""Addresses of a name that are taken; no machine has so many."""
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
_HAS_NONE = {socket.EAI_NONAME, socket.EAI_NODATA, socket.EAI_ADDRFAMILY}
"""The name has no address of this family, or is not known at all."""


class NameAnswer(Struct):
    """What became of a question for the addresses of a host name."""

    found: dict[int, list[Network]] = field(default_factory=dict)
    """By the version of IP; one that could not be asked for is not there."""
    fault: str | None = None
    """Why there are no addresses at all."""
    more: int = 0
    """Addresses that were left out, as there were so many."""


def ask(name: str) -> NameAnswer:
    """Ask for the addresses of a host name; this waits for name servers.

    Each family is asked for by itself: what one name server fails to say of IPv6 takes no address
    of IPv4 away.
    """
    answer = NameAnswer()
    faults = []
    for version, family in _FAMILIES.items():
        try:
            infos = socket.getaddrinfo(name, None, family, socket.SOCK_STREAM)
        except socket.gaierror as fault:
            faults.append(fault.strerror or str(fault))
            if fault.errno in _HAS_NONE:
                answer.found[version] = []
        except (OSError, UnicodeError) as fault:
            faults.append(str(fault))
        else:
            texts = dict.fromkeys(str(info[4][0]).partition("%")[0] for info in infos)
            answer.more += max(0, len(texts) - _MOST)
            answer.found[version] = [ipaddress.ip_network(text) for text in [*texts][:_MOST]]
    if not any(answer.found.values()):
        answer.found.clear()
        answer.fault = faults[0] if faults else "no addresses"
    return answer
