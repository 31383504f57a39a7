import sys
from typing import Any

import pytest

from pyruse.state.database import State
from pyruse.state.outbox import KEPT_ASIDE, Outbox, reports_sent
from pyruse.state.outbox_item import OutboxItem, parcel_kind

SECOND = 1_000_000
MINUTE = 60 * SECOND
T0 = 1_773_489_600 * SECOND


def item(name: str = "", at: int = T0, kind: str = "mail", **more: Any) -> OutboxItem:
    return OutboxItem(kind, {"parts": [name], "count": 1}, at, at, **more)


def gather(outbox: Outbox, name: str, at: int, group: str = "g") -> None:
    outbox.put_gathered(item(name, at, group=group), 10 * MINUTE)


def may_leave(outbox: Outbox, kind: str, now: int) -> list[OutboxItem]:
    """What may leave, in the order in which it does; nothing of it is taken."""
    taken: list[OutboxItem] = []
    while (one := outbox.take(kind, now)) is not None:
        taken.append(one)
    for one in taken:
        outbox.give_back(one.id)
    return taken


def waiting(outbox: Outbox, now: int, kind: str = "mail") -> list[tuple[list[str], int]]:
    return [(each.payload["parts"], each.payload["count"]) for each in may_leave(outbox, kind, now)]


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "state.sqlite")


@pytest.fixture
def reopened(path):
    """What the next start finds."""
    states = []

    def reopen() -> Outbox:
        states.append(State(path))
        states[-1].load()
        return states[-1].outbox

    yield reopen
    for state in states:
        state.close()


@pytest.fixture
def state(path):
    state = State(path)
    state.load()
    yield state
    state.close()


def test_items_leave_in_the_order_in_which_they_came():
    outbox = Outbox()
    for name, at in (("one", T0 + 5), ("two", T0), ("three", T0 + 3)):
        outbox.put(item(name, at))
    outbox.put(item("program", kind="command"))
    assert [names for names, _ in waiting(outbox, T0 + 9)] == [["one"], ["two"], ["three"]]
    taken = [outbox.take("mail", T0 + 9) for _ in range(4)]
    assert [each and each.payload["parts"] for each in taken] == [["one"], ["two"], ["three"], None]
    assert outbox.take("log", T0 + 9) is None


def test_what_is_taken_is_not_due_until_it_comes_back():
    outbox = Outbox()
    outbox.put(item("one"))
    outbox.put(item("two"))
    taken = outbox.take("mail", T0)
    assert taken is not None
    assert taken.leaving
    assert waiting(outbox, T0) == [(["two"], 1)]
    outbox.give_back(taken.id)
    assert [names for names, _ in waiting(outbox, T0)] == [["one"], ["two"]]
    assert taken.attempts == 0
    assert outbox.take("mail", T0) is taken
    outbox.sent(taken.id)
    assert outbox.items() == may_leave(outbox, "mail", T0)


def test_a_failed_item_waits_and_then_is_first_again():
    outbox = Outbox()
    outbox.put(item("one"))
    outbox.put(item("two"))
    taken = outbox.take("mail", T0)
    assert taken is not None
    outbox.failed(taken.id, "server away", now=T0, retry_at=T0 + MINUTE)
    assert (taken.attempts, taken.error, taken.leaving) == (1, "server away", False)
    assert waiting(outbox, T0) == [(["two"], 1)]
    assert outbox.take("mail", T0 + MINUTE) is taken


def test_a_refused_item_is_set_aside():
    outbox = Outbox()
    outbox.put(item("one"))
    (one,) = may_leave(outbox, "mail", T0)
    outbox.refuse(one.id, "no such user", now=T0)
    assert may_leave(outbox, "mail", T0 + MINUTE) == []
    assert outbox.take("mail", T0 + MINUTE) is None
    assert outbox.next_due() is None
    assert outbox.items() == [one]
    assert one.refused


def test_what_is_set_aside_is_told_once_also_over_a_restart(state, reopened):
    for name in ("one", "two"):
        state.outbox.put(item(name))
    one, two = state.outbox.items()
    state.outbox.refuse(two.id, "no such user", now=T0 + 5)
    assert state.outbox.set_aside() == [two]
    assert state.outbox.tell_set_aside() == [two]
    assert state.outbox.tell_set_aside() == []
    state.commit()
    outbox = reopened()
    assert outbox.set_aside() == [two]
    assert outbox.tell_set_aside() == []
    outbox.refuse(one.id, "too big", now=T0 + 9)
    assert [each.id for each in outbox.set_aside()] == [two.id, one.id], "in order of refusal"
    assert [each.id for each in outbox.tell_set_aside()] == [one.id]


def test_what_is_set_aside_is_forgotten_after_its_time(state, reopened):
    for name in ("one", "two", "three"):
        state.outbox.put(item(name))
    one, two, three = state.outbox.items()
    state.outbox.refuse(one.id, "no such user", now=T0)
    state.outbox.refuse(two.id, "no such user", now=T0 + MINUTE)
    state.commit()
    list(state.outbox.remove_before(state.db, T0 + MINUTE, "2026-03-14"))
    state.commit()
    assert reopened().items() == state.outbox.items() == [two, three]


def test_only_the_newest_of_very_many_are_kept_set_aside(state, reopened):
    for number in range(KEPT_ASIDE + 3):
        state.outbox.put(item(str(number)))
        state.outbox.refuse(state.outbox.items()[-1].id, "no such user", now=T0 + number)
    state.commit()
    for outbox in (state.outbox, reopened()):
        names = [each.payload["parts"][0] for each in outbox.set_aside()]
        assert names == [str(number) for number in range(3, KEPT_ASIDE + 3)]
        assert len(outbox.items()) == KEPT_ASIDE


def test_next_due_is_by_kind():
    outbox = Outbox()
    assert outbox.next_due() is None
    gather(outbox, "one", T0)
    gather(outbox, "two", T0 + 5)
    assert outbox.next_due() == outbox.next_due("mail") == 0
    assert outbox.next_due("log") is None
    taken = outbox.take("mail", T0)
    assert taken is not None
    assert outbox.next_due() == T0 + 10 * MINUTE
    outbox.failed(taken.id, "later", now=T0, retry_at=T0 + MINUTE)
    assert outbox.next_due() == T0 + MINUTE
    outbox.put(item(kind="log"))
    assert (outbox.next_due("log"), outbox.next_due("mail")) == (0, T0 + MINUTE)
    outbox.sent(taken.id)
    assert outbox.next_due("mail") == T0 + 10 * MINUTE


def test_unknown_items_are_ignored():
    outbox = Outbox()
    outbox.sent("gone")
    outbox.failed("gone", "error", now=T0, retry_at=T0)
    outbox.refuse("gone", "error", now=T0)
    outbox.give_back("gone")
    outbox.narrow("gone", [])
    assert outbox.items() == []


def test_an_entry_from_the_future_holds_nothing_up():
    outbox = Outbox()
    outbox.put(item("one", T0 + 100 * MINUTE))
    assert waiting(outbox, T0) == [(["one"], 1)]
    (one,) = may_leave(outbox, "mail", T0)
    outbox.failed(one.id, "later", now=T0, retry_at=T0 + MINUTE)  # but a retry does wait
    assert may_leave(outbox, "mail", T0) == []
    assert outbox.next_due() == T0 + MINUTE


def test_the_first_of_a_group_leaves_at_once_and_repeats_at_the_end_of_the_interval():
    outbox = Outbox()
    gather(outbox, "one", T0)
    gather(outbox, "two", T0 + MINUTE)
    gather(outbox, "three", T0 + 9 * MINUTE)
    gather(outbox, "other", T0 + 9 * MINUTE, group="h")
    assert waiting(outbox, T0 + 9 * MINUTE) == [(["one"], 1), (["other"], 1)]
    assert waiting(outbox, T0 + 10 * MINUTE) == [
        (["one"], 1),
        (["two", "three"], 2),
        (["other"], 1),
    ]


def test_after_a_quiet_interval_the_next_one_leaves_at_once():
    outbox = Outbox()
    gather(outbox, "one", T0)
    gather(outbox, "two", T0 + MINUTE)
    gather(outbox, "three", T0 + 11 * MINUTE)  # "two" was due at 10: not before 20
    assert waiting(outbox, T0 + 19 * MINUTE) == [(["one"], 1), (["two"], 1)]
    gather(outbox, "four", T0 + 31 * MINUTE)
    assert [names for names, _ in waiting(outbox, T0 + 31 * MINUTE)][2:] == [["three"], ["four"]]


def test_repeats_are_quoted_up_to_a_bound_and_all_are_counted():
    outbox = Outbox()
    for number in range(201):
        gather(outbox, str(number), T0 + number)
    _, (parts, count) = waiting(outbox, T0 + 10 * MINUTE)
    assert (parts, count) == ([str(number) for number in range(1, 51)], 200)


def test_nothing_is_gathered_into_a_mail_on_its_way_or_one_that_was_tried():
    outbox = Outbox()
    gather(outbox, "one", T0)
    gather(outbox, "two", T0 + 1)
    outbox.take("mail", T0)
    taken = outbox.take("mail", T0 + 10 * MINUTE)
    assert taken is not None
    gather(outbox, "three", T0 + 2)  # read late
    outbox.failed(taken.id, "server away", now=T0, retry_at=T0 + 60 * MINUTE)
    gather(outbox, "four", T0 + 3)
    assert taken.payload == {"parts": ["two"], "count": 1}
    assert waiting(outbox, T0 + 20 * MINUTE) == [(["three", "four"], 2)]


def test_nothing_waits_longer_than_an_interval_however_old_the_entries_are():
    """While catching up, each commit may let a gathered mail leave: the next must not drift."""
    outbox = Outbox()
    for number in range(100):
        gather(outbox, "again", T0 + number * SECOND)
        taken = outbox.take("mail", T0 + 1000 * MINUTE)
        assert taken is not None
        outbox.sent(taken.id)
    gather(outbox, "last", T0 + 100 * SECOND)
    (last,) = outbox.items()
    assert last.due <= T0 + 100 * SECOND + 10 * MINUTE


def test_what_did_not_leave_is_there_after_a_restart(state, reopened):
    for name in ("one", "two", "three", "four"):
        state.outbox.put(item(name))
    one, two, three, four = state.outbox.items()
    state.commit()
    state.outbox.sent(one.id)
    state.outbox.failed(two.id, "server away", now=T0, retry_at=T0 + MINUTE)
    state.outbox.refuse(three.id, "no such user", now=T0)
    state.outbox.narrow(four.id, ["bob"])
    state.outbox.take("mail", T0)
    state.commit()
    outbox = reopened()
    four.leaving = False  # of which a restart knows nothing
    assert outbox.items() == [two, three, four]
    assert may_leave(outbox, "mail", T0) == [four]
    assert outbox.next_due("mail") == 0
    assert may_leave(outbox, "mail", T0 + MINUTE) == [two, four]


def test_what_was_not_committed_did_not_happen(state, reopened):
    state.outbox.put(item("one"))
    state.commit()
    state.outbox.sent(state.outbox.items()[0].id)
    state.outbox.put(item("two"))
    assert [each.payload["parts"] for each in reopened().items()] == [["one"]]


def test_gathering_goes_on_after_a_restart(state, reopened):
    gather(state.outbox, "one", T0)
    gather(state.outbox, "two", T0 + 1)
    state.commit()
    outbox = reopened()
    gather(outbox, "three", T0 + 2)
    assert waiting(outbox, T0 + 10 * MINUTE) == [(["one"], 1), (["two", "three"], 2)]


def test_the_interval_goes_on_after_a_restart(state, reopened):
    gather(state.outbox, "one", T0)
    state.commit()
    state.outbox.sent(state.outbox.items()[0].id)
    state.commit()
    outbox = reopened()
    gather(outbox, "two", T0 + 1)
    assert waiting(outbox, T0 + 9 * MINUTE) == []
    assert waiting(outbox, T0 + 10 * MINUTE) == [(["two"], 1)]


def test_order_holds_over_a_restart(state, reopened):
    for number in range(20):
        state.outbox.put(item(str(number), T0 - number))
        state.commit()
    outbox = reopened()
    outbox.put(item("20"))
    names = [names for names, _ in waiting(outbox, T0)]
    assert names == [[str(number)] for number in range(21)]


def test_failed_items_can_be_hurried_up():
    outbox = Outbox()
    for name in ("one", "two", "three"):
        outbox.put(item(name))
    one, two, three = outbox.items()
    outbox.failed(one.id, "away", now=T0, retry_at=T0 + MINUTE)
    outbox.refuse(two.id, "never", now=T0)
    outbox.retry_now()
    assert may_leave(outbox, "mail", T0) == [one, three]
    assert [outbox.take("mail", T0), outbox.take("mail", T0)] == [one, three]
    assert outbox.take("mail", T0 + MINUTE) is None


def calls_of_a_thousand_failures(items: int) -> int:
    outbox = Outbox()
    for number in range(items):
        outbox.put(item(str(number)))
    taken = outbox.take("mail", T0)  # all of them ripen at once
    assert taken is not None
    outbox.give_back(taken.id)
    calls = 0

    def count_call(*_: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count_call)
    try:
        for _ in range(1000):
            outbox.next_due("mail")
            taken = outbox.take("mail", T0)
            assert taken is not None
            outbox.failed(taken.id, "away", now=T0, retry_at=T0 + MINUTE)
    finally:
        sys.setprofile(None)
    return calls


def test_a_long_outbox_costs_no_more_an_item():
    assert calls_of_a_thousand_failures(20_000) <= calls_of_a_thousand_failures(2_000) * 1.1


def test_order_holds_when_a_later_item_was_ripe_before():
    outbox = Outbox()
    for name in ("one", "two"):
        outbox.put(item(name))
    one = outbox.take("mail", T0)
    assert one is not None
    outbox.failed(one.id, "away", now=T0, retry_at=T0 + MINUTE)
    assert [names for names, _ in waiting(outbox, T0)] == [["two"]]
    assert [names for names, _ in waiting(outbox, T0 + MINUTE)] == [["one"], ["two"]]


def test_very_long_repeats_are_counted_and_no_longer_quoted():
    outbox = Outbox()
    for number in range(5):
        gather(outbox, "x" * 60_000, T0 + number)
    _, (parts, count) = waiting(outbox, T0 + 10 * MINUTE)
    assert (len(parts), count) == (2, 4)


PARCEL = parcel_kind("action webhook", {"url": "a"})


def test_what_a_plugin_has_set_aside_does_not_push_out_mails():
    outbox = Outbox()
    outbox.put(mail := item("mail"))
    outbox.refuse(mail.id, "no", now=T0)
    for number in range(KEPT_ASIDE + 2):
        outbox.put(parcel := item(str(number), kind=PARCEL))
        outbox.refuse(parcel.id, "no", now=T0)
    parts = [one.payload["parts"] for one in outbox.set_aside()]
    assert parts == [["mail"], *([str(number)] for number in range(2, KEPT_ASIDE + 2))]


def test_steps_of_the_same_options_are_one_receiver():
    assert parcel_kind("action webhook", {"url": "a"}) == PARCEL
    assert parcel_kind("action webhook", {"url": "b"}) != PARCEL
    assert parcel_kind("action hook", {"url": "a"}) != PARCEL
    assert parcel_kind("x", {"a": 1, "b": 2}) == parcel_kind("x", {"b": 2, "a": 1})
    assert "secret" not in parcel_kind("x", {"url": "https://example.org/secret"})
    assert item(kind=PARCEL).plugin == item(kind=PARCEL).family == "action webhook"
    assert (item().plugin, item().family) == (None, "mail")


def test_the_oldest_parcels_are_given_up_also_after_a_restart(state, reopened):
    for number in range(5):
        state.outbox.put(item(str(number), kind=PARCEL))
    state.outbox.put(item("mail"))
    assert state.outbox.give_up_oldest(PARCEL, number=5, size=5) == 0
    state.commit()
    again = reopened()
    taken = again.take(PARCEL, T0)
    assert again.give_up_oldest(PARCEL, number=3, size=100) == 1, "one is leaving, and stays"
    assert again.give_up_oldest(PARCEL, number=100, size=2) == 1
    assert [one.payload["parts"][0] for one in again.items()] == ["0", "3", "4", "mail"]
    assert taken.leaving


def test_what_is_gathered_counts_as_it_grows():
    outbox = Outbox()
    for name in ("1", "22", "333"):
        outbox.put_gathered(item(name, kind=PARCEL, group="g"), 10 * MINUTE)
    assert outbox.give_up_oldest(PARCEL, number=10, size=6) == 0
    assert outbox.give_up_oldest(PARCEL, number=10, size=5) == 1
    assert [one.payload["parts"] for one in outbox.items()] == [["22", "333"]]


def test_a_parcel_has_another_receiver_after_a_restart_too(state, reopened):
    other = parcel_kind("action webhook", {"url": "b"})
    for name in ("goes", "stays"):
        state.outbox.put(item(name, kind=PARCEL))
    state.commit()
    assert state.outbox.parcel_kinds() == [PARCEL]
    state.outbox.readdress(PARCEL, lambda one: other if one.payload["parts"] == ["goes"] else None)
    state.commit()
    again = reopened()
    assert again.parcel_kinds() == [other, PARCEL]
    assert waiting(again, T0, other) == [(["goes"], 1)]
    assert waiting(again, T0, PARCEL) == [(["stays"], 1)]


def report(to: list[str], day: str = "2026-03-13", host: str = "vm1", **more: Any) -> OutboxItem:
    payload = {
        "parts": [day], "count": 1, "to": to, "report": day, "html": None,
        "headers": {"List-Id": f"<pyruse.{host}>"}, **more,
    }  # fmt: skip
    return OutboxItem("mail", payload, T0, T0)


def test_who_has_a_report_past_the_outbox_gets_the_copy_that_waits_no_more(state):
    outbox = state.outbox
    waits, aside, partly, on_its_way = (
        report(["root"]), report(["root"]), report(["root", "bob"]), report(["root"])
    )  # fmt: skip
    others = [
        report(["root"], day="2026-03-12"), report(["root"], host="vm2"), report(["carl"]),
        report(["root"], html="<p>"), report(["root"], encrypt_to=["A"]), item("warning"),
    ]  # fmt: skip
    outbox.put(on_its_way)
    assert outbox.take("report", T0) is on_its_way
    for one in (waits, aside, partly, *others):
        outbox.put(one)
    outbox.refuse(aside.id, "no such user", now=T0)
    outbox.note_sent_past(report(["root", "carl"]), T0, "250 OK", ["carl"])
    assert outbox.items() == [on_its_way, partly, *others]
    assert partly.payload["to"] == ["bob"]
    state.commit()
    assert reports_sent(state.db) == [("2026-03-13", "root", T0, "250 OK")]


def test_where_it_is_not_clear_who_was_refused_no_copy_is_taken_out():
    outbox = Outbox()
    outbox.put(report(["root@bücher.example"]))
    outbox.note_sent_past(
        report(["root@bücher.example", "bob"]), T0, "250 OK", ["root@xn--bcher-kva.example"]
    )
    assert len(outbox.items()) == 1
