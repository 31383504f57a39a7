"""The report as files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from pyruse import Context, Duration, Report, hookimpl, time_us_of

Suffix = Literal["html", "txt", "json"]
_FORMS: dict[Suffix, str] = {"html": "html", "txt": "text", "json": "json"}
_DAY = datetime(2026, 11, 29, 23, tzinfo=UTC)
"""A Sunday: whatever a name has of a day is another on the next one."""
_UNFIT = re.compile(r"(?:^|/)\.\.?(?:/|$)|//|^/|/$|[\x00-\x1f\x7f]")


@dataclass(eq=False, repr=False)
class ArchiveReport:
    """Keep each day's report in the folder `[report] archive`, where there is one.

    There are three files for a day: `2026-03-14.html`, `2026-03-14.txt` and `2026-03-14.json`;
    with `hosts = "apart"`, also three for each other machine, such as `2026-03-14.web1.html`.
    They are readable by the user that Pyruse runs as and by that user's group (mode 0640), and so
    is the folder when Pyruse makes it (0750). What root makes, as by `pyruse report --send`,
    belongs to the owner of the folder that it is in, so that the daemon may go on there. Nobody
    ever sees half a file, also after a power cut.

    ```toml
    [report]
    archive = "/var/lib/pyruse/reports"

    [plugins.archive_report]
    name = "%Y/%m/%d"
    expire = "52w"
    url = "https://intranet.example.org/reports"
    ```
    """

    name: str = ""
    """The name of the files, without their ends, as in strftime(3), of the first day that a report
    tells of: `"%Y/%m/%d"` makes folders of years and months. By default, the day as
    `2026-03-14`. Weeks, months and machines have names of their own, after it."""
    forms: list[Suffix] = field(default_factory=lambda: list(_FORMS))
    """Which files there are: `html`, `txt`, `json`."""
    expire: Duration | None = None
    """Reports whose files were written so long ago are removed; by default, none is. Other files in
    the folder stay."""
    url: str | None = None
    """Where people find the folder, for mails that tell where the report is."""

    def __post_init__(self) -> None:
        if self.name and _UNFIT.search(self.name):
            raise ValueError(
                f'name = "{self.name}" is no name of a file in the folder (expected one such as '
                '"%Y/%m/%d")'
            )
        first, second = (_DAY + timedelta(days=days) for days in (0, 1))
        if self.name and f"{first:{self.name}}" == f"{second:{self.name}}":
            raise ValueError(
                f'name = "{self.name}" is the same on many days (expected one such as "%Y/%m/%d")'
            )
        if not self.forms:
            raise ValueError(f"forms is empty (expected some of: {', '.join(_FORMS)})")

    @hookimpl
    def publish_report(self, report: Report, context: Context) -> None:
        folder = context.archive
        if folder is None:
            return
        name = self._name(report)
        _make((folder / name).parent)
        for suffix in dict.fromkeys(self.forms):
            _write(folder / f"{name}.{suffix}", context.pieces(report, _FORMS[suffix]))
        _sync((folder / name).parent)
        if self.expire is not None and report.every == "day":
            before = time_us_of(report.end) / 1_000_000 - self.expire.total_seconds()
            _remove_old(folder, self._names(), before)

    def place(self, report: Report, folder: Path) -> str:
        """Where a report is, as people find it."""
        suffix = "html" if "html" in self.forms else self.forms[0]
        name = f"{self._name(report)}.{suffix}"
        return str(folder / name) if self.url is None else f"{self.url.rstrip('/')}/{quote(name)}"

    def _name(self, report: Report) -> str:
        if not self.name:
            return report.name
        after = report.name
        if report.every == "day":
            after = report.name.removeprefix(report.title).removeprefix(".")
        return f"{report.begin:{self.name}}" + (f".{after}" if after else "")

    def _names(self) -> re.Pattern[str]:
        """What the names of reports look like, below the folder."""
        if not self.name:
            name = r"\d{4}-(?:\d\d-\d\d|\d\d|W\d\d)"
        else:
            # Codes that give numbers, and the others.
            name = re.escape(re.sub(r"%[-_0^#]?", "%", self.name))
            name = re.sub(r"%[dmyYHMSjUWVGu]", lambda _: r"\d+", name)
            name = re.sub(r"%[A-Za-z%]", lambda _: "[^/]+", name)
        return re.compile(rf"{name}(?:\.[^/]+)?\.(?:{'|'.join(_FORMS)})")


def _remove_old(folder: Path, names: re.Pattern[str], before: float) -> None:
    """Remove the files of reports that were last written before an instant.

    :param folder: the archive.
    :param names: what the names of reports look like; what somebody else keeps there stays.
    :param before: in seconds since the epoch.
    """
    for where, _, files in os.walk(folder, topdown=False):
        for file in (Path(where, name) for name in files):
            if not names.fullmatch(str(file.relative_to(folder))):
                continue
            with suppress(OSError):
                if file.lstat().st_mtime < before:
                    file.unlink()
        if (path := Path(where)) != folder and names.pattern.count("/"):
            with suppress(OSError):  # it is not empty
                path.rmdir()


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
