"""What the database does not take keeps nothing else from being told."""

from __future__ import annotations

import pytest
from conftest import Fleet
from pyruse_fleet.plugin import Fleet as Plugin

from pyruse.testing import wait_until

MANY = range(1, 400, 2)


@pytest.mark.parametrize("is_there", [True, False], ids=["at once", "by the audit"])
def test_a_ban_of_too_many_ports_is_told_of_and_the_others_are_shared(
    fleet: Fleet, is_there: bool
) -> None:
    a, b = fleet.simulated("a"), fleet.simulated("b")
    if not is_there:
        a.plugin.on_stop()
    a.own_ban("192.0.2.1", ports=MANY)
    for number in range(2, 9):
        a.own_ban(f"192.0.2.{number}")
    a.own_ban("192.0.2.9", ports=MANY)
    if not is_there:
        a.plugin.on_start(a)  # type: ignore[arg-type]
    wait_until(lambda: b.networks, lambda now: now == {f"192.0.2.{n}" for n in range(2, 9)})
    (line,) = wait_until(lambda: [one for one in a.lines if "not told" in one])
    assert line.startswith("the ban of 192.0.2.")
    assert " (ssh)" in line
    assert line.endswith(" (expected fewer ports)")
    a.own_ban("192.0.2.10")
    wait_until(lambda: b.networks, lambda now: "192.0.2.10" in now)


@pytest.mark.parametrize(
    "label", ["x" * 200, 'it\'s "quoted" \\ {}', "a\nb\t\u202eא", "", "ü" * 200]
)
def test_any_other_label_travels(fleet: Fleet, label: str) -> None:
    a, b = (fleet.simulated(name, share=[label], accept=[label]) for name in "ab")
    a.own_ban("192.0.2.1", label)
    wait_until(lambda: b.networks, lambda now: now == {"192.0.2.1"})
    a.own_unban("192.0.2.1", label)
    wait_until(lambda: not b.networks)


@pytest.mark.parametrize("option", ["share", "accept", "counters"])
@pytest.mark.parametrize("name", ["x" * 201, "a\0b"])
def test_a_name_that_the_database_cannot_hold_is_a_fault(option: str, name: str) -> None:
    with pytest.raises(ValueError, match=rf"^{option} has .* \(expected 200 characters at most"):
        Plugin("postgresql://a@db/x", **{option: ["ssh", name]})  # type: ignore[arg-type]
