"""Reads journals with libsystemd and directly, call by call, and says where they differ.

    python -m tests.journal.both_ways SEED [--damaged NUMBER]

Needs pyruse-native. Each set of files is made anew: of one writer and of several, rotated and side
by side, from several boots, with clocks that were set back. ``--damaged`` reads so many sets of
which bytes were changed: then no entry may be given that differs from what libsystemd gives, none
that it gives may be missing, and the process has to live.
"""

from __future__ import annotations

import argparse
import os
import random
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyruse_native

from pyruse.entry.decoding import Decoder
from pyruse.entry.entry import Entry
from pyruse.journal.archive import is_whole
from pyruse.journal.selection import JournalError, Selection
from pyruse.system.bus_errors import bus_errors
from pyruse.testing.journal import FIRST_TIME, journal_remote, write_export

FIELDS = ["MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "_UID", "_PID", "LONG", "MANY", "TIME"]
ASKED = [*FIELDS, "NONE", "__CURSOR", "ip", "", "_" * 70]
HEADER_SIZE, STATE, SEQNUM_ID, ENTRIES, TAIL, HEAD, ARRAY = 88, 16, 72, 152, 160, 168, 176
OFFLINE, ONLINE, ARCHIVED = 0, 1, 2


class Owner:
    """What a reader's entries are given to."""

    no_later, _until, _last_us = 1 << 62, None, 0
    decoder = Decoder()

    def __init__(self, raw: Any) -> None:
        self.raw, self.position, self.fault = raw, 0, 0

    def _go_on(self, _limit: int, _time_us: int, fault: int) -> Iterator[Entry]:
        self.fault = fault
        return iter(())

    def read(self, name: str) -> Any:
        """The value of a field that is more than text."""
        try:
            return self.decoder(name, self.raw._get(name))
        except (KeyError, ValueError):
            return None


def tried(call: Callable[[], Any]) -> Any:
    """What a call gives, or raises."""
    try:
        return call()
    except (KeyError, OSError, ValueError) as fault:
        return type(fault).__name__, getattr(fault, "errno", 0)


def made(chance: random.Random, index: int) -> dict[str, Any]:
    """The fields of an entry."""
    fields: dict[str, Any] = {
        "MESSAGE": chance.choice(["one", "é\x1b[1m", f"entry {index}", b"\xff\x00", "x" * 700]),
        "PRIORITY": chance.choice([3, 6, 6, "many"]),
        "SYSLOG_IDENTIFIER": chance.choice(["sshd", "cron", "kernel"]),
        "_UID": chance.choice([0, 1000]),
        "TIME": index,
    }
    if chance.random() < 0.3:
        fields["MANY"] = ["a", "b", chance.choice("abc")]
    if chance.random() < 0.05:
        fields["LONG"] = "y" * chance.choice([300, 70_000, 200_000])
    if chance.random() < 0.2:
        fields["_PID"] = chance.randrange(99)
    return fields


def written(path: Path, entries: list[dict[str, Any]], *, compact: bool) -> Path:
    """A file as systemd writes it: compressed."""
    export = path.with_suffix(".export")
    write_export(export, entries)
    subprocess.run(
        [journal_remote(), f"--output={path}", "--split-mode=none", "--compress=yes", export],
        env={**os.environ, "SYSTEMD_JOURNAL_COMPACT": str(int(compact)), "SYSTEMD_LOG_LEVEL": "3"},
        check=True,
    )  # fmt: skip
    export.unlink()
    return path


def renumbered(path: Path, writer: bytes, numbers: list[int], state: int) -> None:
    """Make a file's entries another writer's, with these sequence numbers."""
    data = bytearray(path.read_bytes())
    width = 4 if data[12] & 16 else 8
    offsets: list[int] = []
    (array,) = struct.unpack_from("<Q", data, ARRAY)
    while len(offsets) < len(numbers):
        size, following = struct.unpack_from("<QQ", data, array + 8)
        count = min((size - 24) // width, len(numbers) - len(offsets))
        offsets += struct.unpack_from(f"<{count}{'I' if width == 4 else 'Q'}", data, array + 24)
        array = following
    for offset, number in zip(offsets, numbers, strict=True):
        struct.pack_into("<Q", data, offset + 16, number)
    data[STATE], data[SEQNUM_ID : SEQNUM_ID + 16] = state, writer
    struct.pack_into("<QQ", data, TAIL, numbers[-1], numbers[0])
    # Without the room at the end: a file is written anew thousands of times.
    header_size, _, *_, last = struct.unpack_from("<7Q", data, HEADER_SIZE)
    end = last + (struct.unpack_from("<Q", data, last + 8)[0] + 7) // 8 * 8
    struct.pack_into("<Q", data, HEADER_SIZE + 8, end - header_size)
    del data[end:]
    path.write_bytes(data)


def files(chance: random.Random, folder: Path, *, sets_clock: bool) -> list[Path]:
    """The files of one machine, as rotation leaves them: each writer's in turn, some at a time."""
    count, writers = chance.choice([20, 100, 200]), chance.choice([1, 1, 2, 3])
    has_one_id = chance.random() < 0.5
    ids = [chance.randbytes(16)] * writers if has_one_id else chance.sample(
        [bytes([number]) * 16 for number in range(1, 9)], writers
    )  # fmt: skip
    realtime, monotonic, boot = FIRST_TIME, 10**6, f"{chance.getrandbits(128):032x}"
    parts: list[dict[int, list[tuple[int, dict[str, Any]]]]] = [{}]
    for index in range(1, count + 1):
        if chance.random() < 0.02:
            monotonic, boot = 10**6, f"{chance.getrandbits(128):032x}"
            # With several writers, libsystemd gives now these entries, now those: none is right.
            if sets_clock and (has_one_id or writers == 1):
                realtime -= chance.choice([0, 10**6, 10**9])
        if chance.random() < 0.02:
            parts.append({})
        step = chance.choice([1, 10, 10**6])
        realtime, monotonic = realtime + step, monotonic + step
        entry = {
            **made(chance, index), "_BOOT_ID": boot,
            "__REALTIME_TIMESTAMP": realtime, "__MONOTONIC_TIMESTAMP": monotonic,
        }  # fmt: skip
        parts[-1].setdefault(chance.randrange(writers), []).append((index, entry))
    found = []
    for number, part in enumerate(parts):
        for writer, entries in part.items():
            is_last = number == len(parts) - 1 and chance.random() < 0.7
            name = "" if is_last else f"@{number:04}"
            path = folder / f"user-{writer}{name}.journal"
            state = chance.choice([OFFLINE, ONLINE]) if is_last else ARCHIVED
            written(path, [entry for _, entry in entries], compact=chance.random() < 0.5)
            renumbered(path, ids[writer], [index for index, _ in entries], state)
            found.append(path)
    return found


class Pair:
    """The same files, read both ways."""

    def __init__(self, paths: list[Path]) -> None:
        decoder = Decoder()
        self.raws: list[Any] = [
            pyruse_native.Reader(files=[*map(str, paths)], whole=[is_whole(str(p)) for p in paths])
            for _ in range(2)
        ]
        self.raws[0].is_direct = False
        for raw in self.raws:
            raw.decode_with(decoder, decoder.converters, decoder.longest)
            raw.seek_head()

    def of_each(self, call: Callable[[Any], Any]) -> list[Any]:
        """What both ways give."""
        return [tried(partial(call, raw)) for raw in self.raws]


def read(raw: Any, limit: int, asked: list[str], every: int) -> list[Any]:
    """The next entries, with some of their fields."""
    owner = Owner(raw)
    found: list[Any] = []
    for number, entry in enumerate(raw.entries(owner, Entry, limit)):
        found.append((entry.time_us, [repr(entry.get(name)) for name in asked]))
        if number % every == 0:
            found.append((raw._get_cursor(), raw._get_all(), raw._get_monotonic()))
    return [*found, owner.fault, owner.position]


def call_of(
    chance: random.Random, cursors: list[str], last: int, *, seeks_times: bool
) -> Callable[[Any], Any]:
    """Something that may be done with a reader, and what it says."""
    name, number = chance.choice(ASKED), chance.randrange(1 << 20)
    asked, limit, every = chance.sample(ASKED, 4), chance.choice([1, 7, 50]), chance.choice([3, 99])
    cursor, at = chance.choice(cursors), FIRST_TIME + number % max(1, last - FIRST_TIME)
    calls: list[tuple[int, Callable[[Any], Any]]] = [
        (60, lambda raw: read(raw, limit, asked, every)),
        (5, lambda raw: raw._next()), (3, lambda raw: raw._previous()),
        (3, lambda raw: raw._get(name)), (3, lambda raw: raw._get_all()),
        (3, lambda raw: raw._get_cursor()), (3, lambda raw: raw._get_realtime()),
        (3, lambda raw: raw._get_monotonic()), (2, lambda raw: raw.seek_head()),
        (1, lambda raw: raw.seek_tail()), (seeks_times, lambda raw: raw.seek_realtime(at)),
        (3, lambda raw: (raw.seek_cursor(cursor), raw._next(), raw.test_cursor(cursor))),
        (1, lambda raw: raw.seek_cursor("x")), (1, lambda raw: raw.query_unique("_UID")),
        (1, lambda raw: raw.add_match("_UID=0")), (2, lambda raw: raw.flush_matches()),
    ]  # fmt: skip
    ((_, call),) = chance.choices(calls, [weight for weight, _ in calls])
    return call


def drained(raw: Any) -> list[Any]:
    """All that is to be had."""
    found: list[Any] = []
    owner, faults = Owner(raw), 0
    while faults < 100:
        read_before = owner.position
        for entry in raw.entries(owner, Entry, 50):
            cursor = tried(raw._get_cursor)
            found.append((cursor, entry.time_us, entry.get("MESSAGE"), tried(raw._get_all)))
        if owner.fault:
            faults += 1
        elif owner.position == read_before:
            break
        owner.fault = 0
    return found


def difference(plain: Any, direct: Any) -> str:
    """Where two results begin to differ."""
    if isinstance(plain, list) and isinstance(direct, list):
        for one, other in zip(plain, direct, strict=False):
            if one != other:
                return f"{one!r:.600} is not {other!r:.600}"
    return f"{plain!r:.600} is not {direct!r:.600}"


def compare(seed: int, folder: Path) -> tuple[int, int]:
    """Do the same with both, for a while; gives how many entries there are, and were direct."""
    chance = random.Random(seed)
    sets_clock = chance.random() < 0.3
    paths = files(chance, folder, sets_clock=sets_clock)
    pair = Pair(paths)
    whole, directly = (drained(raw) for raw in pair.raws)
    assert whole == directly, f"seed {seed}: {len(whole)} and {len(directly)} entries"
    cursors, last = [one[0] for one in whole], whole[-1][1]
    for raw in pair.raws:
        raw.seek_head()
    for step in range(100):
        # Where times do not rise, libsystemd finds an instant now here, now there.
        call = call_of(chance, cursors, last, seeks_times=not sets_clock)
        plain, direct = pair.of_each(call)
        assert plain == direct, f"seed {seed}, step {step}: {difference(plain, direct)}"
    return len(whole), pair.raws[1].given_directly


def damaged(chance: random.Random, paths: list[Path]) -> None:
    """Change some bytes of files, more often at the beginning, where more depends on them."""
    for path in chance.sample(paths, min(len(paths), chance.choice([1, 1, 1, 2, 5]))):
        data = bytearray(path.read_bytes())
        used = len(data.rstrip(b"\0"))
        for _ in range(chance.choice([1, 3, 10, 100])):
            begin, end = chance.choice([(8, 272), (272, used), (used // 2, used)])
            at = chance.randrange(begin, max(end, begin + 1))
            data[at] = chance.choice(
                [0, 1, 255, chance.randrange(256), data[at] ^ 1 << chance.randrange(8)]
            )
        if chance.random() < 0.2:
            del data[chance.randrange(len(data) // 4, len(data)) :]
        path.write_bytes(data)


def all_of(paths: list[Path], *, directly: bool) -> tuple[list[Any], int]:
    """All entries of some files, as Pyruse gives them; and how many of them were read directly."""
    found: list[Any] = []
    journal = Selection(files=paths).open(Decoder())
    if not directly:
        journal.read_by_libsystemd()
    (machine,) = journal.machines.values()
    position = -1
    while position != journal.position:
        position = journal.position
        for entry in journal.entries(50):
            cursor = machine.reader.cursor_at(entry.time_us)
            found.append((cursor, entry.time_us, entry.get("MESSAGE"), repr(entry.items())))
    given = machine.reader._raw.given_directly
    journal.close()
    return found, given


def compare_damaged(seed: int, paths: list[Path], whole: dict[Path, bytes]) -> tuple[int, bool]:
    """Read files of which bytes were changed.

    :return: how many entries were read directly; whether anything is missing, or given twice.
    """
    chance = random.Random(seed)
    for path, data in whole.items():
        path.write_bytes(data)
    damaged(chance, paths)
    try:
        plain, _ = all_of(paths, directly=False)
    except JournalError:
        return 0, False
    direct, given = all_of(paths, directly=True)
    rest = iter(direct)
    missing = [one[:2] for one in plain if not any(one == other for other in rest)]
    twice = len(direct) - len({one[0] for one in direct})
    differs = bool(missing) or twice > len(plain) - len({one[0] for one in plain})
    if differs:
        print(f"seed {seed}: {len(plain)} entries, {len(direct)} directly, {twice} of them twice; "
              f"not in turn: {missing[:3]}")  # fmt: skip
    return given, differs


def main() -> int:
    """Compare; :return: the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("seed", type=int)
    parser.add_argument("--sets", type=int, default=20)
    parser.add_argument("--damaged", type=int, default=0)
    options = parser.parse_args()
    bus_errors()
    read_, direct, different = 0, 0, 0
    with tempfile.TemporaryDirectory(prefix="both-ways-") as name:
        for number in range(options.sets):
            folder = Path(name) / str(number)
            folder.mkdir()
            seed = options.seed * 1_000_000 + number
            if options.damaged:
                chance = random.Random(seed)
                paths = files(chance, folder, sets_clock=False)
                whole = {path: path.read_bytes() for path in paths}
                for change in range(options.damaged):
                    given, differs = compare_damaged(seed + change * 1_000, paths, whole)
                    direct, different = direct + given, different + differs
            else:
                both = compare(seed, folder)
                read_, direct = read_ + both[0], direct + both[1]
    print(f"{read_} entries, {direct} directly, {different} sets differ")
    return int(different > 0)


if __name__ == "__main__":
    sys.exit(main())
