"""Days, as people name them to commands."""

from __future__ import annotations

import re
from datetime import date

import click

from pyruse.text import late_pattern


class DayCommand(click.Command):
    """A command with a DAY among its arguments."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, with ``-3`` as an argument: click would take it for an option."""
        end = args.index("--") if "--" in args else len(args)
        days = [one for one in args[:end] if _AGO.match(one)]
        others = [one for one in args[:end] if not _AGO.match(one)]
        return super().parse_args(ctx, [*others, "--", *days, *args[end + 1 :]] if days else args)


_AGO = late_pattern(r"-[0-9]+\Z")


def day_named(text: str, today: date) -> str:
    """The day that ``2026-03-14``, ``today``, ``yesterday`` or ``-3`` (days ago) stands for.

    :param text: as it was typed.
    :param today: the day of now.
    :return: the day as ``YYYY-MM-DD``.
    :raises click.UsageError: it is none of these.
    """
    ago = {"today": "0", "yesterday": "1"}.get(text, text.removeprefix("-"))
    try:
        if re.fullmatch(r"-[0-9]+|today|yesterday", text):
            return date.fromordinal(today.toordinal() - int(ago)).isoformat()
        return date.fromisoformat(text).isoformat()
    except (ValueError, OverflowError):
        raise click.UsageError(
            f'"{text}" is no day (expected "2026-03-14", "today", "yesterday" or "-3")'
        ) from None
