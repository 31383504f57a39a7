from __future__ import annotations

import pytest

from pyruse.api.firewall import Sets, Target
from pyruse.state.database import State

SECOND = 1_000_000
NOON = 1_773_489_600 * SECOND
HERE = Target("nftables")
MAIL = Target("nftables", Sets(ipv4="ip mail banned"), (25, 587))


@pytest.fixture
def ledger():
    return State().bans


def ban(ledger, address, *seconds, at=0, target=HERE, label="ssh"):
    """Ban for so many seconds (none given: for ever), so many seconds after noon."""
    durations = [second and second * SECOND for second in seconds or (None,)]
    return ledger.ban(
        address, target, durations, now=NOON + at * SECOND, label=label, reason="Failed login"
    )


def in_force(ledger, at=0):
    return sorted(made.address for made in ledger.in_force(NOON + at * SECOND))


def waiting(ledger):
    """What the firewall is to add, and what it is to remove."""
    return tuple(sorted(one.address for one in bans) for bans in ledger.waiting())


def enforce(ledger):
    ledger.enforced(*ledger.waiting())


def test_a_ban_lasts_as_long_as_it_was_made_for(ledger):
    made = ban(ledger, "192.0.2.7", 60)
    assert (made.since, made.until, made.level) == (NOON, NOON + 60 * SECOND, 0)
    assert in_force(ledger, at=59) == ["192.0.2.7"]
    assert in_force(ledger, at=60) == []


def test_a_ban_without_end(ledger):
    assert ban(ledger, "2001:db8::/64").until is None
    assert in_force(ledger, at=10**9) == ["2001:db8::/64"]


def test_a_further_ban_makes_it_last_until_the_later_end(ledger):
    ban(ledger, "192.0.2.7", 60)
    longer = ban(ledger, "192.0.2.7", 60, at=30, label="other")
    assert (longer.since, longer.until) == (NOON, NOON + 90 * SECOND)
    assert ban(ledger, "192.0.2.7", 10, at=40) is None
    assert in_force(ledger, at=89) == ["192.0.2.7"]
    assert len(ledger) == 1


def test_for_ever_is_the_latest_end(ledger):
    ban(ledger, "192.0.2.7", 60)
    assert ban(ledger, "192.0.2.7").until is None
    assert ban(ledger, "192.0.2.7", 10**6) is None
    assert ban(ledger, "192.0.2.7") is None


def test_each_further_ban_takes_the_next_duration(ledger):
    ends = []
    for at in (0, 100, 200, 300):
        made = ban(ledger, "192.0.2.7", 10, 20, 30, at=at)
        ends.append((made.level, (made.until - made.since) // SECOND))
    assert ends == [(0, 10), (1, 20), (2, 30), (3, 30)]
    assert ban(ledger, "192.0.2.8", 10, 20, 30, at=300).level == 0


def test_making_a_ban_last_longer_is_no_further_ban(ledger):
    ban(ledger, "192.0.2.7", 10, 20)
    assert ban(ledger, "192.0.2.7", 10, 20, at=5).level == 0
    assert ban(ledger, "192.0.2.7", 10, 20, at=50).level == 1


def test_an_escalation_goes_on_after_an_unban(ledger):
    ban(ledger, "192.0.2.7", 10, 20)
    ledger.unban("192.0.2.7", now=NOON)
    assert ban(ledger, "192.0.2.7", 10, 20, at=1).level == 1


def test_bans_of_several_targets_are_apart(ledger):
    ban(ledger, "192.0.2.7", 60)
    ban(ledger, "192.0.2.7", 10, target=MAIL)
    assert in_force(ledger) == ["192.0.2.7", "192.0.2.7"]
    assert in_force(ledger, at=30) == ["192.0.2.7"]


def test_unbanning_a_network_lifts_all_that_is_in_it(ledger):
    for address in ("192.0.2.7", "192.0.2.128/25", "192.0.3.1", "192.0.2.0/23", "2001:db8::7"):
        ban(ledger, address, 60)
    ban(ledger, "192.0.2.7", 60, target=MAIL)
    enforce(ledger)
    lifted = ledger.unban("192.0.2.0/24", now=NOON)
    assert sorted(one.address for one in lifted) == ["192.0.2.128/25", "192.0.2.7", "192.0.2.7"]
    assert in_force(ledger) == ["192.0.2.0/23", "192.0.3.1", "2001:db8::7"]
    assert waiting(ledger) == ([], ["192.0.2.128/25", "192.0.2.7", "192.0.2.7"])


def test_unbanning_by_label(ledger):
    ban(ledger, "192.0.2.7", 60, label="ssh")
    ban(ledger, "192.0.2.7", 60, label="mail", target=MAIL)
    assert [one.label for one in ledger.unban("192.0.2.7", now=NOON, label="mail")] == ["mail"]
    assert ledger.unban("192.0.2.7", now=NOON, label="web") == []
    assert in_force(ledger) == ["192.0.2.7"]


def test_a_new_ban_takes_back_the_removal_of_the_old_one(ledger):
    ban(ledger, "192.0.2.7", 60)
    ledger.unban("192.0.2.7", now=NOON)
    ban(ledger, "192.0.2.7", 60, at=1)
    assert waiting(ledger) == (["192.0.2.7"], [])


def test_what_is_over_is_dropped_and_what_lasts_longer_by_now_is_not(ledger):
    ban(ledger, "192.0.2.6", 10)
    ban(ledger, "192.0.2.7", 10)
    ban(ledger, "192.0.2.7", 60, at=5)
    ban(ledger, "192.0.2.8")
    ledger.expire(NOON + 10 * SECOND)
    assert in_force(ledger, at=9) == ["192.0.2.7", "192.0.2.8"]
    assert waiting(ledger) == (["192.0.2.7", "192.0.2.8"], ["192.0.2.6"])


def test_only_what_was_enforced_is_no_longer_waiting(ledger):
    first = ban(ledger, "192.0.2.7", 10)
    ban(ledger, "192.0.2.7", 60, at=5)  # made longer while the firewall was busy with the first
    other = ban(ledger, "192.0.2.8", 10)
    ledger.enforced([first, other], [])
    assert waiting(ledger) == (["192.0.2.7"], [])


def test_the_history_has_every_ban_in_order(ledger):
    state = State()
    for at, address in ((0, "192.0.2.7"), (5, "192.0.2.7"), (3, "2001:db8::/64"), (900, "::7")):
        ban(state.bans, address, 60, at=at)
    state.commit()
    records = state.bans.history(state.db, NOON, NOON + 900 * SECOND)
    assert [(one.network, (one.time - NOON) // SECOND) for one in records] == [
        ("192.0.2.7", 0), ("2001:db8::/64", 3), ("192.0.2.7", 5),
    ]  # fmt: skip
    assert {(one.label, one.reason, one.level) for one in records} == {("ssh", "Failed login", 0)}


class TestOnDisk:
    """What a restart finds."""

    @pytest.fixture
    def reopened(self, tmp_path):
        """Commit a state, close it, and load it again; the first call opens it."""
        states: list[State] = []

        def reopen():
            if states:
                states[-1].commit()
                states[-1].close()
            states.append(State(str(tmp_path / "state.sqlite")))
            states[-1].load()
            return states[-1].bans

        yield reopen
        states[-1].close()

    def test_bans_come_back_as_they_were(self, reopened):
        ledger = reopened()
        ban(ledger, "192.0.2.7", 60, target=MAIL, label="mail")
        ban(ledger, "2001:db8::/64")
        before = ledger.in_force(NOON)
        after = reopened().in_force(NOON)
        assert sorted(after, key=lambda one: one.address) == before

    def test_what_the_firewall_has_not_taken_is_still_waiting(self, reopened):
        ledger = reopened()
        ban(ledger, "192.0.2.6", 60)
        ban(ledger, "192.0.2.7", 60)
        enforce(ledger)
        ban(ledger, "192.0.2.8", 60)
        ledger.unban("192.0.2.7", now=NOON)
        ledger = reopened()
        assert waiting(ledger) == (["192.0.2.8"], ["192.0.2.7"])
        assert in_force(ledger) == ["192.0.2.6", "192.0.2.8"]
        enforce(ledger)
        assert waiting(reopened()) == ([], [])

    def test_at_start_every_ban_is_put_into_the_firewall_again(self, reopened):
        ledger = reopened()
        ban(ledger, "192.0.2.6", 60)
        enforce(ledger)
        ledger.unban("192.0.2.6", now=NOON)
        ban(ledger, "192.0.2.7", 60)
        enforce(ledger)
        ledger = reopened()
        ledger.restore("nftables")
        assert waiting(ledger) == (["192.0.2.7"], [])

    def test_what_is_over_is_gone(self, reopened):
        ledger = reopened()
        ban(ledger, "192.0.2.6", 10)
        ban(ledger, "192.0.2.7", 60)
        reopened().expire(NOON + 10 * SECOND)
        assert in_force(reopened(), at=1) == ["192.0.2.7"]

    def test_a_restart_does_not_forget_how_many_bans_there_were(self, reopened):
        ledger = reopened()
        ban(ledger, "192.0.2.7", 10, 20, 30)
        ban(ledger, "192.0.2.7", 10, 20, 30, at=50)
        ledger.expire(NOON + 90 * SECOND)
        assert ban(reopened(), "192.0.2.7", 10, 20, 30, at=100).level == 2


def test_a_ban_that_is_over_is_lifted_for_firewalls_that_do_not_end_it(ledger):
    ban(ledger, "203.0.113.7", 10)
    ban(ledger, "203.0.113.8", 30)
    ledger.enforced(*ledger.waiting())
    ledger.expire(NOON + 20 * SECOND)
    assert waiting(ledger) == ([], ["203.0.113.7"])


def test_two_targets_of_one_offender_escalate_apart(ledger):
    for target in (HERE, MAIL):
        made = ban(ledger, "203.0.113.7", 60, 3600, target=target)
        assert made.until == NOON + 60 * SECOND


class TestForgetting:
    """Who has been quiet for long enough starts again with the first duration."""

    DAY = 86400

    def offend(self, ledger, at, forget=30):
        return ledger.ban(
            "203.0.113.7", HERE, [60 * SECOND, 3600 * SECOND, self.DAY * SECOND],
            now=NOON + at * SECOND, label="ssh", reason="", forget=forget * self.DAY * SECOND,
        ).level  # fmt: skip

    def test_after_the_end_of_the_last_ban(self, ledger):
        assert self.offend(ledger, at=0) == 0
        assert self.offend(ledger, at=61) == 1
        end = 61 + 3600
        assert self.offend(ledger, at=end + 30 * self.DAY - 1) == 2
        end += 30 * self.DAY - 1 + self.DAY
        assert self.offend(ledger, at=end + 30 * self.DAY) == 0

    def test_of_two_steps_the_longer_memory_counts(self, ledger):
        self.offend(ledger, at=0, forget=30)
        self.offend(ledger, at=100, forget=1)
        assert self.offend(ledger, at=20 * self.DAY, forget=1) == 2

    def test_an_unban_is_the_end_of_a_ban(self, ledger):
        ban(ledger, "203.0.113.7")  # for ever
        ledger.unban("203.0.113.7", now=NOON)
        assert self.offend(ledger, at=100) == 1
        ledger.unban("203.0.113.7", now=NOON + 200 * SECOND)
        assert self.offend(ledger, at=91 * self.DAY) == 0

    def test_neither_a_restart_nor_the_end_of_the_history_is_forgetting(self, tmp_path):
        path = str(tmp_path / "state.sqlite")
        with State(path) as state:
            self.offend(state.bans, at=0)
            state.commit()
        with State(path) as state:
            state.load()
            state.bans.expire(NOON + 29 * self.DAY * SECOND)
            state.bans.remove_history(state.db, NOON + 29 * self.DAY * SECOND)
            state.commit()
            assert state.bans.history(state.db) == []
        with State(path) as state:
            state.load()
            assert self.offend(state.bans, at=29 * self.DAY) == 1

    def test_what_is_forgotten_takes_no_room(self, tmp_path):
        with State(str(tmp_path / "state.sqlite")) as state:
            self.offend(state.bans, at=0)
            state.commit()
            state.bans.expire(NOON + 31 * self.DAY * SECOND)
            state.commit()
            assert state.db.execute("SELECT * FROM offenders").fetchall() == []


def test_bans_around_a_network(ledger):
    for network in ("203.0.113.0/24", "203.0.0.0/16", "203.0.113.7", "2001:db8::/32"):
        ban(ledger, network, 60)
    around = ledger.around("203.0.113.7", NOON)
    assert [one.address for one in around] == ["203.0.0.0/16", "203.0.113.0/24"]
    assert ledger.around("203.0.113.7", NOON + 60 * SECOND) == []
