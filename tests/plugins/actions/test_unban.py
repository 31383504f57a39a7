from __future__ import annotations

CHAINS = """
[chains]
login = [
  { filter = "equals", field = "MESSAGE", value = "login" },
  { action = "unban", ip = "ip" LABEL },
]
network = [
  { filter = "equals", field = "MESSAGE", value = "scan" },
  { action = "ban", ip = "ip", prefix4 = 24 },
]
ssh = [ { action = "ban", ip = "ip" } ]
"""


def in_force(flow):
    return sorted(ban.network for _, ban in flow.state.bans.all())


def test_the_bans_of_an_address_are_lifted_and_those_of_networks_stay(pipeline):
    flow = pipeline(CHAINS.replace("LABEL", ""))
    flow.feed(MESSAGE="failed", ip="203.0.113.7")
    flow.feed(MESSAGE="failed", ip="203.0.113.8")
    flow.feed(MESSAGE="scan", ip="203.0.113.9")
    flow.feed(MESSAGE="login", ip="203.0.113.7")
    assert in_force(flow) == ["203.0.113.0/24", "203.0.113.8"]


def test_only_the_bans_of_a_label(pipeline):
    flow = pipeline(CHAINS.replace("LABEL", ', label = "mail"'))
    flow.feed(MESSAGE="failed", ip="203.0.113.7")
    flow.feed(MESSAGE="login", ip="203.0.113.7")
    assert in_force(flow) == ["203.0.113.7"]


def test_nobody_to_unban_is_fine_but_no_address_is_not(pipeline):
    flow = pipeline(CHAINS.replace("LABEL", ""))
    flow.feed(MESSAGE="login", ip="203.0.113.7")
    assert flow.faults == []
    flow.feed(MESSAGE="login", ip="localhost")
    assert 'ip = "localhost" cannot be unbanned (expected an address)' in flow.faults[0].text
