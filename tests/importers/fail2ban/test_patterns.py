"""Regular expressions of fail2ban's as Pyruse's: what they become, and what they find."""

from __future__ import annotations

import pytest

from pyruse.importers.fail2ban.faults import Unreadable
from pyruse.importers.fail2ban.patterns import translated
from pyruse.importers.fail2ban.several_lines import is_of_several, split
from pyruse.options.patterns import Pattern

NAME = r"(?P<dns>[\w\-.^_]*\w)"


def text(regex: str, *, names: bool = True, prefix: str | None = None) -> str:
    return translated(regex, "f", names=names, prefix=prefix).text


@pytest.mark.parametrize(
    ("regex", "expected"),
    [
        ("^from <HOST>$", rf"^from (?:{{address}}|{NAME})$"),
        ("^from <ADDR>$", "^from {address}$"),
        ("^from <F-ADDR/>$", "^from {address}$"),
        (r"^from <SUBNET>", r"^from {address}(?:/(?P<cidr>\d+))?"),
        (r"^from <ADDR>/<CIDR>", r"^from {address}/(?P<cidr>\d+)"),
        ("^from <DNS>", f"^from {NAME}"),
        ("^id <F-ID/>", r"^id (?P<fid>\S+)"),
        ("^id <F-ID>a|b</F-ID>", "^id (?P<fid>a|b)"),
        ("^<F-USER>a</F-USER> <F-ALT_USER>b</F-ALT_USER>", "^(?P<user>a) (?P<alt_user>b)"),
        ("^<F-PORT/> </F-NOT-OPEN>", r"^(?P<fport>\w+) </F-NOT-OPEN>"),
        ("^((?i)a|b) (?:(?x)c)", "^(?i:a|b) (?x:c)"),
        ("(?i)^a.", "(?si)^a."),
        (r"^a\.b", r"^a\.b"),
        ("^(?P<_x>a)(?P=_x)(?(_x)b)", "^(?P<x_group>a)(?P=x_group)(?(x_group)b)"),
        ("^(?P<ip>a) <ADDR> (?P=ip)", "^(?P<ip_group>a) {address} (?P=ip_group)"),
        ("^(?P<session>a)(?P<ip_port>b)", "^(?P<session_group>a)(?P<ip_port_group>b)"),
        ("^{address} <ADDR>", r"^\{address} {address}"),
        (r"^\{address} <ADDR>", r"^\{address} {address}"),
    ],
)
def test_tags_become_groups(regex, expected):
    assert text(regex) == expected


def test_without_names_a_host_is_an_address():
    assert text("^from <HOST>$", names=False) == "^from {address}$"


@pytest.mark.parametrize(
    ("regex", "expected"),
    [
        ("^PREFIXa <ADDR>", r"^\s*a {address}"),
        (r"^PREFIX\s+a", r"^\s*a"),
        ("^<F-MLFID>PREFIX</F-MLFID>a", r"^\s*a"),
        (r"^<F-MLFID>PREFIX(?:\w+: )?</F-MLFID>a", r"^\s*(?P<mlfid>(?:\w+: )?)a"),
        ("^^PREFIXa", r"^\s*a"),
        ("PREFIXa", "a"),
    ],
)
def test_the_prefix_of_a_line_is_left_out_of_messages(regex, expected):
    assert text(regex, prefix="PREFIX") == expected


def test_the_session_of_a_prefix_is_the_process():
    assert translated("^<F-MLFID>P</F-MLFID>a", "f", names=True, prefix="P").of_process
    assert not translated("^P<F-MLFID>a</F-MLFID>", "f", names=True, prefix="P").of_process


@pytest.mark.parametrize(
    ("regex", "line", "found"),
    [
        ("^from <HOST>$", "from 203.0.113.7", {"ip": "203.0.113.7"}),
        ("^from <HOST>$", "from 2001:DB8:0::7", {"ip": "2001:db8::7"}),
        ("^from <HOST>$", "from ::ffff:203.0.113.7", {"ip": "203.0.113.7"}),
        (r"^from \[<HOST>\]", "from [2001:db8::7]", {"ip": "2001:db8::7"}),
        (r"^from <HOST>:\d+$", "from 203.0.113.7:4711", {"ip": "203.0.113.7"}),
        (r"^from <HOST>:\d+$", "from 2001:db8::7:4711", {"ip": "2001:db8::7"}),
        ("^from <HOST>$", "from pc.example.org", {"dns": "pc.example.org"}),
        ("^from <HOST>$", "from 10.0.0.1.example.org", {"dns": "10.0.0.1.example.org"}),
        ("^from <HOST>$", "from 192.030.0.6", {"dns": "192.030.0.6"}),
        (r"^from <ADDR>-\d+", "from 203.0.113.7-4711", {"ip_text": "203.0.113.7"}),
        ("^(?:IPv6:<IP6>|<IP4>)$", "IPv6:2001:db8::7", {"ip6": "2001:db8::7"}),
        ("^(?:IPv6:<IP6>|<IP4>)$", "203.0.113.7", {"ip4": "203.0.113.7"}),
        ("^(?:<IP6>)$", "203.0.113.7", None),
        ("^by <F-USER>.*</F-USER> from <ADDR>$", "by a\nb from 203.0.113.7", {"user": "a\nb"}),
    ],
)
def test_what_is_found(regex, line, found):
    match = Pattern(text(regex)).search(line)
    groups = (
        None if match is None else {k: v for k, v in match.groupdict().items() if v is not None}
    )
    if found is None:
        assert groups is None
    else:
        assert groups is not None
        assert found.items() <= groups.items()


@pytest.mark.parametrize("regex", ["^(<HOST>", "^<HOST> <HOST>", "^(?P<1>a)", "^\ue000"])
def test_what_is_no_regular_expression(regex):
    with pytest.raises(Unreadable, match=r"^f: (?:is no regular expression|has characters)"):
        text(regex)


def test_other_names_for_all_groups():
    pattern = translated(r"^(?P<a>x)(?P=a)(?(a)y) <ADDR> \(?P<", "f", names=True)
    assert pattern.renamed(lambda name: f"{name}_2").text == (
        r"^(?P<a_2>x)(?P=a_2)(?(a_2)y) {address:ip_2} \(?P<"
    )


@pytest.mark.parametrize(
    ("regex", "lines"),
    [
        (
            r"^(?P<p>P)(?P<c>c=\d+) from <HOST>\s*<SKIPLINES>(?P=p)(?P=c) failed$",
            [
                r"^<F-MLFID>Pc=\d+</F-MLFID> from <HOST>\s*<F-NOFAIL></F-NOFAIL>",
                r"^<F-MLFID>Pc=\d+</F-MLFID> failed$",
            ],
        ),
        (
            r"^\[(?P<c>\d+)\] failed [^\n]+<SKIPLINES>\[(?P=c)\] end <HOST>",
            [
                r"^\[<F-MLFID>\d+</F-MLFID>\] failed .+",
                r"^\[<F-MLFID>\d+</F-MLFID>\] end <HOST><F-NOFAIL></F-NOFAIL>",
            ],
        ),
        ("^a <HOST><SKIPLINES>b", None),
        ("^(?P<c>a)<SKIPLINES>(?P=c)<SKIPLINES>(?P=c)", None),
        (r"^(?P<c>a)\n<SKIPLINES>(?P=c)", None),
    ],
)
def test_two_lines_at_once(regex, lines):
    assert is_of_several(regex)
    assert split(regex) == lines
