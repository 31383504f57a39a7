"""The package pyruse-native, where it is installed: the reader and the entries in C.

It is a choice of the administrator's, and changes nothing but the time that entries take. Without
it, or with ``PYRUSE_NATIVE=0`` in the environment, all is done in Python. With ``PYRUSE_NATIVE=1``
it is a fault if it is not there: for tests.
"""

from __future__ import annotations

import os
from functools import cache
from types import ModuleType

VARIABLE = "PYRUSE_NATIVE"
_INTERFACE = 8
"""What the two packages expect of each other (``pyruse_native.INTERFACE``)."""


@cache
def native() -> ModuleType | None:
    """The package, where it is to be used."""
    module, _ = _found()
    return module


@cache
def refusal() -> str | None:
    """Why the package is installed but not used, in a line; None: it is used, or not there."""
    _, fault = _found()
    return fault


def at_work() -> str | None:
    """The name and version of the package, where it is at work; None: Python is."""
    module = native()
    return None if module is None else f"pyruse-native {module.__version__}"


@cache
def _found() -> tuple[ModuleType | None, str | None]:
    if os.environ.get(VARIABLE) == "0":
        return None, None
    try:
        import pyruse_native as module
    except ModuleNotFoundError as fault:
        if fault.name == "pyruse_native" and os.environ.get(VARIABLE) != "1":
            return None, None
        return None, _refused(str(fault))
    except ImportError as fault:  # of another machine, or without libsystemd
        return None, _refused(str(fault))
    found = getattr(module, "INTERFACE", None)
    if found != _INTERFACE:
        return None, _refused(f"its interface is {found}")
    return module, None


def _refused(why: str) -> str:
    return (
        f"pyruse-native is not used: {why} (expected one for this version of Pyruse: "
        "`pip install --upgrade 'pyruse[native]'`)"
    )
