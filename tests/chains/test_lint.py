"""What `pyruse check` warns of: allowed, but most likely not meant."""

from __future__ import annotations

from pathlib import Path

import pytest

import pyruse
from pyruse.chains.lint import warnings
from pyruse.chains.values import fields_of
from pyruse.config.files import from_text
from pyruse.config.load import configure, load
from pyruse.options.fields import Field, NewField
from pyruse.registry.registry import Registry


def warned(text: str, registry: Registry) -> list[str]:
    lines = warnings(configure(from_text(f"[chains]\n{text}\n"), registry).chains)
    return [line.removeprefix("pyruse.toml: ") for line in lines]


def test_the_demonstration_is_without_doubt(registry: Registry) -> None:
    demo = Path(pyruse.__file__).parent / "demo" / "demo.toml"
    assert warnings(load(demo, registry).chains) == []


def test_an_empty_chain(registry: Registry) -> None:
    assert warned('"a" = []\n"b" = [ { action = "discard" } ]', registry) == [
        'chains."a": the chain is empty (expected steps: entries pass it by)'
    ]


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ('{ action = "set", field = "x", value = "", then = "b" }', "always goes to another chain"),
        ('{ filter = "exists", field = "A", then = "b", else = "b" }',
         "always goes to another chain"),
        ('{ action = "discard" }', "ends the journey"),
    ],
)  # fmt: skip
def test_a_step_that_can_never_run(step: str, why: str, registry: Registry) -> None:
    end = '{ action = "discard" }'
    text = f'"b" = [ {{ filter = "exists", field = "B" }} ]\n"a" = [ {step}, {end}, {end} ]'
    assert warned(text, registry) == [
        f'chains."a"[1]: can never run, as the step before it {why} (expected it before that one, '
        "or in another chain)"
    ]


@pytest.mark.parametrize("links", ['then = "b"', 'else = "b"', "invert = true"])
def test_a_step_that_can_run(links: str, registry: Registry) -> None:
    step = f'{{ filter = "exists", field = "A", {links} }}'
    text = f'"a" = [ {step}, {{ action = "discard" }} ]\n'
    assert warned(text + '"b" = [ { filter = "exists", field = "B" } ]', registry) == []


def test_a_jump_of_an_action_that_ends_the_journey(registry: Registry) -> None:
    text = '"a" = [ { action = "discard", then = "b" } ]\n"b" = [ { action = "discard" } ]'
    assert warned(text, registry) == [
        'chains."a"[0].then: entries never go there, as discard ends their journey (expected no '
        "then)"
    ]


def test_what_stands_behind_continue(registry: Registry) -> None:
    text = """
    "a" = [ { action = "continue", then = "b" }, { action = "discard" } ]
    "b" = [ { action = "discard" } ]"""
    assert warned(text, registry) == [
        'chains."a"[0].then: entries never go there, as continue leaves the chain (expected no '
        "then)",
        'chains."a"[1]: can never run, as the step before it leaves the chain (expected it before '
        "that one, or in another chain)",
    ]


def test_a_chain_behind_one_that_takes_everything(registry: Registry) -> None:
    text = (
        '"ssh" = [ { filter = "exists", field = "A" }, { action = "discard" } ]\n'
        '"everything else" = [ { action = "report", section = "other", message = "" } ]\n'
        '"web" = [ { filter = "exists", field = "B", then = "jump" } ]\n'
        '"jump" = [ { action = "discard" } ]\n'
        '"mail" = [ { filter = "exists", field = "C" } ]\n'
    )
    why = 'as none leaves the chain "everything else" (expected this one before that one)'
    assert warned(text, registry) == [
        f'chains."web": no entry ever comes here, {why}',
        f'chains."mail": no entry ever comes here, {why}',
    ]


def test_a_field_that_nothing_sets(registry: Registry) -> None:
    text = r"""
    "a" = [
      { filter = "regex", pattern = '(?P<user>\w+) (\d+)', save = ["port"] },
      { filter = "exists", field = "usr" },
      { action = "count", counter = "c", key = "ip", distinct = "user", into = "users" },
      { action = "report", section = "other", message = "{user} {users} {port} {MESSAGE} {prot}" },
      { action = "email", message = "{_HOSTNAME}", subject = "{who} {who}" },
    ]"""
    assert warned(text, registry) == [
        'chains."a"[1]: no step sets the field usr (expected a field of the journal, in capitals, '
        'or one that a step sets; did you mean "user"?)',
        'chains."a"[2]: no step sets the field ip (expected a field of the journal, in capitals, '
        "or one that a step sets)",
        'chains."a"[3]: no step sets the field prot (expected a field of the journal, in capitals, '
        'or one that a step sets; did you mean "port"?)',
        'chains."a"[4]: no step sets the field who (expected a field of the journal, in capitals, '
        "or one that a step sets)",
    ]


def test_a_field_that_another_chain_sets(registry: Registry) -> None:
    text = (
        '"b" = [ { filter = "in_networks", field = "ip", nets = ["::/0"] } ]\n'
        '"a" = [ { action = "set", field = "ip", value = "" } ]'
    )
    assert warned(text, registry) == []


def test_a_pattern_that_python_doubts(registry: Registry) -> None:
    text = '"a" = [ { filter = "regex", pattern = ["b", "^[[:alpha:]]+ lint"] } ]'
    assert warned(text, registry) == [
        'chains."a"[0]: "^[[:alpha:]]+ lint": possible nested set at position 2 (expected \\ '
        "before a bracket that is meant; \\d, \\w and the like, not [:digit:])"
    ]


@pytest.mark.parametrize("reader", ['action = "ban"', 'action = "unban"'])
def test_a_group_for_an_address_that_takes_other_text_too(registry: Registry, reader: str) -> None:
    text = rf"""
    "u" = [ {{ filter = "equals", field = "_UID", value = 0, then = "a" }} ]
    "a" = [ {{ filter = "regex", pattern = ['^x (?P<ip>\S+)', '^{{address}}$', '(?P<ip>.)'] }},
            {{ action = "count", counter = "a", key = "ip", then = "b" }} ]
    "b" = [ {{ {reader}, ip = "ip" }} ]"""
    assert warned(text, registry) == [
        "chains.\"a\"[0]: '^x (?P<ip>\\S+)': the group ip takes what is no address, too, and "
        'chains."b"[0] needs one (expected {address})'
    ]
    text = """
    "a" = [ { filter = "regex", pattern = '^(?P<client>.*) (?P<user>.*)$' },
            { filter = "in_networks", field = "client", nets = ["192.0.2.0/24"] },
            { action = "report", section = "important", message = "{user}" } ]"""
    assert warned(text, registry) == [
        'chains."a"[0]: "^(?P<client>.*) (?P<user>.*)$": the group client takes what is no '
        'address, too, and chains."a"[1] needs one (expected {address:client})'
    ]
    assert warned(text.replace("(?P<client>.*)", "{address:client}"), registry) == []


def test_an_address_that_is_misspelt(registry: Registry) -> None:
    text = """
    "a" = [ { filter = "regex", pattern = ['^{adress} x', '{Address:ip}', '{user} a{1,3}'] },
            { action = "discard" } ]"""
    end = 'is looked for as it is written (expected "{address}" for an address)'
    assert warned(text, registry) == [
        f'chains."a"[0]: "^{{adress}} x": {{adress}} {end}',
        f'chains."a"[0]: "{{Address:ip}}": {{Address}} {end}',
    ]


def test_fields_inside_of_a_text_are_known_by_their_prefix(registry: Registry) -> None:
    text = """
    "a" = [ { filter = "json", prefix = "nc" }, { filter = "exists", field = "nc.user" },
            { filter = "logfmt", fields = { who = "user" } }, { filter = "exists", field = "who" },
            { filter = "exists", field = "logfmt.user" }, { filter = "exists", field = "nc" } ]"""
    assert [line.partition(" (")[0] for line in warned(text, registry)] == [
        'chains."a"[4]: no step sets the field logfmt.user',
        'chains."a"[5]: no step sets the field nc',
    ]


def test_the_fields_that_a_step_reads_and_sets(registry: Registry) -> None:
    text = """
    "a" = [ { action = "dnat_replace", addr = "ip", port = "port", saddr_into = "client" },
            { action = "run", command = ["x", "{a}", "{b} {a}"] },
            { filter = "regex", pattern = ['(?P<c>.)', '(?P<d>.)'], field = "text" } ]"""
    steps = configure(from_text(f"[chains]{text}"), registry).chains["a"].steps
    assert [list(fields_of(step, Field)) for step in steps] == [
        ["ip", "port"], ["a", "b", "a"], ["text"],
    ]  # fmt: skip
    assert [list(fields_of(step, NewField)) for step in steps] == [["client"], [], ["c", "d"]]


GUARDED = """"i" = [ { filter = "regex", pattern = "^{address}" } ]
"a" = [ { %s }, { action = "count", counter = "a", key = "ip", then = "b" } ]
"""
BAN = '"b" = [ { action = "ban", ip = "ip" } ]'
DOUBT = (
    'chains."b"[0]: anybody who may log can have anybody banned (expected a filter of a field that '
    "begins with _, such as _UID or _SYSTEMD_UNIT"
)


@pytest.mark.parametrize(
    "guard",
    [
        'filter = "equals", field = "_UID", value = 0',
        'filter = "at_most", field = "_UID", value = 999',
        'filter = "in", field = "_SYSTEMD_UNIT", values = ["ssh.service", "sshd.service"]',
        """filter = "regex", field = "_EXE", pattern = '^/usr/sbin/' """,
        'filter = "equals", field = "_TRANSPORT", value = "kernel"',
        'filter = "in", field = "_TRANSPORT", values = ["kernel", "audit"]',
        'filter = "equals", field = "_UID", value = 0, invert = true, else = "b"',
    ],
)
def test_a_ban_of_a_known_writers_entry(registry: Registry, guard: str) -> None:
    text = GUARDED % guard
    if "else" in guard:
        text = text.replace(', then = "b"', "")
    assert warned(text + BAN, registry) == []


@pytest.mark.parametrize(
    ("filter_", "more"),
    [
        ('filter = "equals", field = "SYSLOG_IDENTIFIER", value = "sshd"', ""),
        ('filter = "exists", field = "_UID"', ""),
        ('filter = "equals", field = "_HOSTNAME", value = "www"', ""),
        ('filter = "equals", field = "_TRANSPORT", value = "syslog"', ""),
        ('filter = "equals", field = "_UID", value = 0, invert = true', ""),
        ('filter = "equals", field = "_UID", value = 0, else = "b"', ""),
        ('filter = "equals", field = "_COMM", value = "sshd"',
         "; _COMM and the like are not enough, as the writer chooses them"),
    ],
)  # fmt: skip
def test_a_ban_of_anybodys_entry(registry: Registry, filter_: str, more: str) -> None:
    assert warned(GUARDED % filter_ + BAN, registry) == [f"{DOUBT}{more})"]


def test_a_ban_that_one_of_several_ways_leads_to_unguarded(registry: Registry) -> None:
    text = GUARDED % 'filter = "equals", field = "_UID", value = 0'
    text += '"c" = [ { filter = "exists", field = "ip", then = "b" } ]\n'
    assert warned(text + BAN, registry) == [f"{DOUBT})"]
