"""From the journal's raw bytes to the values that steps work on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from uuid import UUID

from pyruse.entry.terminal import without_codes
from pyruse.text import encodable, shown
from pyruse.times import datetime_of

_TIMES = frozenset({"_SOURCE_REALTIME_TIMESTAMP", "COREDUMP_TIMESTAMP"})
"""Fields that hold a time in microseconds since the epoch (systemd.journal-fields(7))."""

_NUMBERS = (
    "CODE_LINE", "COREDUMP_GID", "COREDUMP_PID", "COREDUMP_SESSION", "COREDUMP_SIGNAL",
    "COREDUMP_UID", "ERRNO", "EXIT_STATUS", "INITRD_USEC", "KERNEL_USEC", "LEADER", "PRIORITY",
    "SESSION_ID", "SYSLOG_FACILITY", "SYSLOG_PID", "USERSPACE_USEC", "_AUDIT_LOGINUID",
    "_AUDIT_SESSION", "_GID", "_PID", "_SYSTEMD_OWNER_UID", "_SYSTEMD_SESSION", "_UID",
)  # fmt: skip


def _uuid(raw: bytes) -> UUID:
    return UUID(raw.decode())


def _span(raw: bytes) -> timedelta:
    return timedelta(microseconds=int(raw))


CONVERTERS: Mapping[str, Callable[[bytes], Any]] = {
    **dict.fromkeys(_NUMBERS, int),
    **dict.fromkeys(("MESSAGE_ID", "_BOOT_ID", "_MACHINE_ID"), _uuid),
    "COREDUMP": bytes,
    "_SOURCE_MONOTONIC_TIMESTAMP": _span,
}
"""What ``systemd.journal`` makes of well-known fields; importing it takes milliseconds. Its times
are left out: they would have a fixed offset from UTC, taken when the program starts, and be
wrong after the clocks change."""

_KINDS: Mapping[object, str] = {
    int: "a whole number",
    _uuid: "a 128-bit identifier in hexadecimal",
}

_MAY_BE_TEXT = frozenset({"SESSION_ID", "_SYSTEMD_SESSION", "COREDUMP_SESSION"})
"""These are numbers as a rule, but systemd-logind also names sessions "c1", "c2", …."""


LONGEST = 1 << 20
"""Bytes: no more is read of a field, unless ``[journal] longest`` says so."""
CUT = "…"
"""What a field ends with that was cut: no pattern that ends with ``$`` takes it for whole."""


class Decoder:
    """Raw bytes of a field to its value: as ``systemd.journal`` does, text where that fails."""

    def __init__(
        self, legacy_encoding: str = "iso-8859-1", zone: tzinfo = UTC, longest: int = LONGEST
    ) -> None:
        """Decode for one configuration.

        :param legacy_encoding: the encoding of whatever is not valid UTF-8.
        :param zone: the timezone of times.
        :param longest: so many bytes of a field are read.
        """
        self.legacy_encoding = legacy_encoding
        self.zone = zone
        self.longest = longest
        self.cuts: list[str] = []
        """The fields that were cut, each time; to be told and taken out."""
        times = dict.fromkeys(_TIMES, lambda raw: self.time(int(raw)))
        self.converters: Mapping[str, Callable[[bytes], Any]] = {
            **CONVERTERS, **times, "MESSAGE": lambda raw: without_codes(self._text(raw)),
        }  # fmt: skip
        """What is made of the fields that are more than their bytes as text."""

    def __call__(self, field: str, raw: bytes) -> Any:
        """The value of a field."""
        if len(raw) > self.longest:
            return self.cut(field, raw, self.longest)
        converter = self.converters.get(field)
        if converter is not None:
            try:
                return converter(raw)
            except (ValueError, OverflowError):
                pass  # whoever logs may put anything into a field: it is text then
        return self._text(raw)

    def cut(self, field: str, raw: bytes, longest: int) -> str:
        """What is kept of a field that is too long: text, which ends with `CUT`.

        :param field: its name.
        :param raw: its bytes, or at least one more of them than are kept.
        :param longest: so many of them are kept.
        """
        self.cuts.append(field)
        text = self._text(_whole_characters(raw[:longest]))
        return (without_codes(text) if field == "MESSAGE" else text) + CUT

    def _text(self, raw: bytes) -> str:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return encodable(raw.decode(self.legacy_encoding, errors="replace"))

    def time(self, time_us: int) -> datetime:
        """The aware time of an instant in microseconds since the epoch."""
        return datetime_of(time_us, self.zone)


def _whole_characters(raw: bytes) -> bytes:
    """The bytes without a character of UTF-8 at their end that was cut in two."""
    for back in range(1, min(4, len(raw) + 1)):
        byte = raw[-back]
        if byte & 0xC0 != 0x80:  # the first byte of a character tells how many it has
            length = 1 + (byte >= 0xC0) + (byte >= 0xE0) + (byte >= 0xF0)
            return raw[:-back] if length > back else raw
    return raw


def typed(field: str, value: Any) -> Any:
    """A configured value as entries will have it: ``"3"`` for ``PRIORITY`` is the number 3.

    :raises ValueError: the field never has such a value.
    """
    converter = CONVERTERS.get(field)
    if isinstance(value, str) and converter is not None:
        try:
            return converter(value.encode())
        except ValueError:
            if field in _MAY_BE_TEXT:
                return value
    elif converter not in _KINDS or (converter is int and not isinstance(value, bool)):
        return value
    kind = _KINDS.get(converter, "another value")
    raise ValueError(f"{field} is never {shown(value)} (expected {kind})")
