"""``{address}`` in patterns: an address, the whole address, and nothing but the address."""

from __future__ import annotations

import ipaddress
import re
from socket import AF_INET, AF_INET6, inet_pton

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyruse.chains.ambiguity import can_take_for_ever
from pyruse.options.address_groups import expanded
from pyruse.options.patterns import Pattern


def found(pattern: str, text: str) -> dict[str, str] | None:
    """The groups that took part."""
    one = Pattern(pattern).search(text)
    if one is None:
        return None
    return {name: value for name, value in one.groupdict().items() if value is not None}


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("203.0.113.7", "203.0.113.7", None),
        ("203.0.113.7:5060", "203.0.113.7", "5060"),
        ("203.0.113.7#53", "203.0.113.7", "53"),
        ("[203.0.113.7]", "203.0.113.7", None),
        ("[203.0.113.7]:25", "203.0.113.7", "25"),
        ("2001:db8::7", "2001:db8::7", None),
        ("2001:DB8:0:0:0:0:0:7", "2001:db8::7", None),
        ("[2001:db8::7]:5060", "2001:db8::7", "5060"),
        ("2001:db8::7#53", "2001:db8::7", "53"),
        ("2001:db8:1:2:3:4:5:6:8080", "2001:db8:1:2:3:4:5:6", "8080"),
        ("::ffff:203.0.113.7", "203.0.113.7", None),
        ("[::ffff:203.0.113.7]:443", "203.0.113.7", "443"),
        ("::ffff:cb00:7107", "203.0.113.7", None),
        ("fe80::1%eth0", "fe80::1", None),
        ("[fe80::1%eth0.100]:22", "fe80::1", "22"),
        ("fe80::1%3#53", "fe80::1", "53"),
        ("::", "::", None),
        (":::80", "::", "80"),
        ("::1", "::1", None),
        ("2001:db8::", "2001:db8::", None),
    ],
)
@pytest.mark.parametrize("around", ["{}", "x {} y", "({})", '"{}",', "a={}; b", "{}, {}", "at {}."])
def test_an_address_as_logs_write_it(
    around: str, text: str, address: str, port: str | None
) -> None:
    groups = {"ip": address} | ({"ip_port": port} if port else {})
    assert found("{address}", around.format(text, "192.0.2.1")) == groups


@pytest.mark.parametrize(
    "text",
    [
        "",
        "unknown",
        "10.0.0.256",
        "10.0.0",
        "10.0.0.1.2",
        "010.0.0.1",
        "10.0.0.1234",
        "10.0.0.1.example.com",
        "10.0.0.1-dynamic.example.com",
        "10.0.0.1_",
        "h10.0.0.1",
        "h.10.0.0.1",
        "10. 0.0.1",
        "١٠.0.0.1",
        "12:34:56",
        "00:11:22:33:44:55",
        "std::find",
        "::ffff:999.0.2.1",
        "2001:db8::7x",
        "2001:db8::7.example.com",
        "2001:db8::12345",
        ":",
        "10.0.0.١",
    ],
)
@pytest.mark.parametrize("around", ["{}", "from {} to", "from [{}]:22"])
def test_what_is_no_address_is_not_found(around: str, text: str) -> None:
    assert found(r"{address}", around.format(text)) is None


@pytest.mark.parametrize("text", ["1:2:3:4:5:6:7:8:9", "1:2:3:4::5:6:7:8", "1:2:3:4:5:6:7"])
def test_what_is_too_much_or_too_little_for_ipv6_is_not_found_behind_a_word(text: str) -> None:
    # The ninth group is a port where it can be one.
    assert found(r"from {address}$", f"from {text}") in (
        None,
        {"ip": "1:2:3:4:5:6:7:8", "ip_port": "9"},
    )


@pytest.mark.parametrize("port", ["0", "1", "80", "65535"])
def test_a_port(port: str) -> None:
    assert found("^{address}$", f"203.0.113.7:{port}") == {"ip": "203.0.113.7", "ip_port": port}


@pytest.mark.parametrize("port", ["65536", "99999", "123456", "8a", "x", "-1", "00080"])
def test_what_is_no_port_is_left_to_the_pattern(port: str) -> None:
    assert found("^{address}$", f"203.0.113.7:{port}") is None
    assert found("^{address}:", f"203.0.113.7:{port}") == {"ip": "203.0.113.7"}


def test_brackets_belong_together() -> None:
    assert found("^{address}$", "[203.0.113.7") is None
    assert found("^{address}$", "203.0.113.7]") is None
    assert found(r"^client=\S*\[{address}\]", "client=unknown[203.0.113.7]") == {
        "ip": "203.0.113.7"
    }
    assert found(r"^\[client {address}\]", "[client 203.0.113.7:51000] x") == {
        "ip": "203.0.113.7",
        "ip_port": "51000",
    }


def test_the_port_of_an_address_without_brackets_may_stand_in_the_pattern() -> None:
    pattern = r"^{address}:(?P<port>\d+) \["
    for ip in ("203.0.113.7", "2001:db8::7"):
        assert found(pattern, f"{ip}:5060 [x") == {"ip": ip, "port": "5060"}


SSH = r"^Failed password for (?P<user>.*) from {address} port \d+ ssh2$"


@pytest.mark.parametrize(
    "user",
    [
        "root",
        "invalid user a from 10.0.0.1",
        "a from 10.0.0.1 port 22 ssh2",
        "10.0.0.1",
        "{address}",
        "",
        " from 10.0.0.1 port 1 ssh2: from",
    ],
)
def test_what_a_stranger_writes_before_it_is_not_taken_for_it(user: str) -> None:
    text = f"Failed password for {user} from 203.0.113.9 port 22 ssh2"
    assert found(SSH, text) == {"user": user, "ip": "203.0.113.9"}
    assert found(SSH, f"{text}: from 10.10.1.2") is None


def test_several_in_a_pattern() -> None:
    pattern = "^{address:client} to {address:server}( via {address:proxy})?$"
    assert found(pattern, "[2001:db8::1]:4711 to 192.0.2.2:53") == {
        "client": "2001:db8::1",
        "client_port": "4711",
        "server": "192.0.2.2",
        "server_port": "53",
    }
    assert Pattern(pattern).groups == [
        "client", "client_port", "server", "server_port", "proxy", "proxy_port"
    ]  # fmt: skip


def test_groups_can_be_asked_one_by_one() -> None:
    match = Pattern(r"(\w+) {address}").search("from [::ffff:192.0.2.1]:80!")
    assert match is not None
    assert (match[1], match["ip"], match["ip_port"]) == ("from", "192.0.2.1", "80")
    assert match.span() == (0, 26)
    assert match.span("ip_port") == (24, 26)


@pytest.mark.parametrize(
    ("pattern", "text", "is_found"),
    [
        (r"^\{address}$", "{address}", True),
        (r"^\\{address}$", "\\192.0.2.1", True),
        (r"^[{address}]+$", "{sad}", True),
        (r"^[^]{address}]$", "x", True),
        ("^a{1,3}$", "aaa", True),
        ("(?x) ^ {address} # an address \n $", "192.0.2.1#53", True),
        ("(?i)^FROM {address}$", "from 2001:DB8::A", True),
        ("^{addresses}$", "{addresses}", True),
        ("^{ADDRESS}$", "{ADDRESS}", True),
    ],
)
def test_nothing_else_in_a_pattern_changes_its_meaning(
    pattern: str, text: str, is_found: bool
) -> None:
    assert (found(pattern, text) is not None) == is_found


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        (
            "{address} {address}",
            '"{address}" names the field ip once more (expected another name for each address, '
            'such as "{address:client}")',
        ),
        (
            "{address:}",
            '"{address:}": "" is no field name (expected letters, digits and underscores, such as '
            '"MESSAGE" or "ip")',
        ),
        (
            "{address:_UID}",
            '"{address:_UID}": "_UID" cannot be set (expected a name that does not begin with an '
            "underscore: those are the journal's own)",
        ),
        (
            "{address} (",
            '"{address} (" is no regular expression: missing ), unterminated subpattern (expected '
            "Python's syntax; in TOML, patterns are best written in single quotes)",
        ),
        (
            r"{address} (?P<ip>\S+)",
            r"'{address} (?P<ip>\S+)' is no regular expression: redefinition of group name 'ip' "
            "as group 4; was group 2 (expected Python's syntax; in TOML, patterns are best written "
            "in single quotes)",
        ),
    ],
)
def test_what_is_no_pattern(pattern: str, fault: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(fault)}$"):
        Pattern.parse(pattern)


@pytest.mark.parametrize(
    "pattern",
    ["{address}", "^(?:{address},? ?)*$", "^{address}(?: {address:more})*", r"(?:{address} \w+)+!"],
)
def test_check_has_no_doubt_about_it(pattern: str) -> None:
    assert not can_take_for_ever(Pattern(pattern).outline)
    assert Pattern(pattern).doubts == []


def test_check_still_sees_what_is_around_it() -> None:
    assert can_take_for_ever(Pattern(r"(?:\w+\s?)*{address}").outline)
    assert Pattern("{address} [[:digit:]]").doubts == ["Possible nested set at position 11"]


ADDRESS = re.compile(f"(?:{expanded('{address}').text})\\Z")
PIECES = st.sampled_from(
    ["1", "f", "::", ":", ":", "12", "abcd", "1.2.3.4", "0", ".", "255", "256", "g"]
)


@settings(max_examples=2000, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=17).map("".join))
def test_it_takes_exactly_what_the_system_takes(text: str) -> None:
    try:
        inet_pton(AF_INET6 if ":" in text else AF_INET, text)
        is_address = True
    except OSError:
        is_address = False
    match = ADDRESS.match(text)
    assert (match is not None and match["ip"] == text) == is_address


@settings(max_examples=500, deadline=None)
@given(st.ip_addresses(), st.integers(0, 65535))
def test_every_address_is_found(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int
) -> None:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    expected = str(mapped or address)
    assert found("^{address}$", str(address)) == {"ip": expected}
    groups = {"ip": expected, "ip_port": str(port)}
    assert found("^{address}$", f"[{address}]:{port}") == groups
    assert found("^{address}$", f"{address}#{port}") == groups


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="0123456789abcdef:.[]%# -xé\n", max_size=60))
def test_whatever_the_text_it_gives_an_address_or_nothing(text: str) -> None:
    groups = found("{address}", text)
    if groups is not None:
        ipaddress.ip_address(groups["ip"])
        assert 0 <= int(groups.get("ip_port", "0")) <= 65535
