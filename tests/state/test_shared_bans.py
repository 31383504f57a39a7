"""Bans in little memory: what is put in comes out, and what is alike is there once."""

from __future__ import annotations

from pyruse.api.bans import Ban
from pyruse.api.firewall import Target
from pyruse.state.shared_bans import BanKey, SharedBans
from pyruse.times import FOREVER

HERE, THERE = Target("nftables"), Target("ipset", ports=(22,))


def ban(network: str, target: Target = HERE, *, until: int | None = None, count: int = 1) -> Ban:
    return Ban(network, "drop", 1_000, until, "from a list", "", count, target)


def test_what_is_put_in_comes_out() -> None:
    bans = SharedBans()
    all_ = [
        ban("192.0.2.1"),
        ban("192.0.2.1", THERE, until=5_000),
        ban("2001:db8::/32", until=6_000, count=3),
    ]
    for one in all_:
        bans[BanKey(one.network, one.target)] = one
    assert [one for _, one in bans.items()] == all_
    assert list(bans) == [BanKey(one.network, one.target) for one in all_]
    for key in bans:
        assert bans[key] == bans.get(key)
    ends = [bans.end(key) for key in bans]
    assert ends == [FOREVER, 5_000, 6_000]
    gone = BanKey("192.0.2.1", HERE)
    del bans[gone]
    assert (len(bans), gone in bans, bans.get(gone), bans.terms.get(gone)) == (2, False, None, None)
    assert bans.end(gone) == FOREVER


def test_bans_of_one_list_share_what_they_have_in_common() -> None:
    bans = SharedBans()
    keys = [BanKey(f"192.0.2.{n}", HERE) for n in range(3)]
    for key in keys[:2]:
        bans[key] = ban(key.network, until=int("5000"))
    bans[keys[2]] = ban(keys[2].network, until=6_000)
    first, second, third = map(bans.terms.get, keys)
    assert first is second
    assert third is not first


def test_an_end_that_is_put_off_is_nobody_elses() -> None:
    bans = SharedBans()
    keys = [BanKey(f"192.0.2.{n}", HERE) for n in range(2)]
    for key in keys:
        bans[key] = ban(key.network, until=5_000)
    bans[keys[0]] = ban(keys[0].network, until=9_000)
    assert [bans[key].until for key in keys] == [9_000, 5_000]
