"""Entries that do not come from a journal: written by hand, or by ``journalctl -o json``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from pyruse.entry.decoding import Decoder
from pyruse.entry.entry import Entry, Source
from pyruse.errors import UserError
from pyruse.times import now_us

_TIME = "__REALTIME_TIMESTAMP"


def make_entry(
    fields: Mapping[str, Any], decoder: Decoder | None = None, *, time_us: int | None = None
) -> Entry:
    """An entry with these fields.

    Text and bytes are converted as the journal's are (``PRIORITY="3"`` becomes a number); anything
    else stays as it is.

    :param fields: values by name.
    :param decoder: converts text and bytes; None: with the defaults.
    :param time_us: the entry's instant in microseconds since the epoch; None: now.
    """
    decode = decoder or Decoder()
    time_us = now_us() if time_us is None else time_us
    values = {
        name: _value(name, value, decode)
        for name, value in fields.items()
        if value is not None and value != []
    }
    values[_TIME] = decode.time(time_us)
    made = _Made(values)
    # What steps set in others is known from the beginning.
    return Entry(time_us, made, {name: made.read(name) for name in values if not name.isupper()})


class _Made(Source):
    """Gives the fields as a journal does: of several values, the first one."""

    position = 0

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def read(self, field: str) -> Any | None:
        value = self._fields.get(field)
        return value[0] if isinstance(value, list) else value

    def read_all(self) -> dict[str, Any]:
        return dict(self._fields)


def entry_of_fields(words: Iterable[str], decoder: Decoder) -> Entry:
    """An entry of words such as ``MESSAGE=hello``.

    :raises ValueError: a word is not of that form.
    """
    fields: dict[str, str] = {}
    for word in words:
        name, separator, value = word.partition("=")
        if not separator or not name:
            raise ValueError(f'"{word}" is no field (expected FIELD=VALUE, such as MESSAGE=hello)')
        fields[name] = value
    return make_entry(fields, decoder)


def entry_of_export(text: str, decoder: Decoder) -> Entry:
    """The first entry of the output of ``journalctl -o json``.

    :raises UserError: the text is no such output.
    """
    line = next((line for line in text.split("\n") if line.strip()), "")
    try:
        fields = msgspec.json.decode(line, type=dict[str, Any])
        time_us = int(fields.pop(_TIME, None) or now_us())
        raw = {name: _unexported(value) for name, value in fields.items() if value is not None}
        return make_entry(raw, decoder, time_us=time_us)
    except (msgspec.DecodeError, ValueError, TypeError, OverflowError) as fault:
        raise UserError(
            f"standard input: no entry: {fault} (expected a line of `journalctl -o json`)"
        ) from None


def _unexported(value: Any) -> Any:
    """journalctl writes what is not UTF-8 as a list of numbers, and several values as a list."""
    if isinstance(value, list):
        if value and all(isinstance(item, int) for item in value):
            return bytes(value)
        return [_unexported(item) for item in value]
    return value


def _bytes(text: str) -> bytes:
    """The bytes of a text, be it an argument of a command (PEP 383) or what no encoding takes."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return text.encode(errors="replace")


def _value(name: str, value: Any, decode: Decoder) -> Any:
    match value:
        case str():
            return decode(name, _bytes(value))
        case bytes():
            return decode(name, value)
        case list():
            return [_value(name, item, decode) for item in value]
        case _:
            return value
