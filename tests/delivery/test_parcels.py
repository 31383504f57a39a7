"""What plugins deliver themselves: at least once, in order, and whatever their hook does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pyruse.api.parcel import Parcel, Refused
from pyruse.delivery import delivery as delivery_module
from pyruse.delivery.item_names import set_aside_in_words
from pyruse.delivery.receivers import Receiver
from pyruse.state.outbox_item import OutboxItem, parcel_kind
from pyruse.testing import wait_until
from pyruse.testing.waiting import TIME_LIMIT
from tests.delivery.house import SECOND, House

HOOK = "action webhook"
PLACE = 'chains."ssh"[3]'
WEEK = 7 * 24 * 3600 * SECOND


class Plugin:
    """A step with a hook `deliver` that does what the test says."""

    def __init__(self, place: str = PLACE, plugin: str = HOOK, **options: Any) -> None:
        self.kind = parcel_kind(plugin, options)
        self.receiver = Receiver(self.kind, plugin, place, self._deliver)
        self.got: list[Parcel] = []
        self.act: Callable[[Parcel], None] = lambda parcel: None
        self.released = threading.Event()

    def _deliver(self, parcel: Parcel) -> None:
        self.got.append(parcel)
        self.act(parcel)

    def hang(self, parcel: Parcel) -> None:
        """Do not return before the end of the test."""
        assert self.released.wait(TIME_LIMIT)

    @property
    def payloads(self) -> list[Any]:
        return [payload for parcel in self.got for payload in parcel.payloads]


class HouseWithPlugins(House):
    """A main thread with receivers of parcels."""

    def __init__(self, folder: Path) -> None:
        self.plugins: list[Plugin] = []
        super().__init__(folder)

    @property
    def receivers(self) -> dict[str, Receiver]:
        return {plugin.kind: plugin.receiver for plugin in self.plugins}

    def plugin(self, **options: Any) -> Plugin:
        plugin = Plugin(**options)
        self.plugins.append(plugin)
        self.reload()
        return plugin

    def reload(self, *plugins: Plugin) -> None:
        """Go on with these plugins, or with all."""
        self.plugins = list(plugins) or self.plugins
        self.delivery.reconfigure(self.settings, "vm1", self.receivers)

    def send(self, plugin: Plugin, *texts: str, timeout: float = 60.0) -> list[OutboxItem]:
        fixed = {"count": 1, "step": plugin.receiver.place, "timeout": timeout}
        return [self.put(plugin.kind, {**fixed, "parts": [f'"{text}"']}) for text in texts]

    def rounds(self, number: int) -> None:
        for _ in range(number):
            self.round()

    def begun(self, plugin: Plugin, number: int) -> None:
        """Wait until the hook was called so often."""
        wait_until(lambda: len(plugin.got) >= number)

    def collect_all(self) -> None:
        """Wait until all that was sent is done, also what was given up."""
        while self.outbox.items():
            self.collect()

    def late(self) -> bool:
        """Go to the next instant at which something is due: a time limit."""
        due = self.delivery.next_due()
        assert due is not None
        self.now = due
        return self.delivery.collect(self.now)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[HouseWithPlugins]:
    house = HouseWithPlugins(tmp_path)
    yield house
    for plugin in house.plugins:
        plugin.released.set()
    house.delivery.close(TIME_LIMIT)


def fail(parcel: Parcel) -> None:
    raise ConnectionRefusedError(111, "Connection refused")


def test_parcels_leave_one_after_the_other_in_their_order(house):
    plugin = house.plugin()
    items = house.send(plugin, "one", "two", "three")
    assert house.delivery.next_due() == 0
    house.rounds(3)
    assert plugin.payloads == ["one", "two", "three"]
    assert [parcel.id for parcel in plugin.got] == [item.id for item in items]
    assert [(parcel.at, parcel.attempt) for parcel in plugin.got] == [(items[0].created, 1)] * 3
    assert house.outbox.items() == []
    assert house.faults == []


def test_what_fails_is_tried_again_with_the_same_id_and_holds_up_the_others(house):
    plugin = house.plugin()
    plugin.act = fail
    house.send(plugin, "one", "two")
    house.rounds(3)
    assert plugin.payloads == ["one"], "the second one waits"
    refused = "action webhook: ConnectionRefusedError: [Errno 111] Connection refused"
    assert house.faults == [
        (PLACE, f"{refused}; the parcel of action webhook is tried again in 30 s")
    ]
    plugin.act = lambda parcel: None
    assert house.delivery.next_due() == house.now + 30 * SECOND
    house.now += 30 * SECOND
    house.rounds(2)
    assert plugin.payloads == ["one", "one", "two"]
    assert plugin.got[0].id == plugin.got[1].id != plugin.got[2].id
    assert [parcel.attempt for parcel in plugin.got] == [1, 2, 1]


def test_a_parcel_that_fails_for_hours_lets_the_others_pass(house):
    plugin = house.plugin()

    def refuse_one(parcel: Parcel) -> None:
        if parcel.payload == "poison":
            raise ValueError("HTTP 500")

    plugin.act = refuse_one
    house.send(plugin, "poison", "good")
    for _ in range(8):
        assert "good" not in plugin.payloads
        house.round()
        house.now += 3600 * SECOND
    house.round()
    house.round()
    assert "good" in plugin.payloads
    assert [item.payload["parts"] for item in house.outbox.items()] == [['"poison"']]


def test_what_is_refused_is_set_aside_and_told(house):
    plugin = house.plugin()

    def refuse(parcel: Parcel) -> None:
        raise Refused(f"HTTP 400: {'x' * 5000}")

    plugin.act = refuse
    [item] = house.send(plugin, "one")
    house.round()
    assert item.refused
    [(place, text)] = house.faults
    assert place == PLACE
    assert text.startswith("action webhook: HTTP 400: xxx")
    assert text.endswith("; the parcel of action webhook is set aside (see: pyruse outbox)")
    assert len(text) < 500, "whatever a plugin says"
    words = set_aside_in_words(house.outbox.tell_set_aside())
    assert words.startswith("a parcel could not be sent: the parcel of action webhook (action webh")
    mail = OutboxItem("mail", {"subject": "x"}, 0, 0, error="no")
    assert set_aside_in_words([item, mail]).startswith("2 items could not be sent: the parcel of")


class Rude(BaseException):
    """No `Exception`, and its text raises, too."""

    def __str__(self) -> str:
        raise SystemExit(3)


@pytest.mark.parametrize(
    "fault",
    [SystemExit(3), RecursionError(), ValueError("\n[31mred"), Rude(), KeyboardInterrupt()],
)
def test_whatever_a_plugin_raises_it_is_a_fault_of_one_line(house, fault):
    plugin = house.plugin()

    def act(parcel: Parcel) -> None:
        raise fault

    plugin.act = act
    house.send(plugin, "one")
    house.round()
    [(_, text)] = house.faults
    assert text.endswith("; the parcel of action webhook is tried again in 30 s")
    assert text.isprintable()


def test_a_plugin_that_hangs_holds_up_nobody_else(house):
    hanging = house.plugin(url="a")
    other = house.plugin(place="elsewhere", url="b")
    hanging.act = hanging.hang
    house.send(hanging, "one")
    house.send(other, "two")
    house.mail("three")
    house.delivery.dispatch(house.now)
    house.begun(hanging, 1)
    house.begun(other, 1)
    while len(house.outbox.items()) > 1:
        house.collect()
    assert other.payloads == ["two"]
    assert house.subjects() == ["three"]


def test_a_stop_does_not_wait_for_a_plugin_that_hangs(house):
    plugin = house.plugin()
    plugin.act = plugin.hang
    house.send(plugin, "one")
    house.delivery.dispatch(house.now)
    house.begun(plugin, 1)
    house.delivery.close(0.01)  # would wait for the end of the test otherwise
    house.delivery.collect(house.now)
    house.delivery = house.start()
    plugin.act = lambda parcel: None
    house.round()
    assert plugin.payloads == ["one", "one"], "the next start tries again"
    assert plugin.got[0].id == plugin.got[1].id


def test_a_call_that_is_late_counts_as_failed_and_the_next_one_has_a_thread_of_its_own(house):
    plugin = house.plugin()
    plugin.act = plugin.hang
    house.send(plugin, "one", "two", timeout=7.5)
    house.delivery.dispatch(house.now)
    house.begun(plugin, 1)
    assert not house.delivery.collect(house.now)
    assert house.delivery.next_due() == house.now + 7.5 * SECOND
    assert house.late()
    [(place, text)] = house.faults
    assert place == PLACE
    late = "action webhook: deliver has not returned within 7.5 s"
    assert text == f"{late}; the parcel of action webhook is tried again in 30 s"
    plugin.act = lambda parcel: None
    house.now += 30 * SECOND
    house.rounds(2)
    assert plugin.payloads == ["one", "one", "two"]
    assert house.outbox.items() == []


def test_a_late_success_counts(house):
    plugin = house.plugin()
    plugin.act = plugin.hang
    house.send(plugin, "one")
    house.delivery.dispatch(house.now)
    house.begun(plugin, 1)
    house.late()
    plugin.released.set()
    house.collect_all()
    house.now += 30 * SECOND
    house.round()
    assert plugin.payloads == ["one"]


def test_where_calls_hang_again_and_again_no_more_threads_are_made_before_one_returns(house):
    plugin = house.plugin()
    plugin.act = plugin.hang
    house.send(plugin, "one")
    for number in range(1, 4):
        house.delivery.dispatch(house.now)
        house.begun(plugin, number)
        house.late()
        house.now += 3600 * SECOND
    threads = threading.active_count()
    house.delivery.dispatch(house.now)
    assert house.delivery.next_due() is None
    assert threading.active_count() == threads
    assert house.faults[-1] == (
        HOOK,
        "too many calls of deliver hang: nothing more is handed to it before one of them returns, "
        "or Pyruse is restarted (expected a time limit in deliver)",
    )
    plugin.released.set()
    house.collect_all()  # what was late is done now
    house.send(plugin, "two")
    house.round()
    assert plugin.payloads[-1] == "two"


def test_a_clock_that_is_set_back_does_not_give_a_call_a_year(house):
    plugin = house.plugin()
    plugin.act = plugin.hang
    house.send(plugin, "one")
    house.delivery.dispatch(house.now)
    house.begun(plugin, 1)
    house.now -= 52 * WEEK
    house.delivery.collect(house.now)
    assert house.delivery.next_due() == house.now + 60 * SECOND


def test_a_service_that_is_away_for_a_week_costs_the_oldest_only(house, monkeypatch):
    monkeypatch.setattr(delivery_module, "_MOST_WAITING", 20)
    plugin = house.plugin()
    plugin.act = fail
    for number in range(168):  # an hour each
        house.send(plugin, str(number))
        house.round()
        house.now += 3600 * SECOND
    waiting = house.outbox.items()
    assert [item.payload["parts"] for item in waiting] == [[f'"{n}"'] for n in range(148, 168)]
    given_up = [text for place, text in house.faults if place == HOOK]
    assert len(given_up) == 148
    assert given_up[0] == (
        "a parcel was given up, the oldest: no more than 20 of them, and 32,000,000 characters, "
        "wait for a receiver"
    )
    plugin.act = lambda parcel: None
    plugin.got.clear()
    house.now += 3600 * SECOND
    house.rounds(20)
    assert plugin.payloads == [str(number) for number in range(148, 168)], "in their order"


def test_large_parcels_are_bounded_by_their_size(house, monkeypatch):
    monkeypatch.setattr(delivery_module, "_MOST_CHARACTERS", 1000)
    plugin = house.plugin()
    plugin.act = fail
    house.send(plugin, *(f"{number}{'x' * 400}" for number in range(4)))
    house.round()
    assert [item.payload["parts"][0][1] for item in house.outbox.items()] == ["2", "3"]


def test_a_reload_gives_what_waits_to_the_new_instance(house):
    old = house.plugin(url="a")
    old.act = fail
    house.send(old, "one")
    house.round()
    new = Plugin(url="a")
    house.reload(new)
    house.round()
    assert (old.payloads, new.payloads) == (["one"], ["one"])


def test_a_step_that_has_moved_gets_what_it_has_sent(house):
    step, other = house.plugin(url="a"), house.plugin(place='chains."ssh"[4]', url="b")
    step.act = other.act = fail
    house.send(step, "for a")
    house.send(other, "for b")
    house.round()
    moved = Plugin(place='chains."ssh"[4]', url="a"), Plugin(place='chains."ssh"[5]', url="b")
    house.reload(*moved)
    house.round()
    assert [plugin.payloads for plugin in moved] == [["for a"], ["for b"]]


def test_a_step_whose_options_were_mended_gets_what_it_has_sent(house):
    step, other = house.plugin(url="wrong"), house.plugin(place='chains."ssh"[4]', url="b")
    step.act = other.act = fail
    house.send(step, "one")
    house.send(other, "two")
    house.round()
    mended = Plugin(url="right"), Plugin(place='chains."ssh"[4]', url="b2")
    house.reload(*mended)
    house.round()
    assert [plugin.payloads for plugin in mended] == [["one"], ["two"]]
    assert len(house.faults) == 2, "those of the first attempts"


def test_the_only_step_of_a_plugin_gets_what_another_one_has_sent(house):
    step = house.plugin(url="a")
    step.act = fail
    house.send(step, "one")
    house.round()
    elsewhere = Plugin(place='chains."other"[0]', url="b")
    house.reload(elsewhere)
    house.round()
    assert elsewhere.payloads == ["one"]


def test_what_a_plugin_that_is_gone_has_sent_waits_for_it_and_is_told(house):
    step = house.plugin(url="a")
    step.act = fail
    house.send(step, "one", "two")
    house.round()
    house.faults.clear()
    others = Plugin(plugin="action other", place="x"), Plugin(plugin="action other", place="y", u=1)
    house.reload(*others)
    house.rounds(2)
    assert house.faults == [
        (HOOK, "2 parcels wait for it, and it is at work nowhere (expected it back: they leave as "
        "soon as it is there)")
    ]  # fmt: skip
    assert house.delivery.next_due() is None
    back = Plugin(url="a")
    house.reload(back)
    house.rounds(2)
    assert back.payloads == ["one", "two"]


def test_which_of_two_steps_takes_the_place_of_a_third_is_not_guessed(house):
    step = house.plugin(url="a")
    step.act = fail
    house.send(step, "one")
    house.round()
    house.faults.clear()
    two = Plugin(place='chains."a"[0]', url="b"), Plugin(place='chains."b"[0]', url="c")
    house.reload(*two)
    house.round()
    assert [plugin.payloads for plugin in two] == [[], []]
    assert house.faults[0][1].startswith("a parcel waits for it, and it is at work nowhere (exp")


def test_a_call_of_a_step_that_a_reload_removed_still_counts(house):
    step = house.plugin(url="a")
    step.act = step.hang
    house.send(step, "one")
    house.delivery.dispatch(house.now)
    house.begun(step, 1)
    mended = Plugin(url="b")
    house.reload(mended)
    house.delivery.dispatch(house.now)
    assert mended.payloads == [], "it is on its way already"
    step.released.set()
    house.collect_all()
    assert mended.payloads == []


def test_a_call_of_a_step_that_a_reload_removed_has_its_time_limit(house):
    step = house.plugin(url="a")
    step.act = step.hang
    house.send(step, "one")
    house.delivery.dispatch(house.now)
    house.begun(step, 1)
    mended = Plugin(url="b")
    house.reload(mended)
    house.late()
    house.now += 30 * SECOND
    house.round()
    assert mended.payloads == ["one"]
    step.released.set()


def test_no_room_for_another_thread(house, monkeypatch):
    plugin = house.plugin()
    house.send(plugin, "one")

    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        house.delivery.dispatch(house.now)
    assert house.faults == [
        (PLACE, "cannot be handled: can't start new thread; tried again in 30 s")
    ]
    house.now += 30 * SECOND
    house.round()
    assert plugin.payloads == ["one"]
