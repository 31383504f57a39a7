"""An entry is a mapping whose fields are read when they are asked for, and can be set."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyruse.entry.entry import Entry, Source, address_of, as_text
from pyruse.entry.made import make_entry


class Reader(Source):
    """A source that counts how often it is asked."""

    def __init__(self, **fields: Any) -> None:
        self.position = 1
        self.fields = fields
        self.asked: list[str] = []

    def read(self, field: str) -> Any | None:
        self.asked.append(field)
        value = self.fields.get(field)
        return value[0] if isinstance(value, list) else value

    def read_all(self) -> dict[str, Any]:
        self.asked.append("*")
        return dict(self.fields)


@pytest.fixture
def reader() -> Reader:
    return Reader(MESSAGE="hello", PRIORITY=6, CODE_FILE=["a.c", "b.c"], EMPTY="")


@pytest.fixture
def entry(reader: Reader) -> Entry:
    return Entry(1_773_489_600_000_000, reader)


def test_a_field_is_read_when_it_is_asked_for_and_only_once(entry: Entry, reader: Reader) -> None:
    assert reader.asked == []
    assert entry["MESSAGE"] == entry.get("MESSAGE") == "hello"
    assert reader.asked == ["MESSAGE"]


def test_a_field_that_is_not_there_is_asked_for_only_once(entry: Entry, reader: Reader) -> None:
    assert entry.get("NONE") is None
    assert entry.get("NONE", "default") == "default"
    assert "NONE" not in entry
    with pytest.raises(KeyError, match="NONE"):
        entry["NONE"]
    assert reader.asked == ["NONE"]


def test_a_field_of_empty_text_is_there(entry: Entry) -> None:
    assert "EMPTY" in entry
    assert entry.get("EMPTY", "default") == ""
    assert entry.text("EMPTY") == ""


def test_a_field_that_is_set_hides_the_journals(entry: Entry, reader: Reader) -> None:
    entry["MESSAGE"] = "changed"
    entry["user"] = "root"
    assert (entry["MESSAGE"], entry["user"]) == ("changed", "root")
    assert reader.asked == []
    assert dict(entry) == {
        "MESSAGE": "changed", "PRIORITY": 6, "CODE_FILE": "a.c", "EMPTY": "", "user": "root",
    }  # fmt: skip


def test_a_field_that_is_removed_is_gone(entry: Entry) -> None:
    del entry["MESSAGE"]
    assert "MESSAGE" not in entry
    assert "MESSAGE" not in list(entry)
    assert entry.pop("PRIORITY") == 6
    assert set(entry) == {"CODE_FILE", "EMPTY"}
    assert len(entry) == 2
    with pytest.raises(KeyError):
        del entry["MESSAGE"]
    entry["MESSAGE"] = "again"
    assert entry["MESSAGE"] == "again"


def test_setting_none_removes(entry: Entry) -> None:
    entry["MESSAGE"] = None
    assert "MESSAGE" not in entry
    assert "MESSAGE" not in dict(entry)


def test_it_is_a_mapping_like_others(entry: Entry) -> None:
    assert isinstance(entry, MutableMapping)
    entry.update(user="root", MESSAGE="x")
    assert entry.setdefault("user", "nobody") == "root"
    assert sorted(entry) == ["CODE_FILE", "EMPTY", "MESSAGE", "PRIORITY", "user"]
    assert ("PRIORITY", 6) in entry.items()


def test_of_several_values_the_first_is_given_and_all_can_be_had(entry: Entry) -> None:
    assert entry["CODE_FILE"] == "a.c"
    assert Entry(0, Reader(CODE_FILE=["a.c", "b.c"])).values_of("CODE_FILE") == ["a.c", "b.c"]
    assert entry.values_of("MESSAGE") == ["hello"]
    assert entry.values_of("NONE") == []


def test_all_values_can_be_had_after_the_first_one_was_asked_for(entry: Entry) -> None:
    assert entry["CODE_FILE"] == "a.c"
    assert entry.values_of("CODE_FILE") == ["a.c", "b.c"]
    entry["CODE_FILE"] = "c.c"
    assert entry.values_of("CODE_FILE") == ["c.c"]
    entry["CODE_FILE"] = ["d.c", "e.c"]
    assert entry.values_of("CODE_FILE") == ["d.c", "e.c"]


def test_an_entry_that_is_past_cannot_be_read_but_keeps_what_was_asked_for(
    entry: Entry, reader: Reader
) -> None:
    assert entry["MESSAGE"] == "hello"
    reader.position = 2
    assert entry["MESSAGE"] == "hello"
    for ask in (lambda: entry.get("PRIORITY"), lambda: dict(entry), lambda: entry.values_of("X")):
        with pytest.raises(RuntimeError, match="keep its values instead"):
            ask()
    entry["user"] = "root"
    assert entry["user"] == "root"


def test_text_is_text_whatever_the_type(entry: Entry) -> None:
    assert entry.text("MESSAGE") == "hello"
    assert entry.text("PRIORITY") == "6"
    assert entry.text("NONE") is None


def test_several_fields_as_text_and_the_journal_is_not_asked_for_those_of_steps(
    entry: Entry, reader: Reader
) -> None:
    reader.fields["user"] = "of the journal's own making"
    entry["ip"] = "192.0.2.1"
    entry["port"] = 22
    entry["reason"] = ""
    fields = ["PRIORITY", "ip", "user", "port", "reason", "EMPTY", "NONE", "CODE_FILE"]
    assert entry.texts(fields) == {
        "PRIORITY": "6", "ip": "192.0.2.1", "port": "22", "CODE_FILE": "a.c",
    }  # fmt: skip
    assert reader.asked == ["PRIORITY", "EMPTY", "NONE", "CODE_FILE"]


def test_what_an_entry_was_made_with_is_as_good_as_set() -> None:
    entry = make_entry({"MESSAGE": "m", "user": "ann", "several": ["1", "2"], "n": 5})
    assert entry.texts(["several", "user", "n"]) == {"several": "1", "user": "ann", "n": "5"}
    assert entry.values_of("several") == ["1", "2"]


def test_the_time_of_an_entry_is_exact(entry: Entry) -> None:
    assert entry.time == datetime(2026, 3, 14, 12, tzinfo=UTC)
    assert Entry(1_773_489_600_000_001).time.microsecond == 1


def test_an_entry_without_a_journal_has_what_it_was_given() -> None:
    entry = make_entry({"PRIORITY": "3", "MESSAGE": b"M\xe4rz", "n": 5}, time_us=7)
    assert (entry["PRIORITY"], entry["MESSAGE"], entry["n"]) == (3, "März", 5)
    assert entry["__REALTIME_TIMESTAMP"] == entry.time
    assert entry.values_of("NONE") == []
    assert repr(Entry(7, values={"a": 1})) == "Entry(7, {'a': 1})"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("text", "text"),
        (5, "5"),
        (0.5, "0.5"),
        (True, "True"),
        (datetime(2026, 3, 4, 5, 6, 7, 8, tzinfo=UTC), "2026-03-04 05:06:07:000008"),
        (b"caf\xc3\xa9 \xff", "café �"),
        (["a", 5, b"b"], "a, 5, b"),
        (("a", "b"), "a, b"),
        ([], ""),
        (uuid.UUID(int=10), "0000000000000000000000000000000a"),
    ],
)  # fmt: skip
def test_a_value_as_text(value: object, text: str) -> None:
    assert as_text(value) == text


def test_many_fields_are_set_at_once_and_none_leaves_a_field_as_it_is() -> None:
    entry = Entry(0, Reader(MESSAGE="m", user="root"))
    entry.set_many({"ip": "192.0.2.1", "port": 22, "user": None, "name": "caf\u00e9 \udcff"})
    assert dict(entry) == {
        "MESSAGE": "m", "user": "root", "ip": "192.0.2.1", "port": 22, "name": "caf\u00e9 ?",
    }  # fmt: skip
    entry.set_many({})
    entry.set_many({"MESSAGE": "plain", "looks": "like a name\0_UID"})
    assert (entry["MESSAGE"], entry["looks"]) == ("plain", "like a name\0_UID")


def test_what_journald_vouches_for_is_neither_set_nor_removed() -> None:
    entry = Entry(0, Reader(_UID=1000, __CURSOR="s=1"))
    fault = r'"_UID" is the journal\'s own \(expected a field without an underscore in front\)'
    with pytest.raises(ValueError, match=fault):
        entry["_UID"] = 0
    with pytest.raises(ValueError, match=fault):
        entry.set_many({"user": "root", "_UID": 0})
    with pytest.raises(ValueError, match=fault):
        entry.update(_UID=0)
    with pytest.raises(ValueError, match=fault):
        del entry["_UID"]
    with pytest.raises(ValueError, match="__CURSOR"):
        entry.set_many({"__CURSOR": "s=2"})
    assert dict(entry) == {"_UID": 1000, "__CURSOR": "s=1"}


NAMES = st.sampled_from("abcd")
OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["get", "set", "delete", "in", "len", "all"]), NAMES, st.integers()),
    max_size=20,
)


@given(st.dictionaries(NAMES, st.text()), OPERATIONS)
def test_whatever_is_done_to_it_an_entry_is_as_good_as_a_dict(
    fields: dict[str, Any], operations: list[tuple[str, str, int]]
) -> None:
    entry, model = Entry(0, Reader(**fields)), dict(fields)
    for operation, name, value in operations:
        match operation:
            case "set":
                entry[name] = model[name] = value
            case "delete":
                assert entry.pop(name, None) == model.pop(name, None)
            case "get":
                assert entry.get(name) == model.get(name)
            case "in":
                assert (name in entry) == (name in model)
            case "len":
                assert len(entry) == len(model)
            case "all":
                assert dict(entry) == model
    assert entry == model


def test_the_address_in_a_field() -> None:
    entry = make_entry({"ip": "::ffff:192.0.2.1", "user": "root"})
    assert address_of(entry, "ip") == ipaddress.ip_address("192.0.2.1")
    assert address_of(entry, "user") is None
    assert address_of(entry, "missing") is None


def test_texts_are_those_that_are_there_and_not_empty() -> None:
    class Disk(Source):
        position = 0

        def __init__(self) -> None:
            self.asked: list[str] = []

        def read(self, field: str) -> Any:
            self.asked.append(field)
            return {"_PID": 1, "A": "", "MESSAGE": "text", "\u00c4": "x"}.get(field)

        def read_all(self) -> dict[str, Any]:
            return {}

    disk = Disk()
    entry = Entry(0, disk)
    entry["ip"], entry["none"], entry["number"] = "192.0.2.1", "", 2.5
    names = ["ip", "none", "number", "absent", "_PID", "A", "MESSAGE", "B", "Mixed", "1", "\u00c4"]
    expected = {
        "ip": "192.0.2.1", "number": "2.5", "_PID": "1", "MESSAGE": "text", "\u00c4": "x",
    }  # fmt: skip
    assert entry.texts(names) == expected
    assert entry.texts(tuple(names)) == entry.texts(fields=iter(names)) == expected
    assert list(entry.texts(names)) == list(expected)
    assert disk.asked == ["_PID", "A", "MESSAGE", "B", "\u00c4"]
