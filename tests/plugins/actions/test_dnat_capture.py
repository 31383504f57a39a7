"""`dnat_capture` alone: what is remembered, and for how long. See also test_dnat_replace.py."""

import json

import pytest

from pyruse.errors import ConfigError
from pyruse_plugins.actions.dnat_capture import facts_of, key_of


def test_the_proxy_tells_who_is_behind_its_connection(pipeline):
    chains = pipeline(r"""
        [chains]
        "proxy" = [
          { filter = "regex", pattern = '^(?P<client>\S+):(?P<cport>\d+) via 192.0.2.1:(?P<nport>\d+)$' },
          { action = "dnat_capture", saddr = "client", sport = "cport", addr_value = "192.0.2.1", port = "nport" },
        ]
        "mail server" = [
          { filter = "regex", pattern = '^login failed: (?P<ip>\S+):(?P<port>\d+)$' },
          { action = "dnat_replace", addr = "ip", port = "port", saddr_into = "ip" },
          { action = "ban", ip = "ip" },
        ]
    """)  # noqa: E501 -- a step is one line
    chains.feed(MESSAGE="203.0.113.7:4711 via 192.0.2.1:50001")
    chains.feed(MESSAGE="203.0.113.8:4711 via 192.0.2.1:50002")
    chains.feed(MESSAGE="login failed: 192.0.2.1:50002")
    assert [ban.ip for ban in chains.bans] == ["203.0.113.8"]


CAPTURE = """
[chains]
"gateway" = [
  {{ filter = "exists", field = "saddr" }},
  {{ action = "dnat_capture", saddr = "saddr", {options} }},
  {{ action = "set", field = "went_on", value = "yes" }},
]
"server" = [ {{ action = "dnat_replace", {facts}, saddr_into = "client" }} ]
"""


@pytest.fixture
def connections(pipeline):
    """``connections(options, facts)``: chains that capture entries with ``saddr``."""
    return lambda options, facts: pipeline(CAPTURE.format(options=options, facts=facts))


def test_the_field_first_and_the_fixed_value_where_there_is_no_field(connections):
    chains = connections(
        'addr = "nat", addr_value = "192.0.2.1", port = "nport", port_value = 80',
        'addr = "ip", port = "port"',
    )
    chains.feed(saddr="203.0.113.7", nat="192.0.2.9", nport=81)
    chains.feed(saddr="203.0.113.8")
    assert chains.feed(ip="192.0.2.9", port=81)["client"] == "203.0.113.7"
    assert chains.feed(ip="192.0.2.1", port="80")["client"] == "203.0.113.8"
    assert "client" not in chains.feed(ip="192.0.2.1", port=81)


@pytest.mark.parametrize("missing", ["saddr", "nat"])
def test_without_the_client_or_what_becomes_of_it_nothing_is_remembered(pipeline, missing):
    chains = pipeline("""
        [chains]
        "c" = [
          { action = "dnat_capture", saddr = "saddr", addr = "nat", port_value = 80 },
          { action = "log", message = "went on" },
        ]
    """)
    fields = {"saddr": "203.0.113.7", "nat": "192.0.2.1"}
    del fields[missing]
    chains.feed(**fields)
    assert [line.message for line in chains.logs] == ["went on"]
    assert len(chains.state.tables.table("dnat")) == 0
    assert chains.faults == []


@pytest.mark.parametrize(("keep", "seconds"), [("", 63), ('keep = "10s", ', 10)])
def test_how_long_a_client_is_remembered(connections, clock, keep, seconds):
    chains = connections(f'{keep} addr = "nat"', 'addr = "ip"')
    chains.feed(saddr="203.0.113.7", nat="192.0.2.1")
    clock.advance(f"{seconds * 1000 - 1}ms")
    assert chains.feed(ip="192.0.2.1")["client"] == "203.0.113.7"
    clock.advance("1ms")
    assert "client" not in chains.feed(ip="192.0.2.1")
    assert len(chains.state.tables.table("dnat addr")) == 0
    assert len(chains.state.tables.table("dnat")) == 0


def test_a_port_that_is_used_again_belongs_to_the_newest_client(connections, clock):
    chains = connections('addr_value = "192.0.2.1", port = "nport"', 'addr = "ip", port = "port"')
    for client in ("203.0.113.7", "203.0.113.8"):
        chains.feed(saddr=client, nport=50001)
        clock.advance("50s")
    assert chains.feed(ip="192.0.2.1", port=50001)["client"] == "203.0.113.8"


def test_what_is_kept_longer_is_not_forgotten_for_what_is_kept_shorter(pipeline, clock):
    chains = pipeline("""
        [chains]
        "long" = [
          { filter = "exists", field = "long" },
          { action = "dnat_capture", saddr = "long", addr = "nat", keep = "1h" },
        ]
        "short" = [
          { filter = "exists", field = "short" },
          { action = "dnat_capture", saddr = "short", addr = "nat", keep = "1m" },
        ]
        "server" = [ { action = "dnat_replace", addr = "ip", saddr_into = "client" } ]
    """)
    chains.feed(long="203.0.113.7", nat="192.0.2.1")
    chains.feed(short="203.0.113.8", nat="192.0.2.2")
    clock.advance("10m")
    assert chains.feed(ip="192.0.2.1")["client"] == "203.0.113.7"
    assert "client" not in chains.feed(ip="192.0.2.2")


def test_an_address_that_the_server_sees_is_needed(pipeline):
    with pytest.raises(ConfigError) as refused:
        pipeline('[chains]\n"c" = [ { action = "dnat_capture", saddr = "a", port = "b" } ]')
    assert str(refused.value) == (
        'pyruse.toml: chains."c"[0]: neither addr nor addr_value is given (expected one of them)'
    )


@pytest.mark.parametrize("value", ["", "a", '"', "\\", "\n\x1b\x7f", "é", "\U0001f600", ", "])
def test_clients_are_kept_under_the_facts_as_json(value: str) -> None:
    facts = {"addr": value, "port": "1"}
    assert key_of(facts.values()) == json.dumps(list(facts.values()))
    assert facts_of("addr,port", key_of(facts.values())) == facts
