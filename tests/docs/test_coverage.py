"""Which services the rules know is found in their files (`tools.coverage`)."""

from __future__ import annotations

from pathlib import Path

from pyruse.registry.registry import Registry
from pyruse.rules.library import Library
from tools.coverage import page

ROOT = Path(__file__).parents[2]
LIST = """
[[tables]]
title = "Some"
first = "package"
about = "Of these."
services = ["a: atd", "b: fstrim", "c: nobody", "d: atd, nobody", "e: php-fpm8.2"]
"""


def rows(text: str) -> list[list[str]]:
    return [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]


def test_what_is_known_is_found_in_the_rules(tmp_path: Path) -> None:
    services = tmp_path / "services.toml"
    services.write_text(LIST)
    library = Library(Registry())
    rules = [library.rules(name) for name in library.names]
    found = {row[0]: row[2].strip() for row in rows(page(rules, library, services))[1:]}
    assert found == {
        "a": "known", "b": "noise only", "c": "unknown", "d": "unknown", "e": "known",
    }  # fmt: skip
    without = [one for one in rules if one.name != "atd"]
    assert "| a | `atd` | unknown |" in page(without, library, services)


def test_the_services_that_most_machines_have_are_known() -> None:
    text = (ROOT / "docs/rules/coverage.md").read_text("utf-8")
    assert [row[0] for row in rows(text) if row[2:3] == ["unknown"]] == []
