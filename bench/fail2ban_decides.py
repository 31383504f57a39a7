"""What fail2ban itself decides, in a process of its own: its library is under another licence.

Standard input has a line of JSON for each filter: its name, its options, the folder of its
configuration, and lines as fail2ban makes them of entries of the journal. Standard output has a
line for each: the addresses, or null, in the same order.

    PYTHONPATH=…/dist-packages python bench/fail2ban_decides.py < questions > answers
"""

from __future__ import annotations

import importlib
import json
import logging
import sys
from typing import Any

_AT = "2026-03-14T12:00:00"
_AT_SECONDS = 1773489600.0


def made(name: str, options: dict[str, str], base: str) -> Any:
    """A filter of fail2ban's with all that its configuration says."""
    reader_class = importlib.import_module("fail2ban.client.filterreader").FilterReader
    filter_class = importlib.import_module("fail2ban.server.filter").Filter
    reader = reader_class(name, "jail", {"logtype": "journal", **options}, basedir=base)
    reader.read()
    reader.getOptions({})
    made_filter = filter_class(None)
    made_filter.returnRawHost = True  # names are not resolved
    made_filter.checkFindTime = False
    made_filter.active = True
    for command in reader.convert():
        if command[0] not in ("set", "multi-set"):
            continue
        values = command[3] if command[0] == "multi-set" else [command[3]]
        for value in values:
            match command[2]:
                case "prefregex":
                    made_filter.prefRegex = value
                case "addfailregex":
                    made_filter.addFailRegex(value)
                case "addignoreregex":
                    made_filter.addIgnoreRegex(value)
                case "maxlines":
                    made_filter.setMaxLines(value)
    return made_filter


def decided(made_filter: Any, line: str) -> str | None:
    """The address that a line counts against."""
    for _, address, _, failure in made_filter.processLine(("", _AT, line), _AT_SECONDS):
        if address is not None and not failure.get("nofail"):
            return str(address)
    return None


def main() -> None:
    """Answer all questions."""
    logging.disable(logging.CRITICAL)
    for question in sys.stdin:
        asked = json.loads(question)
        answers: list[str | None]
        try:
            one = made(asked["filter"], asked["options"], asked["base"])
            answers = [decided(one, line) for line in asked["lines"]]
        except Exception as fault:  # noqa: BLE001 -- it is fail2ban's, and is told of
            print(f"{asked['filter']} {asked['options']}: {fault!r}", file=sys.stderr)
            answers = [None] * len(asked["lines"])
        print(json.dumps(answers), flush=True)


if __name__ == "__main__":
    main()
