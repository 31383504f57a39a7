"""What fails is one thing, though many lines tell of it."""

from __future__ import annotations

import pytest

from pyruse.kinds.causes import cause, device


@pytest.mark.parametrize(
    ("name", "known_as"),
    [
        ("sda", "sda"),
        ("/dev/sda", "sda"),
        ("/dev/sda1", "sda"),
        ("sdaa12.", "sdaa"),
        ("vda2", "vda"),
        ("nvme0n1p2", "nvme0"),
        ("/dev/nvme0n1", "nvme0"),
        ("/dev/nvme0", "nvme0"),
        ("mmcblk0p1", "mmcblk0"),
        ("md127p1", "md127"),
        ("/dev/md0", "md0"),
        ("dm-0", "dm-0"),
        ("/dev/mapper/vg-root", "vg-root"),
        ("cciss!c0d0", "cciss/c0d0"),
        ("", ""),
    ],
)
def test_parts_of_a_disk_are_the_disk(name: str, known_as: str) -> None:
    assert device(name) == known_as


def test_whatever_happens_to_a_device_it_is_the_cause() -> None:
    assert cause("disk fault", "device", "/dev/sda") == "device sda"
    assert cause("file system fault", "device", "sda1") == "device sda"


def test_other_events_have_causes_of_their_own() -> None:
    assert cause("denied", "user", "root") != cause("login", "user", "root")
