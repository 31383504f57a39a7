"""The table of software."""

from __future__ import annotations

import pytest

from pyruse_plugins.summaries import _daily, packages
from tests.plugins.summaries.conftest import table

ALONE = '[plugins]\ndisable = ["disk_space_summary"]\n'


@pytest.fixture
def marks(tmp_path, monkeypatch, clock):
    monkeypatch.setattr(packages, "_REQUIRED", tmp_path / "reboot-required")
    monkeypatch.setattr(packages, "_FOR", tmp_path / "reboot-required.pkgs")
    monkeypatch.setattr(_daily, "now", lambda: clock.now)
    return tmp_path


def test_what_was_updated_what_was_not_and_whether_to_restart(machine, marks):
    here = machine(["apt"], ALONE)
    here.says("apt.systemd.daily", "Packages that will be upgraded: libssl3 openssl linux-image")
    here.says("unattended-upgrade", "curl (7.88.1-10) will be installed")
    here.says("unattended-upgrade", "Package frobber has conffile prompt and needs to be upgraded "
              "manually")  # fmt: skip
    here.says("unattended-upgrade", "2026-11-28 06:00:00,123 ERROR Cache has broken packages")
    (marks / "reboot-required").touch()
    (marks / "reboot-required.pkgs").write_text("linux-image-6.1.0\nlinux-image-6.1.0\n")
    report = here.ends_day()
    assert (
        table(report, "packages")
        == """\
# Software
4 packages updated: curl, libssl3, linux-image, openssl.
The machine has to be restarted (linux-image-6.1.0).
Package | What | Why | Times | Last
*  | failed | Cache has broken packages | 1 | 12:00:00
frobber | held back | conffile prompt | 1 | 12:00:00
"""
    )
    assert not any("restart" in one.text for one in report.attention), "a fact, no alarm"
    (marks / "reboot-required").unlink()
    assert here.ends_day().summaries == []
    again = here.flow.engine.report(report.title)
    assert table(again, "packages") == table(report, "packages")


def test_a_line_that_is_too_long_is_said_to_have_more(machine, marks):
    here = machine(["apt"], f"{ALONE}[plugins.package_summary]\nnames = 2\n")
    names = " ".join(f"lib{number:03}" for number in range(100))
    here.says("apt.systemd.daily", f"Packages that will be upgraded: {names}")
    (fact,) = table(here.ends_day(), "packages").splitlines()[1:2]
    assert fact == "More than 28 packages updated: lib000, lib001 and 26 more."


def test_many_packages_are_counted(machine, marks):
    here = machine(["apt"], f"{ALONE}[plugins.package_summary]\nnames = 2\n")
    here.says("apt.systemd.daily", "Packages that will be upgraded: a b c")
    (marks / "reboot-required").touch()
    assert (
        table(here.ends_day(), "packages")
        == """\
# Software
3 packages updated: a, b and 1 more.
The machine has to be restarted.
Package | What | Why | Times | Last
"""
    )
