"""What commands order about what leaves Pyruse, and what they are answered."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyruse.daemon.control import Message, Request
from pyruse.daemon.outbox_orders import OutboxOrders
from pyruse.testing import wait_until
from pyruse.testing.waiting import TIME_LIMIT
from tests.delivery.house import House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.delivery.close(TIME_LIMIT)


class Orders:
    """A daemon's main thread, as far as it carries these out."""

    def __init__(self, house: House) -> None:
        self.commits = 0
        self.woken = threading.Event()
        self._orders = OutboxOrders(
            house.delivery, house.outbox, self._commit, lambda: house.now, self.woken.set
        )

    def _commit(self) -> None:
        self.commits += 1

    def settle(self) -> None:
        """As the main loop does it after a wake."""
        assert self.woken.wait(TIME_LIMIT), "no wake"
        self._orders.settle()

    def begin(self, content: Message) -> Request:
        request = Request(content, lambda: False)
        assert self._orders.carry_out(request)
        return request

    def ask(self, **content: Any) -> Message | None:
        return self.begin(content).wait()


MAIL = {"subject": "trial", "to": ["root"], "parts": ["text"], "count": 1, "html": None}


def test_a_mail_is_sent_once_and_in_no_outbox(house: House) -> None:
    answer = Orders(house).ask(request="deliver", kind="mail", payload=MAIL)
    assert answer is not None
    assert answer["ok"]
    assert (answer["outcome"]["end"], answer["outcome"]["fault"]) == ("sent", "")
    assert house.subjects() == ["trial"]
    assert house.outbox.items() == []


def test_a_report_that_waits_is_taken_out_once_it_was_sent_past_the_outbox(house: House) -> None:
    waits = house.put("mail", {**MAIL, "report": "2026-03-13"})
    orders = Orders(house)
    request = orders.begin(
        {"request": "deliver", "kind": "mail", "payload": {**MAIL, "report": "2026-03-13"}}
    )
    orders.settle()
    assert (request.wait() or {})["outcome"]["end"] == "sent"
    assert orders.commits == 1
    assert waits not in house.outbox.items()
    house.sendmail("exit 75")
    again = house.put("mail", {**MAIL, "report": "2026-03-13"})
    request = orders.begin({"request": "deliver", "kind": "mail", "payload": again.payload})
    assert (request.wait() or {})["outcome"]["end"] == "retry"
    assert again in house.outbox.items()


def test_what_fails_is_not_kept(house: House) -> None:
    house.sendmail("echo busy >&2; exit 75")
    answer = Orders(house).ask(request="deliver", kind="mail", payload=MAIL)
    assert answer is not None
    assert answer["outcome"]["end"] == "retry"
    assert answer["outcome"]["fault"].endswith("failed with exit code 75: busy")
    assert house.outbox.items() == []


def test_a_trial_does_not_wait_for_mails_that_hang(house: House) -> None:
    house.sendmail("[ -e hung ] || { touch hung; echo $$ > pid; exec sleep 100; }; cat > mail.1")
    house.mail("hangs")
    house.delivery.dispatch(house.now)
    house.started()
    answer = Orders(house).ask(request="deliver", kind="mail", payload=MAIL)
    assert answer is not None
    assert answer["outcome"]["end"] == "sent"
    house.kill()


def test_attempts_that_hang_are_few(house: House) -> None:
    house.sendmail("cat > /dev/null; while [ ! -e go ]; do sleep 0.05; done")
    orders = Orders(house)
    order = {"request": "deliver", "kind": "mail", "payload": MAIL}
    waiting = [orders.begin(order) for _ in range(8)]
    answer = orders.ask(**order)
    assert answer == {
        "ok": False, "fault": "cannot be handled now: too many attempts have not ended yet"
    }  # fmt: skip
    (house.folder / "go").touch()
    for request in waiting:
        assert (request.wait() or {})["ok"]
    wait_until(lambda: "pyruse at once" not in [one.name for one in threading.enumerate()])
    assert (orders.ask(**order) or {})["ok"]


def test_a_parcel_of_a_plugin_that_is_not_at_work_here(house: House) -> None:
    payload = {"parts": [], "count": 1}
    answer = Orders(house).ask(request="deliver", kind="action webhook#0", payload=payload)
    assert answer is not None
    assert answer["outcome"]["fault"] == (
        "nobody delivers it (expected that the daemon has the same configuration: systemctl "
        "reload pyruse)"
    )


@pytest.mark.parametrize(
    "content",
    [{"request": "deliver"}, {"request": "deliver", "kind": 5, "payload": {}},
     {"request": "outbox", "retry": "all"}],
)  # fmt: skip
def test_what_is_not_understood(house: House, content: Message) -> None:
    answer = Orders(house).ask(**content)
    assert answer is not None
    assert answer["ok"] is False
    assert answer["fault"].startswith("not understood: ")


def test_what_is_being_sent_is_not_dropped(house: House) -> None:
    house.sendmail("cat > /dev/null; while [ ! -e go ]; do sleep 0.05; done")
    leaving, waits = house.mail("leaving"), house.command("/bin/true")
    house.delivery.dispatch(house.now)
    orders = Orders(house)
    answer = orders.ask(request="outbox", drop=[leaving.id, "unknown"])
    assert answer == {"ok": True, "leaving": [leaving.id]}
    assert orders.commits == 1
    (house.folder / "go").touch()
    while house.delivery.busy:
        house.collect()
    assert waits not in house.outbox.items()
