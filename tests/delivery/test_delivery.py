"""What leaves after a commit, through real programs and a real mail server."""

import threading
from dataclasses import replace

import pytest

from pyruse.config.settings import SmtpUrl
from pyruse.delivery import delivery as delivery_module
from pyruse.delivery.item_names import set_aside_in_words
from pyruse.state.outbox_item import OutboxItem
from pyruse.testing.smtp import SmtpServer
from pyruse.testing.waiting import TIME_LIMIT
from tests.delivery.house import HOUR, SECOND, T0, House


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.delivery.close(TIME_LIMIT)


def serve(house: House, server: SmtpServer) -> None:
    house.settings.smtp = SmtpUrl.parse(server.url)


def subjects(server: SmtpServer) -> list[str]:
    return [received.message["Subject"] for received in server.messages]


def test_nothing_to_do(house):
    threads = set(threading.enumerate())
    assert house.delivery.next_due() is None
    assert house.round() is False
    assert not house.delivery.busy
    assert set(threading.enumerate()) <= threads, "none was started"


def test_everything_leaves_once(house):
    house.mail("Ban of 192.0.2.7")
    house.command("/bin/touch", str(house.folder / "touched"))
    house.log("banned")
    assert house.delivery.next_due() == 0
    assert house.round()
    assert house.subjects() == ["Ban of 192.0.2.7"]
    assert (house.folder / "touched").exists()
    assert house.logs == [("banned", 6, {"PYRUSE_HOPS": 1})]
    assert house.outbox.items() == []
    assert house.faults == []
    assert house.delivery.next_due() is None
    assert not house.round()
    assert len(house.logs) == len(house.subjects()) == 1


def test_log_lines_are_written_at_once_and_in_order(house):
    for number in range(5):
        house.log(str(number))
    assert house.delivery.dispatch(house.now)
    assert [message for message, _, _ in house.logs] == ["0", "1", "2", "3", "4"]
    assert not house.delivery.busy
    assert house.outbox.items() == []


def test_log_lines_that_the_journal_did_not_take_are_kept_in_order(house):
    house.log("one")
    house.log("two")
    house.log_fault = OSError("no journal")
    assert house.round()
    assert house.faults == [
        ("log", 'the journal took no line: no journal; the log "one" is tried again in 30 s')
    ]
    assert house.delivery.next_due() == T0 + 30 * SECOND
    house.log_fault = None
    house.now += 29 * SECOND
    assert not house.round()
    house.now += SECOND
    assert house.round()
    assert [message for message, _, _ in house.logs] == ["one", "two"]


def test_one_impossible_log_line_stops_nothing(house):
    item = house.log("one")
    house.log_fault = TypeError("odd")
    house.round()
    house.log_fault = None
    house.log("two")
    house.round()
    assert [message for message, _, _ in house.logs] == ["two"]
    assert item.refused
    assert house.faults == [
        (
            "log",
            "the journal can take no such line: TypeError('odd'); the log \"one\" is set "
            "aside (see: pyruse outbox)",
        )
    ]


def test_mails_leave_in_order_through_a_mail_server(house):
    with SmtpServer() as server:
        serve(house, server)
        for number in range(10):
            house.mail(str(number))
        house.round()
        assert subjects(server) == [str(number) for number in range(10)]
    assert house.outbox.items() == []


def test_the_message_id_stays_the_same_over_retries(house):
    with SmtpServer() as server:
        serve(house, server)
        item = house.mail("twice")
        house.round()
        item.leaving = False
        house.outbox.put(item)  # as after a crash before the commit
        house.round()
        first, again = server.messages
    assert first.message["Message-ID"] == again.message["Message-ID"] == f"<{item.id}@vm1>"


def test_a_failure_that_may_pass_keeps_all_mails_in_order(house):
    with SmtpServer(replies={"RCPT": "450 4.2.0 greylisted"}) as server:
        serve(house, server)
        first = house.mail("first")
        second = house.mail("second")
        assert house.round()
        assert (first.attempts, second.attempts) == (1, 0)
        assert not second.leaving
        assert house.delivery.next_due() == T0 + 30 * SECOND
        house.mail("third")
        server.replies.clear()
        house.now += 29 * SECOND
        assert not house.round()
        house.now += SECOND
        assert house.round()
        assert subjects(server) == ["first", "second", "third"]
    ((place, fault),) = house.faults
    assert place == "mail"
    assert fault.startswith("[email] smtp: localhost:")
    assert fault.endswith('4.2.0 greylisted); the mail "first" is tried again in 30 s')


def test_retries_come_ever_later_and_never_end(house):
    house.sendmail("exit 75")
    item = house.mail("kept")
    waits = []
    for _ in range(10):
        house.round()
        due = house.delivery.next_due()
        assert due == item.due
        waits.append((due - house.now) // SECOND)
        house.now = due
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert not item.refused
    house.sendmail('cat > "$(mktemp mail.XXXXXX)"')
    house.round()
    assert house.subjects() == ["kept"]


def run_for(house: House, hours: float) -> None:
    """Let the daemon sleep until something is due, again and again."""
    end = house.now + int(hours * HOUR)
    while (due := house.delivery.next_due()) is not None and due <= end:
        house.now = max(house.now, due)
        house.round()
    house.now = end


def test_a_mail_server_that_is_away_for_a_day_gets_all_mails_in_their_order(house):
    with SmtpServer() as server:
        serve(house, server)  # and is gone
    items = []
    for hour in range(24):
        items.append(house.mail(str(hour)))
        run_for(house, 1)
    tried = sum(item.attempts for item in items)
    assert tried < 40, "each failure holds up all the others"
    assert [item.refused for item in house.outbox.items()] == [False] * 24
    with SmtpServer() as server:
        serve(house, server)
        house.mail("new")
        run_for(house, 1)
        assert subjects(server) == [*map(str, range(24)), "new"]
        ids = [received.message["Message-ID"] for received in server.messages]
        assert ids[:24] == [f"<{item.id}@vm1>" for item in items]
    assert house.outbox.items() == []


def test_a_sender_that_the_server_refuses_keeps_all_mails_for_when_that_is_mended(house):
    with SmtpServer(replies={"MAIL": "550 5.7.1 who are you"}) as server:
        serve(house, server)
        for number in range(3):
            house.mail(str(number))
        run_for(house, 24)
        assert server.messages == []
        server.replies.clear()
        run_for(house, 1)
        assert subjects(server) == ["0", "1", "2"]


def test_what_readers_of_the_report_should_know_of_mails_that_are_set_aside(house):
    house.sendmail("echo unknown user >&2; exit 67")
    for number in range(8):
        house.mail(f"Ban {number}")
    house.round()
    reason = '[email] sendmail: "/bin/sh" failed with exit code 67: unknown user'
    aside = house.outbox.set_aside()
    assert set_aside_in_words(aside[:1]) == f'a mail could not be sent: the mail "Ban 0" ({reason})'
    assert set_aside_in_words(aside).startswith('8 mails could not be sent: the mail "Ban 0" (')
    assert set_aside_in_words(aside).endswith(f'the mail "Ban 4" ({reason}), and 3 more')


def test_a_mail_that_failed_for_an_hour_no_longer_holds_up_the_others(house):
    house.sendmail('grep -q "^Subject: poison" && exit 75; touch other')
    poison = house.mail("poison")
    house.mail("other")
    while not (house.folder / "other").exists():
        house.round()
        due = house.delivery.next_due()
        house.now = due or house.now
        assert house.now < T0 + 3 * HOUR
    assert house.now > T0 + HOUR
    assert house.outbox.items() == [poison]


def test_a_restart_tries_again_at_once(house):
    house.sendmail("exit 75")
    house.mail("one")
    house.mail("two")
    house.round()
    house.sendmail('cat > "$(mktemp mail.XXXXXX)"')
    house.delivery.close(TIME_LIMIT)
    house.delivery = house.start()
    house.round()
    assert house.subjects() == ["one", "two"]


def test_new_settings_hold_at_once(house):
    house.sendmail("exit 75")
    house.mail("one")
    house.mail("two")
    house.round()
    with SmtpServer() as server:
        house.delivery.reconfigure(replace(house.settings, smtp=SmtpUrl.parse(server.url)), "vm2")
        assert house.delivery.next_due() == 0
        house.round()
        assert subjects(server) == ["one", "two"]
        assert server.messages[0].message["Message-ID"].endswith("@vm2>")
    assert house.outbox.items() == []


def test_what_another_delivery_left_unfinished_is_sent_by_the_next(house):
    house.sendmail("echo $$ > pid; exec sleep 1000")
    house.mail("one")
    house.mail("two")
    house.delivery.dispatch(house.now)
    house.started()
    house.delivery.close(0)
    house.kill()
    house.sendmail('cat > "$(mktemp mail.XXXXXX)"')
    house.delivery = house.start()
    house.round()
    assert house.subjects() == ["one", "two"]


def test_a_clock_that_was_set_back_does_not_hold_up_new_mails(house):
    house.sendmail("exit 75")
    house.mail("one")
    house.round()
    house.sendmail('cat > "$(mktemp mail.XXXXXX)"')
    house.now -= 48 * HOUR
    house.mail("two")
    house.round()
    assert house.subjects() == ["two"]


def test_a_mail_that_can_never_be_sent_is_set_aside(house):
    house.sendmail('grep -q "^Subject: bad" && { echo unknown user >&2; exit 67; }; touch good')
    bad = house.mail("bad")
    house.mail("good")
    assert house.round()
    assert (house.folder / "good").exists()
    assert house.outbox.items() == [bad]
    assert bad.refused
    assert house.faults == [
        (
            "mail",
            '[email] sendmail: "/bin/sh" failed with exit code 67: unknown user; '
            'the mail "bad" is set aside (see: pyruse outbox)',
        )
    ]
    assert house.delivery.next_due() is None


def test_a_mail_to_nobody_is_set_aside(house):
    item = house.mail("Ban", to=[])
    house.round()
    assert item.refused
    assert house.faults == [
        (
            "mail",
            'nobody to send it to (expected [email] to = ["hostmaster@example.org"]); '
            'the mail "Ban" is set aside (see: pyruse outbox)',
        )
    ]


def test_what_is_no_mail_is_set_aside(house):
    address = house.mail("one", to=["Bob <bob@example.org>"])
    broken = OutboxItem("mail", {"to": ["root"]}, T0, T0)
    house.outbox.put(broken)
    house.mail("two")
    house.round()
    assert address.refused
    assert broken.refused
    assert house.subjects() == ["two"]


def test_recipients_that_are_refused_for_good_are_told_of_and_kept(house):
    with SmtpServer(replies={"RCPT gone@example.org": "550 5.1.1 no such user"}) as server:
        serve(house, server)
        house.mail("Ban", to=["gone@example.org", "bob@example.org"])
        house.round()
        assert [received.recipients for received in server.messages] == [["bob@example.org"]]
    (kept,) = house.outbox.set_aside()
    assert kept.payload["to"] == ["gone@example.org"], "the others have it"
    assert house.faults == [
        (
            "mail",
            'the mail "Ban" was refused for gone@example.org (550 5.1.1 no such user); for them it '
            "is set aside (see: pyruse outbox)",
        )
    ]


def test_recipients_that_are_refused_for_now_get_the_mail_later_and_no_one_gets_it_twice(house):
    replies = {"RCPT full@example.org": "452 4.2.2 full", "RCPT gone@example.org": "550 5.1.1 no"}
    with SmtpServer(replies=replies) as server:
        serve(house, server)
        house.mail("Ban", to=["full@example.org", "bob@example.org", "gone@example.org"])
        house.mail("next")  # is not held up: the server is well
        house.round()
        assert subjects(server) == ["Ban", "next"]
        server.replies.clear()
        house.now += 30 * SECOND
        house.round()
        recipients = [received.recipients for received in server.messages]
        assert recipients == [["bob@example.org"], ["root"], ["full@example.org"]]
    (kept,) = house.outbox.items()
    assert (kept.refused, kept.payload["to"]) == (True, ["gone@example.org"])
    assert house.faults == [
        (
            "mail",
            'the mail "Ban" was refused for gone@example.org (550 5.1.1 no); for them it is set '
            "aside (see: pyruse outbox)",
        ),
        ("mail", 'the mail "Ban" is tried again in 30 s for full@example.org (452 4.2.2 full)'),
    ]


def test_commands_run_in_order_whatever_becomes_of_them(house):
    record = house.folder / "record"
    for number in range(4):
        house.command("/bin/sh", "-c", f"echo {number} >> {record}; exit {number}")
    house.round()
    assert record.read_text().split() == ["0", "1", "2", "3"]
    assert house.outbox.items() == []
    assert len(house.faults) == 3


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        (("/bin/sh", "-c", "echo no such set >&2; exit 3"),
         "/bin/sh -c 'echo no such set >&2; exit 3' failed with exit code 3: no such set"),
        (("/nowhere/program", "192.0.2.7"),
         "/nowhere/program 192.0.2.7 is not there (expected a program that can be run)"),
        (("/",), "/ cannot be run: Permission denied (expected a program that can be run)"),
        (("true", "\0"),
         r"true '\x00' cannot be run: embedded null byte (expected a program that can be run)"),
        ((), "an empty command cannot be run: "
         "no program is named (expected a program that can be run)"),
        (("/bin/sh", "-c", "kill -9 $$"), "/bin/sh -c 'kill -9 $$' was killed by SIGKILL"),
    ],
)  # fmt: skip
def test_a_command_that_fails_is_told_and_not_tried_again(house, command, fault):
    house.command(*command)
    house.command("/bin/touch", str(house.folder / "next"))
    assert house.round()
    assert house.faults == [('chains."ssh"[3]', fault)]
    assert house.outbox.items() == []
    assert (house.folder / "next").exists()


def test_a_command_gets_what_is_for_its_standard_input(house):
    record = house.folder / "record"
    item = house.command("/bin/sh", "-c", f"cat > {record}")
    item.payload |= {"parts": ["long\n" * 100_000], "count": 1}
    house.round()
    assert record.read_text() == "long\n" * 100_000
    assert house.faults == []


def test_a_command_that_gathers_gets_all_that_came_meanwhile(house):
    record = house.folder / "record"
    for text in ("first", "second", "third"):
        payload = {
            "command": ["/bin/sh", "-c", f"cat >> {record}; echo >> {record}"],
            "timeout": TIME_LIMIT, "step": "step", "parts": [text], "count": 1,
        }  # fmt: skip
        item = OutboxItem("command", payload, house.now, house.now, "step")
        house.outbox.put_gathered(item, 600 * SECOND)
        house.round()
    assert record.read_text() == "first\n"
    house.now += 600 * SECOND
    house.round()
    assert record.read_text() == "first\n2 times:\n\nsecond\nthird\n"


def test_a_command_that_takes_too_long_is_killed(house):
    house.command("/bin/sleep", "1000", timeout=0.2)
    house.round()
    assert house.faults == [
        ('chains."ssh"[3]', "/bin/sleep 1000 was killed after 0.2 s, its time limit")
    ]


def test_a_slow_command_holds_up_no_mail_and_no_entry(house):
    house.command("/bin/sh", "-c", f"echo $$ > {house.folder}/pid; exec sleep 1000")
    house.mail("quick")
    house.delivery.dispatch(house.now)
    assert house.delivery.next_due() is None  # nothing to do until it wakes us
    assert house.woken.wait(TIME_LIMIT)
    assert house.delivery.collect(house.now)
    assert house.subjects() == ["quick"]
    assert house.delivery.busy
    (item,) = house.outbox.items()
    assert item.leaving
    house.kill()


def test_a_slow_program_of_one_step_holds_up_no_other_step(house):
    house.command("/bin/sh", "-c", f"echo $$ > {house.folder}/pid; exec sleep 1000")
    house.command("/bin/touch", str(house.folder / "behind"))
    house.put("command", {
        "command": ["/bin/touch", str(house.folder / "beside")], "timeout": 60, "step": "other",
    })  # fmt: skip
    house.delivery.dispatch(house.now)
    assert house.collect()
    assert (house.folder / "beside").exists()
    assert not (house.folder / "behind").exists()
    house.kill()
    while house.delivery.busy:
        house.collect()
    assert (house.folder / "behind").exists()


def test_of_the_programs_that_wait_for_a_slow_one_the_oldest_are_given_up(house, monkeypatch):
    monkeypatch.setattr(delivery_module, "_MOST_WAITING", 20)
    house.command("/bin/sh", "-c", f"echo $$ > {house.folder}/pid; exec sleep 1000")
    house.delivery.dispatch(house.now)
    record = house.folder / "record"
    for number in range(50):
        house.command("/bin/sh", "-c", f"echo {number} >> {record}")
        house.delivery.dispatch(house.now)
    given_up = 50 + 1 - 20
    assert house.faults == [
        (
            'chains."ssh"[3]',
            "a run of a program was given up, the oldest: no more than 20 of them, and 32,000,000 "
            "characters, wait for a step",
        )
    ] * (given_up - 10), "those that are with the worker already stay"
    house.kill()
    while house.outbox.items():
        house.delivery.dispatch(house.now)
        house.collect()
    assert record.read_text().split()[-11:] == [str(number) for number in range(39, 50)]


def test_a_program_or_a_line_that_gathers_leaves_once_as_the_newest(house):
    record = house.folder / "record"
    for number in (1, 2, 3):
        script = f"echo {number} for $PYRUSE_COUNT >> {record}"
        payloads = {
            "command": {
                "command": ["/bin/sh", "-c", script], "timeout": 60, "step": "a", "count": 1,
            },
            "log": {"message": f"line {number}", "level": 6, "fields": {}, "count": 1},
        }  # fmt: skip
        for kind, payload in payloads.items():
            item = OutboxItem(kind, payload, house.now, house.now, f"a {kind}")
            house.outbox.put_gathered(item, 600 * SECOND)
        house.round()
    assert record.read_text() == "1 for 1\n"
    assert [message for message, _, _ in house.logs] == ["line 1"]
    assert house.delivery.next_due() == house.now + 600 * SECOND
    house.now += 600 * SECOND
    house.round()
    assert record.read_text() == "1 for 1\n3 for 2\n"
    assert [message for message, _, _ in house.logs] == ["line 1", "line 3 (2 times)"]


def test_a_stop_waits_for_what_is_being_sent(house):
    house.sendmail('sleep 0.3; cat > "$(mktemp mail.XXXXXX)"')
    house.mail("one")
    house.mail("two")
    house.delivery.dispatch(house.now)
    house.delivery.close(TIME_LIMIT)
    assert house.delivery.collect(house.now)
    assert house.subjects() == ["one", "two"]
    assert house.outbox.items() == []
    house.mail("three")
    assert house.delivery.dispatch(house.now) is False


def test_a_stop_does_not_wait_for_ever_and_loses_nothing(house):
    house.sendmail("echo $$ > pid; exec sleep 1000")
    items = [house.mail("one"), house.mail("two")]
    house.delivery.dispatch(house.now)
    house.started()
    house.delivery.close(0.1)
    assert not house.delivery.collect(house.now)
    assert house.outbox.items() == items
    house.kill()


def test_no_room_for_a_thread_is_told_and_passes(house, monkeypatch):
    def no_room(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as crowded:
        crowded.setattr(threading.Thread, "start", no_room)
        house.mail("one")
        assert not house.round()
    assert house.faults == [
        ("mail", "cannot be handled: can't start new thread; tried again in 30 s")
    ]
    assert house.delivery.next_due() == T0 + 30 * SECOND
    house.now += 30 * SECOND
    house.round()
    assert house.subjects() == ["one"]


def test_an_unexpected_error_loses_no_mail(house, monkeypatch):
    def broken(*arguments: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    with monkeypatch.context() as patched:
        patched.setattr("pyruse.delivery.attempts.send", broken)
        item = house.mail("one")
        house.round()
    assert not item.refused
    assert "it cannot be sent: ZeroDivisionError('a fault of ours'); the mail" in house.faults[0][1]
    house.now += 30 * SECOND
    house.round()
    assert house.subjects() == ["one"]
