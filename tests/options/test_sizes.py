"""Sizes of texts, files and mails."""

from __future__ import annotations

import pytest

from pyruse.options.sizes import Size
from pyruse.text import shown


@pytest.mark.parametrize(
    ("value", "size", "text"),
    [
        (1500, 1500, "1,500 bytes"), ("1500", 1500, "1,500 bytes"), ("7B", 7, "7 bytes"),
        ("200 kB", 200_000, "200 kB"), ("10MB", 10_000_000, "10 MB"), ("64 KiB", 65_536, "64 KiB"),
        ("1M", 1_048_576, "1 MiB"), ("2GiB", 1 << 31, "2 GiB"),
        ("2k", 2048, "2 KiB"), ("1 GB", 10**9, "1 GB"),
    ],
)  # fmt: skip
def test_a_size(value: str | int, size: int, text: str) -> None:
    assert Size.parse(value) == size
    assert str(Size.parse(value)) == text


@pytest.mark.parametrize(
    "value",
    [0, -1, "0", "", "MB", "1.5MB", "1 TB", "-1", " 1", "1 ", "1\n", "٥", 1.5, True, None, [1], {},
     1 << 41, "2000 GiB", "9" * 5000],
    ids=lambda value: shown(value)[:20],
)  # fmt: skip
def test_no_size(value: object) -> None:
    with pytest.raises(ValueError, match=r'is no size \(expected bytes, or "200 kB", "64 KiB"'):
        Size.parse(value)
