"""Labels of bans that options name, and that nothing bans under: `pyruse check` warns of them."""

from __future__ import annotations

import pytest

from pyruse.config.ban_labels import label_doubts
from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.registry.kinds import RULES
from pyruse.registry.registry import Registry

CHAINS = """
use = ["sshd"]
[chains]
"web" = [
  { filter = "equals", field = "_UID", value = 0 },
  { action = "ban", ip = "ip", duration = "1h" },
  { action = "ban", ip = "ip", duration = "1h", label = "web logins" },
  { action = "unban", ip = "ip", label = "LABEL" },
]
"""


def doubts(label: str) -> list[str]:
    registry = Registry()
    found = configure(from_text(CHAINS.replace("LABEL", label), "x.toml"), registry)
    return list(label_doubts(found, registry.names(RULES)))


@pytest.mark.parametrize("label", ["web", "web logins", "sshd", "manual", "import"])
def test_what_something_bans_under_is_no_doubt(label: str) -> None:
    assert doubts(label) == []


def test_nor_is_what_rules_ban_under_that_are_not_in_use() -> None:
    """One file may be for many machines."""
    assert doubts("postfix") == []


def test_what_nothing_bans_under_is_told_with_what_is_near() -> None:
    expected = "expected that of a chain or of rules, unless it comes from elsewhere"
    place = 'x.toml: chains."web"[3].label'
    assert doubts("elsewhere") == [
        f'{place}: no chain bans under the label "elsewhere" ({expected})'
    ]
    assert doubts("ssdh") == [
        f'{place}: no chain bans under the label "ssdh" ({expected}; did you mean "sshd"?)'
    ]
