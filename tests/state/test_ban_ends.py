"""When bans end: each in its time, whatever became of it, and with little to remember."""

from __future__ import annotations

import random

import pytest

from pyruse.api.bans import Ban
from pyruse.api.firewall import Target
from pyruse.state.bans import StoredBans
from pyruse.state.shared_bans import BanKey

HERE = Target("nftables")


def put(bans: StoredBans, number: int, until: int | None, *, grown: bool = False) -> None:
    network = f"192.0.2.{number}"
    ban = Ban(network, "drop", 0, until, "", "", 1, HERE, grown)
    bans.put(BanKey(network, HERE), ban)


def over(bans: StoredBans, at: int) -> list[tuple[str, int | None, bool]]:
    found = []
    for key, ban in bans.over(at):
        found.append((ban.network, ban.until, ban.grown))
        bans.drop(key, grown=ban.grown)
    return found


def test_a_ban_that_was_made_longer_or_lifted_does_not_end_at_its_first_end() -> None:
    bans = StoredBans()
    for number in (1, 2, 3, 4):
        put(bans, number, 100)
    put(bans, 1, 200)
    put(bans, 2, None)
    bans.drop(BanKey("192.0.2.3", HERE), grown=False)
    assert bans.next_end() == 100
    assert over(bans, 100) == [("192.0.2.4", 100, False)]
    assert bans.next_end() == 200
    assert over(bans, 500) == [("192.0.2.1", 200, False)]
    assert bans.next_end() is None
    assert len(bans) == 1


def test_nobody_is_woken_for_what_ends_at_another_instant_by_now() -> None:
    bans = StoredBans()
    put(bans, 1, 100)
    put(bans, 1, 300)
    assert bans.next_end() == 300


@pytest.mark.parametrize("seed", range(5))
def test_all_bans_end_in_their_time_whatever_happens_to_them(seed: int) -> None:
    chance = random.Random(seed)
    bans = StoredBans()
    known: dict[tuple[str, bool], int | None] = {}
    now = 0
    for _ in range(3_000):
        number, grown = chance.randrange(40), chance.random() < 0.2
        name = f"192.0.2.{number}", grown
        if chance.random() < 0.7:
            until = None if chance.random() < 0.1 else now + chance.randrange(1, 400)
            put(bans, number, until, grown=grown)
            known[name] = until
        elif name in known:
            bans.drop(BanKey(name[0], HERE), grown=grown)
            del known[name]
        ends = [until for until in known.values() if until is not None]
        assert bans.next_end() == min(ends, default=None)
        if chance.random() < 0.3:
            now += chance.randrange(60)
            ended = over(bans, now)
            due = {
                (network, until, grown)
                for (network, grown), until in known.items()
                if until is not None and until <= now
            }
            assert len(ended) == len(due)
            assert set(ended) == due
            assert [until for _, until, _ in ended] == sorted(until for _, until, _ in due)
            for network, _, is_grown in ended:
                del known[network, is_grown]
    assert len(bans) == len(known)


def test_a_ban_that_is_made_longer_again_and_again_takes_no_more_memory() -> None:
    bans = StoredBans()
    for until in range(1, 5_000):
        put(bans, 1, until)
    assert len(bans._ends) < 200
    assert over(bans, 5_000) == [("192.0.2.1", 4_999, False)]
