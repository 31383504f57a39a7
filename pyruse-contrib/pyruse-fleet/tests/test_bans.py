"""A ban on one host is one on the others, as far as they want it."""

from __future__ import annotations

from conftest import Fleet, banned

from pyruse.testing import Daemon, MakeJournal


def test_a_ban_travels_and_so_does_an_unban(fleet: Fleet, journal_file: MakeJournal) -> None:
    journal = journal_file([{"MESSAGE": "hello"}])
    a, b = (fleet.host(name, journal).start() for name in ("a", "b"))
    a.command("ban", "192.0.2.7", "--for", "1h")
    b.wait_until(lambda: banned(b), lambda now: now == {"192.0.2.7": "manual"})
    a.command("unban", "192.0.2.7")
    b.wait_until(lambda: banned(b), lambda now: now == {})


def test_bans_of_some_ports_and_of_all_are_told_and_lifted_apart(
    fleet: Fleet, journal_file: MakeJournal
) -> None:
    journal = journal_file([{"MESSAGE": "hello"}])
    a, b, c = (fleet.host(name, journal).start() for name in ("a", "b", "c"))
    a.command("ban", "192.0.2.7", "--ports", "22", "--for", "2h")
    c.wait_until(lambda: ports(c), lambda now: now == [[22]])
    b.command("ban", "192.0.2.7", "--for", "1h")
    for host in (a, c):
        host.wait_until(lambda host=host: ports(host), lambda now: now == [[], [22]])
    a.command("unban", "192.0.2.7")
    c.wait_until(lambda: ports(c), lambda now: now == [[]])
    assert ports(b) == [[]]
    b.command("unban", "192.0.2.7")
    c.wait_until(lambda: ports(c), lambda now: now == [])


def test_a_network_is_taken_over_as_a_whole_or_not_at_all(
    fleet: Fleet, journal_file: MakeJournal
) -> None:
    journal = journal_file([{"MESSAGE": "hello"}])
    a = fleet.host("a", journal).start()
    b = fleet.host("b", journal, more='[bans]\nnever = ["203.0.113.5"]').start()
    for network in ("203.0.113.0/24", "203.0.113.128/25", "203.0.113.5", "203.0.113.9"):
        a.command("ban", network, "--for", "1h")
    b.wait_until(lambda: "203.0.113.9" in banned(b))
    assert set(banned(b)) == {"203.0.113.128/25", "203.0.113.9"}
    b.wait_for_line(
        "a ban that a has told to the fleet is of a network of which somebody is never banned "
        "here: [bans] never has 203.0.113.5"
    )
    a.command("unban", "203.0.113.0/24")
    b.wait_until(lambda: banned(b), lambda now: now == {})


def ports(host: Daemon) -> list[list[int]]:
    """From which ports somebody is banned, ban by ban."""
    return sorted(one["ports"] for one in host.ask("bans"))
