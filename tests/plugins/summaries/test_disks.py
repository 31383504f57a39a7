"""The table of disks with faults."""

from __future__ import annotations


def test_disks_arrays_and_file_systems(machine, clock):
    here = machine(["kernel", "mdadm", "smartd"])
    for sector in range(3):
        here.kernel(f"I/O error, dev sda, sector {sector} op 0x0:(READ) flags 0x80700 phys_seg 1")
    clock.advance("5m")
    here.kernel("EXT4-fs error (device sda1): ext4_find_entry:1455: inode #2: comm ls: reading")
    here.says("mdadm", "DegradedArray event detected on md device /dev/md0")
    here.says("smartd", "Device: /dev/sdb [SAT], 8 Currently unreadable (pending) sectors")
    assert (
        here.day()
        == """\
# Faults of disks
Device | What | Why | Times | First | Last
* sda | disk | I/O error | 3 | 12:00:00 | 12:00:00
* /dev/sdb | disk | 8 Currently unreadable (pending) sectors | 1 | 12:05:00 | 12:05:00
* sda1 | file system |  | 1 | 12:05:00 | 12:05:00
* /dev/md0 | array | DegradedArray | 1 | 12:05:00 | 12:05:00
"""
    )


def test_a_day_without_faults_has_none(machine):
    assert machine(["kernel"]).ends_day().summaries == []
