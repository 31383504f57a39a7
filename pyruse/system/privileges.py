"""What Pyruse's process may do, and what it hands on to programs (capabilities(7))."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4  # prctl(2)


def keep_from_programs() -> None:
    """Let no program that this thread starts have the capabilities that the unit gives Pyruse.

    The capabilities are for firewalls. sendmail must not have them, nor the programs of `run`
    actions, whose arguments may come from log lines.
    """
    with suppress(Exception):  # where it cannot be loaded: then they have what Pyruse has
        import ctypes

        ctypes.CDLL(None).prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)


def no_new_privileges(pid: int | str = "self") -> bool:
    """Whether set-user-ID and set-group-ID have no effect on programs (prctl(2), proc(5)).

    :param pid: of the process that starts the programs; by default, this one.
    """
    try:
        return "\nNoNewPrivs:\t1\n" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
