"""What `pyruse status` says of a real daemon, and what the daemon tells the service manager."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pyruse.testing import Daemon, Journald, MakeDaemon
from pyruse.testing.zones import zone_where_it_is_noon

CONFIG = r"""
[report]
timezone = "{zone}"
[email]
to = ["hostmaster@example.org"]
sendmail = ["/bin/false"]
[chains]
"test" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "test" },
  { filter = "regex", pattern = '^bad (?P<ip>\S+)', else = "others" },
  { action = "ban", ip = "ip", duration = "1d", label = "bad \u001b[31m", name = "\u001b[31m" },
]
"others" = [
  { filter = "contains", text = "mail" },
  { action = "email", subject = "{MESSAGE}", message = "{MESSAGE}" },
]
"""


@pytest.fixture
def daemon(daemon: MakeDaemon, journald: Journald) -> Daemon:
    return daemon(configuration(), journald)


def configuration() -> str:
    return CONFIG.replace("{zone}", zone_where_it_is_noon())


Log = Callable[..., None]


@pytest.fixture
def log(journald: Journald) -> Log:
    """``log("one", "two")``: the entries are in the journal then."""

    def send(*messages: str) -> None:
        journald.send_all(
            [{"SYSLOG_IDENTIFIER": "test", "MESSAGE": message} for message in messages]
        )
        journald.sync()

    return send


def status(daemon: Daemon, until: Callable[[Any], bool]) -> Any:
    """The status in JSON, as soon as it is as expected."""
    return daemon.wait_until(lambda: daemon.ask("status"), until)


def test_a_running_daemon_with_bans_and_a_mail_that_fails(daemon: Daemon, log: Log) -> None:
    log("bad 203.0.113.7", "bad 203.0.113.8", "mail one", "bad address")
    daemon.start()
    data = status(
        daemon,
        lambda data: (
            (data["bans"]["in_force"], len(data["faults"]), data["journal"]["behind"]) == (2, 2, 0)
        ),
    )
    assert data["running"]
    assert data["daemon"]["pid"] == daemon.process.pid
    assert data["daemon"]["entries"] >= 4
    assert data["daemon"]["per_second"]["hour"] > 0
    assert data["daemon"]["memory_bytes"] > 1e7
    assert data["journal"] == {**data["journal"], "behind": 0, "lag_us": 0, "fault": None}
    assert data["entries_today"] == data["daemon"]["entries"]
    assert data["bans"] == {"in_force": 2, "by_label": {"bad \x1b[31m": 2}, "unenforced": 0}
    assert data["outbox"] == {"waiting": {"mail": 1}, "set_aside": []}
    assert [(fault["place"], fault["count"]) for fault in data["faults"]] == [
        ('chains."test"[2]', 1),
        ("mail", 1),
    ]

    shown = daemon.command("status")
    assert shown.returncode == 0
    assert f"(process {daemon.process.pid}, version " in shown.stdout
    assert "up to date; last entry handled: " in shown.stdout
    assert "2 in force (bad \\x1b[31m 2)" in shown.stdout
    assert 'mail "mail one"' in shown.stdout
    assert 'address" cannot be banned' in shown.stdout
    assert "\x1b" not in shown.stdout


def test_without_a_daemon_the_state_tells_how_far_it_came(daemon: Daemon, log: Log) -> None:
    nothing = daemon.command("status")
    assert nothing.returncode == 1
    assert nothing.stderr.endswith("there is no state yet (expected that `pyruse run` has run)\n")

    log("bad 203.0.113.7")
    assert daemon.command("run", "--once").returncode == 0
    log(*(f"entry {number}" for number in range(50)))
    done = daemon.command("status", "--format", "json")
    data = json.loads(done.stdout)
    assert done.returncode == 1
    assert not data["running"]
    assert data["daemon"] is None
    assert data["journal"]["behind"] >= 50  # journald adds lines of its own
    assert data["journal"]["lag_us"] > 0
    assert data["bans"]["in_force"] == 1
    assert "not running" in daemon.command("status").stdout


def test_the_faults_of_a_day_stand_in_its_report(daemon: Daemon, log: Log) -> None:
    log(*["bad address"] * 3)
    assert daemon.command("run", "--once").returncode == 0
    report = daemon.command("report", "today").stdout
    assert 'fault: chains."test"[2]: action ban: ip = "address" cannot be banned' in " ".join(
        report.replace("\n", " ").split()
    )
    assert "(3 times, last at" in " ".join(report.split())


def test_the_service_manager_hears_that_the_daemon_is_alive(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "400000")
    daemon.start()
    daemon.wait_until(lambda: len(daemon.told) >= 5)
    assert daemon.told[:5] == ["READY=1", *["WATCHDOG=1"] * 4], "also while nothing is logged"
    daemon.reload()
    assert daemon.stop() == 0
    ready, reloading, *rest = (told for told in daemon.told if told != "WATCHDOG=1")
    assert reloading.startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert [ready, *rest] == ["READY=1", "STATUS=", "READY=1", "STOPPING=1"], "no fault any more"


def test_a_watchdog_for_another_process_is_not_answered(
    daemon: Daemon, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "2")  # to be told each time round
    monkeypatch.setenv("WATCHDOG_PID", "1")
    daemon.start()
    log("one")
    status(daemon, lambda data: data["entries_today"] and data["journal"]["behind"] == 0)
    assert daemon.stop() == 0
    assert daemon.told == ["READY=1", "STOPPING=1"]


REFUSING = """#!/bin/sh
cat > /dev/null
echo "user unknown" >&2
exit 67
"""


def test_a_mail_that_is_refused_is_shown(daemon: Daemon, log: Log, tmp_path: Path) -> None:
    sendmail = tmp_path / "sendmail"
    sendmail.write_text(REFUSING)
    sendmail.chmod(0o755)
    daemon.configure(configuration().replace("/bin/false", str(sendmail)))
    log("mail one", "mail two")
    daemon.start()
    data = status(daemon, lambda data: len(data["outbox"]["set_aside"]) == 2)
    assert [(item["subject"], item["to"]) for item in data["outbox"]["set_aside"]] == [
        ("mail one", ["hostmaster@example.org"]),
        ("mail two", ["hostmaster@example.org"]),
    ]
    assert data["outbox"]["waiting"] == {}
    shown = daemon.command("status").stdout
    assert 'mail "mail one"' in shown
    assert "user unknown" in shown


def test_counters_of_chains_and_steps(daemon: Daemon, log: Log) -> None:
    daemon.start()
    data = daemon.ask("status")
    assert (data["daemon"]["chains"], data["daemon"]["chains_since"]) == (None, None)
    shown = daemon.command("status", "--chains").stdout
    assert "\nChains: not counted (expected `counters = true` in [engine], and a reload)" in shown

    daemon.configure(f"{configuration()}\n[engine]\ncounters = true\n")
    daemon.reload()
    first = daemon.ask("status")["daemon"]["chains_since"]
    log("bad 203.0.113.7", "bad address", "mail one", "nothing")
    data = status(daemon, lambda data: data["daemon"]["chains"][0]["steps"][0]["passed"] == 4)
    test, others = data["daemon"]["chains"]
    assert (test["chain"], others["chain"]) == ("test", "others")
    assert test["entries"] >= 4  # journald adds lines of its own
    assert [
        (step["index"], step["plugin"], step["label"], step["seen"], step["passed"], step["faults"])
        for step in (*test["steps"][1:], *others["steps"])
    ] == [
        (1, "regex", None, 4, 2, 0),
        (2, "ban", "\x1b[31m", 2, 1, 1),
        (0, "contains", None, 2, 1, 0),
        (1, "email", None, 1, 1, 0),
    ]
    shown = daemon.command("status", "--chains").stdout
    assert "\nChains, counted since " in shown
    assert re.search(r"^  \[1\] regex +4 +2$", shown, re.M)
    assert re.search(r'^  \[2\] ban "\\x1b\[31m" +2 +1$', shown, re.M)
    assert "regex" not in daemon.command("status").stdout

    daemon.reload()
    data = daemon.ask("status")
    assert data["daemon"]["chains_since"] > first
    assert data["daemon"]["chains"][0]["steps"][0]["passed"] == 0


def test_a_reload_that_was_refused_is_told_until_a_good_one(daemon: Daemon) -> None:
    daemon.start()
    daemon.configure(configuration().replace("to = [", "too = ["))
    daemon.reload()
    data = status(daemon, lambda data: data["configuration"]["refused_reload"])
    refused = data["configuration"]["refused_reload"]
    assert "email.too: unknown option" in refused["faults"][0]
    assert refused["at"] > data["daemon"]["since"]
    assert data["configuration"]["faults"] == refused["faults"]
    told = daemon.command("status")
    assert told.returncode == 1
    shown = told.stdout
    assert "Settings the reload of " in shown
    assert " was refused: " in shown
    assert "; the daemon goes on with its old configuration (see: pyruse check)" in shown
    status(daemon, lambda data: [one["place"] for one in data["faults"]] == ["configuration"])
    daemon.configure(configuration())
    daemon.reload()
    status(daemon, lambda data: data["configuration"] == {"faults": [], "refused_reload": None})
    told = daemon.command("status")
    assert "Settings" not in told.stdout
    assert told.returncode == 0
    assert daemon.stop() == 0
