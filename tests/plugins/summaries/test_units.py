"""The table of services and programs that failed."""

from __future__ import annotations

from tests.plugins.summaries.conftest import glances, table

FAILED = "d9b373ed55a64feb8242e02dbe79a49c"
RESTARTED = "5eb03494b6584870a536b337290809b3"
MEMORY = "fe6faa94e7774663a0da52717891d8ef"


def test_the_gravest_come_first(machine, clock):
    here = machine(["systemd", "kernel"])
    for _ in range(4):
        here.systemd(RESTARTED, UNIT="web.service", N_RESTARTS="1")
    here.systemd(RESTARTED, UNIT="once.service", N_RESTARTS="1")
    here.kernel(
        "frobber[4711]: segfault at 0 ip 000055d1 sp 00007ffc error 4 in frobber[55d1+1000]"
    )
    here.systemd(MEMORY, UNIT="web.service")
    here.systemd(FAILED, UNIT="backup.service", UNIT_RESULT="exit-code")
    clock.advance("1h")
    here.systemd(FAILED, UNIT="backup.service", UNIT_RESULT="timeout")
    report = here.ends_day()
    assert (
        table(report, "units")
        == """\
# Services and programs
Service or program | What | Why | Times | First | Last
* backup.service | failed | exit-code (1), timeout (1) | 2 | 12:00:00 | 13:00:00
* web.service | out of memory |  | 1 | 12:00:00 | 12:00:00
* frobber | crashed | segfault | 1 | 12:00:00 | 12:00:00
web.service | started again |  | 4 | 12:00:00 | 12:00:00
"""
    )
    assert glances(report)["Failures of services"] == (2, None)


def test_from_how_many_restarts_on_it_tells(machine):
    here = machine(["systemd"], "[plugins.unit_summary]\nrestarts = 1\n")
    here.systemd(RESTARTED, UNIT="once.service", N_RESTARTS="1")
    assert "once.service | started again |  | 1" in table(here.ends_day(), "units")
    assert here.ends_day().summaries == []
