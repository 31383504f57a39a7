"""How firewalls are kept in line with the bans in force."""

from __future__ import annotations

import os

import pytest

from pyruse.api.firewall import Firewall, FirewallError, Target
from pyruse.bans.firewalls.enforcement import Enforcement
from pyruse.bans.in_force import Cause, InForce
from pyruse.state.database import State
from pyruse.state.shared_bans import BanKey
from tests.bans.asked import request

SECOND = 1_000_000


class Wall(Firewall):
    """A firewall that writes down what it is told, and refuses what it is told to refuse."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.refusing: FirewallError | None = None
        self.whole = True
        self.watched: Pipe | None = None
        self.ready = False
        self.taken_out: set[str] = set()

    def _tell(self, what, *elements):
        networks = (str(one.network) for group in elements for one in group)
        self.told.append(" ".join([what, *networks]))
        if self.refusing is not None:
            raise self.refusing

    def apply(self, add, remove):
        self._tell("+" if add else "-", add, remove)

    def reconcile(self, bans, remove):
        self._tell("=", bans, remove)
        self.whole = True

    def teardown(self, bans):
        self._tell("teardown", bans)

    def watch(self):
        self.watched = Pipe()
        return self.watched

    def intact(self):
        self.told.append("intact?")
        return self.whole

    def missing(self, bans):
        return [ban for ban in bans if ban.address in self.taken_out]

    def prepare(self):
        self.ready = True

    def close(self):
        self.ready = False


class Pipe:
    """A watch that a test rings."""

    def __init__(self):
        self._read, self._write = os.pipe2(os.O_NONBLOCK)

    def ring(self):
        os.write(self._write, b".")

    def fileno(self):
        return self._read

    def changed(self):
        try:
            return os.read(self._read, 9) != b""
        except BlockingIOError:
            return False

    def close(self):
        os.close(self._read)
        os.close(self._write)


class Town:
    """Bans, their enforcement and a wall, on a clock that a test moves."""

    def __init__(self, walls):
        self.now = 1_773_489_600 * SECOND
        self.state = State()
        self.in_force = InForce(self.state)
        self.walls = walls
        self.said: list[str] = []
        self.start()

    def start(self):
        self.enforcement = Enforcement(self.state.bans, self.walls.get, lambda: self.now)

    def ban(self, address, seconds=600, backend="wall"):
        key = BanKey(address, Target(backend))
        self.in_force.ban(key, request(address, seconds), Cause(self.now))

    def unban(self, address):
        self.in_force.unban(address, Cause(self.now))

    def after(self, seconds=0):
        """What the wall is told this much later."""
        self.now += seconds * SECOND
        faults: list[Exception] = []
        self.enforcement.bring_up_to_date(faults.append)
        self.said = [str(fault) for fault in faults]
        told, self.walls["wall"].told = self.walls["wall"].told, []
        return told

    def wait(self):
        """The daemon is about to wait; whether the wall is watched then."""
        faults: list[Exception] = []
        self.enforcement.prepare(faults.append)
        self.said = [str(fault) for fault in faults]
        return self.walls["wall"].watched is not None

    @property
    def due(self):
        """In how many seconds there is something to do."""
        due = self.enforcement.next_due()
        return None if due is None else (due - self.now) / SECOND


@pytest.fixture
def wall():
    return Wall()


@pytest.fixture
def town(wall):
    made = Town({"wall": wall})
    yield made
    made.enforcement.close()


def test_a_firewall_is_told_of_all_bans_at_first_and_of_changes_from_then_on(town):
    town.ban("192.0.2.6")
    town.ban("192.0.2.7")
    assert town.after() == ["= 192.0.2.6/32 192.0.2.7/32"]
    town.ban("192.0.2.8")
    assert town.after() == ["+ 192.0.2.8/32"]
    town.unban("192.0.2.6")
    assert town.after() == ["- 192.0.2.6/32"]
    assert town.after() == []


def test_bans_of_before_are_told_at_the_start_though_no_step_names_their_firewall(town):
    town.ban("192.0.2.7")
    assert town.after() == ["= 192.0.2.7/32"]
    town.start()  # the next start
    assert town.after() == ["= 192.0.2.7/32"]


def test_an_opened_firewall_is_reconciled_though_nobody_is_banned(town):
    town.enforcement.firewall("wall")
    assert town.after() == ["="]
    assert town.after() == []


def test_a_firewall_that_cannot_be_reconciled_is_asked_less_and_less_often(town, wall):
    wall.refusing = FirewallError("nobody there")
    town.ban("192.0.2.7", 86400)
    waits = []
    for _ in range(9):
        assert town.after() == ["= 192.0.2.7/32"]
        assert town.said == ["nobody there"]
        waits.append(town.due)
        assert town.after(town.due - 1) == []
        town.now += SECOND
    assert waits == [10, 20, 40, 80, 160, 320, 600, 600, 600]
    wall.refusing = None
    town.ban("192.0.2.8", 86400)
    assert town.after() == ["= 192.0.2.7/32 192.0.2.8/32"]
    assert town.due is None


def test_a_new_ban_is_tried_while_the_firewall_refuses_the_rest(town, wall):
    town.ban("192.0.2.6")
    wall.refusing = FirewallError("no")
    town.after()
    wall.refusing = None
    town.ban("192.0.2.7")
    assert town.after(1) == ["+ 192.0.2.7/32"]
    assert town.after(9) == ["= 192.0.2.6/32 192.0.2.7/32"]


def test_a_firewall_that_has_lost_its_bans_is_told_of_all_at_once(town, wall, monkeypatch):
    town.ban("192.0.2.6")
    town.after()

    def emptied(add, remove):
        wall.told.append("+")
        raise FirewallError("gone", [], emptied=True)

    monkeypatch.setattr(wall, "apply", emptied)
    town.ban("192.0.2.7")
    assert town.after() == ["+", "= 192.0.2.6/32 192.0.2.7/32"]
    assert town.said == ["gone"]


def test_a_firewall_that_others_changed_is_looked_at_and_reconciled_if_bans_are_missing(town, wall):
    town.ban("192.0.2.7")
    town.after()
    watched = wall.watched
    assert town.wait()
    assert wall.watched is watched
    wall.watched.ring()
    assert town.after() == ["intact?"]
    wall.watched.ring()
    wall.whole = False
    assert town.after(1) == ["intact?", "= 192.0.2.7/32"]
    assert town.after(60) == []


def test_a_firewall_that_nobody_watches_is_looked_at_when_asked_for(town, wall):
    """A reload of its rules, of which Pyruse hears although its own new configuration is faulty."""
    town.ban("192.0.2.7")
    town.after()
    wall.whole = False
    assert town.after(60) == []
    town.enforcement.look_again()
    assert town.after() == ["intact?", "= 192.0.2.7/32"]
    town.enforcement.look_again()
    wall.whole = True
    assert town.after() == ["intact?"]


def test_a_ban_that_others_took_out_is_put_back_and_told_but_not_what_ends_just_now(town, wall):
    town.ban("192.0.2.6")
    town.ban("192.0.2.7")
    town.ban("192.0.2.8", 2)
    town.after()
    town.wait()
    wall.taken_out = {"192.0.2.7", "192.0.2.8"}
    wall.watched.ring()
    assert town.after() == ["intact?", "+ 192.0.2.7/32"]
    assert town.said == [
        "wall: somebody has taken 192.0.2.7 out: put back (expected `pyruse unban` for a ban that "
        "is to end)"
    ]
    wall.taken_out = set()
    assert town.after(60) == []


def test_what_others_do_right_after_the_first_bans_are_there_is_noticed(town, wall):
    """Before the daemon waits for the first time, too."""
    town.ban("192.0.2.7")
    assert town.after() == ["= 192.0.2.7/32"]
    wall.watched.ring()
    wall.whole = False
    assert town.wait()
    assert town.after() == ["intact?", "= 192.0.2.7/32"]


def test_a_firewall_gets_ready_each_time_before_the_daemon_waits(town, wall):
    assert not town.wait(), "no ban is configured"
    town.ban("192.0.2.7")
    town.after()
    assert not wall.ready
    town.wait()
    assert wall.ready
    town.enforcement.close()
    assert not wall.ready


def test_a_watch_that_fails_is_begun_anew_and_the_firewall_looked_at(town, wall, monkeypatch):
    def broken():
        raise OSError("no more news")

    town.ban("192.0.2.7")
    town.after()
    town.wait()
    failing = wall.watched
    failing.ring()
    monkeypatch.setattr(failing, "changed", broken)
    assert town.after() == ["intact?"]
    assert town.said == ["wall: OSError: no more news (a fault of the plugin)"]
    assert town.wait()
    assert wall.watched is not failing
    assert town.after(60) == []
    assert town.said == []


@pytest.mark.parametrize("kind", [RuntimeError, SystemExit, BaseException])
@pytest.mark.parametrize("method", ["prepare", "watch", "changed", "intact", "close"])
def test_a_bug_of_a_firewall_ends_nothing(town, wall, monkeypatch, method, kind):
    def broken():
        raise kind("a bug")

    town.ban("192.0.2.7")
    town.after()
    if method in ("changed", "intact"):
        town.wait()
        wall.watched.ring()
    said = [f"wall: {kind.__name__}: a bug (a fault of the plugin)"]
    with monkeypatch.context() as patch:
        patch.setattr(wall.watched if method == "changed" else wall, method, broken)
        if method == "watch":  # it is watched from the start on
            town.enforcement.close()
            town.start()
            town.after()
            assert town.said == said
        town.wait()
        assert town.said == (said if method in ("prepare", "watch") else [])
        town.after()
        assert set(town.said) == (set(said) if method in ("changed", "intact") else set())
        town.enforcement.close()
    town.start()
    assert town.after() == ["= 192.0.2.7/32"]


def test_a_firewall_that_others_change_all_the_time_is_looked_at_once_a_second(town, wall):
    town.ban("192.0.2.7")
    town.after()
    town.wait()
    wall.watched.ring()
    assert town.after() == ["intact?"]
    for _ in range(3):
        wall.watched.ring()
        assert town.after() == []
        assert town.due == 1
    assert town.after(1) == ["intact?"]
    assert town.due is None


def test_a_firewall_that_ends_no_ban_is_told_when_one_is_over(town, wall):
    wall.longest = 60
    town.ban("192.0.2.6", 60)
    town.ban("192.0.2.7", 61)
    assert town.after() == ["= 192.0.2.6/32 192.0.2.7/32"]
    town.in_force.expire(town.now + 61 * SECOND)
    assert town.after(61) == ["- 192.0.2.7/32"]


def test_an_end_that_came_while_pyruse_was_stopped_is_told_at_the_start(town, wall):
    wall.longest = 0
    town.ban("192.0.2.7", 60)
    town.after()
    town.start()
    town.now += 100 * SECOND
    town.in_force.expire(town.now)
    assert town.after() == ["= 192.0.2.7/32"]
    assert town.after() == []


def test_bans_of_a_firewall_that_is_no_longer_there_are_told_until_they_are_over(town):
    town.ban("192.0.2.7", 15, backend="gone")
    town.after()
    assert town.said == [
        'there is no firewall "gone" (expected one that an installed plugin has, with its options '
        "in [bans.gone]: see `pyruse plugins`)"
    ]
    town.in_force.expire(town.now + 30 * SECOND)
    town.after(30)
    assert town.due is None


def test_a_teardown_is_told_to_every_firewall_and_the_state_keeps_its_bans(town, wall):
    town.walls["other"] = other = Wall()
    town.ban("192.0.2.6")
    town.ban("192.0.2.7", backend="other")
    town.enforcement.teardown()
    assert (wall.told, other.told) == (["teardown 192.0.2.6/32"], ["teardown 192.0.2.7/32"])
    assert len(town.in_force.all(town.now)) == 2


def test_a_teardown_that_fails_somewhere_is_told_after_the_rest_is_done(town, wall):
    town.walls["other"] = other = Wall()
    wall.refusing = FirewallError("no")
    town.ban("192.0.2.6")
    town.ban("192.0.2.7", backend="other")
    with pytest.raises(FirewallError, match="no"):
        town.enforcement.teardown()
    assert other.told == ["teardown 192.0.2.7/32"]
