"""Times, ports, lengths of bans, identifiers and guards."""

from __future__ import annotations

import pytest

from pyruse.importers.fail2ban.durations import duration, seconds
from pyruse.importers.fail2ban.faults import Unreadable
from pyruse.importers.fail2ban.guards import Guard, identifiers, journal_match
from pyruse.importers.fail2ban.lengths import Length, length_of
from pyruse.importers.fail2ban.ports import ports_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("600", 600), ("10m", 600), ("-1", -1), ("1d 12h", 129_600), ("1h+30min", 5400),
        ("60*60", 3600), ("2 weeks", 1_209_600), ("1mo", 2_629_800), ("1y", 31_557_600),
        ("0.5h", 1800), ("1d -1h", 82_800),
    ],
)  # fmt: skip
def test_spans_of_time(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "soon", "5x", "1h;", "h"])
def test_what_is_no_span_of_time(text):
    with pytest.raises(ValueError, match=r"is no time|is empty"):
        seconds(text)


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (600, "10m"),
        (90, "1m30s"),
        (604_800, "1w"),
        (864_000, "10d"),
        (0, "1s"),
        (5400.5, "1h30m1s"),
    ],
)
def test_spans_are_written_as_people_do(span, text):
    assert duration(span) == text


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("ssh", [22]), ("http,https", [80, 443]), ("0:65535", []), ("1:65535", []), ("", []),
        ("8080:8090, 22", [22, "8080-8090"]), ("10-12", ["10-12"]), ("7:7", [7]),
        ("ftp-data", [20]), ("22 22", [22]),
    ],
)  # fmt: skip
def test_ports(text, ports):
    assert ports_of(text) == ports


@pytest.mark.parametrize("text", ["no-such-service", "70000", "22:no-such"])
def test_what_is_no_port(text):
    with pytest.raises(ValueError, match="is no port"):
        ports_of(text)


@pytest.mark.parametrize(
    ("options", "spans"),
    [
        ({"bantime.maxtime": "1h"}, ("10m", "20m", "40m", "1h")),
        ({"bantime.maxtime": "1h", "bantime.factor": "2"}, ("10m", "40m", "1h")),
        ({"bantime.multipliers": "1 6 24"}, ("10m", "1h", "4h")),
        ({"bantime.multipliers": "1 6 24 24", "bantime.maxtime": "2h"}, ("10m", "1h", "2h")),
    ],
)
def test_bans_that_grow(options, spans):
    assert length_of(600, options, "1d") == Length(spans, "1d")


def test_bans_that_grow_end_at_a_year():
    assert length_of(600, {}, "1d").spans[-2:] == ("227d13h20m", "365d")
    assert length_of(-1, {}, "1d") == Length()


@pytest.mark.parametrize("options", [{"bantime.factor": "x"}, {"bantime.multipliers": "1 0"}])
def test_what_cannot_grow(options):
    with pytest.raises(ValueError, match="is no number above 0"):
        length_of(600, options, "1d")


@pytest.mark.parametrize(
    ("daemon", "found"),
    [
        ("sshd", (("sshd",), "")),
        ("sshd(?:-session)?", (("sshd", "sshd-session"), "")),
        ("(?:dovecot(?:-auth)?|auth)", (("dovecot", "dovecot-auth", "auth"), "")),
        ("[ab]d", (("ad", "bd"), "")),
        (r"postfix/\w+", ((), r"^(?:postfix/\w+)$")),
        (r"\S*", ((), "")),
        (r"\S+", ((), "")),
        (None, ((), "")),
    ],
)
def test_identifiers(daemon, found):
    assert identifiers(daemon) == found


@pytest.mark.parametrize(
    ("lines", "ways"),
    [
        (["_SYSTEMD_UNIT=a.service"], [(("_SYSTEMD_UNIT", ("a.service",)),)]),
        (
            ["_SYSTEMD_UNIT=a.service + _COMM=a"],
            [(("_SYSTEMD_UNIT", ("a.service",)),), (("_COMM", ("a",)),)],
        ),
        (["_COMM=a + _COMM=b"], [(("_COMM", ("a", "b")),)]),
        (["_COMM=a _COMM=b _UID=0"], [(("_COMM", ("a", "b")), ("_UID", (0,)))]),
        (["_COMM=a", "_UID=5"], [(("_COMM", ("a",)),), (("_UID", (5,)),)]),
        (['_EXE="/opt/a b" +'], [(("_EXE", ("/opt/a b",)),)]),
    ],
)
def test_journalmatch(lines, ways):
    assert journal_match(lines, "f") == ways


@pytest.mark.parametrize("line", ["/usr/sbin/sshd", '_EXE="/opt'])
def test_faulty_journalmatch(line):
    with pytest.raises(Unreadable, match=r"^f: "):
        journal_match([line], "f")


def test_which_jails_may_see_the_same_entries():
    sshd, shop = Guard(("sshd",)), Guard(("shop",))
    postfix = Guard(expression="^(?:postfix/.*)$")
    nginx = Guard(ways=((("_SYSTEMD_UNIT", ("nginx.service",)),),))
    anybody = Guard()
    assert sshd.apart(shop)
    assert sshd.apart(postfix)
    assert postfix.apart(sshd)
    assert nginx.apart(sshd)
    assert not sshd.apart(Guard(("sshd", "x")))
    assert not sshd.apart(anybody)
    assert not anybody.apart(nginx)
