"""The report's tables of packets that the firewall dropped."""

from __future__ import annotations

from dataclasses import dataclass

from pyruse import Column, Context, Report, Tally, hookimpl
from pyruse_plugins.summaries._sums import (
    add_table,
    cell,
    check_positive,
    compare,
    counted,
    grouped,
    in_words,
    total,
    values_of,
)

_DROPPED = "packet dropped"
_SERVICES = {
    "20": "ftp-data", "21": "ftp", "22": "ssh", "23": "telnet", "25": "smtp", "53": "dns",
    "69": "tftp", "80": "http", "110": "pop3", "111": "sunrpc", "123": "ntp", "135": "msrpc",
    "137": "netbios", "139": "netbios", "143": "imap", "161": "snmp", "389": "ldap",
    "443": "https", "445": "smb", "465": "smtps", "514": "syslog", "587": "submission",
    "631": "ipp", "873": "rsync", "993": "imaps", "995": "pop3s", "1080": "socks",
    "1433": "mssql", "1521": "oracle", "1723": "pptp", "1883": "mqtt", "1900": "ssdp",
    "2049": "nfs", "2375": "docker", "3128": "proxy", "3306": "mysql", "3389": "rdp",
    "5060": "sip", "5432": "postgresql", "5555": "adb", "5900": "vnc", "6379": "redis",
    "8080": "http", "8443": "https", "9200": "elasticsearch", "11211": "memcached",
    "27017": "mongodb",
}  # fmt: skip
"""What is behind the ports that strangers knock at; the same on each machine."""


@dataclass(eq=False, repr=False)
class PacketSummary:
    """Tell in each report which packets the firewall dropped: by port, and by source.

    ```toml
    [plugins.packet_summary]
    top = 20
    ```
    """

    top: int = 10
    """How many rows each table has; the others are only counted."""
    collapse: int = 3
    """How many sources or ports a row names; the others are only counted."""

    def __post_init__(self) -> None:
        check_positive(top=self.top, collapse=self.collapse)

    @hookimpl
    def contribute_to_report(self, report: Report, context: Context) -> None:
        tallies = list(context.tallies(report, _DROPPED))
        compare(report, context, "Packets dropped", [[_DROPPED]], [total(tallies)])
        sources = values_of(tallies, "ip")
        facts = [
            f"{counted(total(tallies), 'packet')} from {counted(len(sources), 'address')} "
            f"for {counted(len({_port(one) for one in tallies}), 'port')}."
        ]
        if not_kept := total(one for one in tallies if one.is_rest):
            facts.append(f"Of {not_kept:,} of them, neither address nor port is kept.")
        known = [one for one in tallies if not one.is_rest]
        columns = [Column("Port"), Column("Packets", "number"), Column("From")]
        add_table(
            report, "packets", "Packets dropped, by port", columns,
            grouped(known, lambda one: (_port(one),)),
            lambda one: [cell(one.key[0]), one.count, one.named("ip", self.collapse)],
            self.top, facts=facts if tallies else [],
        )  # fmt: skip
        columns = [
            Column("From"), Column("Packets", "number"), Column("Ports"), Column("Last", "time"),
        ]  # fmt: skip
        add_table(
            report, "packet-sources", "Packets dropped, by source", columns,
            grouped(known, lambda one: (one.fields.get("ip", ""),)),
            lambda one: [
                cell(one.key[0] or "unknown"), one.count,
                in_words(_ports(one.tallies), self.collapse), one.last(report),
            ],
            self.top,
        )  # fmt: skip


def _port(tally: Tally) -> str:
    """Such as ``22/tcp``, with the service where it is known: ``22/tcp ssh``."""
    port, protocol = tally.fields.get("port", ""), tally.fields.get("protocol", "").lower()
    if not port:
        return protocol or "unknown"
    service = _SERVICES.get(port)
    return f"{port}/{protocol or '?'}" + (f" {service}" if service else "")


def _ports(tallies: list[Tally]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in tallies:
        port = one.fields.get("port") or one.fields.get("protocol", "").lower()
        if port:
            found[port] = found.get(port, 0) + one.count
    return found
