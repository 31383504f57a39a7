"""The report's table of file systems: how full they are, and when they will be."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from pyruse import EVENTS, Column, Context, Duration, Report, hookimpl
from pyruse_plugins.summaries._daily import Daily
from pyruse_plugins.summaries._sums import cell, check_positive, median

_MOUNTS, _TYPES = Path("/proc/self/mountinfo"), Path("/proc/filesystems")
_OTHERS = frozenset({"zfs", "bcachefs"})
"""Types that keep data on disks, though they name no device."""
_FIXED = frozenset({"squashfs", "erofs", "iso9660", "udf", "cramfs", "romfs"})
"""Types that are always full."""
_MOST = 100  # file systems that are looked at
_TREND = 30  # days
_FAR = 365 * 86_400  # seconds: nobody asks what comes later
_GRAVE = 0.97


class Space(NamedTuple):
    """How full a file system is. Sizes are bytes."""

    used: int
    free: int
    """What users may still take; root may have some more."""
    inodes: float
    """The part of the inodes that is used; 0 where there is no limit."""

    @property
    def fullest(self) -> float:
        """The part that is used, of the space or of the inodes."""
        return max(self.share, self.inodes)

    @property
    def share(self) -> float:
        """The part that is used, as df(1) has it."""
        return self.used / ((self.used + self.free) or 1)


@dataclass(eq=False, repr=False)
class DiskSpaceSummary:
    """Tell in each report how full the disks are, how that has changed, and when they will be full.

    Pyruse looks at the end of the day at what is mounted from disks of this machine; not at what
    comes over the network. When a disk will be full is told by the trend of the last 30 days.
    What is fuller than `full` percent, or will be full within `within`, needs attention.

    Pyruse's unit does not let it see `/home`, `/root` and `/run/user` (`ProtectHome=`): where one
    of them is a disk of its own, `ProtectHome=read-only` shows it.

    ```toml
    [plugins.disk_space_summary]
    full = 95
    within = "3d"
    ignore = ["/srv/archive"]
    ```
    """

    full: int = 90
    """From so many percent on, of the space or of the inodes, a disk needs attention."""
    within: Duration = field(default_factory=lambda: Duration(days=7))
    """It does, too, when it will be full in so much time."""
    ignore: list[str] = field(default_factory=list)
    """The paths of file systems that are not told of."""
    top: int = 15
    """How many file systems are listed, the fullest first; the others are only counted."""

    def __post_init__(self) -> None:
        check_positive(top=self.top)
        if not 1 <= self.full <= 100:
            raise ValueError(f"full = {self.full} is no percentage (expected 1 to 100)")
        self._daily = Daily(
            "disk_space_summary", lambda: {path: [*one] for path, one in measured()}
        )

    @hookimpl
    def contribute_to_report(self, report: Report, context: Context) -> None:
        seen = self._daily.until(report, context)
        if not report.days or max(report.days) not in seen:
            return
        days = {
            day: {path: Space(*one) for path, one in spaces.items() if path not in self.ignore}
            for day, spaces in seen.items()
        }
        today = days[max(report.days)]
        ordered = sorted(
            today, key=lambda path: (-max(today[path].share, today[path].inodes), path)
        )
        rows = [self._row(report, path, days) for path in ordered]
        columns = [
            Column("File system"), Column("Size", "bytes"), Column("Free", "bytes"),
            Column("Used", "share"), Column("Inodes", "share"), Column("Change", "bytes"),
            Column("Full in", "duration"),
        ]  # fmt: skip
        report.add_summary(
            "disk-space", "Disk space", columns, rows[: self.top],
            left_out=max(0, len(rows) - self.top),
            emphasis=[
                at for at, path in enumerate(ordered[: self.top]) if self._is_full(today[path])
            ],
        )  # fmt: skip
        for path in ordered[:1]:
            before = [
                spaces[path].share for day, spaces in days.items()
                if path in spaces and day != max(report.days)
            ]  # fmt: skip
            usual = median(before) if before else None
            report.compare(f"Fullest disk ({cell(path)})", today[path].share, usual, "share")

    def _row(
        self, report: Report, path: str, days: Mapping[str, Mapping[str, Space]]
    ) -> list[object]:
        known = [(day, spaces[path]) for day, spaces in days.items() if path in spaces]
        _, now = known[-1]
        rest = seconds_left(known[-_TREND:])
        self._attend(report, path, now, rest)
        return [
            cell(path), now.used + now.free, now.free, now.share, now.inodes or None,
            now.used - known[-2][1].used if len(known) > 1 else None,
            rest if rest is not None and rest < _FAR else None,
        ]  # fmt: skip

    def _is_full(self, space: Space) -> bool:
        return space.fullest * 100 >= self.full

    def _attend(self, report: Report, path: str, space: Space, rest: float | None) -> None:
        grave = EVENTS["disk full"].weight
        if self._is_full(space):
            what = "" if space.share >= space.inodes else " of inodes"
            text = f"{cell(path)} is {space.fullest:.0%} full{what}"
            weight = grave if space.fullest >= _GRAVE else grave - 15
        elif rest is not None and rest <= self.within.total_seconds():
            days = max(1, round(rest / 86_400))
            text = f"{cell(path)} will be full in {days} day{'s' if days > 1 else ''}"
            text += f" if it goes on like this ({space.share:.0%} now)"
            weight = grave - 20
        else:
            return
        report.attend(text, max(1, weight), cause=f"disk full {path}")

    @hookimpl
    def on_day_end(self, report: Report, context: Context) -> None:
        self._daily.keep(report, context)


def seconds_left(known: Sequence[tuple[str, Space]]) -> float | None:
    """When a file system will be full, by the median of the slopes between any two days.

    So a day on which much was written, or removed, does not decide it. None: it does not grow, or
    fewer than four days are known.
    """
    if len(known) < 4:
        return None
    slopes = [
        (later.used - earlier.used) / (date.fromisoformat(b) - date.fromisoformat(a)).days
        for (a, earlier), (b, later) in combinations(known, 2)
    ]
    growth = median(slopes)  # bytes a day
    return known[-1][1].free / growth * 86_400 if growth > 0 else None


def measured() -> Iterator[tuple[str, Space]]:
    """How full the file systems on disks of this machine are, by where they are mounted."""
    for _, path, device in zip(range(_MOST), *_split(_mounted()), strict=False):
        try:
            found = os.statvfs(path)
            if device is not None and os.stat(path).st_dev != device:
                continue  # something else is mounted over it
        except OSError:
            continue  # nobody may look at it
        if found.f_blocks:
            free = found.f_bavail * found.f_frsize
            used = (found.f_blocks - found.f_bfree) * found.f_frsize
            inodes = 1 - found.f_favail / found.f_files if found.f_files else 0.0
            yield path, Space(used, free, inodes)


def _split(mounted: Mapping[str, int | None]) -> tuple[Sequence[str], Sequence[int | None]]:
    return list(mounted), list(mounted.values())


def _mounted() -> dict[str, int | None]:
    """Where file systems are mounted, each once, with its device where the kernel tells it."""
    on_disks = {line.strip() for line in _TYPES.read_text().splitlines() if "nodev" not in line}
    wanted = (on_disks | _OTHERS) - _FIXED
    found: dict[str, tuple[str, int | None]] = {}
    for line in _MOUNTS.read_text(errors="replace").splitlines():
        # proc_pid_mountinfo(5)
        fields, _, rest = line.partition(" - ")
        _, _, number, _, path, *_ = fields.split()
        type_, source, options, *_ = [*rest.split(), "", "", ""]
        path = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), path)
        is_root = type_ == "overlay" and path == "/"
        # Of the unit's sandbox, everything is read-only; the file system itself may not be.
        if (type_ not in wanted and not is_root) or "ro" in options.split(","):
            continue
        major, minor = map(int, number.split(":"))
        # Each subvolume of btrfs has a device of its own.
        device = None if type_ == "btrfs" else os.makedev(major, minor)
        key = source if source.startswith("/") else number
        if key not in found or len(path) < len(found[key][0]):
            found[key] = path, device
    return dict(found.values())
