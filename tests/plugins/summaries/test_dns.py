"""The table of queries that the name server refused."""

from __future__ import annotations

from tests.plugins.summaries.conftest import glances, table


def refuses(here, ip: str, name: str) -> None:
    line = f"client @0x7f1c {ip}#53011 ({name}): query (cache) '{name}/A/IN' denied (x)"
    here.says("named", line, _EXE="/usr/sbin/named", _UID=104)


def test_names_and_who_asked(machine):
    here = machine(["named"], "[plugins.dns_summary]\ntop = 1\ncollapse = 1\n")
    for number in range(3):
        refuses(here, f"203.0.113.{number}", "www.example.com")
    refuses(here, "203.0.113.1", "www.example.net")
    report = here.ends_day()
    assert (
        table(report, "dns")
        == """\
# Queries refused
4 queries for 2 names from 3 addresses.
Name | Times | From | Last
www.example.com/A/IN | 3 | 203.0.113.0 (1), and 2 others | 12:00:00
+ 1
"""
    )
    assert glances(report)["Queries refused"] == (4, None)
    assert here.ends_day().summaries == []
