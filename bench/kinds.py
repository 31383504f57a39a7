"""How well lines that say the same are found to be of one kind, and how fast.

    python -m bench.kinds            # on lines of our own: tests/kinds/lines.txt
    python -m bench.kinds FOLDER     # on the labelled sets of the log-parsing benchmark

FOLDER has files such as ``Linux_2k.log_structured.csv``, with the columns ``Content`` and
``EventId`` (loghub, github.com/logpai/loghub: for research use, so not in this repository).
Grouping accuracy is the share of lines whose kind has exactly the lines that it should have (Zhu et
al., "Tools and Benchmarks for Automated Log Parsing", 2019). There is one setting for all sets.
Exit code 1: less than is promised.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from pyruse.kinds.masks import Masks
from pyruse.kinds.merging import merged

OWN = Path(__file__).parent.parent / "tests" / "kinds" / "lines.txt"
SYSLOG_LIKE = ("Linux", "OpenSSH", "Mac", "Apache", "Proxifier")
PROMISED_SYSLOG_LIKE, PROMISED = 0.95, 0.90
PROMISED_SPEED = 100_000  # lines a second
_LINES = 200_000
_UNKNOWN = 20
_SHOWN = 8


class Line(NamedTuple):
    """A line, and the label of what it says."""

    program: str
    text: str
    label: str


def own_lines() -> list[Line]:
    """Those of `OWN`."""
    lines, program, label = [], "", 0
    for text in OWN.read_text("utf-8").splitlines()[1:]:
        if text.startswith("== "):
            program = text[3:]
        elif not text:
            label += 1
        else:
            lines.append(Line(program, text, str(label)))
    return lines


def labelled(file: Path) -> list[Line]:
    """The lines of a set; its programs are not looked at, as other parsers do not, either."""
    with file.open(newline="", encoding="utf-8", errors="replace") as source:
        return [Line("", row["Content"], row["EventId"]) for row in csv.DictReader(source)]


def kinds_of(lines: Iterable[Line]) -> list[tuple[str, str]]:
    """The kind that each line is shown as: program and template."""
    masks = Masks()
    found = [(line.program, masks.template_of(line.text)) for line in lines]
    templates: dict[str, set[str]] = defaultdict(set)
    for program, template in found:
        templates[program].add(template)
    stands = {program: merged(several) for program, several in templates.items()}
    return [(program, stands[program][template]) for program, template in found]


def wrong(lines: Sequence[Line], kinds: Sequence[tuple[str, str]]) -> list[int]:
    """The lines whose kind has not exactly the lines that it should have, by index."""
    labels = Counter(line.label for line in lines)
    sizes = Counter(kinds)
    labels_of: dict[tuple[str, str], set[str]] = defaultdict(set)
    for line, kind in zip(lines, kinds, strict=True):
        labels_of[kind].add(line.label)
    return [
        index
        for index, (line, kind) in enumerate(zip(lines, kinds, strict=True))
        if len(labels_of[kind]) > 1 or sizes[kind] != labels[line.label]
    ]


def accuracy(lines: Sequence[Line]) -> float:
    """The share of lines that are grouped as they should be."""
    return 1 - len(wrong(lines, kinds_of(lines))) / len(lines)


def speed(lines: Sequence[Line]) -> float:
    """Lines a second: lines with other digits each time, and each `_UNKNOWN`th with a new word."""
    random_ = random.Random(1)
    digits = re.compile(r"[1-9]")
    texts = [
        digits.sub(lambda _: random_.choice("123456789"), random_.choice(lines).text)
        + ("" if number % _UNKNOWN else "".join(random_.choices("abcdefghijklm", k=9)))
        for number in range(_LINES)
    ]
    masks = Masks()
    begin = time.process_time()
    for text in texts:
        masks.template_of(text)
    return _LINES / (time.process_time() - begin)


def _show(name: str, lines: Sequence[Line], tell: Callable[[str], None] | None) -> float:
    kinds = kinds_of(lines)
    faults = wrong(lines, kinds)
    share = 1 - len(faults) / len(lines)
    labels = len({line.label for line in lines})
    print(
        f"{name:<14}{len(lines):>7,} lines{labels:>6} labels{len(set(kinds)):>6} kinds  {share:.3f}"
    )
    if tell is not None:
        several = Counter((lines[index].label, kinds[index]) for index in faults)
        for (label, (_, template)), number in several.most_common(_SHOWN):
            tell(f"    {number:>5} {label:<6} {template[:150]}")
    return share


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER")
    parser.add_argument("--wrong", action="store_true", help="show what is grouped wrongly")
    options = parser.parse_args()
    tell = print if options.wrong else None
    own = own_lines()
    promised = [_show("our own", own, tell) >= PROMISED_SYSLOG_LIKE]
    if options.folder is not None:
        files = sorted(options.folder.rglob("*_structured*.csv"))
        if not files:
            parser.error(f"{options.folder}: no set is there (expected *_structured.csv)")
        shares = {
            file.name.partition("_")[0]: _show(file.name.partition("_")[0], labelled(file), tell)
            for file in files
        }
        like = [shares[name] for name in SYSLOG_LIKE if name in shares]
        for name, several, least in (
            ("syslog-like", like, PROMISED_SYSLOG_LIKE),
            ("all", list(shares.values()), PROMISED),
        ):
            if several:
                mean = sum(several) / len(several)
                print(f"{name:<14}{len(several)} sets, mean {mean:.3f} (promised {least})")
                promised.append(mean >= least)
    lines_a_second = speed(own)
    print(f"{lines_a_second:,.0f} lines a second (promised {PROMISED_SPEED:,})")
    promised.append(lines_a_second >= PROMISED_SPEED)
    return 0 if all(promised) else 1


if __name__ == "__main__":
    sys.exit(main())
