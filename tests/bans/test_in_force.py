"""Who is banned, until when, and what of it the state keeps."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date

import pytest

from pyruse.api.firewall import Sets, Target
from pyruse.bans.firewalls.pending import Pending
from pyruse.bans.in_force import Cause, InForce
from pyruse.options.durations import Duration
from pyruse.state.database import State
from pyruse.state.shared_bans import BanKey
from tests.bans.asked import request

SECOND = 1_000_000
NOON = 1_773_489_600 * SECOND
HERE = Target("nftables")
MAIL = Target("nftables", Sets(ipv4="ip mail banned"), (25, 587))


@pytest.fixture
def state():
    return State()


@pytest.fixture
def bans(state):
    return InForce(state)


def ban(bans, network, *seconds, at=0, target=HERE, label="ssh"):
    """Ban for so many seconds (none given: for ever), so many seconds after noon."""
    cause = Cause(NOON + at * SECOND, reason="Failed login")
    return bans.ban(BanKey(network, target), request(network, *seconds, label=label), cause)


def in_force(bans, at=0):
    return sorted(made.network for made in bans.all(NOON + at * SECOND))


def waiting(state):
    """What the firewall is to add, and what it is to remove."""
    untaken = state.bans.untaken["nftables"]
    return tuple(
        sorted(key.network for key in changes) for changes in (untaken.add, untaken.remove)
    )


def enforce(state):
    pending = Pending("nftables", state.bans)
    telling = pending.telling()
    assert telling is not None
    pending.took(telling)


def test_a_ban_lasts_as_long_as_it_was_made_for(bans):
    made = ban(bans, "192.0.2.7", 60)
    assert (made.since, made.until, made.count) == (NOON, NOON + 60 * SECOND, 1)
    assert in_force(bans, at=59) == ["192.0.2.7"]
    assert in_force(bans, at=60) == []


def test_a_ban_without_end(bans):
    assert ban(bans, "2001:db8::/64").until is None
    assert in_force(bans, at=10**9) == ["2001:db8::/64"]


def test_a_further_ban_makes_it_last_until_the_later_end(bans):
    ban(bans, "192.0.2.7", 60)
    longer = ban(bans, "192.0.2.7", 60, at=30, label="other")
    assert (longer.since, longer.until) == (NOON, NOON + 90 * SECOND)
    assert ban(bans, "192.0.2.7", 10, at=40) is None
    assert in_force(bans, at=89) == ["192.0.2.7"]
    assert len(bans) == 1


def test_for_ever_is_the_latest_end(bans):
    ban(bans, "192.0.2.7", 60)
    assert ban(bans, "192.0.2.7").until is None
    assert ban(bans, "192.0.2.7", 10**6) is None
    assert ban(bans, "192.0.2.7") is None


def test_each_further_ban_takes_the_next_duration(bans):
    ends = []
    for at in (0, 100, 200, 300):
        made = ban(bans, "192.0.2.7", 10, 20, 30, at=at)
        ends.append((made.count, (made.until - made.since) // SECOND))
    assert ends == [(1, 10), (2, 20), (3, 30), (4, 30)]
    assert ban(bans, "192.0.2.8", 10, 20, 30, at=300).count == 1


def test_making_a_ban_last_longer_is_no_further_ban(bans):
    ban(bans, "192.0.2.7", 10, 20)
    assert ban(bans, "192.0.2.7", 10, 20, at=5).count == 1
    assert ban(bans, "192.0.2.7", 10, 20, at=50).count == 2


def test_an_escalation_goes_on_after_an_unban(bans):
    ban(bans, "192.0.2.7", 10, 20)
    bans.unban("192.0.2.7", Cause(NOON))
    assert ban(bans, "192.0.2.7", 10, 20, at=1).count == 2


def test_bans_of_several_targets_are_apart(bans):
    ban(bans, "192.0.2.7", 60)
    ban(bans, "192.0.2.7", 10, target=MAIL)
    assert in_force(bans) == ["192.0.2.7", "192.0.2.7"]
    assert in_force(bans, at=30) == ["192.0.2.7"]


def test_unbanning_a_network_lifts_all_that_is_in_it(bans, state):
    for address in ("192.0.2.7", "192.0.2.128/25", "192.0.3.1", "192.0.2.0/23", "2001:db8::7"):
        ban(bans, address, 60)
    ban(bans, "192.0.2.7", 60, target=MAIL)
    enforce(state)
    lifted = bans.unban("192.0.2.0/24", Cause(NOON))
    assert sorted(one.network for one in lifted) == ["192.0.2.128/25", "192.0.2.7", "192.0.2.7"]
    assert in_force(bans) == ["192.0.2.0/23", "192.0.3.1", "2001:db8::7"]
    assert waiting(state) == ([], ["192.0.2.128/25", "192.0.2.7", "192.0.2.7"])


def test_unbanning_by_label(bans):
    ban(bans, "192.0.2.7", 60, label="ssh")
    ban(bans, "192.0.2.7", 60, label="mail", target=MAIL)
    assert [one.label for one in bans.unban("192.0.2.7", Cause(NOON), label="mail")] == ["mail"]
    assert bans.unban("192.0.2.7", Cause(NOON), label="web") == []
    assert in_force(bans) == ["192.0.2.7"]


def test_one_ban_is_lifted_and_no_other_of_the_same_label(bans, state):
    """Neither that of other ports, nor those inside the network, nor what came in its place."""
    wide = ban(bans, "192.0.2.0/24", 60)
    ban(bans, "192.0.2.0/24", 60, target=MAIL)
    ban(bans, "192.0.2.7", 60)
    assert bans.lift([wide], Cause(NOON)) == 1
    assert in_force(bans) == ["192.0.2.0/24", "192.0.2.7"]
    assert bans.lift([wide], Cause(NOON)) == 0
    ban(bans, "192.0.2.0/24", 60, at=1)
    assert bans.lift([wide], Cause(NOON + SECOND)) == 0, "it is another ban"
    assert len(in_force(bans, at=1)) == 3


def test_a_ban_that_was_made_longer_is_the_same_unless_somebody_else_did_it(bans):
    first = ban(bans, "192.0.2.7", 60)
    ban(bans, "192.0.2.7", 600, at=1)
    assert bans.lift([first], Cause(NOON + 2 * SECOND)) == 1
    first = ban(bans, "192.0.2.7", 60, at=3)
    ban(bans, "192.0.2.7", 600, at=4, label="mail")
    assert bans.lift([first], Cause(NOON + 5 * SECOND)) == 0


def test_a_new_ban_takes_back_the_removal_of_the_old_one(bans, state):
    ban(bans, "192.0.2.7", 60)
    bans.unban("192.0.2.7", Cause(NOON))
    ban(bans, "192.0.2.7", 60, at=1)
    assert waiting(state) == (["192.0.2.7"], [])


def test_what_is_over_is_dropped_and_what_lasts_longer_by_now_is_not(bans, state):
    ban(bans, "192.0.2.6", 10)
    ban(bans, "192.0.2.7", 10)
    ban(bans, "192.0.2.7", 60, at=5)
    ban(bans, "192.0.2.8")
    bans.expire(NOON + 10 * SECOND)
    assert in_force(bans, at=9) == ["192.0.2.7", "192.0.2.8"]
    assert waiting(state) == (["192.0.2.7", "192.0.2.8"], ["192.0.2.6"])


def test_the_history_has_every_ban_in_order(bans, state):
    for at, network in ((0, "192.0.2.7"), (5, "192.0.2.7"), (3, "2001:db8::/64"), (900, "::7")):
        ban(bans, network, 60, at=at)
    state.commit()
    records = state.ban_history.read(state.db, NOON, NOON + 900 * SECOND)
    assert [(one.ban.network, (one.at - NOON) // SECOND) for one in records] == [
        ("192.0.2.7", 0), ("2001:db8::/64", 3), ("192.0.2.7", 5),
    ]  # fmt: skip
    assert {(one.ban.label, one.ban.reason, one.ban.count) for one in records} == {
        ("ssh", "Failed login", 1)
    }


class TestOnDisk:
    """What a restart finds."""

    @pytest.fixture
    def path(self, tmp_path):
        return str(tmp_path / "state.sqlite")

    def test_bans_come_back_as_they_were(self, path):
        with reopened(path) as (_, bans):
            ban(bans, "192.0.2.7", 60, target=MAIL, label="mail")
            ban(bans, "2001:db8::/64")
            before = bans.all(NOON)
        with reopened(path) as (_, bans):
            assert sorted(bans.all(NOON), key=lambda one: one.network) == before

    def test_what_the_firewall_has_not_taken_is_still_waiting(self, path):
        with reopened(path) as (state, bans):
            ban(bans, "192.0.2.6", 60)
            ban(bans, "192.0.2.7", 60)
            enforce(state)
            ban(bans, "192.0.2.8", 60)
            bans.unban("192.0.2.7", Cause(NOON))
        with reopened(path) as (state, bans):
            assert waiting(state) == (["192.0.2.8"], ["192.0.2.7"])
            assert in_force(bans) == ["192.0.2.6", "192.0.2.8"]
            enforce(state)
        with reopened(path) as (state, _):
            assert waiting(state) == ([], [])

    def test_what_is_over_is_gone(self, path):
        with reopened(path) as (_, bans):
            ban(bans, "192.0.2.6", 10)
            ban(bans, "192.0.2.7", 60)
        with reopened(path) as (_, bans):
            bans.expire(NOON + 10 * SECOND)
        with reopened(path) as (_, bans):
            assert in_force(bans, at=1) == ["192.0.2.7"]

    def test_a_restart_does_not_forget_how_many_bans_there_were(self, path):
        with reopened(path) as (_, bans):
            ban(bans, "192.0.2.7", 10, 20, 30)
            ban(bans, "192.0.2.7", 10, 20, 30, at=50)
            bans.expire(NOON + 90 * SECOND)
        with reopened(path) as (_, bans):
            assert ban(bans, "192.0.2.7", 10, 20, 30, at=100).count == 3


@contextmanager
def reopened(path):
    """The state of a file, and who is banned by it; what is done to it is committed."""
    with State(path) as state:
        state.load()
        yield state, InForce(state)
        state.commit()


def test_a_ban_that_is_over_is_lifted_for_firewalls_that_do_not_end_it(bans, state):
    ban(bans, "203.0.113.7", 10)
    ban(bans, "203.0.113.8", 30)
    enforce(state)
    bans.expire(NOON + 20 * SECOND)
    assert waiting(state) == ([], ["203.0.113.7"])


def test_two_targets_of_one_offender_escalate_apart(bans):
    for target in (HERE, MAIL):
        made = ban(bans, "203.0.113.7", 60, 3600, target=target)
        assert made.until == NOON + 60 * SECOND


class TestForgetting:
    """Who has been quiet for long enough starts again with the first duration."""

    DAY = 86400

    def offend(self, bans, at, forget=30):
        lengths = request("203.0.113.7", 60, 3600, self.DAY, forget=Duration(days=forget))
        return bans.ban(BanKey("203.0.113.7", HERE), lengths, Cause(NOON + at * SECOND)).count - 1

    def test_after_the_end_of_the_last_ban(self, bans):
        assert self.offend(bans, at=0) == 0
        assert self.offend(bans, at=61) == 1
        end = 61 + 3600
        assert self.offend(bans, at=end + 30 * self.DAY - 1) == 2
        end += 30 * self.DAY - 1 + self.DAY
        assert self.offend(bans, at=end + 30 * self.DAY) == 0

    def test_of_two_steps_the_longer_memory_counts(self, bans):
        self.offend(bans, at=0, forget=30)
        self.offend(bans, at=100, forget=1)
        assert self.offend(bans, at=20 * self.DAY, forget=1) == 2

    def test_an_unban_is_the_end_of_a_ban(self, bans):
        ban(bans, "203.0.113.7")  # for ever
        bans.unban("203.0.113.7", Cause(NOON))
        assert self.offend(bans, at=100) == 1
        bans.unban("203.0.113.7", Cause(NOON + 200 * SECOND))
        assert self.offend(bans, at=91 * self.DAY) == 0

    def test_neither_a_restart_nor_the_end_of_the_history_is_forgetting(self, tmp_path):
        path = str(tmp_path / "state.sqlite")
        month = NOON + 29 * self.DAY * SECOND
        with reopened(path) as (_, bans):
            self.offend(bans, at=0)
        with reopened(path) as (state, bans):
            bans.expire(month)
            state.expire(month)
            state.remove_before(month, date(2026, 4, 12))
            assert state.ban_history.read(state.db) == []
        with reopened(path) as (_, bans):
            assert self.offend(bans, at=29 * self.DAY) == 1

    def test_what_is_forgotten_takes_no_room(self, tmp_path):
        with State(str(tmp_path / "state.sqlite")) as state:
            self.offend(InForce(state), at=0)
            state.commit()
            state.expire(NOON + 31 * self.DAY * SECOND)
            state.commit()
            assert state.db.execute("SELECT * FROM offenders").fetchall() == []


def test_bans_around_a_network(bans):
    for network in ("203.0.113.0/24", "203.0.0.0/16", "203.0.113.7", "2001:db8::/32"):
        ban(bans, network, 60)
    around = bans.around("203.0.113.7", NOON)
    assert [one.network for one in around] == ["203.0.0.0/16", "203.0.113.0/24"]
    assert bans.around("203.0.113.7", NOON + 60 * SECOND) == []
