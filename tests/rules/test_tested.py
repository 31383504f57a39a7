"""The patterns of our own rules are compiled when an entry needs them: they are valid, see here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pyruse.config.files import from_text
from pyruse.config.load import Configuration, configure
from pyruse.errors import ConfigError
from pyruse.options.patterns import Pattern, taken_as_valid
from pyruse.registry.files import PluginFiles
from pyruse.registry.kinds import RULES
from pyruse.registry.registry import Registry
from pyruse.replay.injections import looked_for
from pyruse.rules.library import Library
from pyruse.testing.pipeline import Pipeline

LINE = '{ filter = "regex", pattern = "^a (?P<b>b" }'
BROKEN = f"""
title = "Broken"
programs = ["brokend"]
[chains]
"broken" = [ {LINE} ]
"""


def all_rules() -> Configuration:
    library = Library(Registry())
    use = [name for name in library.names if not library.rules(name).is_policy]
    return configure(from_text(f"use = {use}"), Registry())


def test_each_pattern_is_valid_and_has_the_groups_that_were_seen_in_it() -> None:
    patterns = [pattern for _, _, pattern in looked_for(all_rules().steps)]
    assert not any(pattern.is_compiled for pattern in patterns)
    for pattern in patterns:
        assert pattern.groups == Pattern(pattern.text).groups
        pattern.search("")
    assert len(patterns) > 500


@pytest.mark.parametrize(
    "text",
    [
        r"^(?P<a>x)\(?P<b>",
        r"[(?P<a>](?P<b>x)",
        r"[]](?P<a>[^]\](?P<c>]x)",
        r"\\(?P<a>x)",
        "(?P<a>{address})",
    ],
)
def test_groups_are_seen_as_re_sees_them(text: str) -> None:
    try:
        names = list(re.compile(text.replace("{address}", "x")).groupindex)
    except re.error:
        pytest.skip("no valid pattern")
    with taken_as_valid(True):
        seen = [str(name) for name in Pattern(text).groups]
    assert [name for name in seen if not name.startswith("ip")] == names


def test_faults_of_others_are_found_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text(BROKEN)
    with pytest.raises(ConfigError, match="is no regular expression"):
        configure(from_text('use = ["broken"]'), Registry(PluginFiles(tmp_path, trusted=True)))
    with pytest.raises(ConfigError, match=r"rules\.wordpress\]\.units"):
        configure(from_text('use = ["wordpress"]\n[rules.wordpress]\nunits = "("'), Registry())
    with pytest.raises(ConfigError, match="is no regular expression"):
        configure(from_text(f'use = ["sshd"]\n[chains]\n"sshd failed" = [ {LINE} ]'), Registry())


def test_what_no_entry_needs_is_not_compiled() -> None:
    pipeline = Pipeline('use = ["sshd", "nginx"]')
    found = {
        chain.name: [pattern for _, _, pattern in looked_for(chain.steps)]
        for chain in pipeline.engine.configuration.chains.values()
    }
    entry: dict[str, Any] = {"SYSLOG_IDENTIFIER": "sshd", "_UID": 0, "_COMM": "sshd"}
    pipeline.feed(**entry, MESSAGE="Failed password for bob from 203.0.113.9 port 4711 ssh2")
    assert any(one.is_compiled for name, some in found.items() if "sshd" in name for one in some)
    assert not any(
        one.is_compiled for name, some in found.items() if "nginx" in name for one in some
    )


def test_samples_are_read_when_they_are_asked_for() -> None:
    for name in Registry().names(RULES):
        rules = Library(Registry()).rules(name)
        text = Path(rules.file).read_text()
        assert len(rules.samples) == text.count("\n[[samples]]\n")
