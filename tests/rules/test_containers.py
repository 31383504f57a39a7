"""What programs write inside of containers is understood by the rules of these programs."""

from __future__ import annotations

from typing import Any

import pytest

from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.errors import ConfigError
from pyruse.registry.kinds import RULES
from pyruse.registry.registry import Registry
from pyruse.rules.library import Library
from pyruse.rules.rules_file import RulesFile, Sample
from pyruse.testing.pipeline import Pipeline

LIBRARY = Library(Registry())
RULES_WITH_LINES = [
    rules for rules in map(LIBRARY.rules, Registry().names(RULES)) if rules.lines is not None
]
DOCKER: dict[str, Any] = {
    "_COMM": "dockerd",
    "_EXE": "/usr/bin/dockerd",
    "_UID": 0,
    "_SYSTEMD_UNIT": "docker.service",
    "_PID": 815,
    "_MACHINE_ID": "0123456789abcdef0123456789abcdef",
}
WRONG_PASSWORD = '203.0.113.9 - bob [29/Nov/2026:06:25:01 +0000] "GET / HTTP/1.1" 401 1 "-" "x"'


def in_container(sample: Sample, **fields: Any) -> dict[str, Any]:
    """An entry as Docker writes it, with the message of a sample."""
    entry = {name: value for name, value in sample.entry.items() if not name.startswith("_")}
    return {**entry, "SYSLOG_IDENTIFIER": "3f2a1b", "CONTAINER_NAME": "web-1", **DOCKER, **fields}


def telling(rules: RulesFile) -> list[Sample]:
    """Samples that somebody wants to know of."""
    events = ("login failed", "scan", "request failed", "trouble", "crashed")
    return [one for one in rules.samples if one.event in events and not one.before]


@pytest.mark.parametrize("rules", RULES_WITH_LINES, ids=lambda rules: rules.name)
def test_lines_of_containers_mean_the_same(rules: RulesFile) -> None:
    samples = telling(rules)
    given = f'use = ["{rules.name}"]\n[rules.{rules.name}]\ncontainers = ["web-*"]'
    for sample in samples:  # an entry is not to change what a later one means
        found = Pipeline(given).feed(**in_container(sample))
        assert found.get("meaning") == sample.event, sample.address
        assert found.get("ip") == sample.fields.get("ip", found.get("ip")), sample.address
    assert samples


@pytest.mark.parametrize(
    ("fields", "event"),
    [
        ({}, "login failed"),
        ({"CONTAINER_NAME": "db-1"}, None),
        ({"CONTAINER_NAME": "web-1\nx"}, None),
        ({"_COMM": "logger"}, "forged"),
        ({"_COMM": "conmon"}, "login failed"),
        ({"_COMM": "conmon", "_UID": 1000}, None),
        ({"SYSLOG_IDENTIFIER": "nginx"}, "login failed"),
        # Not named; root hands on what it says.
        ({"SYSLOG_IDENTIFIER": "nginx", "CONTAINER_NAME": "db-1"}, None),
        ({"SYSLOG_IDENTIFIER": "nginx", "CONTAINER_NAME": "db-1", "_UID": 1000}, None),
        (
            {
                "SYSLOG_IDENTIFIER": "nginx",
                "CONTAINER_NAME": "db-1",
                "_UID": 1000,
                "_EXE": "/tmp/dockerd",
            },
            "forged",
        ),
    ],
)
def test_who_has_handed_on_a_line(fields: dict[str, Any], event: str | None) -> None:
    pipeline = Pipeline('use = ["nginx"]\n[rules.nginx]\ncontainers = ["web-*"]')
    entry = {
        "SYSLOG_IDENTIFIER": "3f2a1b",
        "CONTAINER_NAME": "web-1",
        **DOCKER,
        "MESSAGE": WRONG_PASSWORD,
    }
    assert pipeline.feed(**{**entry, **fields}).get("meaning") == event


def test_users_who_run_containers() -> None:
    pipeline = Pipeline(
        'use = ["nginx"]\n[rules.nginx]\ncontainers = ["web"]\ncontainer_users = [0, 1001]'
    )
    entry: dict[str, Any] = {
        "CONTAINER_NAME": "web", "_COMM": "conmon", "MESSAGE": WRONG_PASSWORD
    }  # fmt: skip
    for user, event in ((1001, "login failed"), (1002, None)):
        assert pipeline.feed(**{**entry, "_UID": user}).get("meaning") == event


def test_guessers_are_banned_by_what_a_container_says() -> None:
    pipeline = Pipeline('use = ["nginx"]\n[rules.nginx]\ncontainers = ["web-?"]')
    for _ in range(5):
        pipeline.feed(**{"CONTAINER_NAME": "web-1", **DOCKER, "MESSAGE": WRONG_PASSWORD})
    assert [ban.ip for ban in pipeline.bans] == ["203.0.113.9"]


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("containers = [1]", "[0]: 1 is no name of a container (expected text, such as web-*)"),
        ('containers = "web"', ': "web" is of the wrong type (expected a list, such as [])'),
    ],
)
def test_names_that_are_none(given: str, fault: str) -> None:
    with pytest.raises(ConfigError) as raised:
        configure(from_text(f'use = ["nginx"]\n[rules.nginx]\n{given}', "a.toml"), Registry())
    assert raised.value.faults == [f"a.toml: [rules.nginx].containers{fault}"]


def test_containers_are_named_for_one_program_alone() -> None:
    with pytest.raises(ConfigError) as raised:
        configure(from_text('use = ["nginx"]\n[rules]\ncontainers = ["web"]', "a.toml"), Registry())
    (fault,) = raised.value.faults
    assert fault.startswith("a.toml: [rules].containers: unknown option")
