"""What the database has of a host's bans is brought in line with the host's state."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Fleet
from pyruse_fleet import audit
from pyruse_fleet.audit import differences
from pyruse_fleet.wire import Key

from pyruse.testing import wait_until

KEYS = [Key(f"192.0.2.{number}", "ssh") for number in range(1, 6)]


def test_new_bans_come_last() -> None:
    gone, same, longer, for_ever, new = KEYS
    told = {gone: 60.0, same: 60.0, longer: 60.0, for_ever: 60.0}
    own = {new: 60.0, for_ever: None, longer: 90.0, same: 65.0}
    found = [(row["kind"], row["network"]) for row in differences(own, told)]
    assert found[0] == ("unban", gone.network)
    assert set(found[1:3]) == {("ban", longer.network), ("ban", for_ever.network)}
    assert found[3:] == [("ban", new.network)]


def test_bans_far_beyond_the_quota_are_not_told_again_and_again(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "_AT_ONCE", 10)
    calls: list[Any] = []
    tell = audit.tell
    monkeypatch.setattr(audit, "tell", lambda *all_: (calls.append(all_), tell(*all_))[1])
    a, b = fleet.simulated("a"), fleet.simulated("b")
    fleet.ask("UPDATE fleet.hosts SET quota = 20 WHERE name = 'a'")
    a.plugin.on_stop()
    for number in range(200):
        a.own_ban(f"203.0.113.{number}")
    a.plugin.on_start(a)  # type: ignore[arg-type]
    wait_until(lambda: b.networks, lambda now: len(now) == 20)
    wait_until(lambda: [one for one in a.lines if "its quota is used up" in one])
    assert len(calls) <= 3, "two that are taken, and one that is not"
