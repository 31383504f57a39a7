"""The tables of logins."""

from __future__ import annotations

import pytest

from pyruse.errors import ConfigError
from tests.plugins.summaries.conftest import glances, table


def test_a_day_of_logins(machine, clock):
    here = machine(["sshd"])
    here.fails("root", "203.0.113.66", 3)
    here.fails("admin", "203.0.113.9", 2)
    here.fails("admin", "203.0.113.10")
    here.fails("bob", "192.0.2.7")
    clock.advance("1h")
    here.enters("bob")
    here.enters("root", "203.0.113.66")
    assert (
        here.day()
        == """\
# Failed logins: root
3 failed logins: 1 name, 1 address.
User | Service | Tries | From | Last
root | ssh | 3 | 203.0.113.66 | 12:00:00
# Failed logins: users
4 failed logins: 2 names, 3 addresses.
User | Service | Tries | From | Last
admin | ssh | 3 | 203.0.113.9 (2), 203.0.113.10 (1) | 12:00:00
bob | ssh | 1 | 192.0.2.7 | 12:00:00
# Logins: root
User | Service | By | Times | From | First | Last | Address
root | ssh | publickey | 1 | 203.0.113.66 | 13:00:00 | 13:00:00 |
# Logins: users
User | Service | By | Times | From | First | Last | Address
bob | ssh | publickey | 1 | 192.0.2.7 | 13:00:00 | 13:00:00 |
"""
    )


def test_a_day_without_logins_has_no_tables(machine):
    here = machine(["sshd"])
    report = here.ends_day()
    assert report.summaries == []
    assert report.glance == []


def test_addresses_and_rows_collapse(machine):
    here = machine(["sshd"], "[plugins.login_summary]\ncollapse = 1\ntop = 2\n")
    for number in range(4):
        here.fails("anna", f"203.0.113.{number}")
    for number in range(3):
        here.fails(f"user{number}")
    assert (
        table(here.ends_day(), "login-failures")
        == """\
# Failed logins: users
7 failed logins: 4 names, 5 addresses.
User | Service | Tries | From | Last
anna | ssh | 4 | 203.0.113.0 (1), and 3 others | 12:00:00
user0 | ssh | 1 | 203.0.113.9 | 12:00:00
+ 2
"""
    )


def test_a_new_address_is_marked_from_the_second_day_on(machine):
    here = machine(["sshd"], "[plugins.login_summary]\ntop = 1\n")
    here.enters("anna", "192.0.2.1")
    assert "new" not in table(here.ends_day(), "logins")
    for _ in range(3):
        here.enters("anna", "192.0.2.1")
    here.enters("bob", "2001:db8::1:1")
    assert table(here.ends_day(), "logins").splitlines()[2:] == [
        "* bob | ssh | publickey | 1 | 2001:db8::1:1 | 00:00:00 | 00:00:00 | new",
        "+ 1",
    ]
    here.enters("bob", "2001:db8::2:2")  # of the same network
    assert "new" not in table(here.ends_day(), "logins")


def test_logins_from_outside_of_safe_networks_stand_out(machine):
    here = machine(["sshd"], '[plugins.login_summary]\nsafe = ["192.0.2.0/24"]\n')
    here.enters("anna", "192.0.2.1")
    here.enters("bob", "198.51.100.1")
    lines = table(here.ends_day(), "logins").splitlines()
    assert [line[:5] for line in lines[2:]] == ["* bob", "anna "]


def test_totals_alone_of_what_failed(machine):
    here = machine(["sshd", "dovecot"], "[plugins.login_summary]\nfailed_totals = true\n")
    here.fails("anna")
    here.fails("bob", "203.0.113.10")
    assert (
        table(here.ends_day(), "login-failures")
        == """\
# Failed logins: users
2 failed logins: 2 names, 2 addresses.
Service | Tries | From | Last
ssh | 2 | 203.0.113.10 (1), 203.0.113.9 (1) | 12:00:00
"""
    )


def test_several_machines_have_a_column(machine):
    here = machine(["sshd"])
    here.fails("anna")
    here.host = "venus"
    here.fails("anna", times=2)
    assert table(here.ends_day(), "login-failures").splitlines()[2:] == [
        "Machine | User | Service | Tries | From | Last",
        "venus | anna | ssh | 2 | 203.0.113.9 | 12:00:00",
        "mercury | anna | ssh | 1 | 203.0.113.9 | 12:00:00",
    ]


def test_names_that_strangers_make_up_stay_in_their_cells(machine):
    here = machine(["sshd"])
    here.fails("x (9)\x02 | root\u202e" + "y" * 300)
    (line,) = table(here.ends_day(), "login-failures").splitlines()[3:]
    assert line.startswith("x (9)\\x02 | root\\u202eyyy")
    assert len(line) < 200


def test_a_flood_of_names_is_said_and_root_is_still_there(machine):
    here = machine(["sshd"])
    here.fails("root", "203.0.113.66")
    for number in range(3_100):
        here.fails(f"user{number}")
    report = here.ends_day()
    assert "root | ssh | 1 | 203.0.113.66" in table(report, "root-failures")
    facts = table(report, "login-failures").splitlines()[1:3]
    assert facts[0].startswith("3,100 failed logins: ")
    assert facts[1].startswith("Of 1,")
    assert facts[1].endswith(" of them, neither names nor addresses are kept.")


def test_failed_logins_beside_those_of_other_days(machine):
    here = machine(["sshd"])
    for times in (2, 9, 4):
        here.fails("anna", times=times)
        here.ends_day()
    here.fails("anna", times=7)
    assert glances(here.ends_day())["Failed logins"] == (7, 4)
    assert glances(here.ends_day())["Failed logins"] == (0, 5.5)


@pytest.mark.parametrize("option", ["top", "collapse"])
def test_limits_that_would_show_nothing_are_refused(machine, option):
    with pytest.raises(ConfigError, match=rf"{option} = 0 would show nothing \(expected 1 or"):
        machine(["sshd"], f"[plugins.login_summary]\n{option} = 0\n")
