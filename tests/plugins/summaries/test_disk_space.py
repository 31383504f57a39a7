"""The table of file systems: what is measured, kept, told and cried about."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from pyruse.errors import ConfigError
from pyruse_plugins.summaries import _daily, disk_space
from pyruse_plugins.summaries.disk_space import Space
from tests.plugins.summaries.conftest import glances, table

GB = 1 << 30


class Disks:
    """What a machine with some disks shows."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, clock) -> None:
        self.spaces: dict[str, Space] = {}
        self.looked = 0
        monkeypatch.setattr(disk_space, "measured", self._measured)
        monkeypatch.setattr(_daily, "now", lambda: clock.now)

    def _measured(self):
        self.looked += 1
        return self.spaces.items()

    def use(self, path: str, used: float, size: float, inodes: float = 0.0) -> None:
        self.spaces[path] = Space(int(used * GB), int((size - used) * GB), inodes)


@pytest.fixture
def disks(monkeypatch, clock):
    return Disks(monkeypatch, clock)


def test_how_full_how_that_changed_and_when_it_will_be_full(machine, disks):
    here = machine(["sshd"])
    for day in range(5):
        disks.use("/", 40, 100, 0.25)
        disks.use("/var", 50 + 10 * day, 200)
        report = here.ends_day()
    assert (
        table(report, "disk-space")
        == """\
# Disk space
File system | Size | Free | Used | Inodes | Change | Full in
/var | 200 GiB | 110 GiB | 45% |  | 10 GiB | 11 d
/ | 100 GiB | 60 GiB | 40% | 25% | 0 B |
"""
    )
    assert glances(report)["Fullest disk (/var)"] == (0.45, pytest.approx(0.325))
    assert report.attention == []


def test_what_is_full_or_soon_will_be_needs_attention(machine, disks):
    here = machine(["sshd"])
    for day in range(5):
        disks.use("/srv", 99, 100)
        disks.use("/full", 91, 100)
        disks.use("/inodes", 1, 100, 0.95)
        disks.use("/var", 10 + 10 * day, 100)
        report = here.ends_day()
    assert [(one.text, one.weight, one.cause) for one in report.attention] == [
        ("/srv is 99% full", 80, "disk full /srv"),
        ("/inodes is 95% full of inodes", 65, "disk full /inodes"),
        ("/full is 91% full", 65, "disk full /full"),
        ("/var will be full in 5 days if it goes on like this (50% now)", 60, "disk full /var"),
    ]
    assert [line[:9] for line in table(report, "disk-space").splitlines()[2:]] == [
        "* /srv | ", "* /inodes", "* /full |", "/var | 10",
    ]  # fmt: skip


def test_a_single_large_file_is_no_trend(machine, disks):
    here = machine(["sshd"])
    for used in (10, 10, 10, 10, 60):
        disks.use("/", used, 100)
        report = here.ends_day()
    assert report.attention == []
    assert (
        table(report, "disk-space").splitlines()[-1] == "/ | 100 GiB | 40 GiB | 60% |  | 50 GiB |"
    )


def test_a_report_that_is_shown_again_has_what_it_had(machine, disks):
    here = machine(["sshd"])
    disks.use("/", 10, 100)
    first = here.ends_day()
    disks.use("/", 20, 100)
    here.ends_day()
    looked = disks.looked
    again = here.flow.engine.report(first.title)
    assert table(again, "disk-space") == table(first, "disk-space")
    assert disks.looked == looked


def test_a_day_that_is_long_over_is_not_measured(machine, disks, monkeypatch, clock):
    here = machine(["sshd"])
    disks.use("/", 10, 100)
    monkeypatch.setattr(_daily, "now", lambda: clock.now + timedelta(days=2))
    assert here.ends_day().summaries == []
    assert disks.looked == 0


def test_what_is_ignored_is_not_told_of(machine, disks):
    options = 'ignore = ["/srv"]\nfull = 95\ntop = 1\n'
    here = machine(["sshd"], f"[plugins.disk_space_summary]\n{options}")
    disks.use("/srv", 99, 100)
    disks.use("/", 94, 100)
    disks.use("/var", 1, 100)
    report = here.ends_day()
    assert report.attention == []
    assert [line.split(" | ")[0] for line in table(report, "disk-space").splitlines()[2:]] == [
        "/", "+ 1",
    ]  # fmt: skip


def test_a_percentage_that_is_none_is_refused(machine):
    with pytest.raises(ConfigError, match=r"full = 900 is no percentage \(expected 1 to 100\)"):
        machine(["sshd"], "[plugins.disk_space_summary]\nfull = 900\n")


MOUNTS = """\
22 1 8:1 / / ro,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:21 / /proc rw,nosuid - proc proc rw
24 22 8:1 /var/x /srv/bound rw - ext4 /dev/sda1 rw
25 22 8:2 / /srv/with\\040space rw - xfs /dev/sda2 rw
26 22 0:40 / /net rw - nfs4 server:/x rw
27 22 7:0 / /snap/core rw - squashfs /dev/loop0 ro
28 22 11:0 / /media/cd rw - iso9660 /dev/sr0 ro
29 22 0:31 /home /home rw - btrfs /dev/sdb1 rw,subvol=/home
30 22 0:32 /root /root rw - btrfs /dev/sdb1 rw,subvol=/root
31 22 0:50 / /tank/a rw - zfs tank/a rw
32 22 8:3 / /mnt/old rw - ext4 /dev/sda3 ro
33 22 0:60 / /run/user/1000 rw - tmpfs tmpfs rw
"""


def test_only_disks_of_this_machine_are_looked_at(tmp_path: Path, monkeypatch):
    mounts, types = tmp_path / "mountinfo", tmp_path / "filesystems"
    mounts.write_text(MOUNTS)
    types.write_text(
        "nodev\tproc\nnodev\ttmpfs\n\text4\n\txfs\n\tbtrfs\n\tsquashfs\n\tiso9660\nnodev\tzfs\n"
        "nodev\tnfs4\n"
    )
    monkeypatch.setattr(disk_space, "_MOUNTS", mounts)
    monkeypatch.setattr(disk_space, "_TYPES", types)
    assert disk_space._mounted() == {
        "/": os.makedev(8, 1),
        "/srv/with space": os.makedev(8, 2),
        "/home": None,
        "/tank/a": os.makedev(0, 50),
    }


def test_this_machine_is_measured():
    for path, space in disk_space.measured():
        found = os.statvfs(path)
        assert space.used + space.free > 0
        assert space.used + space.free <= found.f_blocks * found.f_frsize
        assert 0 <= space.fullest <= 1


def test_what_is_hidden_by_another_mount_is_not_taken_for_it(monkeypatch, tmp_path):
    monkeypatch.setattr(disk_space, "_mounted", lambda: {str(tmp_path): os.makedev(200, 200)})
    assert list(disk_space.measured()) == []
    monkeypatch.setattr(disk_space, "_mounted", lambda: {str(tmp_path): tmp_path.stat().st_dev})
    assert [path for path, _ in disk_space.measured()] == [str(tmp_path)]
