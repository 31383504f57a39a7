"""Opens journal files: with pyruse-native where it is installed, else with systemd-python."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pyruse.journal.archive import is_whole
from pyruse.system.native import native

if TYPE_CHECKING:
    from collections.abc import Sequence

    from systemd import journal


def open_files(paths: Sequence[str]) -> journal.Reader:
    """A reader of some files, at no entry yet.

    :raises OSError: one of them cannot be opened.
    """
    module = native()
    if module is None:
        from systemd import journal

        return journal.Reader(files=list(paths))
    reader = module.Reader(files=list(paths), whole=[is_whole(path) for path in paths])
    return cast("journal.Reader", reader)
