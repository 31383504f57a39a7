"""Reading real journal files, written by systemd's own tools."""

from __future__ import annotations

import os
import random
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from systemd import journal

from pyruse.entry.decoding import Decoder
from pyruse.journal.journal import Journal
from pyruse.journal.position import Position
from pyruse.journal.raw import open_files
from pyruse.journal.reader import JournalReader
from pyruse.journal.selection import JournalError, Selection
from pyruse.testing.journal import BOOT_ID, FIRST_TIME, make_journal, unavailable
from pyruse.testing.plugin import need

SECOND = 1_000_000
ALL = 1_000_000


@pytest.fixture
def opened(journal_file):
    """``opened(entries)``: a reader at the beginning of a journal with these entries."""
    readers: list[JournalReader] = []

    def make(entries, decoder=None) -> JournalReader:
        readers.append(reader_of(journal_file(entries), decoder=decoder))
        return readers[-1]

    yield make
    for reader in readers:
        reader.close()


def reader_of(*files: Path, decoder: Decoder | None = None) -> JournalReader:
    """A reader at the beginning of files."""
    raw = open_files(list(map(str, files)))
    raw.seek_head()
    return JournalReader(raw, decoder or Decoder())


def messages(reader: JournalReader | Journal, limit: int = ALL) -> list[str | None]:
    return [entry.get("MESSAGE") for entry in reader.entries(limit)]


def test_the_entries_in_their_order(opened):
    reader = opened([{"MESSAGE": "one"}, {"MESSAGE": "two"}, {"MESSAGE": "three"}])
    entries = reader.entries(ALL)
    first = next(entries)
    assert first["MESSAGE"] == "one"
    assert first.time_us == FIRST_TIME
    assert [entry["MESSAGE"] for entry in entries] == ["two", "three"]
    assert messages(reader) == []


class Watched:
    """A raw reader that notes what it is asked for."""

    def __init__(self, file: Path) -> None:
        self._raw = journal.Reader(files=[str(file)])
        self.asked: Counter[str] = Counter()

    def _get(self, field):
        self.asked[field] += 1
        return self._raw._get(field)

    def __getattr__(self, name):
        if name in ("_get_all", "get_next"):
            self.asked[name] += 1
        return getattr(self._raw, name)


def test_a_field_is_read_when_it_is_first_asked_for_and_once(journal_file):
    file = journal_file(
        [{"MESSAGE": "hello", "PRIORITY": 3, **{f"FIELD_{n}": n for n in range(50)}}] * 10
    )
    raw = Watched(file)
    reader = JournalReader(raw, Decoder())
    assert sum(1 for _ in reader.entries(ALL)) == 10
    assert raw.asked == Counter()
    raw.seek_head()
    for entry in reader.entries(ALL):
        for _ in range(3):
            assert entry["PRIORITY"] == 3
            assert entry.get("NOT_THERE") is None
            assert "NOT_THERE" not in entry
        assert entry["__REALTIME_TIMESTAMP"] == entry.time
    # libsystemd refuses the last one, which is not stored, without a look at the entry.
    assert raw.asked == Counter(PRIORITY=10, NOT_THERE=10, __REALTIME_TIMESTAMP=10)


def test_the_types_of_fields(opened):
    (entry,) = opened(
        [
            {
                "MESSAGE": "Session c1 of user alice.",
                "MESSAGE_ID": "8d45620c1a4348dbb17410da57c60c66",
                "PRIORITY": "6",
                "_UID": 0,
                "_PID": 1234,
                "SYSLOG_FACILITY": 10,
                "_SYSTEMD_SESSION": "c1",
                "_SOURCE_REALTIME_TIMESTAMP": FIRST_TIME - 5,
                "CODE_LINE": "42",
                "COREDUMP": b"\x7fELF\0\xff",
            }
        ],
        Decoder(zone=ZoneInfo("Europe/Paris")),
    ).entries(1)
    found = {name: entry[name] for name in entry if not name.startswith("__")}
    noon = datetime(2026, 3, 14, 12, tzinfo=UTC)
    assert found == {
        "_BOOT_ID": uuid.UUID(BOOT_ID),
        "MESSAGE": "Session c1 of user alice.",
        "MESSAGE_ID": uuid.UUID("8d45620c1a4348dbb17410da57c60c66"),
        "PRIORITY": 6,
        "_UID": 0,
        "_PID": 1234,
        "SYSLOG_FACILITY": 10,
        "_SYSTEMD_SESSION": "c1",
        "_SOURCE_REALTIME_TIMESTAMP": noon - timedelta(microseconds=5),
        "CODE_LINE": 42,
        "COREDUMP": b"\x7fELF\0\xff",
    }
    assert entry["__REALTIME_TIMESTAMP"] == noon
    assert str(entry["__REALTIME_TIMESTAMP"]) == "2026-03-14 13:00:00+01:00"
    assert entry["__MONOTONIC_TIMESTAMP"] == timedelta(hours=1)
    assert entry["__CURSOR"].startswith("s=")


def test_whoever_logs_may_put_anything_into_a_field(opened):
    fields = {"PRIORITY": "high", "MESSAGE_ID": "none", "SYSLOG_PID": "", "CODE_LINE": "1e3"}
    (entry,) = opened([fields]).entries(1)
    assert {name: entry[name] for name in fields} == fields


def test_what_is_not_utf8(opened):
    entries = [{"MESSAGE": b"caf\xe9 \x80", "BINARY": bytes(range(256))}]
    (entry,) = opened(entries).entries(1)
    assert entry["MESSAGE"] == "café \x80"
    assert entry["BINARY"] == bytes(range(256)).decode("latin-1")
    (entry,) = opened(entries, Decoder("cp1252")).entries(1)
    assert entry["MESSAGE"] == "café €"
    (entry,) = opened(entries, Decoder("ascii")).entries(1)
    assert entry["MESSAGE"] == "caf\ufffd \ufffd"


def test_a_field_read_by_itself_is_what_the_decoder_makes_of_it(opened):
    fields = {
        "MESSAGE": b"caf\xe9", "TEXT": "日本語", "BINARY": bytes(range(256)), "PRIORITY": "high",
        "_PID": 7, "MESSAGE_ID": "8d45620c1a4348dbb17410da57c60c66", "SYSLOG_PID": b"\xff",
    }  # fmt: skip
    decoder = Decoder("cp437")
    reader = opened([fields], decoder)
    (entry,) = reader.entries(1)
    decoded = reader.read_all()
    assert {name: entry[name] for name in fields} == {name: decoded[name] for name in fields}


def test_text_of_every_kind(opened):
    texts = [
        "",
        " ",
        "a\nb\r\nc",
        "tab\t",
        "nul \0 here",
        "日本語 😀",
        "é" * 100_000,
    ]
    found = messages(opened([{"MESSAGE": text} for text in texts]))
    assert found == texts


def test_what_terminals_add_is_not_in_the_message(opened):
    line = "\x1b[36m12:00\x1b[0m [\x1b[1;33mW\x1b[0m] from \x1b[1m192.0.2.1\x1b[0m\r"
    plain = "12:00 [W] from 192.0.2.1"
    reader = opened([{"MESSAGE": line, "OTHER": line}, {"MESSAGE": line.encode() + b"\xe9"}])
    one, other = (dict(entry) for entry in reader.entries(ALL))
    assert (one["MESSAGE"], one["OTHER"], other["MESSAGE"]) == (plain, line, f"{plain}\ré")
    reader.seek_head()
    first, second = (entry.text("MESSAGE") for entry in reader.entries(ALL))
    assert (first, second) == (plain, f"{plain}\ré")


def test_a_field_above_the_limit_of_libsystemd_is_read_whole(opened):
    text = "x" * 1_000_000
    reader = opened([{"MESSAGE": text}])
    assert messages(reader) == [text]


def test_an_entry_without_a_message(opened):
    (entry,) = opened([{"PRIORITY": 3}]).entries(1)
    assert "MESSAGE" not in entry
    assert entry.get("MESSAGE", "nothing") == "nothing"
    assert entry.text("MESSAGE") is None
    with pytest.raises(KeyError, match="MESSAGE"):
        entry["MESSAGE"]


def test_a_field_with_several_values(opened):
    fields = {"MESSAGE": ["one", "two"], "PRIORITY": [3, 4], "SINGLE": "x"}
    (entry,) = opened([fields]).entries(1)
    assert entry.values_of("MESSAGE") == ["one", "two"]
    assert entry["MESSAGE"] == "one"
    assert entry.values_of("MESSAGE") == ["one", "two"]
    assert entry.values_of("PRIORITY") == [3, 4]
    assert entry.values_of("SINGLE") == ["x"]
    assert entry.values_of("NOT_THERE") == []
    assert dict(entry)["PRIORITY"] == 3
    entry["MESSAGE"] = "set by a step"
    assert entry.values_of("MESSAGE") == ["set by a step"]
    del entry["PRIORITY"]
    assert entry.values_of("PRIORITY") == []


@pytest.mark.parametrize("name", ["ip", "", "A-B", "É", "__NOTHING", "_", "1A", "A" * 100, "A=B"])
def test_a_name_that_no_field_of_a_journal_has(opened, name):
    (entry,) = opened([{"MESSAGE": "x"}]).entries(1)
    assert entry.get(name) is None


def test_fields_of_steps_lie_on_top(opened):
    (entry,) = opened([{"MESSAGE": "x", "PRIORITY": 3}]).entries(1)
    entry["ip"] = "192.0.2.7"
    entry["MESSAGE"] = "y"
    del entry["PRIORITY"]
    assert (entry["ip"], entry["MESSAGE"], "PRIORITY" in entry) == ("192.0.2.7", "y", False)
    assert {"ip", "MESSAGE"} <= set(entry)
    assert "PRIORITY" not in set(entry)
    assert len(entry) == len(set(entry))
    with pytest.raises(KeyError):
        del entry["PRIORITY"]


def test_an_entry_that_is_past_gives_what_it_was_asked_for_and_no_more(opened):
    reader = opened([{"MESSAGE": "one", "X": 1}, {"MESSAGE": "two", "X": 2}])
    entries = reader.entries(ALL)
    first = next(entries)
    assert first["MESSAGE"] == "one"
    second = next(entries)
    assert (first["MESSAGE"], second["MESSAGE"]) == ("one", "two")
    for read in (lambda: first["X"], lambda: list(first), lambda: first.values_of("X")):
        with pytest.raises(RuntimeError, match="no longer the current one"):
            read()


def test_machines_boots_and_users_in_one_file(opened):
    boots = ["b" * 32, "c" * 32]
    entries = [
        {
            "MESSAGE": f"{host} {boot[0]} {uid}",
            "_HOSTNAME": host,
            "_MACHINE_ID": machine * 32,
            "_BOOT_ID": boot,
            "_UID": uid,
            "_TRANSPORT": "syslog",
        }
        for boot in boots
        for host, machine in (("mail", "1"), ("web", "2"))
        for uid in (0, 1000)
    ]
    reader = opened(entries)
    found = [
        (entry["MESSAGE"], entry["_HOSTNAME"], entry["_MACHINE_ID"].hex[0], entry["_UID"])
        for entry in reader.entries(ALL)
    ]
    assert found == [
        (f"{host} {boot[0]} {uid}", host, machine, uid)
        for boot in boots
        for host, machine in (("mail", "1"), ("web", "2"))
        for uid in (0, 1000)
    ]


def test_so_many_and_no_more(opened):
    reader = opened([{"MESSAGE": str(n)} for n in range(5)])
    assert messages(reader, 2) == ["0", "1"]
    assert messages(reader, 0) == []
    assert messages(reader, 2) == ["2", "3"]
    assert messages(reader, 2) == ["4"]


def test_until_an_instant(journal_file):
    file = journal_file([{"MESSAGE": str(n)} for n in range(5)])
    reader = Selection(files=[file], until=FIRST_TIME + 2 * SECOND).open(Decoder())
    assert messages(reader) == ["0", "1", "2"]


def times(*seconds: float) -> list[dict[str, object]]:
    """Entries at these seconds, whose messages are their numbers."""
    return [
        {"MESSAGE": str(number), "__REALTIME_TIMESTAMP": FIRST_TIME + round(second * SECOND)}
        for number, second in enumerate(seconds)
    ]


@pytest.mark.parametrize("number", range(6))
def test_behind_a_cursor_comes_the_very_next_entry(opened, journal_file, number):
    # Several have the same time, and one comes late.
    file = journal_file(times(0, 1, 1, 1, 0.5, 2))
    first, second = (reader_of(file) for _ in range(2))
    cursors = [Position(entry["__CURSOR"], entry.time_us) for entry in first.entries(ALL)]
    assert second.seek_after(cursors[number])
    assert messages(second) == [str(n) for n in range(number + 1, 6)]


def test_behind_the_last_entry_there_is_none(opened):
    reader = opened(times(0, 1))
    last = reader.last()
    assert last is not None
    assert last["MESSAGE"] == "1"
    assert reader.seek_after(Position(last["__CURSOR"], last.time_us))
    assert messages(reader) == []


def test_the_entry_of_a_cursor_was_vacuumed(journal_file):
    old, new = (
        journal_file([{**entry, "_BOOT_ID": boot * 32} for entry in times(*seconds)])
        for boot, seconds in (("a", (0, 1)), ("b", (2, 3, 4)))
    )
    whole = reader_of(old, new)
    _, cursor = [Position(entry["__CURSOR"], entry.time_us) for entry in whole.entries(2)]
    assert whole.seek_after(cursor)
    assert messages(whole) == ["0", "1", "2"]
    kept = reader_of(new)
    assert not kept.seek_after(cursor)
    assert messages(kept) == ["0", "1", "2"]


def test_entries_of_several_files_that_are_equally_near(journal_file):
    files = [journal_file(times(second, second + 10)) for second in range(3)]
    whole = reader_of(*files)
    cursors = [Position(entry["__CURSOR"], entry.time_us) for entry in whole.entries(ALL)]
    assert len(cursors) == 6
    for number, cursor in enumerate(cursors):
        assert whole.seek_after(cursor)
        behind = [entry["__CURSOR"] for entry in whole.entries(ALL)]
        assert behind == [following for following, *_ in cursors[number + 1 :]]


def test_where_the_cursor_is_gone_reading_goes_on_by_time(opened):
    reader = opened(times(0, 1, 2, 3))
    gone = f"s={'a' * 32};i=7;b={'b' * 32};m=1;t={FIRST_TIME + SECOND:x};x=1"
    assert not reader.seek_after(Position(gone, FIRST_TIME + 2 * SECOND))
    assert messages(reader) == ["2", "3"]


@pytest.mark.parametrize("cursor", ["", "nonsense", "s=;i=", "\0", "i=1", "t=64"])
def test_a_cursor_that_is_none(opened, cursor):
    reader = opened(times(0, 1, 2))
    assert reader.at(cursor) is None
    assert not reader.seek_after(Position(cursor, FIRST_TIME + SECOND))
    assert messages(reader) == ["1", "2"]


def test_an_entry_by_its_cursor(opened):
    reader = opened(times(0, 1, 2))
    cursors = [entry["__CURSOR"] for entry in reader.entries(ALL)]
    for number, cursor in enumerate(cursors):
        entry = reader.at(cursor)
        assert entry is not None
        assert entry["MESSAGE"] == str(number)


def test_a_cursor_for_when_the_journal_is_not_readable_any_more(opened, monkeypatch):
    reader = opened(times(0, 1, 2))
    (entry,) = reader.entries(1)
    assert reader.cursor_at(entry.time_us) == entry["__CURSOR"]

    def fail():
        raise OSError(74, "Bad message")

    with monkeypatch.context() as patched:
        patched.setattr(reader._raw, "_get_cursor", fail)
        cursor = reader.cursor_at(entry.time_us)
    assert cursor == f"t={entry.time_us:x}"
    assert reader.seek_after(Position(cursor, entry.time_us))
    assert messages(reader) == ["1", "2"]


def test_the_tail(opened):
    reader = opened(times(0, 1))
    reader.seek_tail()
    assert messages(reader) == []
    assert reader.time_us() == FIRST_TIME + SECOND


@pytest.mark.parametrize(("until", "message"), [(7, "1"), (8.5, "1"), (100, "2"), (4, None)])
def test_the_newest_entry_to_read(journal_file, until, message):
    selection = Selection(files=[journal_file(times(5, 7, 9))])
    selection.until = FIRST_TIME + round(until * SECOND)
    reader = selection.open(Decoder())
    last = reader.last()
    assert (last and last["MESSAGE"]) == message
    reader.close()


def test_a_journal_without_entries(tmp_path):
    reader = Selection(directory=tmp_path).open(Decoder())
    assert messages(reader) == []
    assert (reader.last(), reader.span()) == (None, None)
    assert reader.at("s=1") is None
    reader.close()


def test_the_span_of_a_journal(opened):
    reader = opened(times(5, 7, 9))
    assert reader.span() == (FIRST_TIME + 5 * SECOND, FIRST_TIME + 9 * SECOND)
    assert messages(reader) == ["0", "1", "2"]


NUMBER = 300


def test_a_file_becomes_smaller_after_entries_were_left_out(journal_file):
    """As at a rotation, after the daemon has caught up by the index of values."""
    file = journal_file(
        [{"MESSAGE": f"m{number}", "KIND": "ab"[number > 2]} for number in range(6)]
    )
    size = file.stat().st_size
    with file.open("r+b") as content:
        os.posix_fallocate(content.fileno(), size, 1 << 20)  # journald makes room ahead of entries
    reader = reader_of(file)
    reader.reopen = lambda: journal.Reader(files=[str(file)])
    reader.seek_head()
    reader.take_only({"KIND": ["b"]})
    assert messages(reader) == ["m3", "m4", "m5"]
    reader.take_only({})
    assert messages(reader) == []
    os.truncate(file, size)
    assert messages(reader) == []


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The bytes of a sound journal, without the empty end that journald keeps for more."""
    need(unavailable())
    entries: list[dict[str, str | int]] = [
        {"MESSAGE": f"message {number} " + "x" * 50, "PRIORITY": number % 8, "N": number}
        for number in range(NUMBER)
    ]
    return make_journal(tmp_path_factory.mktemp("sound") / "a.journal", entries).read_bytes()


def read_everything(path: Path) -> int:
    """Read it in every way, and give how many entries there were."""
    whole = Selection(files=[path]).open(Decoder())
    reader = whole.machines[path.stem].reader
    reader.span()
    last = reader.last()
    cursor = None if last is None else last.get("__CURSOR")
    reader._raw.seek_head()
    entries = 0
    for _ in range(100):
        found = 0
        for entry in reader.entries(100):
            fields = dict(entry)
            entry.values_of("MESSAGE")
            found += all(name in entry for name in fields)
        if not found:
            break
        entries += found
    else:
        pytest.fail("there was no end of it")
    if cursor is not None:
        reader.at(cursor)
        reader.seek_after(Position(cursor, FIRST_TIME))
    reader.close()
    return entries


@pytest.mark.parametrize("cut", [0, 7, 100, 240, 0.3, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut(tmp_path, sound, cut):
    used = len(sound.rstrip(b"\0"))
    path = tmp_path / "cut.journal"
    path.write_bytes(sound[: cut if isinstance(cut, int) else round(used * cut)])
    with pytest.raises(JournalError, match="no readable journal file"):
        read_everything(path)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.9])
def test_a_file_the_end_of_which_was_never_written(tmp_path, sound, share):
    written = round(len(sound.rstrip(b"\0")) * share)
    path = tmp_path / "zeros.journal"
    path.write_bytes(sound[:written] + bytes(len(sound) - written))
    assert 0 <= read_everything(path) < NUMBER


@pytest.mark.parametrize(
    ("read", "lost"), [(100, (60, None)), (NUMBER, (60, None)), (100, (90, 110))]
)
def test_what_was_read_before_damage_is_not_given_again(tmp_path, journal_file, sound, read, lost):
    """The entry behind which reading goes on is damaged, too; others before it are still there."""
    path = tmp_path / "a.journal"
    path.write_bytes(sound)
    later = {"__REALTIME_TIMESTAMP": FIRST_TIME + 9000 * SECOND, "_BOOT_ID": uuid.uuid4().hex}
    other = journal_file([{"MESSAGE": "other", **later}])
    size = other.stat().st_size
    with other.open("r+b") as content:
        os.posix_fallocate(content.fileno(), size, 1 << 20)

    def opened():
        return open_files([str(path), str(other)])

    def reader_of_both():
        reader = JournalReader(opened(), Decoder())
        reader.reopen = opened
        reader.seek_head()
        return reader

    reader = reader_of_both()
    before = set(messages(reader, read))
    assert len(before) == read
    reader._set_mark()
    first, last = (len(sound) if one is None else sound.index(b"message %d " % one) for one in lost)
    with path.open("r+b") as content:  # in place: it is mapped
        content.seek(first)
        content.write(bytes(last - first))
    os.truncate(other, size)  # files are opened once more where one has become smaller
    fresh = reader_of_both()
    left = messages(fresh)
    assert before & set(left), "some are still there"
    reader._open_once_more()
    assert messages(reader, 2 * NUMBER) == [message for message in left if message not in before]
    assert messages(reader, 2 * NUMBER) == []
    reader.close()
    fresh.close()


@pytest.mark.parametrize("seed", range(40))
def test_bits_that_were_flipped(tmp_path, sound, seed):
    draw = random.Random(seed)
    damaged = bytearray(sound)
    used = len(sound.rstrip(b"\0"))
    for _ in range(draw.choice([1, 10, 300])):
        damaged[draw.randrange(0 if seed % 8 == 0 else 272, used)] ^= 1 << draw.randrange(8)
    path = tmp_path / "damaged.journal"
    path.write_bytes(damaged)
    try:
        found = read_everything(path)
    except JournalError:  # the damage is in its header
        found = 0
    assert 0 <= found <= NUMBER


def test_beside_a_damaged_file_the_others_are_read(tmp_path, sound):
    (tmp_path / "a.journal").write_bytes(sound)
    (tmp_path / "b.journal").write_bytes(sound[: len(sound) // 20])
    (tmp_path / "c.journal").write_bytes(b"no journal at all")
    reader = Selection(directory=tmp_path).open(Decoder())
    assert len(messages(reader)) == NUMBER
    reader.close()


class Damaged:
    """A raw reader all of whose entries are damaged, without end."""

    def __init__(self, after: int) -> None:
        self.good = after
        self.calls = 0

    def seek_head(self):
        pass

    def get_usage(self):
        return 8 << 20

    def query_unique(self, field):
        return set()

    def _get_cursor(self):
        raise OSError(99, "Cannot assign requested address")

    def _next(self):
        self.calls += 1
        self.good -= 1
        if self.good < 0:
            raise OSError(74, "Bad message")
        return True

    def _get_realtime(self):
        return FIRST_TIME

    def _get(self, field):
        raise KeyError(field)


@pytest.mark.parametrize("good", [0, 10, 5000])
def test_damage_without_end_comes_to_an_end(good):
    raw = Damaged(good)
    reader = JournalReader(raw, Decoder())
    found = 0
    while read := sum(1 for _ in reader.entries(700)):
        found += read
    assert found == good
    assert raw.calls <= 2 * good + 2000
    assert reader.damaged <= max(1000, good) + 1


def test_damaged_entries_do_not_make_a_batch_look_like_the_last_one():
    class EverySecond(Damaged):
        def _next(self):
            self.calls += 1
            if self.calls % 2:
                raise OSError(74, "Bad message")
            return True

    reader = JournalReader(EverySecond(0), Decoder())
    assert sum(1 for _ in reader.entries(100)) == 100
    assert reader.damaged == 100


def test_another_error_is_an_error():
    class Denied(Damaged):
        def _next(self):
            raise PermissionError(13, "Permission denied")

    with pytest.raises(PermissionError):
        next(JournalReader(Denied(0), Decoder()).entries(1))


def test_no_more_is_read_of_a_field_than_the_limit(opened):
    decoder = Decoder(longest=100_000)
    (entry,) = opened([{"MESSAGE": "A" * 300_000, "X": "short"}], decoder).entries(ALL)
    assert entry["MESSAGE"] == "A" * 100_000 + "…"
    assert entry["X"] == "short"
    assert decoder.cuts == ["MESSAGE"]


def test_an_entry_as_a_whole_has_much_of_one_field_and_the_beginning_of_each(opened):
    many = {f"F{number}": "b" * 200_000 for number in range(400)}
    decoder = Decoder()
    (entry,) = opened([{"A": "a" * 900_000, **many}], decoder).entries(ALL)
    fields = dict(entry)
    assert len(fields["A"]) == 900_000
    assert sum(len(str(value)) for value in fields.values()) < 50_000_000
    assert {len(fields[name]) for name in many} == {200_000, (64 << 10) + 1}
    assert entry["F399"] in (fields["F399"], "b" * 200_000)


@pytest.mark.parametrize("failures", [1, 3, 4])
def test_a_field_that_is_just_being_written_is_read_again(journal_file, failures):
    class Writing(Watched):
        def _get(self, field):
            if field == "MESSAGE":
                self.asked[field] += 1
                if self.asked[field] <= failures:
                    raise OSError(74, "Bad message")
            return super()._get(field)

    raw = Writing(journal_file([{"MESSAGE": "hello"}]))
    reader = JournalReader(raw, Decoder())
    for _ in range(2):
        raw.seek_head()
        (entry,) = reader.entries(ALL)
    assert reader.was_at_end
    assert entry.get("MESSAGE") == (None if failures > 3 else "hello")
    assert reader.unread_fields == (failures > 3)
