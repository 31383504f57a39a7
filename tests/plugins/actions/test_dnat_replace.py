from datetime import timedelta

import pytest

from pyruse.errors import ConfigError


def test_the_server_behind_nat_learns_who_it_was(pipeline):
    chains = pipeline("""
        [chains]
        "gateway" = [
          { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "haproxy" },
          { action = "dnat_capture", saddr = "client", sport = "cport", addr_value = "192.0.2.1", port = "nport" },
        ]
        "server" = [
          { action = "dnat_replace", addr = "ip", port = "port", saddr_into = "ip", sport_into = "port" },
          { action = "log", message = "{ip} port {port}" },
        ]
    """)  # noqa: E501 -- a step is one line
    chains.feed(SYSLOG_IDENTIFIER="haproxy", client="203.0.113.7", cport=4711, nport=50001)
    chains.feed(ip="192.0.2.1", port=50001)
    chains.feed(ip="192.0.2.1", port=50002)
    assert [line.message for line in chains.logs] == [
        "203.0.113.7 port 4711",
        "192.0.2.1 port 50002",
    ]


CHAINS = """
[chains]
"gateway" = [
  {{ filter = "exists", field = "saddr" }},
  {{ action = "dnat_capture", saddr = "saddr", sport = "sport", addr = "a", port = "p", daddr = "da", dport = "dp", keep = "1h" }},
]
"server" = [
  {{ action = "dnat_replace", {facts}, saddr_into = "client", sport_into = "cport" }},
  {{ action = "set", field = "went_on", value = "yes" }},
]
"""  # noqa: E501 -- a step is one line


@pytest.fixture
def server(pipeline):
    """``server(facts)``: who the server, which knows these facts, takes an entry for."""

    def make(facts):
        chains = pipeline(CHAINS.format(facts=facts))

        def client(**fields):
            found = chains.feed(**fields)
            assert chains.faults == []
            if "saddr" in fields:
                return None
            assert found["went_on"] == "yes"
            return found.get("client"), found.get("cport")

        return client

    return make


ALL = 'addr = "a", port = "p", daddr = "da", dport = "dp"'
SEEN = {"a": "192.0.2.1", "p": "50001", "da": "192.0.2.25", "dp": "25"}


def test_every_fact_that_is_given_must_be_the_same(server):
    client = server(ALL)
    client(saddr="203.0.113.7", sport="4711", **SEEN)
    assert client(**SEEN) == ("203.0.113.7", "4711")
    for name in SEEN:
        assert client(**{**SEEN, name: "1"}) == (None, None)


def test_an_entry_that_lacks_a_fact_stays_as_it_is(server):
    client = server(ALL)
    client(saddr="203.0.113.7", sport="4711", **SEEN)
    for name in SEEN:
        assert client(**{key: value for key, value in SEEN.items() if key != name}) == (None, None)


@pytest.mark.parametrize("facts", [["a"], ["p"], ["da"], ["dp"], ["a", "dp"], ["p", "da"]])
def test_some_of_the_facts_are_enough(server, facts):
    names = {"a": "addr", "p": "port", "da": "daddr", "dp": "dport"}
    client = server(", ".join(f'{names[name]} = "{name}"' for name in facts))
    client(saddr="203.0.113.7", sport="4711", **SEEN)
    client(saddr="203.0.113.8", sport="4712", **dict.fromkeys(SEEN, "2"))
    assert client(**{name: SEEN[name] for name in facts}) == ("203.0.113.7", "4711")
    assert client(**{facts[0]: "2", **{name: SEEN[name] for name in facts[1:]}}) == (
        ("203.0.113.8", "4712") if len(facts) == 1 else (None, None)
    )


def test_fewer_facts_were_captured_than_are_asked_for(server):
    client = server(ALL)
    client(saddr="203.0.113.7", sport="4711", a="192.0.2.1", p="50001")
    assert client(**SEEN) == (None, None)


def test_of_several_clients_the_newest_counts(server, clock):
    client = server('addr = "a"')
    for number, fields in enumerate((SEEN, {"a": "192.0.2.1"}, {**SEEN, "p": "50002"}), start=7):
        client(saddr=f"203.0.113.{number}", sport=number, **fields)
        clock.advance("1s")
        assert client(a="192.0.2.1") == (f"203.0.113.{number}", str(number))


def test_a_port_is_the_same_as_text_and_as_a_number(server):
    client = server('addr = "a", port = "p"')
    client(saddr="203.0.113.7", sport=4711, a="192.0.2.1", p=50001)
    assert client(a="192.0.2.1", p="50001") == ("203.0.113.7", "4711")
    client(saddr="203.0.113.8", sport="4712", a="192.0.2.1", p="50002")
    assert client(a="192.0.2.1", p=50002) == ("203.0.113.8", "4712")


def test_a_port_that_was_not_captured_is_not_given_back(server):
    client = server('addr = "a"')
    client(saddr="203.0.113.7", a="192.0.2.1")
    assert client(a="192.0.2.1") == ("203.0.113.7", None)
    assert client(a="192.0.2.1", cport="unknown") == ("203.0.113.7", "unknown")


@pytest.mark.parametrize("facts", ['addr = "a"', 'addr = "a", port = "p"', 'port = "p"'])
def test_a_fact_may_be_any_text(server, facts):
    client = server(facts)
    client(saddr="203.0.113.6", sport="1", a="192.0.2.1\n50001", p="x")
    client(saddr="203.0.113.7", sport="2", a="192.0.2.1", p="50001\nx")
    client(saddr="203.0.113.8", sport="3", a="\0\n,", p='"\n["')
    assert client(a="\0\n,", p='"\n["') == ("203.0.113.8", "3")
    assert client(a="192.0.2.1", p="50001\nx") == ("203.0.113.7", "2")


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (
            'saddr_into = "ip"',
            "nothing to compare (expected addr, port, daddr or dport)",
        ),
        (
            'addr = "ip"',
            "nothing to give back (expected saddr_into or sport_into)",
        ),
    ],
)
def test_faulty_options(pipeline, options, fault):
    with pytest.raises(ConfigError) as refused:
        pipeline(f'[chains]\n"c" = [ {{ action = "dnat_replace", {options} }} ]')
    assert str(refused.value) == f'pyruse.toml: chains."c"[0]: {fault}'


def test_clients_captured_before_and_after_are_found_by_fewer_facts_too(pipeline):
    """Once somebody has asked by some of the facts, further clients are filed under these, too."""
    chains = pipeline(CHAINS.format(facts='addr = "ip"'))
    gateway = {"a": "192.0.2.1", "p": 1, "da": "10.0.0.1", "dp": 22}
    chains.feed(saddr="203.0.113.7", **gateway)
    assert chains.feed(ip="192.0.2.1")["client"] == "203.0.113.7"
    chains.clock.advance("1m")
    chains.feed(saddr="203.0.113.8", **gateway | {"p": 2})
    chains.feed(saddr="203.0.113.9", **gateway | {"a": "192.0.2.2"})
    late = chains.clock.now
    chains.clock.advance("59m")
    assert chains.feed(ip="192.0.2.1")["client"] == "203.0.113.8"
    assert chains.feed(ip="192.0.2.2")["client"] == "203.0.113.9"
    # What comes late does not take the place of what is newer.
    chains.feed(saddr="203.0.113.10", **gateway, at=late - timedelta(seconds=1))
    assert chains.feed(ip="192.0.2.1")["client"] == "203.0.113.8"
    chains.clock.advance("2m")
    assert "client" not in chains.feed(ip="192.0.2.1")
