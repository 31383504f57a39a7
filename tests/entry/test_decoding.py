"""Raw bytes of the journal become values, and configured values become the same."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from systemd.journal import DEFAULT_CONVERTERS

from pyruse.entry.decoding import CONVERTERS, Decoder, typed

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("field", "raw", "value"),
    [
        ("MESSAGE", b"hello", "hello"),
        ("MESSAGE", "été ✓".encode(), "été ✓"),
        ("MESSAGE", b"", ""),
        ("MESSAGE", b"a\0b\n", "a\0b\n"),
        ("PRIORITY", b"3", 3),
        ("_PID", b"4711", 4711),
        ("_UID", b"0", 0),
        ("MESSAGE_ID", b"de5b426a63be47a7b6ac3eaac82e2f6f",
         uuid.UUID("de5b426a63be47a7b6ac3eaac82e2f6f")),
        ("_BOOT_ID", b"b007b007b007b007b007b007b007b007",
         uuid.UUID("b007b007b007b007b007b007b007b007")),
        ("_SOURCE_REALTIME_TIMESTAMP", b"1773500966535897",
         datetime(2026, 3, 14, 15, 9, 26, 535_897, tzinfo=UTC)),
        ("COREDUMP_TIMESTAMP", b"0", datetime(1970, 1, 1, tzinfo=UTC)),
        ("status", b"404", "404"),
    ],
)  # fmt: skip
def test_a_field_has_the_type_that_it_has_in_systemd_journal(
    field: str, raw: bytes, value: object
) -> None:
    found = Decoder()(field, raw)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("field", "raw"),
    [
        ("PRIORITY", b"high"), ("PRIORITY", b""), ("_PID", b"0x10"), ("MESSAGE_ID", b"started"),
        ("_SOURCE_REALTIME_TIMESTAMP", b"now"), ("_SOURCE_REALTIME_TIMESTAMP", b"9" * 30),
        ("PRIORITY", b"9" * 5000),
    ],
)  # fmt: skip
def test_what_a_field_should_not_hold_is_text(field: str, raw: bytes) -> None:
    assert Decoder()(field, raw) == raw.decode()


def test_what_is_no_utf_8_is_read_in_the_legacy_encoding() -> None:
    assert Decoder()("MESSAGE", b"M\xe4rz") == "März"
    assert Decoder("cp437")("MESSAGE", b"M\x84rz") == "März"
    # Other fields that are UTF-8 stay what they are.
    assert Decoder("cp437")("MESSAGE", "März".encode()) == "März"


def test_what_is_not_of_the_legacy_encoding_either_is_readable_all_the_same() -> None:
    assert Decoder("ascii")("MESSAGE", b"M\xe4rz") == "M�rz"


def test_times_are_in_the_zone_of_the_report_and_know_its_rules() -> None:
    decode = Decoder(zone=PARIS)
    winter, summer = 1_768_478_400_000_000, 1_784_116_800_000_000  # noon, UTC
    assert decode.time(winter).utcoffset() == timedelta(hours=1)
    assert decode.time(summer).utcoffset() == timedelta(hours=2)
    assert decode("_SOURCE_REALTIME_TIMESTAMP", str(summer).encode()).hour == 14


@given(st.sampled_from(["MESSAGE", "PRIORITY", "MESSAGE_ID", "COREDUMP_TIMESTAMP"]), st.binary())
def test_no_bytes_are_refused(field: str, raw: bytes) -> None:
    assert Decoder("ascii")(field, raw) is not None


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_is_decoded_as_it_was_encoded(text: str) -> None:
    assert Decoder("utf-16")("status", text.encode()) == text


def test_every_converter_is_that_of_systemd_journal() -> None:
    left_out = {field for field in DEFAULT_CONVERTERS if field not in CONVERTERS}
    assert all(field.startswith("__") or field.endswith("_TIMESTAMP") for field in left_out)
    assert set(CONVERTERS) == set(DEFAULT_CONVERTERS) - left_out

    def made(convert: Any, raw: bytes) -> Any:
        try:
            return type(convert(raw)), convert(raw)
        except Exception as fault:  # noqa: BLE001 -- which one is compared
            return type(fault)

    for raw in (b"7", b"-1", b"de5b426a63be47a7b6ac3eaac82e2f6f", b"c7", b"", b"\xff"):
        for field, convert in CONVERTERS.items():
            assert made(convert, raw) == made(DEFAULT_CONVERTERS[field], raw), field


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("PRIORITY", "3", 3),
        ("PRIORITY", 3, 3),
        ("PRIORITY", 3.0, 3.0),
        ("MESSAGE_ID", "de5b426a63be47a7b6ac3eaac82e2f6f",
         uuid.UUID("de5b426a63be47a7b6ac3eaac82e2f6f")),
        ("MESSAGE", "3", "3"),
        ("failures", "3", "3"),
        ("failures", 3, 3),
        ("failures", True, True),
        ("_SYSTEMD_SESSION", "7", 7),
        ("_SYSTEMD_SESSION", "c7", "c7"),
    ],
)  # fmt: skip
def test_a_configured_value_is_as_entries_have_it(field: str, value: Any, expected: object) -> None:
    found = typed(field, value)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("PRIORITY", "high", 'PRIORITY is never "high" (expected a whole number)'),
        ("PRIORITY", True, "PRIORITY is never true (expected a whole number)"),
        ("PRIORITY", "9" * 5000,
         f'PRIORITY is never "{"9" * 78}… (expected a whole number)'),
        ("MESSAGE_ID", 5, "MESSAGE_ID is never 5 (expected a 128-bit identifier in hexadecimal)"),
        ("_PID", "", '_PID is never "" (expected a whole number)'),
        ("MESSAGE_ID", "started",
         'MESSAGE_ID is never "started" (expected a 128-bit identifier in hexadecimal)'),
    ],
)  # fmt: skip
def test_a_value_that_a_field_never_has_is_refused(field: str, value: Any, fault: str) -> None:
    with pytest.raises(ValueError, match="is never") as caught:
        typed(field, value)
    assert str(caught.value) == fault


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"0123456789", "0123456789"),
        (b"0123456789a", "0123456789…"),
        ("123456789é€".encode(), "123456789…"),
        ("12345678éé€".encode(), "12345678é…"),
        ("1234567€€".encode(), "1234567€…"),
        ("123456789😀".encode(), "123456789…"),
        (b"\xff23456789012", "ÿ234567890…"),
        (b"\x80" * 11, "\x80" * 10 + "…"),
    ],
)
def test_a_long_field_is_cut_between_two_characters_and_ends_with_a_mark(
    raw: bytes, value: str
) -> None:
    decoder = Decoder(longest=10)
    assert decoder("X", raw) == value
    assert decoder.cuts == (["X"] if value.endswith("…") else [])


def test_a_long_number_is_text() -> None:
    assert Decoder(longest=10)("PRIORITY", b"1" * 20) == "1" * 10 + "…"
