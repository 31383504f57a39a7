"""Doubts before a ban by hand: the own SSH session, huge networks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pyruse.addresses import Address, Network, network_of, parse_address, text_around

_BROADEST = {4: 8, 6: 16}
_MOST_PARENTS = 64


def doubt(network: Network, session: set[Address]) -> str | None:
    """Why a ban is most likely not meant, or None.

    :param network: the network to ban.
    :param session: see `addresses_of_session`.
    """
    for address in session:
        if address.version == network.version and address in network:
            return f"your own session comes from {address}"
    if network.prefixlen < _BROADEST[network.version]:
        return f"it is broader than a /{_BROADEST[network.version]}"
    return None


class Doubts:
    """The same of many networks, as text."""

    def __init__(self) -> None:
        """Look for the addresses of this session."""
        self._session = addresses_of_session()
        self._texts = {text_around(address, 32, 128) for address in self._session}

    def of(self, network: str) -> str | None:
        """Why a ban is most likely not meant, or None.

        :param network: as `network_text` writes it.
        """
        if "/" not in network and network not in self._texts:
            return None
        return doubt(network_of(network), self._session)


def addresses_of_session() -> set[Address]:
    """The addresses of the SSH sessions that this command was typed in; none: it was typed locally.

    sshd(8) sets SSH_CONNECTION. sudo(8) removes this variable, so look for it in the environments
    of the parent processes, too, as far as this user may read them.
    """
    own = [f"{name}={value}" for name, value in os.environ.items()]
    words = [*own, *(word for pid in _parents() for word in _environment(pid))]
    found = set()
    for word in words:
        name, _, value = word.partition("=")
        if name in ("SSH_CONNECTION", "SSH_CLIENT"):
            address = parse_address(value.partition(" ")[0])
            if address is not None:
                found.add(address)
    return found


def _parents() -> Iterator[int]:
    pid = os.getppid()
    for _ in range(_MOST_PARENTS):
        if pid <= 1:
            return
        yield pid
        try:
            # proc_pid_stat(5): "PID (NAME) STATE PPID …"; the name may have anything in it.
            stat = Path(f"/proc/{pid}/stat").read_bytes()
            pid = int(stat.rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return


def _environment(pid: int) -> list[str]:
    try:
        content = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return []
    return content.decode(errors="replace").split("\0")
