"""What is masked in a text, and what stays; whatever strangers write, it takes no time."""

from __future__ import annotations

import random
import time

import pytest

from bench.kinds import PROMISED_SYSLOG_LIKE, accuracy, own_lines
from pyruse.kinds import masks
from pyruse.kinds.masks import LONGEST, Masks


@pytest.fixture
def template() -> Masks:
    return Masks()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Server listening on 0.0.0.0 port 22.", "Server listening on * port *."),
        ("eth0: Link is Up - 1Gbps/Full", "eth*: Link is Up - *"),
        ("backup.service: Failed with result 'exit-code'.",) * 2,
        ("user@1000.service: Killed", "user@*.service: Killed"),
        ("opened /etc/passwd read-only", "opened * read-only"),
        ("tcp/udp and I/O by postfix/smtpd",) * 2,
        ("took 12.5 ms, then 3 seconds", "took *, then *"),
        ("got 1190 bytes (1.16 KB)", "got * bytes"),
        ("at Sun Jul 10 03:55:15 2005 it fell", "at * it fell"),
        ("2026-11-27T10:00:01.5+01:00 it fell", "* it fell"),
        ("https://example.org/a?b=1,2;c (d)", "* (d)"),
        ("org.freedesktop.login1 was here", "org.freedesktop.login* was here"),
        ("org.freedesktop.resolve was here",) * 2,
        ("mail.example.org was here", "* was here"),
        ("to alice@example.org: no", "to *: no"),
        ("[00:1a:2b:3c:4d:5e] fe80::1%eth0 up", "[*] * up"),
        ("key 0123456789abcdef and 4F1A23C0D7", "key * and *"),
        ("session kD9vQm8ZxQzAAgIH", "session *"),
        ("AirPort_Brcm4360 powerChange", "AirPort_Brcm* powerChange"),
        ('{"msg":"it is done","n":1,"by":"bob@x.org"}', '{"msg":"it is done","n"*,"by":"*"}'),
        ("  many   \t spaces \n", "many spaces"),
        ("", "*"),
        ("Ærøskøbing: 12 größere 東京",) * 1 + ("Ærøskøbing: * größere 東京",),
        ("* literal *", "* literal *"),
    ],
)
def test_masks(template: Masks, text: str, masked: str) -> None:
    assert template.template_of(text) == masked


def test_the_digits_make_no_difference_nor_does_the_order(template: Masks) -> None:
    texts = ["id 9a8b7c6d at 10.0.0.1:80", "id 1a2b3c4d at 99.9.9.9:11"]
    one = [template.template_of(text) for text in texts]
    assert one == [Masks().template_of(text) for text in texts[::-1]]
    assert one[0] == one[1]


def test_lines_of_many_programs_are_grouped_as_people_would() -> None:
    assert accuracy(own_lines()) >= PROMISED_SYSLOG_LIKE


HOSTILE = [
    "a" * 65_536,
    "0" * 65_536,
    "0a" * 30_000,
    "a." * 30_000,
    "a:" * 30_000,
    "a/" * 30_000,
    '"' * 65_536,
    "'a" * 30_000,
    "=<" * 30_000,
    "* " * 30_000,
    "(" * 65_536,
    "0 Jan " * 10_000,
    "0.0-" * 15_000,
    "\x00\x1b[31m\u202e\ud800" * 9_000,
    "a://" * 15_000,
    "- 0 " * 15_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:6]))
def test_no_text_takes_long_or_becomes_long(template: Masks, text: str) -> None:
    begin = time.process_time()
    for number in range(20):
        assert 0 < len(template.template_of(chr(97 + number) + text)) <= LONGEST
    assert time.process_time() - begin < 2, "seconds; it takes some milliseconds"


def test_texts_that_never_come_again_take_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masks, "_CACHED", 100)
    template = Masks()
    random_ = random.Random(1)
    for _ in range(1_000):
        template.template_of("".join(random_.choices("abcdef", k=12)))
        assert len(template._of_levelled) <= 100
        assert len(template._words) <= 100
