"""Reports are worth patience: they are tried for days, the newest first, and hold up no warning."""

from __future__ import annotations

import pytest

from pyruse.config.settings import SmtpUrl
from pyruse.delivery import delivery as delivery_module
from pyruse.delivery.outcome import GIVEN_UP
from pyruse.state.database import State
from pyruse.state.outbox import Outbox, reports_sent
from pyruse.state.outbox_item import OutboxItem
from pyruse.testing.smtp import SmtpServer
from pyruse.testing.waiting import TIME_LIMIT
from tests.delivery.house import HOUR, SECOND, T0, House

DAY = 24 * HOUR


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.delivery.close(TIME_LIMIT)


def report(house: House, day: str, **more: object) -> OutboxItem:
    payload = {
        "subject": day, "to": ["root"], "parts": ["text\n" * 2_000], "count": 1, "html": None,
        "report": day, **more,
    }  # fmt: skip
    return house.put("mail", payload)


def serve(house: House, server: SmtpServer) -> None:
    house.settings.smtp = SmtpUrl.parse(server.url)


def subjects(server: SmtpServer) -> list[str]:
    return [received.message["Subject"] for received in server.messages]


def test_a_report_that_is_refused_is_tried_for_days_with_growing_pauses(house):
    with SmtpServer(replies={"DATA": "554 5.7.1 not today"}) as server:
        serve(house, server)
        item = report(house, "2026-03-13")
        pauses = []
        while not item.refused:
            house.round()
            due = house.delivery.next_due()
            pauses.append(0 if due is None else (due - house.now) // HOUR)
            house.now = house.now if due is None else due
    assert pauses == [1, 2, 4, 8, *[12] * 13, 0]
    assert 7 * DAY <= house.now - T0 < 7.5 * DAY
    place, first = house.faults[0]
    assert place == "mail"
    assert first.endswith(
        'refuses the mail: 554 5.7.1 not today; the mail "2026-03-13" is tried again in 1h'
    )
    assert house.faults[-1][1].endswith(
        '554 5.7.1 not today; the mail "2026-03-13" is set aside (see: pyruse outbox)'
    )
    assert house.outbox.set_aside() == [item]


def test_it_arrives_when_the_server_takes_it_on_the_next_day(house):
    with SmtpServer(replies={"RCPT": "550 5.1.1 no such user"}) as server:
        serve(house, server)
        report(house, "2026-03-13")
        house.round()
        server.replies.clear()
        house.now += DAY
        house.round()
        assert subjects(server) == ["2026-03-13"]
    assert house.outbox.items() == []


def test_one_of_several_who_get_it_is_refused(house):
    with SmtpServer(replies={"RCPT gone@example.org": "550 5.1.1 no such user"}) as server:
        serve(house, server)
        item = report(house, "2026-03-13", to=["gone@example.org", "bob@example.org"])
        house.round()
        assert (item.refused, item.payload["to"]) == (False, ["gone@example.org"])
        server.replies.clear()
        house.now += HOUR
        house.round()
        received = [one.recipients for one in server.messages]
        assert received == [["bob@example.org"], ["gone@example.org"]]


def test_nobody_waits_for_a_report_to_no_address(house):
    """The server has said nothing: it would never be otherwise."""
    item = report(house, "2026-03-13", to=[])
    house.round()
    assert item.refused


def test_the_newest_report_goes_first_and_warnings_do_not_wait(house):
    with SmtpServer(replies={"MAIL": "451 4.3.0 later"}) as server:
        serve(house, server)
        for day in ("2026-03-11", "2026-03-12", "2026-03-13"):
            report(house, day)
            house.round()
        server.replies.clear()
        house.now += 20 * SECOND
        house.mail("disk full")
        house.round()
        assert subjects(server) == ["disk full"]
        house.now += DAY
        house.round()
        assert subjects(server)[1:] == ["2026-03-13", "2026-03-12", "2026-03-11"]


def test_a_full_mailbox_does_not_shorten_the_report(house):
    with SmtpServer(replies={"DATA": "552 5.2.2 mailbox full"}) as server:
        serve(house, server)
        report(house, "2026-03-13")
        house.round()
        server.replies.clear()
        house.now += HOUR
        house.round()
        (received,) = server.messages
    assert "Left out" not in received.text


@pytest.mark.parametrize("reply", ["552 5.3.4 too big", "554 5.3.4 too big", "552 too big"])
def test_it_is_shortened_where_the_size_is_refused(house, reply):
    sizes = []

    class Picky(SmtpServer):
        def _take(self, session, envelope):
            sizes.append(len(envelope.original_content or b""))
            self.replies.pop("DATA", None)
            super()._take(session, envelope)

    with Picky() as server:
        serve(house, server)
        server.replies["DATA"] = reply
        item = report(house, "2026-03-13")
        house.round()
        assert not item.refused
        assert house.faults[0][1].endswith('the mail "2026-03-13" is tried again in 1h')
    with Picky(largest=4_000) as server:
        serve(house, server)
        house.delivery.reconfigure(house.settings, "vm1")
        house.round()
        (received,) = server.messages
    assert sizes[0] <= 4_000
    assert "[Left out, for this mail would be too large: " in received.text


def test_no_server_will_ever_take_an_address_that_it_has_no_letters_for(house):
    with SmtpServer(utf8=False) as server:
        serve(house, server)
        item = report(house, "2026-03-13", to=["müller@example.org"])
        house.round()
        assert item.refused
        ((_, told),) = house.faults
        assert told.endswith(
            "takes no addresses outside ASCII (SMTPUTF8) (expected others in [email] from and to, "
            'or a server that offers SMTPUTF8); the mail "2026-03-13" is set aside (see: pyruse '
            "outbox)"
        )
    with SmtpServer() as server:
        serve(house, server)
        house.delivery.reconfigure(house.settings, "vm1")
        house.delivery.retry([item.id])
        house.round()
        (received,) = server.messages
    assert received.recipients == ["müller@example.org"]


def test_a_domain_of_other_letters_needs_no_such_server(house):
    with SmtpServer(utf8=False) as server:
        serve(house, server)
        report(house, "2026-03-13", to=["root@bücher.example"])
        house.round()
        (received,) = server.messages
    assert received.recipients == ["root@xn--bcher-kva.example"]


def test_while_no_name_can_be_looked_up_all_mails_wait(house):
    house.settings.smtp = SmtpUrl.parse("smtp://mail.invalid")
    first, second = house.mail("disk full"), house.mail("disk gone")
    house.round()
    assert (first.attempts, second.attempts) == (1, 0)
    ((_, told),) = house.faults
    assert told.startswith("[email] smtp: mail.invalid:25 cannot be used: ")
    assert told.endswith('; the mail "disk full" is tried again in 30 s')
    with SmtpServer() as server:
        serve(house, server)
        house.delivery.reconfigure(house.settings, "vm1")
        house.round()
        assert subjects(server) == ["disk full", "disk gone"]


def test_after_a_month_no_mail_is_tried_any_more(house):
    house.sendmail("exit 75")
    warning, day = house.mail("disk full"), report(house, "2026-03-13")
    house.round()
    house.now += 29 * DAY
    house.round()
    assert house.outbox.set_aside() == []
    house.now += DAY
    house.round()
    assert warning in house.outbox.set_aside()
    assert day in house.outbox.set_aside()
    told = 'exit code 75, for 30 days now; the mail "{}" is set aside (see: pyruse outbox)'
    for subject in ("disk full", "2026-03-13"):
        assert any(fault.endswith(told.format(subject)) for _, fault in house.faults)


def test_the_month_begins_with_the_first_attempt_however_old_the_entry_is(house):
    house.sendmail("exit 75")
    payload = {"subject": "old", "to": ["root"], "parts": ["text"], "count": 1, "html": None}
    old = OutboxItem("mail", payload, T0 - 90 * DAY, T0 - 90 * DAY)
    house.outbox.put(old)
    house.round()
    house.now += 29 * DAY
    house.round()
    assert not old.refused
    assert not any("30 days" in fault for _, fault in house.faults)
    house.now += DAY
    house.round()
    assert old.refused


def test_what_is_tried_again_by_hand_has_another_month(house):
    house.sendmail("exit 75")
    mail = house.mail("disk full")
    house.round()
    house.now += 30 * DAY
    house.round()
    assert mail.refused
    house.delivery.retry([mail.id])
    house.round()
    assert not mail.refused


def test_a_hundred_thousand_mails_that_wait_are_bounded(house, monkeypatch):
    house.sendmail("exit 75")
    kinds = []
    monkeypatch.setattr(house.delivery, "_on_fault", lambda *told: kinds.append(told[2:]))
    report(house, "2026-03-13")
    for number in range(100_000):
        house.mail(str(number))
    house.round()
    assert len(house.outbox.items()) == delivery_module._MOST_WAITING + 1
    assert house.outbox.items()[-1].payload["subject"] == "99999", "the newest are kept"
    assert (GIVEN_UP, 90_000) in kinds


def test_what_the_server_said_is_kept_with_the_report(tmp_path, house):
    with State(str(tmp_path / "state")) as state, SmtpServer() as server:
        state.load()
        house.outbox = state.outbox
        house.delivery = house.start()
        serve(house, server)
        server.replies["RCPT gone@example.org"] = "550 5.1.1 no such user"
        report(house, "2026-03-13", to=["root", "gone@example.org"])
        house.mail("disk full")
        house.round()
        state.commit()
        assert reports_sent(state.db) == [("2026-03-13", "root", T0, "250 2.0.0 OK")]
        for _ in state.outbox.remove_before(state.db, T0 + 1, "2026-03-14"):
            pass
        assert reports_sent(state.db) == []


def test_reports_of_an_older_state_are_mails_like_others():
    outbox = Outbox()
    outbox.put(OutboxItem("mail", {"parts": [""], "count": 1}, T0, T0))
    assert outbox.take("report", T0) is None
    assert outbox.take("mail", T0)
