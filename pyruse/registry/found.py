"""A plugin that was found in a package or a file: checked and loaded when it is asked for."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from pyruse import errors
from pyruse.api.traits import Traits
from pyruse.errors import UserError, did_you_mean
from pyruse.registry.kinds import KIND
from pyruse.text import one_line, shortened


class PluginError(UserError):
    """A plugin that cannot be used: names where it comes from and what to do."""


class Found(ABC):
    """A plugin of a package (`pyruse.registry.packages`) or of a file (`pyruse.registry.files`)."""

    distribution: str | None = None
    """The package that it comes from; None: it comes from a file."""
    version: str | None = None
    file: Path | None = None
    """The file that it comes from; None: it comes from a package."""

    def __init__(self, group: str, name: str) -> None:
        """Load nothing yet.

        :param group: one of `FILTERS`, `ACTIONS`, `EXTENSIONS`.
        """
        self.group = group
        self.name = name

    @property
    @abstractmethod
    def origin(self) -> str:
        """Where it comes from: ``pyruse-geoip 1.0``, ``/etc/pyruse/plugins/mine.py``."""

    @property
    def kind(self) -> str:
        """Such as ``filter``."""
        return KIND[self.group]

    @property
    def described(self) -> str:
        """Such as ``filter "geoip" of pyruse-geoip 1.0``."""
        return f'{self.kind} "{self.name}" of {self.origin}'

    @abstractmethod
    def load(self) -> Any:
        """Give the class (of an extension, also: the module), after it is checked.

        :raises PluginError: it cannot be loaded, or it is no plugin of its kind.
        """

    @abstractmethod
    def error(self, fault: str, part: str | None = None) -> PluginError:
        """An error about this plugin.

        :param fault: what is wrong, and what is expected.
        :param part: the hook or the option that the fault is in.
        """


def in_words(fault: BaseException) -> str:
    """An exception on one line, not too long."""
    return shortened(one_line(errors.in_words(fault)), 300)


def why_not_imported(fault: BaseException) -> str:
    """What a module raised while it ran, with the name of a trait that it has misspelt."""
    # msgspec's words, without the name of the class: a Python function would begin with its own.
    text = errors.in_words(fault)  # its own text may raise anything
    keyword = re.fullmatch(r"TypeError: Unexpected keyword argument '(\w+)'", text)
    hint = ""
    if keyword is not None:
        hint = did_you_mean(keyword[1], Traits.__struct_fields__)
    return in_words(fault) + hint
