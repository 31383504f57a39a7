"""The report as files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from pyruse import Context, Report, hookimpl

_FORMS = {"html": "html", "txt": "text", "json": "json"}


class ArchiveReport:
    """Keep each day's report in the folder `[report] archive`, where there is one.

    There are three files for a day: `2026-03-14.html`, `2026-03-14.txt` and `2026-03-14.json`;
    with `hosts = "apart"`, also three for each other machine, such as `2026-03-14.web1.html`.
    They are readable by the user that Pyruse runs as and by that user's group (mode 0640), and so
    is the folder when Pyruse makes it (0750). What root makes, as by `pyruse report --send`,
    belongs to the owner of the folder that it is in, so that the daemon may go on there. Nobody
    ever sees half a file, also after a power cut. Pyruse removes none of them.

    ```toml
    [report]
    archive = "/var/lib/pyruse/reports"
    ```
    """

    @hookimpl
    def publish_report(self, report: Report, context: Context) -> None:
        folder = context.archive
        if folder is None:
            return
        _make(folder)
        for suffix, form in _FORMS.items():
            _write(folder / f"{report.name}.{suffix}", context.pieces(report, form))
        _sync(folder)


def _make(folder: Path) -> None:
    """Make a folder, and those above it that are not there."""
    if folder.is_dir():
        return
    try:
        folder.mkdir(mode=0o750)
    except FileNotFoundError:
        _make(folder.parent)
        folder.mkdir(mode=0o750)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _hand_over(handle, folder)
    finally:
        os.close(handle)


def _hand_over(handle: int, path: Path) -> None:
    """Let what root has made belong to the owner of the folder that it is in."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(handle, owner.st_uid, owner.st_gid)


def _write(file: Path, pieces: Iterable[str]) -> None:
    """Put a file in its place as a whole: rename(2) replaces it in one step."""
    # Always the same name: what a crash left behind is overwritten the next time.
    new = file.with_name(f".{file.name}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with open(os.open(new, flags, 0o640), "w", encoding="utf-8") as stream:
            os.fchmod(stream.fileno(), 0o640)  # whatever the umask
            _hand_over(stream.fileno(), file)
            stream.writelines(pieces)
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(file)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def _sync(folder: Path) -> None:
    """Have the new names themselves written to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
