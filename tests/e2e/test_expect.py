"""A real daemon that waits for what does not happen, while nothing is logged."""

from __future__ import annotations

from typing import Any

import pytest

from pyruse.testing import Daemon, Journald, MakeDaemon

CHAINS = """
[email]
to = ["root"]
sendmail = ["/bin/sh", "-c", "cat >> mails"]
[chains]
"absences" = [
  { filter = "equals", field = "_TRANSPORT", value = "pyruse" },
  { action = "report", section = "interesting", message = "{PYRUSE_EXPECTED} calls for you" },
]
"backup" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "backup" },
  { action = "expect", name = "backup", every = "EVERY", email = true },
]
"""


@pytest.fixture
def pyruse(daemon: MakeDaemon, journald: Journald) -> Daemon:
    return daemon(configuration("2s"), journald)


def configuration(every: str) -> str:
    return CHAINS.replace("EVERY", every)


def rows(pyruse: Daemon, section: str) -> list[tuple[str, int]]:
    report: dict[str, Any] = pyruse.ask("report", "today")["report"]
    return [(row["message"].partition(",")[0], row["count"]) for row in report[section]]


def expected(pyruse: Daemon) -> dict[str, Any]:
    [one] = pyruse.ask("status")["expected"]
    found: dict[str, Any] = one
    return found


@pytest.mark.realparts
def test_a_quiet_daemon_wakes_when_something_is_overdue(pyruse: Daemon, journald: Journald) -> None:
    pyruse.start()
    first = expected(pyruse)
    assert (first["name"], first["key"], first["every_us"], first["last"]) == (
        "backup", "", 2_000_000, None,
    )  # fmt: skip
    pyruse.wait_until(lambda: expected(pyruse)["absent"])
    assert len(rows(pyruse, "important")) == 1
    assert rows(pyruse, "interesting") == [("backup calls for you", 1)]
    shown = pyruse.command("status").stdout
    assert "\nExpected 1, 1 of them absent\n" in shown
    assert "\nAbsent: 1\n  backup: not once since " in shown

    pyruse.stop()  # neither the stop nor what is logged meanwhile is lost
    journald.send(SYSLOG_IDENTIFIER="backup", MESSAGE="done")
    journald.sync()
    pyruse.configure(configuration("1h"))
    pyruse.start()
    found = pyruse.wait_until(lambda: expected(pyruse), lambda one: one["last"] is not None)
    assert (found["absent"], found["due"]) == (False, found["last"] + 3_600_000_000)
    assert "; next: backup until " in pyruse.command("status").stdout

    pyruse.configure(configuration("1ms"))  # overdue since long
    pyruse.reload()
    pyruse.wait_until(lambda: expected(pyruse)["absent"])
    [first_time, second_time] = rows(pyruse, "important")
    assert first_time[0].startswith("backup has not happened since ")
    assert second_time[0] == "backup has not happened yet"
    assert rows(pyruse, "interesting") == [("backup calls for you", 2)]

    pyruse.configure('[chains]\n"all" = [{ action = "discard" }]')
    pyruse.reload()
    pyruse.wait_until(lambda: pyruse.ask("status")["expected"], lambda none: none == [])
    assert pyruse.stop() == 0
