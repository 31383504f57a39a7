"""The kernel: a disk that begins to fail, memory that runs out, packets that are dropped."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from . import people
from .model import CRITICAL, ERROR, KERN, WARNING, Day, Fields, Line, clock, port, steady_times

_SDB = {
    "_KERNEL_SUBSYSTEM": "scsi",
    "_KERNEL_DEVICE": "+scsi:1:0:0:0",
    "_UDEV_SYSNAME": "1:0:0:0",
}
_BAD_SECTORS = (
    ("03:31:33", 488_281_104),
    ("03:31:41", 488_281_112),
    ("16:10:05", 488_281_120),
)
_CLOSED_PORTS = (
    21, 23, 110, 135, 139, 445, 1433, 1521, 2375, 3306, 3389, 5432, 5900, 6379, 8080, 9200, 11211,
    27017,
)  # fmt: skip


def lines(day: Day, rng: Random) -> Iterator[Line]:
    """All that the kernel logs in a day."""
    for start, sector in _BAD_SECTORS:
        yield from _bad_sector(clock(start), sector)
    yield from _out_of_memory(clock("16:48:30"), day.pid(clock("16:30")))
    for at, closed in zip(
        steady_times(rng, "00:52", 3, len(_CLOSED_PORTS)), _CLOSED_PORTS, strict=True
    ):
        yield _dropped(at, people.PORT_SCAN, closed, rng)
    for at in steady_times(rng, "00:05", 1500, 57):
        yield _dropped(at, f"192.0.2.{rng.randrange(160, 250)}", rng.choice(_CLOSED_PORTS), rng)


def _kernel(at: float, message: str, priority: int, **more: Any) -> Line:
    fields: Fields = {
        "_TRANSPORT": "kernel",
        "PRIORITY": priority,
        "SYSLOG_FACILITY": KERN,
        "SYSLOG_IDENTIFIER": "kernel",
        "MESSAGE": message,
    }
    return Line(at, {**fields, **more})


def _bad_sector(at: float, sector: int) -> Iterator[Line]:
    yield _kernel(at, "ata2.00: exception Emask 0x0 SAct 0x1000 SErr 0x0 action 0x0", ERROR)
    yield _kernel(at + 0.01, "ata2.00: failed command: READ FPDMA QUEUED", ERROR)
    yield _kernel(at + 0.02, "ata2.00: error: { UNC }", ERROR)
    for number, text in enumerate((
        "FAILED Result: hostbyte=DID_OK driverbyte=DRIVER_OK cmd_age=3s",
        "Sense Key : Medium Error [current]",
        "Add. Sense: Unrecovered read error - auto reallocate failed",
        f"CDB: Read(10) 28 00 {sector:08x} 00 00 08 00",
    )):  # fmt: skip
        yield _kernel(at + 0.1 + 0.01 * number, f"sd 1:0:0:0: [sdb] tag#12 {text}", 6, **_SDB)
    where = f"sector {sector} op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 2"
    yield _kernel(at + 0.2, f"I/O error, dev sdb, {where}", ERROR)
    yield _kernel(at + 0.3, "ata2: EH complete", 6)
    fault = "ext4_find_entry:1455: inode #2: comm nightly-backup: reading directory lblock 0"
    yield _kernel(at + 0.4, f"EXT4-fs error (device sdb1): {fault}", CRITICAL)


def _out_of_memory(at: float, pid: int) -> Iterator[Line]:
    name = "php-fpm8.2"
    mask = "gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), order=0, oom_score_adj=0"
    unit = "/system.slice/php8.2-fpm.service"
    killed = "total-vm:1843200kB, anon-rss:1401988kB, file-rss:0kB, shmem-rss:2048kB"
    for number, (text, priority) in enumerate((
        (f"{name} invoked oom-killer: {mask}", WARNING),
        (f"CPU: 1 PID: {pid} Comm: {name} Not tainted 6.1.0-32-amd64 #1", WARNING),
        ("Mem-Info:", WARNING),
        ("Tasks state (memory values in pages):", 6),
        (
            "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,"
            f"global_oom,task_memcg={unit},task={name},pid={pid},uid=33",
            6,
        ),
        (
            f"Out of memory: Killed process {pid} ({name}) {killed}, UID:33 pgtables:3040kB"
            " oom_score_adj:0",
            ERROR,
        ),
        (f"oom_reaper: reaped process {pid} ({name}), now anon-rss:0kB, file-rss:0kB", 6),
    )):  # fmt: skip
        yield _kernel(at + 0.01 * number, text, priority)


def _dropped(at: float, address: str, to_port: int, rng: Random) -> Line:
    """What an nftables rule with ``log prefix "nft-drop: "`` writes."""
    text = (
        f"nft-drop: IN=eth0 OUT= MAC=52:54:00:12:34:56:52:54:00:65:43:21:08:00 SRC={address}"
        f" DST={people.SERVER} LEN=40 TOS=0x00 PREC=0x00 TTL=241 ID={rng.randrange(65536)}"
        f" PROTO=TCP SPT={port(rng)} DPT={to_port} WINDOW=1024 RES=0x00 SYN URGP=0"
    )
    return _kernel(at, text, WARNING)
