"""Instants in tables: the same text as a datetime's, whatever the clocks do."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from pyruse.cli.output import shown_time
from pyruse.times import datetime_of

HOUR_US = 3_600_000_000
MOMENTS = {
    "Europe/Paris": 1_774_746_000,  # 2026-03-29: 2:00 is 3:00
    "Europe/Berlin": 1_792_890_000,  # 2026-10-25: 3:00 is 2:00
    "Asia/Kathmandu": 1_774_746_000,  # + 5:45
    "Australia/Lord_Howe": 1_775_314_800,  # half an hour
    "Europe/Amsterdam": -1_000_000_000,  # by the sun, in 1938
}


@pytest.mark.parametrize(("name", "moment"), MOMENTS.items())
def test_an_instant_is_shown_as_its_datetime(name: str, moment: int) -> None:
    zone = ZoneInfo(name)
    for step in range(-500, 500):
        time_us = moment * 1_000_000 + step * (HOUR_US // 97) + step % 3
        assert shown_time(time_us, zone) == f"{datetime_of(time_us, zone):%F %T}"
