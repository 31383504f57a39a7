from __future__ import annotations

import json

import pytest

from pyruse.errors import ConfigError


def chain(**options):
    """A chain of one `ban` step, as TOML (for these values, JSON is TOML but for the tables)."""
    options = {"action": "ban", "ip": "ip", **options}
    pairs = ", ".join(f"{name} = {inline(value)}" for name, value in options.items())
    return f"[chains]\nssh = [ {{ {pairs} }} ]"


def inline(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {inline(item)}" for key, item in value.items()) + " }"
    return json.dumps(value)


def banned(flow):
    return [(ban.ip, ban.label, ban.duration) for ban in flow.bans]


def test_an_address_is_banned_under_the_name_of_the_chain(pipeline):
    flow = pipeline(chain(duration="1d"))
    flow.feed(ip="203.0.113.7")
    flow.feed(ip="2001:db8::7")
    assert banned(flow) == [("203.0.113.7", "ssh", 86400), ("2001:db8::7", "ssh", 86400)]


def test_without_duration_a_ban_is_for_ever(pipeline):
    flow = pipeline(chain(label="guests"))
    flow.feed(ip="203.0.113.7")
    assert banned(flow) == [("203.0.113.7", "guests", None)]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("[2001:db8::7]", "2001:db8::7"),
        (" 203.0.113.7 ",) * 2,
    ],
)
def test_addresses_as_programs_write_them(pipeline, text, address):
    flow = pipeline(chain())
    flow.feed(ip=text)
    assert [ban.ip for ban in flow.bans] == [address.strip()]


def test_each_further_ban_lasts_longer(pipeline, clock):
    flow = pipeline(chain(escalate=["10m", "1h"]))
    for _ in range(3):
        flow.feed(ip="203.0.113.7")
        clock.advance("2h")
    assert [ban.duration for ban in flow.bans] == [600, 3600, 3600]


def test_networks_around_addresses(pipeline):
    flow = pipeline(chain(prefix4=24, prefix6=64))
    flow.feed(ip="203.0.113.7")
    flow.feed(ip="2001:db8::7")
    flow.feed(ip="203.0.113.8")
    assert [ban.ip for ban in flow.bans] == ["203.0.113.0/24", "2001:db8::/64"]


def test_bans_have_the_targets_of_their_steps(pipeline):
    flow = pipeline(chain(ports=[587, 25, 25], backend="nftables"))
    flow.feed(ip="203.0.113.7")
    ((_, ban),) = flow.state.bans.all()
    assert (ban.target.backend, ban.target.ports) == ("nftables", (25, 587))


@pytest.mark.parametrize("value", ["localhost", "203.0.113.7}; flush ruleset", "10.0.0.0/8", ""])
def test_what_is_no_address_bans_nobody_and_is_told_of(pipeline, value):
    flow = pipeline(chain())
    flow.feed(ip=value)
    assert flow.bans == []
    assert f'ip = "{value}" cannot be banned (expected an address)' in flow.faults[0].text


def test_hostile_text_is_shown_short_and_harmless(pipeline):
    flow = pipeline(chain())
    flow.feed(ip="\x1b[2J" + "x" * 1000)
    assert r'ip = "\x1b[2J' in flow.faults[0].text
    assert "more characters)" in flow.faults[0].text
    assert len(flow.faults[0].text) < 250


def test_a_field_that_is_missing_bans_nobody(pipeline):
    flow = pipeline(chain())
    flow.feed(MESSAGE="hello")
    assert flow.bans == []
    assert "ip is missing, so nobody is banned (expected an address)" in flow.faults[0].text


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "198.51.100.7"])
def test_who_is_never_banned(pipeline, address):
    flow = pipeline(f'[bans]\nnever = ["198.51.100.0/24"]\n{chain()}')
    flow.feed(ip=address)
    assert flow.bans == []
    assert flow.faults == []


def test_a_family_without_a_set_is_not_banned_and_told_of(pipeline):
    flow = pipeline(chain(sets={"ipv4": "ip mail banned"}))
    flow.feed(ip="203.0.113.7")
    flow.feed(ip="2001:db8::7")
    assert [ban.ip for ban in flow.bans] == ["203.0.113.7"]
    assert "2001:db8::7 cannot be banned: sets has none for IPv6" in flow.faults[0].text


def test_of_a_network_with_somebody_who_is_never_banned_a_part_is_banned_and_that_is_said(pipeline):
    flow = pipeline(f'[bans]\nnever = ["2001:db8:1::10"]\n{chain(prefix6=64)}')
    flow.feed(ip="2001:db8:1::bad0", MESSAGE="from an attacker")
    flow.feed(ip="2001:db8:1::bad1")
    flow.feed(ip="2001:db8:1::10")
    assert [ban.ip for ban in flow.bans] == ["2001:db8:1::8000/113"]
    (listed,) = flow.engine.bans.in_force.all(flow.clock.us)
    why = "[bans] never has 2001:db8:1::10/128"
    assert listed.reason == f"not all of 2001:db8:1::/64, since {why}; from an attacker"
    (fault,) = flow.faults
    assert fault.count == 1
    assert fault.text == (
        f"2001:db8:1::8000/113 is banned, and not all of 2001:db8:1::/64: {why} (expected a "
        "network of others: see prefix4 and prefix6 of the action ban)"
    )


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"duration": "1h", "escalate": ["1h"]}, "duration and escalate both tell how long"),
        ({"escalate": []}, "escalate is empty (expected one item or more"),
        ({"ports": []}, "ports is empty (expected one item or more"),
        ({"ports": [22, 0]}, ".ports[1]: 0 is no port (expected a whole number, 1 to 65535)"),
        ({"ports": ["ssh"]}, '.ports[0]: "ssh" is no port (expected a whole number'),
        ({"ports": [True]}, ".ports[0]: true is no port (expected a whole number"),
        ({"prefix4": 33}, ".prefix4: 33 is no prefix length of an IPv4 network (expected a whole"),
        ({"prefix6": 0}, ".prefix6: 0 is no prefix length of an IPv6 network (expected a whole"),
        ({"label": " "}, 'label is empty (expected a word or two, such as "mail")'),
        ({"backend": "nftabels"}, 'there is no firewall "nftabels"'),
        ({"sets": {"ipv4": "mail"}}, '"mail" is no set of nftables for IPv4 (expected "FAMILY'),
        ({"sets": {}}, ".sets: {} does not name sets (expected { ipv4 = "),
        ({"backend": "ipset", "ports": [22]}, "ports cannot be closed by ipset"),
    ],
)
def test_faulty_options(pipeline, options, fault):
    with pytest.raises(ConfigError) as caught:
        pipeline(chain(**options))
    assert fault in str(caught.value)
    assert "chains.ssh[0]" in str(caught.value) or 'chains."ssh"' in str(caught.value)


def test_who_has_been_quiet_for_long_enough_starts_again(pipeline, clock):
    flow = pipeline(chain(escalate=["10m", "1h", "1d"], forget="30d"))
    durations = []
    for wait in ("20m", "29d", "31d", "1h"):
        flow.feed(ip="203.0.113.7")
        durations.append(flow.bans[-1].duration)
        clock.advance(wait)
    assert durations == [600, 3600, 86400, 600]


def test_a_ban_keeps_the_chain_and_the_beginning_of_the_message(pipeline):
    flow = pipeline(chain(label="mail"))
    flow.feed(ip="203.0.113.7", MESSAGE="Failed login " + "x" * 100_000)
    ((_, ban),) = flow.state.bans.all()
    assert (ban.label, ban.chain) == ("mail", "ssh")
    assert ban.reason.startswith("Failed login x")
    assert len(ban.reason) < 400
