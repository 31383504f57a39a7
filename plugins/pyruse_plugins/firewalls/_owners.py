"""Tells which Pyruse has a table, or sets, and whether that one runs.

The kernel has the name of the owner, in a part of the table that does nothing else. Whoever runs
has a socket of this name (unix(7), abstract addresses): such names belong to a network namespace,
as tables and sets do, and the kernel takes them back when a process ends, however it does.
"""

from __future__ import annotations

import errno
import socket

OWNER = r"[0-9a-f]{12}(?:_[2-9])?"
_MOST = 9
"""So many Pyruses may share a machine, or one state in copies."""


class Beacon:
    """Shows that this owner runs."""

    def __init__(self, owner: str) -> None:
        """Show it.

        :param owner: of the state; of a copy of the state that runs already, the name is another.
        :raises OSError: this process has no descriptors left.
        """
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        for number in range(1, _MOST + 1):
            self.owner = numbered(owner, number)
            try:
                self._socket.bind(_address(self.owner))
            except OSError as fault:
                if fault.errno == errno.EADDRINUSE:
                    continue
                self._socket.close()
                raise
            return
        # Nobody has that many copies: somebody takes the names on purpose, and gains nothing.
        self.owner = owner

    def close(self) -> None:
        """Show it no longer."""
        self._socket.close()


def runs(owner: str) -> bool:
    """Whether an owner runs."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as one:
        try:
            one.connect(_address(owner))
        except ConnectionRefusedError:
            return False
        return True


def numbered(name: str, number: int) -> str:
    """The first name is as it is; those after it have a number."""
    return name if number == 1 else f"{name}_{number}"


def free(owners: dict[int, set[str]], mine: str) -> int | None:
    """Which of several places is this owner's: the one that it has, else the first free one.

    What is left of an owner that runs no more is free.

    :param owners: who has each place, by its number from 1 on.
    :param mine: this owner.
    :return: the number; None: all belong to others that run.
    """
    for number in range(1, _MOST + 1):
        if mine in owners.get(number, ()):
            return number
    for number in range(1, _MOST + 1):
        if not any(map(runs, owners.get(number, ()))):
            return number
    return None


def _address(owner: str) -> str:
    return f"\0pyruse/{owner}"
