"""Labels that nothing bans under, and counters that nobody raises: `pyruse check` warns of them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pyruse.config.files import from_text
from pyruse.config.load import Configuration, configure
from pyruse.config.named_elsewhere import unknown_names
from pyruse.options.names_elsewhere import CounterName
from pyruse.registry.kinds import RULES
from pyruse.registry.registry import Registry

CHAINS = """
use = ["sshd"]
[chains]
"web" = [
  { filter = "equals", field = "_UID", value = 0 },
  { action = "count", counter = "tries", key = "ip", within = "1h" },
  { action = "ban", ip = "ip", duration = "1h" },
  { action = "ban", ip = "ip", duration = "1h", label = "web logins" },
  { action = "unban", ip = "ip", label = "LABEL" },
]
"""


@dataclass
class Shared:
    """An extension that is about counters."""

    counters: list[CounterName]


def configured(registry: Registry, label: str = "web") -> Configuration:
    return configure(from_text(CHAINS.replace("LABEL", label), "x.toml"), registry)


def doubts(label: str) -> list[str]:
    registry = Registry()
    return list(unknown_names(configured(registry, label), registry.names(RULES)))


@pytest.mark.parametrize("label", ["web", "web logins", "sshd", "manual", "import"])
def test_what_something_bans_under_is_no_doubt(label: str) -> None:
    assert doubts(label) == []


def test_nor_is_what_rules_ban_under_that_are_not_in_use() -> None:
    """One file may be for many machines."""
    assert doubts("postfix") == []


def test_what_nothing_bans_under_is_told_with_what_is_near() -> None:
    expected = "expected that of a chain or of rules, unless it comes from elsewhere"
    place = 'x.toml: chains."web"[4].label'
    assert doubts("elsewhere") == [
        f'{place}: no chain bans under the label "elsewhere" ({expected})'
    ]
    assert doubts("ssdh") == [
        f'{place}: no chain bans under the label "ssdh" ({expected}; did you mean "sshd"?)'
    ]


def test_a_counter_that_nothing_raises_is_told_with_what_is_near() -> None:
    registry = Registry()
    found = configured(registry)
    found.extensions["shared"] = Shared([*map(CounterName, ["tries", "sshd", "postfix", "trise"])])
    assert list(unknown_names(found, registry.names(RULES))) == [
        'plugins.shared.counters[3]: no chain has the counter "trise" (expected that of a step, or '
        'the name of rules; did you mean "tries"?)'
    ]
