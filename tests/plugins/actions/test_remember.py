"""`remember`, with `recall`: what one line says is known to those after it."""

from __future__ import annotations

import pytest

from pyruse.errors import ConfigError
from pyruse.state import tables

POSTFIX = r"""
[chains]
"smtpd" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "postfix/smtpd" },
  { filter = "equals", field = "_SYSTEMD_UNIT", value = "postfix@-.service" },
  { filter = "regex", pattern = '^(?P<queue_id>\w+): client=\S+\[(?P<ip>[0-9a-f.:]+)\]' },
  { action = "remember", name = "clients", key = "{_HOSTNAME} {queue_id}", field = "ip", keep = "5d" },
]
"bounces" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "postfix/smtp" },
  { filter = "equals", field = "_SYSTEMD_UNIT", value = "postfix@-.service" },
  { filter = "regex", pattern = '^(?P<queue_id>\w+): to=<(?P<to>[^>]*)>.* status=bounced' },
  { action = "recall", name = "clients", key = "{_HOSTNAME} {queue_id}", into = "ip" },
  { action = "report", section = "interesting", message = "{ip} sent what {to} refused" },
]
"done" = [
  { filter = "regex", pattern = '^(?P<queue_id>\w+): removed$' },
  { action = "forget", name = "clients", key = "{_HOSTNAME} {queue_id}" },
]
"""  # noqa: E501 -- a step is one line


def test_the_client_of_a_mail_is_known_by_its_queue_id(pipeline):
    chains = pipeline(POSTFIX)

    def feed(program, message, host="mx1"):
        chains.feed(
            SYSLOG_IDENTIFIER=f"postfix/{program}", _SYSTEMD_UNIT="postfix@-.service",
            _HOSTNAME=host, MESSAGE=message,
        )  # fmt: skip

    feed("smtpd", "4F1C2: client=mail.example.org[203.0.113.7], sasl_method=PLAIN")
    feed("smtpd", "4F1C2: client=unknown[2001:db8::7]", host="mx2")  # its own number
    feed("smtpd", "9A001: client=unknown[198.51.100.9]")
    feed("smtp", "4F1C2: to=<joe@example.net>, relay=none, dsn=5.1.1, status=bounced (no such)")
    feed("smtp", "4F1C2: to=<ann@example.net>, relay=none, dsn=5.1.1, status=bounced", host="mx2")
    assert [row.message for row in chains.report.interesting] == [
        "2001:db8::7 sent what ann@example.net refused",
        "203.0.113.7 sent what joe@example.net refused",
    ]
    feed("qmgr", "4F1C2: removed")
    feed("smtp", "4F1C2: to=<eve@example.net>, relay=none, status=bounced")
    feed("smtp", "9A001: to=<eve@example.net>, relay=none, status=bounced")
    assert {row.message for row in chains.report.interesting} >= {
        " sent what eve@example.net refused",
        "198.51.100.9 sent what eve@example.net refused",
    }


LOGINS = r"""
[chains]
"logins" = [
  { filter = "equals", field = "_COMM", value = "sshd" },
  { filter = "regex", pattern = '^Accepted \S+ for (?P<user>\S+) from (?P<ip>\S+) port \d+ ssh2' },
  { action = "recall", name = "logins", key = "{user} {ip}", into = "last_login" },
  { action = "remember", name = "logins", key = "{user} {ip}", keep = "90d" },
  { filter = "exists", field = "last_login", else = "first login" },
]
"first login" = [
  { action = "report", section = "important", message = "{user} logs in from {ip} for the first time in 90 days" },
]
"""  # noqa: E501 -- a step is one line


def test_a_users_first_login_from_an_address_in_90_days(pipeline, clock):
    chains = pipeline(LOGINS)

    def login(user, ip):
        message = f"Accepted publickey for {user} from {ip} port 4711 ssh2: ED25519 SHA256:x"
        return chains.feed(_COMM="sshd", MESSAGE=message)

    login("ann", "192.0.2.1")
    assert login("ann", "192.0.2.1")["last_login"] == "2026-03-14 12:00:00"
    login("ann", "192.0.2.2")
    login("joe", "192.0.2.1")
    clock.advance("89d")
    login("joe", "192.0.2.1")  # 90 days begin anew
    clock.advance("2d")
    login("joe", "192.0.2.1")
    login("ann", "192.0.2.1")
    assert [(row.message, row.count) for row in chains.report.important] == [
        ("ann logs in from 192.0.2.1 for the first time in 90 days", 2),
        ("ann logs in from 192.0.2.2 for the first time in 90 days", 1),
        ("joe logs in from 192.0.2.1 for the first time in 90 days", 1),
    ]


SSHD = r"""
[chains]
"sshd" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "sshd-session" },
  { filter = "equals", field = "_UID", value = 0 },
  { filter = "regex", pattern = [
    '^pam_unix\(sshd:auth\): authentication failure;.* rhost=(?P<ip>[0-9a-f.:]+)(?: |$)',
    '^Failed password for .* from (?P<ip>[0-9a-f.:]+) port \d+ ssh2$',
    '^error: maximum authentication attempts exceeded for .* from (?P<ip>[0-9a-f.:]+) port \d+ ssh2 \[preauth\]$',
  ] },
  { action = "recall", name = "tries", key = "{_HOSTNAME} {_PID}", into = "tried" },
  { filter = "exists", field = "tried", invert = true },
  { action = "remember", name = "tries", key = "{_HOSTNAME} {_PID}", keep = "2m" },
  { action = "count", counter = "sshd", key = "ip", within = "10m", into = "failures" },
]
"""  # noqa: E501 -- a step is one line


def test_three_lines_of_one_try_count_once(pipeline):
    chains = pipeline(SSHD)

    def failures(pid):
        lines = [
            "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= "
            "rhost=203.0.113.7  user=root",
            "Failed password for root from 203.0.113.7 port 4711 ssh2",
            "error: maximum authentication attempts exceeded for root from 203.0.113.7 port 4711 "
            "ssh2 [preauth]",
        ]
        fields = {"SYSLOG_IDENTIFIER": "sshd-session", "_UID": "0", "_HOSTNAME": "web1"}
        first, *others = [chains.feed(**fields, _PID=pid, MESSAGE=line) for line in lines]
        assert not any("failures" in one for one in others)
        return first["failures"]

    assert [failures("4711"), failures("4712"), failures("4713")] == [1, 2, 3]


KEEP = """
[chains]
"remember" = [
  { filter = "exists", field = "tell" },
  { action = "remember", key = "ip", field = "tell", keep = "10m" },
]
"recall" = [ { action = "recall", key = "ip", into = "told" } ]
"""


def test_for_how_long_by_the_time_of_the_entries(pipeline, clock):
    chains = pipeline(KEEP)
    chains.feed(ip="192.0.2.1", tell="one")
    clock.advance("9m")
    assert chains.feed(ip="192.0.2.1")["told"] == "one"
    chains.feed(ip="192.0.2.1", tell="two")
    clock.advance("9m59s")
    assert chains.feed(ip="192.0.2.1")["told"] == "two"
    clock.advance("1s")
    assert "told" not in chains.feed(ip="192.0.2.1")


def test_an_entry_that_is_late_does_not_undo_what_is_newer(pipeline, clock):
    chains = pipeline(KEEP)
    late = clock.now
    clock.advance("1m")
    chains.feed(ip="192.0.2.1", tell="newer")
    chains.feed(at=late, ip="192.0.2.1", tell="older")
    assert chains.feed(ip="192.0.2.1")["told"] == "newer"


def test_a_number_stays_a_number_and_a_long_text_is_cut(pipeline):
    chains = pipeline(KEEP)

    def told(value):
        chains.feed(ip="192.0.2.1", tell=value)
        return chains.feed(ip="192.0.2.1")["told"]

    assert told(7) == 7
    assert told(2**70) == str(2**70)
    assert told(["a", "b"]) == "a"
    assert told("x" * 1_000) == "x" * 1_000
    assert told("x" * 1_001) == "x" * 1_000 + "… (1 more characters)"
    assert chains.faults == []


def test_an_entry_without_the_field_changes_nothing(pipeline):
    chains = pipeline("""
        [chains]
        "c" = [
          { action = "remember", key = "ip", field = "user", keep = "1h" },
          { action = "recall", key = "ip", into = "known" },
        ]
    """)
    chains.feed(ip="192.0.2.1", user="ann")
    assert chains.feed(ip="192.0.2.1")["known"] == "ann"
    assert chains.faults == []


def test_an_entry_without_the_key_ends_its_journey(pipeline):
    chains = pipeline("""
        [chains]
        "c" = [
          { action = "remember", key = "{user} {ip}", keep = "1h" },
          { action = "log", message = "went on" },
        ]
    """)
    chains.feed(user="ann")
    assert chains.logs == []
    (fault,) = chains.faults
    assert fault.text == (
        'action remember: the entry has no ip (expected it: the key is "{user} {ip}")'
    )


def test_field_and_value_do_not_go_together(pipeline):
    with pytest.raises(ConfigError) as refused:
        pipeline(
            '[chains]\n"c" = [ '
            '{ action = "remember", key = "a", keep = 9, field = "b", value = "c" } ]'
        )
    assert str(refused.value) == (
        'pyruse.toml: chains."c"[0]: field and value are both given (expected one of them)'
    )


FLOOD = """
[chains]
"logins" = [
  { filter = "exists", field = "login" },
  { action = "remember", name = "logins", key = "login", keep = "90d" },
]
"flood" = [
  { filter = "exists", field = "made_up" },
  { action = "remember", name = "flood", key = "made_up", keep = "1h" },
]
"recall" = [
  { filter = "exists", field = "ask" },
  { action = "recall", name = "logins", key = "ask", into = "last_login" },
  { action = "recall", name = "flood", key = "ask", into = "flooded" },
]
"""


def test_made_up_keys_wash_out_the_oldest_of_themselves_alone(pipeline, monkeypatch):
    monkeypatch.setattr(tables, "KEPT", 50)
    chains = pipeline(FLOOD)
    for number in range(20):
        chains.feed(login=f"user {number}")
    for number in range(200):
        chains.feed(made_up=f"key {number}")
    known = [number for number in range(20) if "last_login" in chains.feed(ask=f"user {number}")]
    assert known == [*range(20)]
    known = [number for number in range(200) if "flooded" in chains.feed(ask=f"key {number}")]
    assert known == [*range(170, 200)]
    assert [fault.place for fault in chains.faults] == ["memory"]
    assert '1 values of "remember flood" were forgotten before their time' in chains.faults[0].text
