"""Opens journal files: with pyruse-native where it is installed, else with systemd-python."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from systemd import journal

from pyruse.system.native import native

if TYPE_CHECKING:
    from collections.abc import Sequence


def open_files(paths: Sequence[str]) -> journal.Reader:
    """A reader of some files, at no entry yet.

    :raises OSError: one of them cannot be opened.
    """
    module = native()
    reader = journal.Reader if module is None else module.Reader
    return cast("journal.Reader", reader(files=list(paths)))
