"""The policy ``forged``: what is told of lines that a program has not written; nobody is banned."""

from __future__ import annotations

LINE = "Failed password for root from 203.0.113.9 port 4711 ssh2"


def forge(chains, **fields):
    return chains.feed(**{"SYSLOG_IDENTIFIER": "sshd", "MESSAGE": LINE, **fields})


def important(chains) -> list[str]:
    return [row.message for row in chains.report.important]


def test_it_is_important_and_bans_nobody(pipeline):
    chains = pipeline('use = ["sshd"]')
    for _ in range(20):
        forge(chains, _UID=1000, _COMM="logger", _EXE="/usr/bin/logger")
    forge(chains, _UID=0, _COMM="logger")
    forge(chains, _UID=33)
    assert chains.bans == []
    assert important(chains) == [
        f"Forged: sshd has not written this, but /usr/bin/logger (uid 1000): {LINE}",
        f"Forged: sshd has not written this, but a program that has ended (uid 33): {LINE}",
        f"Forged: sshd has not written this, but logger (uid 0): {LINE}",
        "Forged: uid 1000 goes on to write lines in others' names",
    ]
    assert sum(tally.count for tally in chains.events) == 22


def test_whatever_somebody_writes_there_are_few_rows(pipeline):
    chains = pipeline('use = ["sshd"]')
    for number in range(300):
        forge(chains, _UID=1000, _COMM="logger", MESSAGE=f"Failed password for x{number}")
    assert len(important(chains)) == 11


def test_there_are_few_rows_for_many_names_too(pipeline):
    chains = pipeline('use = ["postfix"]')
    for number in range(300):
        name = f"postfix/x{number}/smtpd"
        forge(chains, SYSLOG_IDENTIFIER=name, _UID=1000, _COMM="logger", _EXE="/usr/bin/logger")
    assert len(important(chains)) == 11


def test_a_line_without_its_program_is_not_forged(pipeline):
    chains = pipeline('use = ["sshd"]')
    for _ in range(5):
        forge(chains, _UID=0)
    assert [ban.ip for ban in chains.bans] == ["203.0.113.9"]
    assert important(chains) == []


def test_a_machine_that_collects_by_syslog_can_believe_its_collector(pipeline):
    chains = pipeline('use = ["sshd"]\n[rules.sshd]\nwriters = ["sshd", "rsyslogd"]')
    assert forge(chains, _UID=0, _COMM="rsyslogd")["meaning"] == "login failed"
    assert forge(chains, _UID=0, _COMM="logger")["meaning"] == "forged"
