"""A firewall that is a program: all changes at once, else all that it does take."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pyruse import Changes, Element, FirewallError, FirewallProgram, ProgramFirewall, Target

TARGET = Target("tool")


class Tool(ProgramFirewall[int]):
    """Writes down what its program, cat, is told; refuses lines that have a word in them."""

    name = "tool"

    def __init__(self, refused: str = "nothing") -> None:
        script = f'text=$(cat); case "$text" in *{refused}*) echo "no {refused}" >&2; exit 1;; esac'
        super().__init__(FirewallProgram(("sh", "-c", script)))
        self.told: list[str] = []

    def set_of(self, element: Element) -> int:
        if element.target.ports:
            raise ValueError("there are no ports here (expected none)")
        return element.version

    def run(self, groups: Sequence[Changes[int]]) -> None:
        lines = [
            f"{'+' if change.adds else '-'}{change.text}" for group in groups for change in group
        ]
        self.program.run((), "\n".join(lines))
        self.told += lines


def elements(*addresses: str) -> list[Element]:
    return [Element(address, TARGET, 60) for address in addresses]


def test_all_changes_are_one_run() -> None:
    tool = Tool()
    tool.apply(elements("192.0.2.7", "2001:db8::7"), elements("192.0.2.6"))
    assert tool.told == ["-192.0.2.6", "+192.0.2.7", "+2001:db8::7"]


def test_what_is_refused_is_named_and_the_rest_is_made() -> None:
    tool = Tool("192.0.2.7")
    with pytest.raises(FirewallError) as refused:
        tool.apply(elements("192.0.2.6", "192.0.2.7", "192.0.2.8", "2001:db8::7"), [])
    assert str(refused.value) == "tool: 4: 192.0.2.7: no 192.0.2.7"
    assert refused.value.failed is not None
    assert [one.address for one in refused.value.failed] == ["192.0.2.7"]
    assert sorted(tool.told) == ["+192.0.2.6", "+192.0.2.8", "+2001:db8::7"]


def test_what_goes_nowhere_does_not_hold_up_the_rest() -> None:
    tool = Tool()
    nowhere = Element("192.0.2.9", Target("tool", ports=(22,)), 60)
    with pytest.raises(FirewallError, match=r"192\.0\.2\.9: there are no ports here"):
        tool.apply([nowhere, *elements("192.0.2.7")], [])
    assert tool.told == ["+192.0.2.7"]


def test_a_program_that_is_missing_is_named() -> None:
    tool = Tool()
    tool.program = FirewallProgram(("no-such-program",))
    with pytest.raises(FirewallError, match="no-such-program: No such file or directory"):
        tool.reconcile(elements("192.0.2.7"), [])
