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


def ports(host: Daemon) -> list[list[int]]:
    """From which ports somebody is banned, ban by ban."""
    return sorted(one["ports"] for one in host.ask("bans"))
