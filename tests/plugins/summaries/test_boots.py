"""The table of starts."""

from __future__ import annotations

from tests.plugins.summaries.conftest import table

FINISHED = "b07a249cd024414a82dd00cd181378ff"
STARTED = "39f53479d3a045ac8e11786248231fbf"


class Machine:
    """A machine that is started and shut down."""

    def __init__(self, here) -> None:
        self.here, self.boot = here, 0

    def starts(self) -> None:
        self.boot += 1
        here, boot = self.here, f"{self.boot:032x}"
        here.says(
            "kernel", "Linux version 6.1.0-28-amd64 (x@example.org)", _TRANSPORT="kernel",
            _BOOT_ID=boot,
        )  # fmt: skip
        here.flow.clock.advance("10s")
        here.systemd(FINISHED, "Startup finished in 10.3s.", _BOOT_ID=boot)

    def stops(self) -> None:
        boot = f"{self.boot:032x}"
        self.here.systemd(STARTED, UNIT="network.target", _BOOT_ID=boot)
        self.here.systemd(STARTED, UNIT="shutdown.target", _BOOT_ID=boot)


def test_after_a_shutdown_and_without_one(machine, clock):
    here = machine(["systemd", "kernel"])
    mercury = Machine(here)
    mercury.starts()
    clock.advance("1h")
    mercury.stops()
    clock.advance("2m")
    mercury.starts()
    clock.advance("1h")
    mercury.starts()
    report = here.ends_day()
    assert (
        table(report, "boots")
        == """\
# Starts of the machine
Started | Kernel | Before | Down for
12:00:00 | 6.1.0-28-amd64 | unknown |
13:02:10 | 6.1.0-28-amd64 | shut down | 2 min
* 14:02:20 | 6.1.0-28-amd64 | running |
"""
    )
    (item,) = [one for one in report.attention if one.cause.startswith("booted")]
    assert (item.text, item.weight) == (
        "the machine was started again without having been shut down", 60
    )  # fmt: skip
    assert item.time is not None
    assert f"{item.time:%H:%M}" == "14:02"


def test_a_shutdown_of_the_day_before_counts(machine, clock):
    here = machine(["systemd", "kernel"])
    mercury = Machine(here)
    mercury.starts()
    mercury.stops()
    here.ends_day()
    mercury.starts()
    report = here.ends_day()
    assert "| shut down | 11 h 59 min" in table(report, "boots")
    mercury.starts()
    assert "* 00:00:00 | 6.1.0-28-amd64 | running" in table(here.ends_day(), "boots")


def test_what_logind_says_is_enough(machine, clock):
    """The journal may be in memory alone, and Pyruse stopped before the machine."""
    here = machine(["systemd", "kernel", "logind"])
    mercury = Machine(here)
    mercury.starts()
    here.says("systemd-logind", "System is rebooting.", _BOOT_ID=f"{1:032x}")
    clock.advance("1m")
    mercury.starts()
    report = here.ends_day()
    assert "| 6.1.0-28-amd64 | shut down | 1 min" in table(report, "boots")
    assert report.attention == []


def test_each_machine_by_itself(machine):
    here = machine(["systemd", "kernel"], "[plugins.boot_summary]\ntop = 1\n")
    Machine(here).starts()
    here.host = "venus"
    Machine(here).starts()
    report = here.ends_day()
    assert "attention" not in table(report, "boots")
    assert not any(one.cause.startswith("booted") for one in report.attention)
    assert "venus | 12:00:10 | 6.1.0-28-amd64 | unknown" in table(report, "boots")
    assert table(report, "boots").endswith("+ 1\n")
    assert here.ends_day().summaries == []
