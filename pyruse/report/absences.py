"""What was absent, in words: for the report, for mails, and for `pyruse status`."""

from __future__ import annotations

from datetime import tzinfo

from pyruse.options.durations import written
from pyruse.options.keys import in_words
from pyruse.state.expectations import Absence, Expected
from pyruse.text import one_line, shortened
from pyruse.times import datetime_of

_LONGEST_KEY = 200  # characters


def absence_in_words(absence: Absence, zone: tzinfo) -> str:
    """What did not happen, since when, and until when if that is over."""
    since = f"{datetime_of(absence.since, zone):%F %T}"
    every = f"every {written(absence.every)}"
    if absence.end is not None:
        begin, end = (datetime_of(at, zone) for at in (absence.begin, absence.end))
        return f"{whose(absence)} was absent from {begin:%F %T} until {end:%F %T}, expected {every}"
    if absence.happened:
        return f"{whose(absence)} has not happened since {since}, expected {every}"
    return f"{whose(absence)} has not happened yet, expected {every} since {since}"


def whose(absence: Absence | Expected) -> str:
    """What it is, and of whom, on one line; the key may be a stranger's text."""
    key = shortened(one_line(in_words(absence.key)), _LONGEST_KEY)
    return f"{absence.name} of {key}" if key else absence.name
