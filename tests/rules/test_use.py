"""``use``: whose chains an entry passes, with which options; and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyruse.config.files import from_text
from pyruse.config.load import Configuration, configure, load
from pyruse.errors import ConfigError
from pyruse.options.durations import Duration
from pyruse.registry.files import PluginFiles
from pyruse.registry.registry import Registry
from pyruse.testing.pipeline import Pipeline

DOOR = """
title = "Doors"
programs = ["doord"]
[options]
ports = [4711]
[chains]
"door" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "doord" },
  { filter = "regex", pattern = '^refused (?P<user>\\S+) from (?P<ip>\\S+)$', then = "door no" },
  { filter = "regex", pattern = '^let in (?P<user>\\S+)$' },
  { action = "event", name = "login", service = "$rules" },
]
"door no" = [ { action = "event", name = "login failed", service = "$rules", then = "watch" } ]
"""
GATE = DOOR.replace("Door", "Gate").replace("door", "gate")
WATCH = """
title = "Who knocks too often"
[options]
most = { default = 5, help = "So many knocks are too many." }
within = "10m"
[chains]
"watch" = [
  { action = "count", counter = "$rules", key = "ip", within = "$within", into = "knocks" },
  { filter = "at_least", field = "knocks", value = "$most", then = "watch hard" },
]
"watch hard" = [ { action = "ban", ip = "ip", duration = "1h", label = "$rules" } ]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"door": DOOR, "gate": GATE, "watch": WATCH}.items():
        (tmp_path / f"{name}.toml").write_text(text)
    return tmp_path


def pipeline_of(toml: str, folder: Path) -> Pipeline:
    return Pipeline(toml, plugins=folder)


def configured(toml: str, folder: Path) -> Configuration:
    return configure(from_text(toml), Registry(PluginFiles(folder, trusted=True)))


def faults_of(toml: str, folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        configured(toml, folder)
    return [line.replace(f"{folder}/", "") for line in raised.value.faults]


def knock(pipeline: Pipeline, times: int, ip: str = "203.0.113.9", program: str = "doord") -> None:
    for _ in range(times):
        pipeline.feed(SYSLOG_IDENTIFIER=program, MESSAGE=f"refused ann from {ip}")


def test_one_line_is_a_configuration(folder: Path) -> None:
    pipeline = pipeline_of('use = ["door"]', folder)
    knock(pipeline, 5)
    pipeline.feed(SYSLOG_IDENTIFIER="doord", MESSAGE="squeaks", PRIORITY=6)
    assert [(ban.ip, ban.label) for ban in pipeline.bans] == [("203.0.113.9", "door")]
    assert [line.message for line in pipeline.report.other] == ["[6/doord] squeaks"]
    (tally,) = pipeline.events
    assert (tally.event, tally.fields, tally.count) == (
        "login failed",
        {"service": "door", "user": "ann", "ip": "203.0.113.9"},
        5,
    )


def test_each_rules_have_a_policy_of_their_own(folder: Path) -> None:
    toml = 'use = ["door", "gate"]\n[rules.gate]\nmost = 2\n'
    pipeline = pipeline_of(toml, folder)
    knock(pipeline, 4)
    knock(pipeline, 1, program="gated")
    assert pipeline.bans == []
    knock(pipeline, 1, program="gated")
    assert [ban.label for ban in pipeline.bans] == ["gate"]


@pytest.mark.parametrize(
    ("options", "needed"),
    [
        ("", 5),
        ("[rules]\nmost = 4", 4),
        ("[rules]\nmost = 4\n[rules.watch]\nmost = 3", 3),
        ("[rules]\nmost = 4\n[rules.watch]\nmost = 3\n[rules.door]\nmost = 2", 2),
    ],
)
def test_the_nearest_option_counts(folder: Path, options: str, needed: int) -> None:
    pipeline = pipeline_of(f'use = ["door"]\n{options}', folder)
    knock(pipeline, needed - 1)
    assert pipeline.bans == []
    knock(pipeline, 1)
    assert len(pipeline.bans) == 1


def test_the_order_of_the_main_sequence(folder: Path) -> None:
    toml = """
    use = ["gate", "door"]
    [chains]
    "everything else" = [ { action = "report", section = "interesting", message = "{MESSAGE}" } ]
    "mine" = [ { filter = "exists", field = "NOTHING" } ]
    "door" = [ { filter = "contains", field = "MESSAGE", text = "door", then = "door watch" } ]
    """
    chains = configured(toml, folder).chains
    jumped_to = {jump for chain in chains.values() for step in chain.steps for jump in step.jumps}
    assert [name for name in chains if name not in jumped_to] == [
        "mine", "gate", "door", "everything else",
    ]  # fmt: skip
    # What only the replaced chain had led to is not there; what the own chain leads to is.
    assert "door no" not in chains
    assert chains["door watch"].source.endswith("watch.toml")


def test_an_own_policy_takes_the_place_of_all_its_copies(folder: Path) -> None:
    toml = """
    use = ["door", "gate"]
    [chains]
    "watch" = [ { action = "report", section = "important", message = "{service}: {user}" } ]
    """
    pipeline = pipeline_of(toml, folder)
    knock(pipeline, 1)
    knock(pipeline, 1, program="gated")
    assert [row.message for row in pipeline.report.important] == ["door: ann", "gate: ann"]


def test_an_own_chain_may_jump_to_a_policy(folder: Path) -> None:
    toml = """
    [chains]
    "mine" = [ { filter = "regex", pattern = '^no (?P<ip>\\S+)$', then = "watch" } ]
    """
    pipeline = pipeline_of(toml, folder)
    for _ in range(5):
        pipeline.feed(MESSAGE="no 203.0.113.7")
    assert [(ban.ip, ban.label) for ban in pipeline.bans] == [("203.0.113.7", "watch")]


def test_every_fault_at_once(folder: Path) -> None:
    (folder / "broken.toml").write_text('title = "x"\nprogram = ["x"]\n[chains]\n"other" = []\n')
    toml = """
    use = ["door", "dor", 3, "broken"]
    [rules]
    withn = "1h"
    [rules.door]
    most = "three"
    within = 0
    port = 3
    [rules.dooor]
    a = 1
    """
    assert faults_of(toml, folder) == [
        "pyruse.toml: use[2]: 3 is no name (expected one that `pyruse rules` lists)",
        'pyruse.toml: use[1]: there are no rules "dor" (expected rules that are installed: see '
        '`pyruse rules`; did you mean "door"?)',
        "broken.toml: program: unknown (expected one of: title, programs, lines, shared, options, "
        'chains, own, samples, summaries; did you mean "programs"?)',
        'broken.toml: chains: "other" cannot be the name of a chain of these rules (expected '
        '"broken", or a name that begins with "broken ")',
        "pyruse.toml: [rules].withn: unknown option (expected one of: grave, grave_shown, most, "
        'ports, section, within; did you mean "within"?)',
        'pyruse.toml: [rules.door].most: "three" is of the wrong type (expected a whole number, '
        "such as 5)",
        "pyruse.toml: [rules.door].port: unknown option (expected one of: most, ports, within; did "
        'you mean "ports"?)',
        "pyruse.toml: [rules.dooor]: there are no such rules (expected rules that `pyruse rules` "
        'lists; did you mean "door"?)',
        'pyruse.toml: [rules.door].within: 0 is no duration (expected seconds, or "90s", "15m", '
        '"2h", "5d", "1w", "1h30m")',
    ]


def test_rules_that_nobody_uses_may_be_broken(folder: Path) -> None:
    (folder / "broken.toml").write_text("title = [")
    assert configured('use = ["door"]', folder).notices == []


def test_chains_that_all_go_round_are_a_fault(folder: Path) -> None:
    text = DOOR.replace('service = "$rules" },\n]', 'service = "$rules", then = "door" },\n]')
    (folder / "door.toml").write_text(text)
    assert faults_of('use = ["door"]', folder) == [
        "door.toml: chains: each is jumped to by another one, so entries get to none (expected one "
        "that no other chain of the file jumps to)"
    ]


def test_a_policy_alone_does_nothing(folder: Path) -> None:
    assert configured('use = ["door", "watch"]', folder).notices == [
        'pyruse.toml: use[1]: "watch" does nothing by itself (expected the rules of a program: '
        "they bring it along)"
    ]


def test_options_of_rules_that_are_not_used_are_told(folder: Path) -> None:
    notices = configured('use = ["door"]\n[rules.gate]\nmost = 3\n', folder).notices
    assert notices == [
        'pyruse.toml: [rules.gate]: these rules are not used (expected "gate" in use)'
    ]


def test_files_of_a_configuration_add_up(folder: Path) -> None:
    place = folder / "etc"
    (place / "conf.d").mkdir(parents=True)
    (place / "pyruse.toml").write_text('use = ["door"]\n[rules.door]\nmost = 3\n')
    (place / "conf.d" / "gate.toml").write_text('use = ["gate"]\n[rules.door]\nwithin = "1h"\n')
    configuration = load(place, Registry(PluginFiles(folder, trusted=True)))
    assert [rules.name for rules in configuration.used] == ["door", "gate"]
    count, least = configuration.chains["door watch"].steps
    assert (count.instance.within, least.instance.value) == (Duration.parse("1h"), 3)


@pytest.mark.parametrize(
    ("given", "ports"), [("", ()), ("ports = []", ()), ("ports = [22]", (22,))]
)
def test_an_option_that_is_empty_leaves_that_of_the_step_out(
    folder: Path, given: str, ports: tuple[int, ...]
) -> None:
    watch = WATCH.replace('within = "10m"', 'within = "10m"\nports = []')
    watch = watch.replace('duration = "1h"', 'duration = "1h", ports = "$ports"')
    (folder / "watch.toml").write_text(watch)
    (folder / "door.toml").write_text(DOOR.replace("ports = [4711]", ""))
    pipeline = pipeline_of(f'use = ["door"]\n[rules.door]\n{given}', folder)
    knock(pipeline, 5)
    assert [key.target.ports for key, _ in pipeline.state.bans.all()] == [ports]


@pytest.mark.parametrize("number", ["0", "-1"])
def test_a_number_that_would_mean_at_once(folder: Path, number: str) -> None:
    assert faults_of(f'use = ["door"]\n[rules.door]\nmost = {number}\n', folder) == [
        f"pyruse.toml: [rules.door].most: {number} is too small (expected more than 0)"
    ]


SHARED = WATCH.replace('title = "Who', 'shared = true\ntitle = "Who').replace('"$rules"', '"all"')


def test_a_shared_policy_is_there_once_but_for_rules_with_options_of_their_own(
    folder: Path,
) -> None:
    (folder / "watch.toml").write_text(SHARED)
    use = 'use = ["door", "gate"]'
    assert list(configured(use, folder).chains)[2:6] == [
        "door no",
        "watch",
        "watch hard",
        "gate no",
    ]
    chains = configured(f"{use}\n[rules.gate]\nmost = 2", folder).chains
    assert {"watch", "watch hard", "gate watch", "gate watch hard"} <= set(chains)
    own = f'{use}\n[chains]\n"gate watch" = [ {{ action = "discard" }} ]'
    assert len(configured(own, folder).chains["gate watch"].steps) == 1
    assert faults_of(f"{use}\n[rules.gate]\nmost = 0", folder) == [
        "pyruse.toml: [rules.gate].most: 0 is too small (expected more than 0)"
    ]
