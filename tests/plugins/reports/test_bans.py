from __future__ import annotations

import pytest

from pyruse.errors import ConfigError

CHAINS = """
[report]
timezone = "Europe/Paris"
[plugins.ban_summary]
limit = 2
[chains]
ssh = [ { action = "ban", ip = "ip", escalate = ["10m", "1h"] } ]
"""


def bans(report):
    return [table for table in report.tables if table.title == "Bans"]


def test_a_report_lists_the_banned_those_banned_most_often_first(pipeline, clock):
    flow = pipeline(CHAINS)
    flow.feed(ip="2001:db8::7")
    for _ in range(2):
        flow.feed(ip="203.0.113.7")
        clock.advance("5m")
        flow.feed(ip="203.0.113.7")  # makes the ban last longer
        clock.advance("2h")
    (table,) = bans(flow.end_day())
    assert table.columns == ["Address", "Label", "Bans", "Until"]
    assert table.rows == [
        ["203.0.113.7", "ssh", "2", "2026-03-14 16:10:00"],
        ["2001:db8::7", "ssh", "1", "2026-03-14 13:10:00"],
    ]


def test_of_many_banned_only_some_are_listed(pipeline):
    flow = pipeline(CHAINS)
    for number in range(5):
        flow.feed(ip=f"203.0.113.{number}")
    (table,) = bans(flow.end_day())
    assert [row[0] for row in table.rows] == ["203.0.113.0", "203.0.113.1", "and 3 more"]
    assert table.rows[-1][2] == "3"


def test_each_day_has_its_own_bans(pipeline):
    flow = pipeline(CHAINS.replace('escalate = ["10m", "1h"]', "prefix4 = 24"))
    flow.feed(ip="203.0.113.7")
    (table,) = bans(flow.end_day())
    assert table.rows == [["203.0.113.0/24", "ssh", "1", "for ever"]]
    assert bans(flow.end_day()) == []


def test_a_limit_that_would_show_nothing_is_refused(pipeline):
    with pytest.raises(ConfigError, match=r"limit = 0 would show nothing \(expected 1 or more\)"):
        pipeline(CHAINS.replace("limit = 2", "limit = 0"))
