"""`Entry`, with what is done with each entry in C: see pyruse-contrib/pyruse-native."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

from pyruse.system.native import native
from pyruse.text import encodable


def in_c(entry: type, as_text: Callable[[Any], str], gone: str) -> type:
    """The class of entries, with those methods in C that pyruse-native has.

    :param entry: the class in Python: what is not in C stays as it is, and so do the error texts.
    :param as_text: makes a text of a value.
    :param gone: what is said when a field is read of an entry that is past.
    :return: the class that was given, where pyruse-native is not used.
    """
    module = native()
    if module is None:
        return entry
    methods = vars(entry)
    core = module.with_help(
        as_text=as_text,
        encodable=encodable,
        set_many=methods["set_many"],
        set_one=methods["__setitem__"],
        remove=methods["__delitem__"],
        gone=gone,
    )
    kept = {
        name: value
        for name, value in vars(entry).items()
        if name not in {*vars(core), *vars(entry)["__slots__"], "__abstractmethods__", "_abc_impl"}
    }
    kept |= {"__doc__": entry.__doc__, "__module__": entry.__module__, "__slots__": ()}
    made = type(entry)(entry.__name__, (core, MutableMapping), kept)
    module.entries_are(made)
    return made
