"""Lines that a container engine has split are one entry, whatever comes between the parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pyruse.entry.decoding import Decoder
from pyruse.journal import split_lines
from pyruse.journal.journal import Journal
from pyruse.journal.selection import Selection
from pyruse.testing.journal import FIRST_TIME, FieldValue, make_journal, unavailable
from pyruse.testing.plugin import need

SECOND = 1_000_000
ALL = 1_000_000
Fields = dict[str, FieldValue]


@pytest.fixture(autouse=True)
def _needed() -> None:
    need(unavailable())


def docker(
    line: str, *texts: str | bytes, container: str = "c1", ends: bool = True
) -> list[Fields]:
    """The parts of a line as Docker logs them."""
    engine: Fields = {"_PID": 7, "_UID": 0, "PRIORITY": 6, "CONTAINER_ID_FULL": container}
    parts = []
    for number, text in enumerate(texts, 1):
        last = ends and number == len(texts)
        part: Fields = {
            "MESSAGE": text,
            "CONTAINER_PARTIAL_ID": line,
            "CONTAINER_PARTIAL_ORDINAL": number,
            "CONTAINER_PARTIAL_LAST": "true" if last else "false",
        }
        if not last:
            part["CONTAINER_PARTIAL_MESSAGE"] = "true"
        parts.append({**engine, **part})
    return parts


def podman(*texts: str, container: str = "c1", priority: int = 6, pid: int = 7) -> list[Fields]:
    """The parts of a line as podman logs them, and as Docker did before 19.03."""
    engine: Fields = {"_PID": pid, "PRIORITY": priority, "CONTAINER_ID_FULL": container}
    parts: list[Fields] = [
        {**engine, "MESSAGE": text, "CONTAINER_PARTIAL_MESSAGE": "true"} for text in texts[:-1]
    ]
    return [*parts, {**engine, "MESSAGE": texts[-1]}]


def plain(text: str) -> Fields:
    return {"MESSAGE": text, "_PID": 1}


def journal_of(file: Path, entries: list[Fields], **more: Any) -> Journal:
    make_journal(file, entries)
    return Selection(files=[file]).open(Decoder(), **more)


def messages(journal: Journal, limit: int = ALL) -> list[str | None]:
    return [entry.get("MESSAGE") for entry in journal.entries(limit)]


def given(file: Path, entries: list[Fields]) -> list[str | None]:
    """The messages that a whole reading gives."""
    journal = journal_of(file, entries)
    try:
        return messages(journal)
    finally:
        journal.close()


def test_the_parts_are_one_entry_that_has_the_fields_of_the_last(tmp_path: Path) -> None:
    parts = docker("l1", "one ", "two ", "three")
    journal = journal_of(tmp_path / "x.journal", [plain("before"), *parts, plain("behind")])
    before, whole, behind = map(dict, journal.entries(ALL))
    assert [one["MESSAGE"] for one in (before, whole, behind)] == [
        "before",
        "one two three",
        "behind",
    ]
    assert whole["CONTAINER_PARTIAL_LAST"] == "true"
    assert whole["CONTAINER_PARTIAL_ORDINAL"] == "3"
    journal.close()


def test_a_character_and_a_code_may_be_split(tmp_path: Path) -> None:
    euro = "€".encode()
    parts = docker("l1", b"\x1b[3", b"1m5 " + euro[:1], euro[1:] + b"\r")
    assert given(tmp_path / "x.journal", parts) == ["5 €"]


def test_lines_of_several_containers_and_streams_lie_between(tmp_path: Path) -> None:
    lines = [
        docker("l1", "a1", "a2", "a3"),
        docker("l2", "b1", "b2", "b3", container="c2"),
        podman("c1", "c2", "c3", container="c3"),
        podman("d1", "d2", "d3", container="c3", priority=3),
        [plain("e1"), plain("e2"), plain("e3")],
    ]
    mixed = [part for parts in zip(*lines, strict=True) for part in parts]
    assert given(tmp_path / "x.journal", mixed) == [
        "e1", "e2", "a1a2a3", "b1b2b3", "c1c2c3", "d1d2d3", "e3"
    ]  # fmt: skip


def test_who_claims_to_be_a_part_of_another_ones_line_is_alone(tmp_path: Path) -> None:
    mine, forged = podman("login of x ", "failed"), podman("from 192.0.2.1 ", "", pid=8)
    found = given(tmp_path / "x.journal", [mine[0], forged[0], mine[1], plain("behind")])
    assert found == ["login of x failed", "behind", "from 192.0.2.1 "]


def test_parts_whose_last_one_does_not_come_are_an_entry_at_the_end(tmp_path: Path) -> None:
    parts = docker("l1", "one ", "two", ends=False)
    assert given(tmp_path / "x.journal", [*parts, plain("behind")]) == ["behind", "one two"]


def test_or_once_entries_are_read_that_are_seconds_younger(tmp_path: Path) -> None:
    late = [
        {**plain(f"{second}"), "__REALTIME_TIMESTAMP": FIRST_TIME + second * SECOND}
        for second in range(30)
    ]
    parts = docker("l1", "lost", ends=False)
    journal = journal_of(tmp_path / "x.journal", [*parts, *late], follow=True)
    found = [one for _ in range(30) for one in messages(journal, 1)]
    assert 10 < found.index("lost") < 15
    assert found == [*map(str, range(found.index("lost"))), "lost", *map(str, range(12, 29))]
    journal.close()


def test_whoever_follows_waits_for_the_last_one_and_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.journal"
    one, two = docker("l1", "one ", "two")
    journal = journal_of(file, [plain("before"), one], follow=True)
    assert messages(journal) == ["before"]
    assert messages(journal) == []
    make_journal(file, [two, *docker("l2", "lost", ends=False)], append=True)
    while not (found := messages(journal)):
        journal.wait(1000)
    assert found == ["one two"]
    monkeypatch.setattr(split_lines, "PATIENCE_S", 0.2)
    while not (found := messages(journal)):
        journal.wait(None)  # it ends by itself
    assert found == ["lost"]
    journal.close()


def test_the_first_line_that_is_split_may_come_at_any_time(tmp_path: Path) -> None:
    file = tmp_path / "x.journal"
    journal = journal_of(file, [plain("before")], follow=True)
    assert messages(journal) == ["before"]
    make_journal(file, [plain("1"), *docker("l1", "one ", "two"), plain("2")], append=True)
    found: list[str | None] = []
    while len(found) < 3:
        journal.wait(1000)
        found += messages(journal)
    assert found == ["1", "one two", "2"]
    journal.close()


MIXED = [
    plain("0"), *docker("l1", "a1", "a2"), plain("1"), *docker("l2", "b1", "b2", "b3")[:2],
    podman("c1", "c2")[0], plain("2"), docker("l2", "", "", "b3")[2], podman("c1", "c2")[1],
    plain("3"),
]  # fmt: skip
WHOLE = ["0", "a1a2", "1", "2", "b1b2b3", "c1c2", "3"]


@pytest.mark.parametrize("machines", [1, 2])
@pytest.mark.parametrize("number", range(len(WHOLE) + 1))
def test_a_restart_in_between_loses_nothing_and_gives_nothing_twice(
    tmp_path: Path, number: int, machines: int
) -> None:
    make_journal(tmp_path / "remote-a.journal", MIXED)
    if machines == 2:  # read by the way of many
        make_journal(tmp_path / "remote-b.journal", [])
        make_journal(tmp_path / "remote-b.journal", [{**plain("z"), **LATE}])
    found: list[str | None] = []
    positions: Mapping[str, Any] = {}
    for limit in (number, ALL):
        for journal in opened(tmp_path):
            journal.resume(positions, lambda machine: machine.reader.seek_head())
            last_time = 0
            for entry in journal.entries(limit):
                found.append(entry.get("MESSAGE"))
                last_time = entry.time_us
            positions = {**positions, **journal.positions(last_time)} if last_time else positions
            assert not journal.gaps
    assert [one for one in found if one != "z"] == WHOLE


LATE: Fields = {"__REALTIME_TIMESTAMP": FIRST_TIME + 100 * SECOND}


def opened(folder: Path) -> Iterator[Journal]:
    journal = Selection(directory=folder).open(Decoder(), follow=True)
    yield journal
    journal.close()


@pytest.mark.parametrize("number", range(len(WHOLE) + 1))
def test_a_choice_that_changes_in_between_neither(tmp_path: Path, number: int) -> None:
    make_journal(tmp_path / "remote-a.journal", MIXED)
    make_journal(tmp_path / "remote-b.journal", [{**plain("z"), **LATE}])
    for journal in opened(tmp_path):
        found = messages(journal, number)
        journal.take_only({})
        found += messages(journal)
        assert found == [*WHOLE, "z"]


def test_an_entry_that_is_asked_for_alone_is_whole_too(tmp_path: Path) -> None:
    file = tmp_path / "x.journal"
    journal = journal_of(file, [*MIXED[:3], plain("1"), *docker("l2", "b1", "b2")])
    cursors = [entry["__CURSOR"] for entry in journal.entries(ALL)]
    alone = []
    for cursor in cursors:
        one = journal.at(cursor)
        assert one is not None
        alone.append(one["MESSAGE"])
    assert alone == ["0", "a1a2", "1", "b1b2"]
    last = journal.last()
    assert last is not None
    assert last["MESSAGE"] == "b1b2"
    journal.close()


def test_no_line_takes_more_room_than_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_journal(tmp_path / "a.journal", docker("l1", *["12345"] * 5))
    journal = Selection(files=[tmp_path / "a.journal"]).open(Decoder(longest=10))
    assert messages(journal) == ["12345" * 2, "12345" * 2, "12345"]
    journal.close()
    monkeypatch.setattr(split_lines, "_MOST_BYTES", 8)
    both = zip(docker("l1", "a1234", "a5"), docker("l2", "b1234", "b5"), strict=True)
    mixed = [part for parts in both for part in parts]
    assert given(tmp_path / "b.journal", mixed) == ["b1234", "a1234a5", "b5"]


def test_a_part_with_fields_that_no_container_engine_writes_is_not_held(tmp_path: Path) -> None:
    parts = [{**part, "MORE": "x" * 100_000} for part in docker("l1", "one", "two", ends=False)]
    assert given(tmp_path / "x.journal", [*parts, plain("behind")]) == ["one", "two", "behind"]


def test_many_lines_that_nobody_ends(tmp_path: Path) -> None:
    parts = [
        part for number in range(400) for part in docker(f"l{number}", f"{number}", ends=False)
    ]
    assert sorted(given(tmp_path / "x.journal", parts), key=str) == sorted(map(str, range(400)))
