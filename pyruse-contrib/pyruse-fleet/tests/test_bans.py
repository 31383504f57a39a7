"""A ban on one host is one on the others, as far as they want it."""

from __future__ import annotations

from conftest import Fleet, banned

from pyruse.testing import MakeJournal


def test_a_ban_travels_and_so_does_an_unban(fleet: Fleet, journal_file: MakeJournal) -> None:
    journal = journal_file([{"MESSAGE": "hello"}])
    a, b = (fleet.host(name, journal).start() for name in ("a", "b"))
    a.command("ban", "192.0.2.7", "--for", "1h")
    b.wait_until(lambda: banned(b), lambda now: now == {"192.0.2.7": "manual"})
    a.command("unban", "192.0.2.7")
    b.wait_until(lambda: banned(b), lambda now: now == {})
