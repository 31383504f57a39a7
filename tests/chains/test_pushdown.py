"""What libsystemd need not hand over: entries that no chain would do anything with."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyruse.chains.pushdown import Wanted
from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.engine.assembly import assemble
from pyruse.engine.faults import Faults
from pyruse.engine.modes import DRY
from pyruse.entry.decoding import Decoder
from pyruse.journal.selection import Selection
from pyruse.registry.registry import Registry
from pyruse.replay.replay import replay
from pyruse.state.database import State
from pyruse.testing.journal import make_journal

SSHD = '{ filter = "equals", field = "SYSLOG_IDENTIFIER", value = "sshd" }'
MAIL = '{ filter = "in", field = "SYSLOG_IDENTIFIER", values = ["dovecot", "postfix"] }'
UNIT = '{ filter = "equals", field = "_SYSTEMD_UNIT", value = "nginx.service" }'
WORDS = "{ filter = \"regex\", pattern = 'x' }"
LOG = '{ action = "log", message = "{MESSAGE}" }'
ALL = "every entry"


def wanted(*chains: str, journal: str = "", engine: str = "", registry: Registry) -> Wanted:
    steps = "\n".join(f'"{number}" = [ {chain} ]' for number, chain in enumerate(chains))
    toml = f"[journal]\n{journal}\n[engine]\n{engine}\n[chains]\n{steps}\n"
    with State() as state:
        faults = Faults(lambda *_: None)
        return assemble(configure(from_text(toml), registry), state, faults, DRY).wanted


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry()


def test_what_the_chains_begin_with_is_all_that_is_handed_over(registry: Registry) -> None:
    found = wanted(f"{SSHD}, {WORDS}, {LOG}", f"{MAIL}, {LOG}", f"{UNIT}, {LOG}", registry=registry)
    assert found.data() == {
        "SYSLOG_IDENTIFIER": ["dovecot", "postfix", "sshd"],
        "_SYSTEMD_UNIT": ["nginx.service"],
    }


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        (LOG, 'chains."1"[0] is asked about every entry'),
        (f"{WORDS}, {LOG}", 'chains."1"[0] is asked about every entry'),
        (
            '{ filter = "equals", field = "PRIORITY", value = 3 }',
            'chains."1"[0] tests no text of the journal\'s',
        ),
        (
            '{ filter = "equals", field = "ip", value = "192.0.2.1" }',
            'chains."1"[0] tests no text of the journal\'s',
        ),
        (
            '{ filter = "equals", field = "__CURSOR", value = "x" }',
            'chains."1"[0] tests no text of the journal\'s',
        ),
        (
            '{ filter = "equals", field = "CONTAINER_NAME", value = "é" }',
            'chains."1"[0] tests no text of the journal\'s',
        ),
        (  # it may be written in colours
            '{ filter = "equals", field = "MESSAGE", value = "Accepted" }',
            'chains."1"[0] tests no text of the journal\'s',
        ),
        (
            '{ filter = "equals", field = "_SOURCE_REALTIME_TIMESTAMP", value = "1" }',
            'chains."1"[0] tests no text of the journal\'s',
        ),
        (
            f'{{ filter = "in", field = "UNIT", values = {[f"u{n}" for n in range(10)]} }}, {LOG}',
            "the chains begin with tests for more than 10 values",
        ),
    ],
)
def test_one_chain_that_may_do_something_with_any_entry_has_all_of_them_read(
    registry: Registry, last: str, reason: str
) -> None:
    found = wanted(f"{SSHD}, {LOG}", last, registry=registry)
    assert (found.data(), found.reason) == ({}, reason)


@pytest.mark.parametrize("value", ["401", '"401"'])
def test_a_number_is_looked_for_as_the_text_that_the_journal_has(
    registry: Registry, value: str
) -> None:
    step = f'{{ filter = "equals", field = "HTTP_STATUS", value = {value} }}'
    assert wanted(f"{step}, {LOG}", registry=registry).data() == {"HTTP_STATUS": ["401"]}


def test_what_a_test_lets_out_of_the_chains_is_not_wanted(registry: Registry) -> None:
    """An entry of sshd that is no failure leaves; nothing would come of one of cron's."""
    cron = '{ filter = "equals", field = "SYSLOG_IDENTIFIER", value = "cron" }'
    assert wanted(f"{SSHD}, {WORDS}, {LOG}", cron, registry=registry).data() == {
        "SYSLOG_IDENTIFIER": ["sshd"]
    }


def test_a_test_that_is_turned_round_wants_the_others(registry: Registry) -> None:
    other = SSHD.replace("}", ", invert = true }")
    assert not wanted(f"{other}, {LOG}", registry=registry)


def test_counters_and_no_short_cuts_have_all_entries_read(registry: Registry) -> None:
    chain = f"{SSHD}, {LOG}"
    plain = wanted(chain, engine="optimize = false", registry=registry)
    assert (plain.data(), plain.reason) == ({}, "[engine] optimize = false")


@pytest.mark.parametrize(
    ("encoding", "kept"),
    [("iso-8859-1", True), ("cp1252", True), ("shift_jis", True), ("utf-16", False),
     ("cp037", False), ("utf-7", False)],
)  # fmt: skip
def test_an_encoding_that_makes_ascii_of_other_bytes(
    registry: Registry, encoding: str, kept: bool
) -> None:
    found = wanted(f"{SSHD}, {LOG}", journal=f'legacy_encoding = "{encoding}"', registry=registry)
    assert bool(found) is kept


# What libsystemd leaves out, on real files.

NAMES, KINDS = "abcdef", "xyz7"


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three files; many entries of one instant, some with a field twice, or without it."""
    folder = tmp_path_factory.mktemp("journal")
    chance = random.Random(1)
    time_us = 1_773_489_600_000_000
    for file in range(3):
        entries: list[dict[str, Any]] = []
        for number in range(100):
            time_us += chance.choice([0, 1, 1000])
            fields = {"MESSAGE": f"{file}-{number}", "__REALTIME_TIMESTAMP": time_us}
            names = chance.choices(NAMES, k=chance.choice([0, 1, 1, 2]))
            kinds = chance.choices(KINDS, k=chance.choice([0, 1]))
            entries.append({**fields, "SYSLOG_IDENTIFIER": names, "KIND": kinds})
        make_journal(folder / f"{file}.journal", entries)
    return folder


@pytest.fixture(scope="module")
def whole(journal: Path) -> list[dict[str, Any]]:
    """All the entries of the journal."""
    return [
        {name: entry.values_of(name) for name in ("MESSAGE", "SYSLOG_IDENTIFIER", "KIND")}
        for entry in Selection(journal).open(Decoder()).entries(1_000)
    ]


@pytest.mark.parametrize("begin", [0, 1, 99, 100, 101, 250, 299, 300])
def test_entries_are_left_out_from_the_position_on_and_back_again(
    journal: Path, whole: list[dict[str, Any]], begin: int
) -> None:
    def read(many: int) -> list[str]:
        return [entry["MESSAGE"] for entry in reader.entries(many)]

    rest = whole[begin:]
    chosen = [
        one["MESSAGE"][0]
        for one in rest
        if {"a", "b"} & set(one["SYSLOG_IDENTIFIER"]) or "x" in one["KIND"]
    ]
    reader = Selection(journal).open(Decoder(), follow=True)  # else, it keeps no position
    assert len(read(begin)) == begin
    reader.take_only({"SYSLOG_IDENTIFIER": ["a", "b"], "KIND": ["x"]})
    some = read(3)
    assert some == chosen[:3]
    reader.take_only({})
    messages = [one["MESSAGE"][0] for one in whole]
    following = messages.index(some[-1]) + 1 if some else begin
    assert read(3) == messages[following : following + 3]
    reader.close()


def test_within_a_boot_nothing_of_another_one_is_handed_over(tmp_path: Path) -> None:
    boots = ["1" * 32, "2" * 32]
    entries = [
        {"MESSAGE": f"{boot[0]}{name}", "SYSLOG_IDENTIFIER": name, "_BOOT_ID": boot}
        for boot in boots
        for name in "ab"
    ]
    make_journal(tmp_path / "boots.journal", entries)
    reader = Selection(tmp_path, boot=boots[1]).open(Decoder())
    reader.take_only({"SYSLOG_IDENTIFIER": ["a"], "MESSAGE": ["1b", "2b"]})
    assert [entry["MESSAGE"] for entry in reader.entries(9)] == ["2a", "2b"]
    reader.close()


TESTS = st.builds(
    '{{ filter = "in", field = "{}", values = {}, invert = {} }}'.format,
    st.sampled_from(["SYSLOG_IDENTIFIER", "KIND", "MISSING"]),
    st.lists(st.sampled_from([*NAMES, *KINDS, 7]), min_size=1, max_size=3),
    st.sampled_from(["false", "false", "false", "true"]),
)
OTHERS = st.sampled_from(
    [
        "{ filter = \"regex\", pattern = '^(?P<file>.)-\\d*3$' }",
        '{ action = "count", counter = "n", key = "MESSAGE", into = "n" }',
        '{ action = "report", section = "important", message = "{file} {KIND}" }',
        LOG,
    ]
)
CHAINS = st.builds(
    lambda tests, others: ", ".join([*tests, *others]),
    st.lists(TESTS, min_size=1, max_size=2),
    st.lists(OTHERS, min_size=1, max_size=3),
)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(CHAINS, min_size=1, max_size=4))
def test_nothing_is_missing_whatever_the_chains_are(
    registry: Registry, journal: Path, chains: list[str]
) -> None:
    def outcome(optimize: str) -> dict[str, Any]:
        steps = "\n".join(f'"{number}" = [ {chain} ]' for number, chain in enumerate(chains))
        toml = f"[engine]\noptimize = {optimize}\n[chains]\n{steps}\n"
        faults = Faults(lambda *_: None)
        data = replay(configure(from_text(toml), registry), Selection(journal), faults).data()
        del data["seconds"], data["entries"]
        return data

    assert outcome("true") == outcome("false")
