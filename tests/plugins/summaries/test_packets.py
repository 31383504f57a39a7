"""The tables of packets that the firewall dropped."""

from __future__ import annotations

from tests.plugins.summaries.conftest import glances, table


def drops(here, ip: str, rest: str) -> None:
    here.kernel(f"[nft drop] IN=eth0 OUT= SRC={ip} DST=192.0.2.1 LEN=60 {rest}")


def test_by_port_and_by_source(machine):
    here = machine(["kernel"])
    for number in range(5):
        drops(here, f"203.0.113.{number}", "PROTO=TCP SPT=4711 DPT=23 WINDOW=64240")
    for port in (22, 80, 443, 4711):
        drops(here, "203.0.113.1", f"PROTO=TCP SPT=4711 DPT={port} WINDOW=64240")
    drops(here, "2001:db8::7", "PROTO=ICMPv6 TYPE=128 CODE=0")
    report = here.ends_day()
    assert (
        "".join(table(report, one.id) for one in report.summaries)
        == """\
# Packets dropped, by port
10 packets from 6 addresses for 6 ports.
Port | Packets | From
23/tcp telnet | 5 | 203.0.113.0 (1), 203.0.113.1 (1), 203.0.113.2 (1), and 2 others
22/tcp ssh | 1 | 203.0.113.1
443/tcp https | 1 | 203.0.113.1
4711/tcp | 1 | 203.0.113.1
80/tcp http | 1 | 203.0.113.1
icmpv6 | 1 | 2001:db8::7
# Packets dropped, by source
From | Packets | Ports | Last
203.0.113.1 | 5 | 22 (1), 23 (1), 443 (1), and 2 others | 12:00:00
2001:db8::7 | 1 | icmpv6 | 12:00:00
203.0.113.0 | 1 | 23 | 12:00:00
203.0.113.2 | 1 | 23 | 12:00:00
203.0.113.3 | 1 | 23 | 12:00:00
203.0.113.4 | 1 | 23 | 12:00:00
"""
    )
    assert glances(report)["Packets dropped"] == (10, None)


def test_how_much_is_listed(machine):
    here = machine(["kernel"], "[plugins.packet_summary]\ntop = 1\ncollapse = 1\n")
    for number in range(3):
        drops(here, f"203.0.113.{number}", "PROTO=TCP SPT=4711 DPT=23 WINDOW=64240")
    report = here.ends_day()
    assert "203.0.113.0 (1), and 2 others\n" in table(report, "packets")
    assert table(report, "packet-sources").endswith("+ 2\n")
    assert here.ends_day().summaries == []
