"""The table of bans."""

from __future__ import annotations

import pytest

from pyruse.errors import ConfigError
from tests.plugins.summaries.conftest import table

CHAINS = """
[report]
timezone = "Europe/Paris"
[plugins.ban_summary]
limit = 2
[chains]
ssh = [ { action = "ban", ip = "ip", escalate = ["10m", "1h"] } ]
"""


def test_each_address_is_told_once_those_who_tried_most_first(machine):
    here = machine(["sshd", "kernel"])
    here.fails("root", "203.0.113.7", 6)
    here.fails("root", "2001:db8::7", 5)
    here.fails("root", "2001:db8::8", 4)  # of the same network
    here.fails("anna", "192.0.2.1")
    assert (
        table(here.ends_day(), "bans")
        == """\
# Bans
Address | Tries | Why | Bans | Until
2001:db8::/64 | 9 | sshd | 1 | 13:00:00
203.0.113.7 | 6 | sshd | 1 | 13:00:00
"""
    )


def test_those_that_are_banned_most_often_first(pipeline, clock):
    flow = pipeline(CHAINS)
    flow.feed(ip="2001:db8::7")
    for _ in range(2):
        flow.feed(ip="203.0.113.7")
        clock.advance("5m")
        flow.feed(ip="203.0.113.7")  # makes the ban last longer
        clock.advance("2h")
    assert (
        table(flow.end_day(), "bans")
        == """\
# Bans
Address | Tries | Why | Bans | Until
203.0.113.7 | 0 | ssh | 2 | 16:10:00
2001:db8::7 | 0 | ssh | 1 | 13:10:00
"""
    )


def test_of_many_banned_only_some_are_listed(pipeline):
    flow = pipeline(
        CHAINS.replace("[ { action", '[ { filter = "exists", field = "ip" }, { action')
        + 'mail = [ { action = "ban", ip = "ip2" } ]'
    )
    for number in range(5):
        flow.feed(ip=f"203.0.113.{number}")
    flow.feed(ip2="203.0.113.99")
    lines = table(flow.end_day(), "bans").splitlines()
    assert lines[1] == "6 addresses. Not in the table: ssh 3, mail 1."
    assert [line.split(" | ")[0] for line in lines[3:]] == ["203.0.113.0", "203.0.113.1"]


def test_each_day_has_its_own_bans(pipeline):
    flow = pipeline(CHAINS.replace('escalate = ["10m", "1h"]', "prefix4 = 24"))
    flow.feed(ip="203.0.113.7")
    assert table(flow.end_day(), "bans").splitlines()[2:] == [
        "203.0.113.0/24 | 0 | ssh | 1 | for ever"
    ]
    assert flow.end_day().summaries == []


def test_a_limit_that_would_show_nothing_is_refused(pipeline):
    with pytest.raises(ConfigError, match=r"limit = 0 would show nothing \(expected 1 or more\)"):
        pipeline(CHAINS.replace("limit = 2", "limit = 0"))
