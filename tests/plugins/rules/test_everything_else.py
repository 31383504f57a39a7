"""The policy ``everything_else``: what nobody has recognised, and what is grave of that."""

from __future__ import annotations

import pytest

EMERGENCY, CRITICAL, ERROR = 0, 2, 3


def log(chains, message="on fire", **fields):
    chains.feed(**{"SYSLOG_IDENTIFIER": "frobd", "MESSAGE": message, **fields})


def important(chains) -> list[str]:
    return [row.message for row in chains.report.important]


def other(chains) -> list[str]:
    return [line.message for line in chains.report.other]


@pytest.mark.parametrize("priority", [EMERGENCY, CRITICAL])
def test_what_its_writer_calls_critical_is_important(pipeline, priority):
    chains = pipeline('use = ["sshd"]')
    log(chains, PRIORITY=priority, _UID=0, _SYSTEMD_UNIT="frobd.service")
    log(chains, "slow", PRIORITY=ERROR, _UID=0)
    log(chains, "says nothing")
    assert important(chains) == [f"[{priority}/frobd] on fire"]
    assert other(chains) == ["[3/frobd] slow", "[/frobd] says nothing"]


def test_what_rules_have_recognised_is_theirs(pipeline):
    chains = pipeline('use = ["sshd"]')
    line = "Failed password for root from 203.0.113.9 port 4711 ssh2"
    log(chains, line, SYSLOG_IDENTIFIER="sshd", PRIORITY=CRITICAL, _UID=0, _COMM="sshd")
    assert (important(chains), other(chains)) == ([], [])


def test_no_user_floods_the_important_part_nor_hides_what_others_say(pipeline):
    """Whatever names and units he makes up."""
    chains = pipeline('use = ["sshd"]')
    for number in range(300):
        log(
            chains, f"a lie {number}", SYSLOG_IDENTIFIER=f"x{number}", PRIORITY=EMERGENCY,
            _UID=1000, _SYSTEMD_UNIT=f"session-{number}.scope",
        )  # fmt: skip
    log(chains, PRIORITY=CRITICAL, _UID=33)
    for number in range(15):
        log(chains, f"{number}", PRIORITY=CRITICAL, _UID=0, _SYSTEMD_UNIT="loud.service")
    log(chains, "quiet", PRIORITY=CRITICAL, _UID=0, _SYSTEMD_UNIT="quiet.service")
    log(chains, "of the kernel", PRIORITY=CRITICAL, _TRANSPORT="kernel")
    texts = important(chains)
    assert sum("a lie" in text for text in texts) == 10
    assert len(texts) == 10 + 1 + 10 + 1 + 1
    assert len(chains.report.attention) == 5, "one of each writer"
    assert len(other(chains)) == 290 + 5


def test_where_and_how_many_can_be_chosen(pipeline):
    options = '[rules.everything_else]\ngrave = "interesting"\ngrave_shown = 1'
    chains = pipeline(f'use = ["sshd"]\n{options}')
    for number in range(3):
        log(chains, f"{number}", PRIORITY=CRITICAL, _UID=0)
    assert important(chains) == []
    assert [row.message for row in chains.report.interesting] == ["[2/frobd] 0"]
    assert len(other(chains)) == 2
