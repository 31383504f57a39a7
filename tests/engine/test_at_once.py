"""`[email] at_once`: a line comes in, and a mail leaves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from pyruse.engine.modes import DRY
from pyruse.errors import ConfigError

HEAD = """
[email]
to = ["root"]
at_once = 70
"""
CHAINS = """
[chains]
"failed" = [
  { filter = "contains", text = "failed", else = "reported" },
  { action = "set", field = "unit", value = "{UNIT}" },
  { action = "event", name = "unit failed" },
  { action = "report", section = "important", message = "{UNIT} is down: {MESSAGE}" },
]
"reported" = [
  { filter = "contains", text = "smoke", else = "lighter" },
  { action = "report", section = "important", message = "fire: {MESSAGE}", weight = 90 },
]
"lighter" = [
  { filter = "contains", text = "warm", else = "plain" },
  { action = "report", section = "important", message = "{MESSAGE}", weight = 69 },
]
"plain" = [ { action = "report", section = "important", message = "{MESSAGE}" } ]
"""


@pytest.fixture
def daemon(pipeline, monkeypatch):
    """Chains as in the daemon, which knows what is old; what leaves is recorded all the same."""
    monkeypatch.setattr("pyruse.testing.pipeline.DRY", replace(DRY, dry_run=False))
    return pipeline(HEAD + CHAINS)


def failed(unit="backup.service", **fields):
    return {"_HOSTNAME": "mercury", "UNIT": unit, "MESSAGE": f"{unit}: failed", **fields}


def test_an_event_that_weighs_enough_is_mailed_once_though_it_is_reported_too(daemon):
    daemon.feed(**failed())
    (mail,) = daemon.emails
    assert mail.to == ["root"]
    assert mail.subject == "mercury: backup.service failed"
    assert mail.body.splitlines()[0] == "backup.service failed"
    assert "mercury, 2026-03-14 12:00:00" in mail.body
    assert "backup.service: failed" in mail.body
    assert [row.message for row in daemon.report.important] == [
        "backup.service is down: backup.service: failed"
    ]


def test_what_a_chain_calls_important_is_mailed_from_the_weight_on(daemon):
    for text in ("smoke", "warm", "something"):
        daemon.feed(_HOSTNAME="mercury", MESSAGE=text)
    assert [mail.subject for mail in daemon.emails] == ["mercury: fire: smoke"]


def test_without_the_setting_nothing_is_mailed(pipeline):
    chains = pipeline('[email]\nto = ["root"]\n' + CHAINS)
    chains.feed(**failed())
    chains.feed(MESSAGE="smoke")
    assert chains.emails == []


def test_what_has_one_cause_is_gathered_and_other_causes_do_not_wait(daemon, clock):
    for number in range(3):
        daemon.feed(**failed(MESSAGE=f"failed for the {number}th time"))
        clock.advance("1m")
    daemon.feed(**failed("web.service"))
    assert [mail.subject for mail in daemon.emails] == [
        "mercury: backup.service failed",
        "mercury: backup.service failed (2 times)",
        "mercury: web.service failed",
    ]
    assert "failed for the 1th time" in daemon.emails[1].body
    assert "failed for the 2th time" in daemon.emails[1].body
    clock.advance("30m")
    daemon.feed(**failed())
    assert daemon.emails[-1].subject == "mercury: backup.service failed"


def test_different_texts_of_one_step_do_not_multiply_mails(daemon):
    for number in range(50):
        daemon.feed(MESSAGE=f"smoke {number}")
    assert [item.payload["count"] for item in daemon.state.outbox.items("mail")] == [1, 49]


def test_twenty_mails_in_an_hour_and_the_last_one_says_so(daemon, clock):
    for number in range(50):
        daemon.feed(**failed(f"unit{number}.service"))
    mails = daemon.emails
    assert len(mails) == 20
    assert [("the last one for now" in mail.body) for mail in mails] == [False] * 19 + [True]
    clock.advance("1h")
    daemon.feed(**failed("next.service"))
    assert daemon.emails[-1].subject == "mercury: next.service failed"


def test_old_news_is_of_the_report(daemon, clock):
    daemon.feed(at=clock.now - timedelta(seconds=1), **failed())  # before the first start
    clock.advance("3h")
    daemon.feed(at=clock.now - timedelta(minutes=61), **failed())
    assert daemon.emails == []
    assert len(daemon.report.important) == 1
    daemon.feed(at=clock.now - timedelta(minutes=59), **failed())
    assert len(daemon.emails) == 1


def test_a_clock_that_was_ahead_at_the_first_start_silences_nothing(daemon, clock):
    clock.now -= timedelta(days=3650)
    daemon.feed(**failed())
    assert len(daemon.emails) == 1


def test_a_dry_run_shows_what_would_have_been_mailed_then(pipeline, clock):
    chains = pipeline(HEAD + CHAINS)
    chains.feed(at=clock.now - timedelta(days=3), **failed())
    assert [mail.subject for mail in chains.emails] == ["mercury: backup.service failed"]


def test_simulated_chains_mail_nothing(pipeline):
    chains = pipeline(f'{HEAD}\n[engine]\nsimulate = ["failed"]\n{CHAINS}')
    chains.feed(**failed())
    assert chains.emails == []


def test_who_is_refused_from_afar_has_only_knocked_at_a_door(pipeline):
    chains = pipeline("""
        [email]
        to = ["root"]
        at_once = 60
        [chains]
        "denied" = [ { action = "event", name = "denied" } ]
    """)
    chains.feed(user="bob", ip="203.0.113.9")
    assert chains.emails == []
    chains.feed(user="bob", target="root", command="/bin/sh")
    assert [mail.body.splitlines()[0] for mail in chains.emails] == [
        "bob was not allowed to act as root: /bin/sh"
    ]


def test_a_line_adds_no_headers_and_is_cut(daemon):
    daemon.feed(_HOSTNAME="mercury", MESSAGE="smoke\r\nBcc: mallory@example.org\n" + 9_999 * "x")
    (mail,) = daemon.emails
    assert "\n" not in mail.subject
    assert len(mail.subject) < 200
    assert len(mail.body) < 3_000


def test_a_failed_unit_by_the_rules_of_systemd(pipeline):
    chains = pipeline('use = ["systemd"]\n' + HEAD)
    chains.feed(
        _HOSTNAME="mercury", SYSLOG_IDENTIFIER="systemd", _COMM="systemd", _UID=0, PRIORITY=4,
        MESSAGE_ID="d9b373ed55a64feb8242e02dbe79a49c", UNIT="backup.service",
        UNIT_RESULT="exit-code", MESSAGE="backup.service: Failed with result 'exit-code'.",
    )  # fmt: skip
    assert [mail.subject for mail in chains.emails] == ["mercury: backup.service failed: exit-code"]


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        ('to = ["root"]\nat_once = 0', "at_once = 0 is no weight (expected 1 to 100)"),
        ('to = ["root"]\nat_once = 101', "at_once = 101 is no weight (expected 1 to 100)"),
        ("at_once = 70", "at_once = 70 has nobody to tell (expected to with addresses)"),
    ],
)
def test_what_is_no_setting(pipeline, section, fault):
    with pytest.raises(ConfigError) as raised:
        pipeline(f"[email]\n{section}\n[chains]")
    assert fault in str(raised.value)


def test_what_was_mailed_long_ago_is_forgotten(daemon, clock):
    daemon.feed(**failed())
    daemon.state.commit()
    later = clock.us + 1
    daemon.state.remove_before(later, clock.now.date())
    daemon.state.commit()
    assert daemon.state.db.execute("SELECT count(*) FROM gatherings").fetchone() == (0,)
