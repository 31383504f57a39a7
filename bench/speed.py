"""How fast Pyruse is, in one table: against others, and against itself.

    python -m bench.speed [--quick] [--only PART] [--write]

A ratio is one of CPU seconds unless the row says otherwise, measured side by side in one run: the
median of the rounds, with the lowest and the highest one. Needs what `make setup` installs, and
root for journald, nftables and fail2ban. ``--write`` puts the figures into `docs/performance.md`,
`docs/comparison.md` and the README, those of a part in place of the ones before: it is for a
machine that has nothing else to do.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import following, jails, keys, native, reading, remembered, rules
from bench.machine import described
from bench.measure import Row, Unavailable, compile_modules, rounded

PARTS: dict[str, Callable[[bool], Iterator[Row]]] = {
    "reading": reading.rows,
    "native": native.rows,
    "rules": rules.rows,
    "jails": jails.rows,
    "keys": keys.rows,
    "remembered": remembered.rows,
    "following": following.rows,
}
ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "docs" / "performance.md", ROOT / "docs" / "comparison.md", ROOT / "README.md"]
HEAD = "| what | median (lowest – highest) | target | met |\n|---|---|---|---|"
_MEASURED = re.compile(
    r"(<!-- measured: (?P<name>[^>]+) -->)(?P<space>\s*)(?P<old>.*?)\s*(<!-- end -->)", re.S
)


def main() -> int:
    """Measure, and print the table in Markdown; :return: the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="less of everything: does it work?")
    parser.add_argument("--only", choices=PARTS, help="one part of the table")
    parser.add_argument("--write", action="store_true", help="write the pages anew, too")
    options = parser.parse_args()
    if options.write and options.quick:
        parser.error("--write is for what was measured in full (expected no --quick)")
    compile_modules()
    print(described(), HEAD, sep="\n\n", flush=True)
    rows: list[Row] = []
    missing: list[str] = []
    for name in [options.only] if options.only else PARTS:
        try:
            for row in PARTS[name](options.quick):
                print(row, flush=True)
                rows.append(row)
        except Unavailable as fault:
            missing.append(f"{name}: {fault}")
    for line in missing:
        print(f"not measured: {line}", file=sys.stderr)
    if options.write and not missing:
        for page in PAGES:
            page.write_text(filled(page.read_text("utf-8"), rows, bool(options.only)), "utf-8")
    return bool(missing)


def filled(page: str, rows: list[Row], only_some: bool = False) -> str:
    """A page with what stands between ``<!-- measured: NAME -->`` and ``<!-- end -->`` made anew.

    NAME is ``machine``, ``table``, or the name of a row, whose median is given.

    :param only_some: rows that were not measured stay as they are.
    """
    texts = {row.name: rounded(row.figure.median) for row in rows if row.name}
    texts["machine"] = described()

    def made(found: re.Match[str]) -> str:
        name, space, old = found["name"], found["space"], found["old"]
        text = texts.get(name, old) if name != "table" else _table(rows, old if only_some else "")
        return f"<!-- measured: {name} -->{space}{text}{space}<!-- end -->"

    return _MEASURED.sub(made, page)


def _table(rows: list[Row], old: str) -> str:
    """The table, with the rows of an old one that are not measured anew."""
    lines = {_what(line): line for line in old.splitlines()[2:]}
    lines |= {_what(str(row)): str(row) for row in rows}
    return "\n".join([HEAD, *lines.values()])


def _what(line: str) -> str:
    return line.split("|")[1].strip()


if __name__ == "__main__":
    sys.exit(main())
