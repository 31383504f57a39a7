"""The table of those who acted as others."""

from __future__ import annotations

from tests.plugins.summaries.conftest import glances, table


def sudo(here, line: str) -> None:
    here.says("sudo", line, _UID=1000, _EXE="/usr/bin/sudo")


def test_who_was_denied_comes_first(machine):
    here = machine(["sudo", "su"])
    for command in ("/bin/apt update", "/bin/apt full", "/bin/id"):
        sudo(here, f"     bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND={command}")
    here_is = "TTY=pts/0 ; PWD=/home/alice ; USER=root"
    sudo(here, f"   alice : user NOT in sudoers ; {here_is} ; COMMAND=/bin/sh")
    report = here.ends_day()
    assert (
        table(report, "became")
        == """\
# Acting as others
What | User | As | By | Command or reason | Times | Last
* denied | alice | root | sudo | /bin/sh | 1 | 12:00:00
became | bob | root | sudo | “/bin/apt full” (1), “/bin/apt update” (1), and 1 other | 3 | 12:00:00
"""
    )
    assert glances(report)["Denied"] == (1, None)


def test_only_what_was_denied(machine):
    here = machine(["sudo"], "[plugins.became_summary]\ndenied_only = true\n")
    sudo(here, "     bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/usr/bin/id")
    report = here.ends_day()
    assert report.summaries == []
    assert "Denied" not in glances(report)


def test_a_command_cannot_pass_for_several(machine):
    here = machine(["sudo"])
    for command in ("/bin/sh (9), /bin/true” (7), x", "/usr/bin/id"):
        sudo(here, f"     bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND={command}")
    (row,) = table(here.ends_day(), "became").splitlines()[2:]
    assert row.split(" | ")[4] == '“/bin/sh (9), /bin/true" (7), x” (1), /usr/bin/id (1)'
