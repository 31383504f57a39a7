from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pyruse.errors import ConfigError
from pyruse.importers import pyruse1
from pyruse.importers.pyruse1_arguments import duration

FULL = Path(__file__).parent.parent / "e2e" / "pyruse1_full.json"


def one_step(step: dict[str, Any], **settings: Any) -> pyruse1.Imported:
    return pyruse1.convert({"actions": {"a": [step], "b": [NOOP]}, **settings})


def faults(config: Any) -> list[str]:
    with pytest.raises(ConfigError) as error:
        pyruse1.convert(config)
    return error.value.faults


def chain_faults(*steps: Any) -> list[str]:
    return faults({"actions": {"a": list(steps)}})


NOOP = {"action": "action_noop"}
SETS = {"nftSetIPv4": "ip f s4", "nftSetIPv6": "ip6 f s6"}
IPSETS = {"ipSetIPv4": "s4", "ipSetIPv6": "s6"}


# Filters and actions, with all their arguments

STEPS: list[tuple[str, dict[str, Any] | None, dict[str, Any]]] = [
    (
        "filter_equals",
        {"field": "SYSLOG_IDENTIFIER", "value": "sshd"},
        {"filter": "equals", "field": "SYSLOG_IDENTIFIER", "value": "sshd"},
    ),
    (
        "filter_lowerOrEquals",
        {"field": "PRIORITY", "value": 3},
        {"filter": "at_most", "field": "PRIORITY", "value": 3},
    ),
    (
        "filter_greaterOrEquals",
        {"field": "n", "value": 0.5},
        {"filter": "at_least", "field": "n", "value": 0.5},
    ),
    (
        "filter_in",
        {"field": "PRIORITY", "values": [0, 1, 2]},
        {"filter": "in", "field": "PRIORITY", "values": [0, 1, 2]},
    ),
    (
        "filter_inNetworks",
        {"field": "ip", "nets": ["192.0.2.9/24", "::1"]},
        {"filter": "in_networks", "field": "ip", "nets": ["192.0.2.9/24", "::1"]},
    ),
    (
        "filter_pcre",
        {"field": "MESSAGE", "re": r"^(\S+) (\S+)$", "save": ["user", "ip"]},
        {
            "filter": "regex",
            "field": "MESSAGE",
            "pattern": r"^(\S+) (\S+)$",
            "save": ["user", "ip"],
        },
    ),
    (
        "filter_pcre",
        {"field": "MESSAGE", "re": "^(?P<x>.)", "save": []},
        {"filter": "regex", "field": "MESSAGE", "pattern": "^(?P<x>.)"},
    ),
    (
        "filter_pcreAny",
        {"field": "MESSAGE", "re": ["^a", "^b"]},
        {"filter": "regex", "field": "MESSAGE", "pattern": ["^a", "^b"]},
    ),
    ("filter_userExists", {"field": "user"}, {"filter": "user_exists", "field": "user"}),
    ("action_noop", None, {"action": "discard"}),
    ("action_noop", {}, {"action": "discard"}),
    ("action_log", {"message": "{ip}"}, {"action": "log", "message": "{ip}"}),
    (
        "action_log",
        {"message": "{ip}", "level": "WARNING"},
        {"action": "log", "message": "{ip}", "level": "WARNING"},
    ),
    (
        "action_email",
        {"message": "{ip}"},
        {"action": "email", "message": "{ip}", "subject": "Pyruse Notification"},
    ),
    (
        "action_email",
        {"message": "{ip}", "subject": "No {template}"},
        {"action": "email", "message": "{ip}", "subject": "No {{template}}"},
    ),
    (
        "action_counterRaise",
        {"counter": "c", "for": "ip", "keepSeconds": 600, "save": "n"},
        {"action": "count", "counter": "c", "key": "ip", "within": "10m", "into": "n"},
    ),
    (
        "action_counterRaise",
        {"counter": "c", "for": "ip"},
        {"action": "count", "counter": "c", "key": "ip"},
    ),
    (
        "action_counterRaise",
        {"counter": "c", "for": "ip", "keepSeconds": 0},
        {"action": "count", "counter": "c", "key": "ip"},
    ),
    (
        "action_counterReset",
        {"counter": "c", "for": "ip", "graceSeconds": 90, "save": "n"},
        {"action": "reset", "counter": "c", "key": "ip", "grace": "90s", "into": "n"},
    ),
    (
        "action_counterReset",
        {"counter": "c", "for": "ip"},
        {"action": "reset", "counter": "c", "key": "ip"},
    ),
    (
        "action_dailyReport",
        {"level": "WARN", "message": "m"},
        {"action": "report", "section": "important", "message": "m"},
    ),
    (
        "action_dailyReport",
        {"level": "INFO", "message": "m", "details": "FIRSTLAST"},
        {"action": "report", "section": "interesting", "message": "m", "details": "FIRSTLAST"},
    ),
    (
        "action_dailyReport",
        {"level": "OTHER", "message": "m", "details": "NONE"},
        {"action": "report", "section": "other", "message": "m", "details": "NONE"},
    ),
    (
        "action_nftBan",
        {"IP": "ip", "banSeconds": 86400, **SETS},
        {
            "action": "ban",
            "ip": "ip",
            "duration": "1d",
            "backend": "nftables",
            "sets": {"ipv4": "ip f s4", "ipv6": "ip6 f s6"},
        },
    ),
    (
        "action_ipsetBan",
        {"IP": "ip", **IPSETS},
        {
            "action": "ban",
            "ip": "ip",
            "backend": "ipset",
            "sets": {"ipv4": "s4", "ipv6": "s6"},
        },
    ),
    (
        "action_dnatCapture",
        {"saddr": "s", "addrValue": "192.0.2.1"},
        {"action": "dnat_capture", "saddr": "s", "addr_value": "192.0.2.1", "keep": "63s"},
    ),
    (
        "action_dnatCapture",
        {
            "saddr": "s",
            "sport": "sp",
            "addr": "a",
            "addrValue": "192.0.2.1",
            "port": "p",
            "portValue": 25,
            "daddr": "d",
            "daddrValue": "192.0.2.2",
            "dport": "dp",
            "dportValue": "993",
            "keepSeconds": 150,
        },
        {
            "action": "dnat_capture",
            "saddr": "s",
            "sport": "sp",
            "addr": "a",
            "addr_value": "192.0.2.1",
            "port": "p",
            "port_value": 25,
            "daddr": "d",
            "daddr_value": "192.0.2.2",
            "dport": "dp",
            "dport_value": 993,
            "keep": "150s",
        },
    ),
    (
        "action_dnatReplace",
        {
            "addr": "a",
            "port": "p",
            "daddr": "d",
            "dport": "dp",
            "saddrInto": "ip",
            "sportInto": "sp",
        },
        {
            "action": "dnat_replace",
            "addr": "a",
            "port": "p",
            "daddr": "d",
            "dport": "dp",
            "saddr_into": "ip",
            "sport_into": "sp",
        },
    ),
]


@pytest.mark.parametrize(("name", "args", "step"), STEPS)
def test_a_step_of_pyruse_1_becomes_one_of_pyruse_2(
    name: str, args: dict[str, Any] | None, step: dict[str, Any]
) -> None:
    raw = {name.partition("_")[0]: name, "args": args}
    assert one_step(raw).settings["chains"]["a"] == [step]


def test_then_and_else_stay() -> None:
    step = {
        "filter": "filter_userExists",
        "args": {"field": "user"},
        "then": "b",
        "else": "b",
    }
    assert one_step(step).settings["chains"]["a"] == [
        {"filter": "user_exists", "field": "user", "then": "b", "else": "b"}
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1, "1s"),
        (63, "63s"),
        (90, "90s"),
        (600, "10m"),
        (5400, "90m"),
        (7200, "2h"),
        (86400, "1d"),
        (864000, "10d"),
        (604800, "1w"),
        (31536000, "365d"),
        (3601, "1h1s"),
        (90061, "1d1h1m1s"),
        (0.5, "500ms"),
        (2.0, "2s"),
    ],
)
def test_durations_are_readable(seconds: float, text: str) -> None:
    assert duration(seconds) == text


# The rest of the file


def test_settings_find_their_sections() -> None:
    imported = one_step(
        NOOP,
        storage="/srv/pyruse/",
        email={
            "from": "pyruse@example.org",
            "to": ["a@example.org"],
            "subject": "Today on {host}",
            "sendmail": ["/usr/sbin/sendmail", "-t"],
        },
        nftBan={"nft": ["/usr/sbin/nft"]},
        ipsetBan={"ipset": ["/usr/sbin/ipset", "-exist"]},
        **{"8bit-message-encoding": "cp1252"},
    )
    del imported.settings["chains"]
    assert imported.settings == {
        "journal": {"legacy_encoding": "cp1252"},
        "state": {"url": "sqlite:///srv/pyruse/state.sqlite"},
        "email": {
            "from": "pyruse@example.org",
            "to": ["a@example.org"],
            "sendmail": ["/usr/sbin/sendmail", "-t"],
        },
        "report": {"subject": "Today on {{host}}"},
        "bans": {
            "nftables": {"command": ["/usr/sbin/nft"]},
            "ipset": {"command": ["/usr/sbin/ipset", "-exist"]},
        },
    }
    assert imported.notes == [
        'nftBan.nft: ["/usr/sbin/nft"] is kept; see whether these arguments are still wanted',
        'ipsetBan.ipset: ["/usr/sbin/ipset", "-exist"] is kept; see whether these arguments are '
        "still wanted",
    ]


def test_defaults_of_pyruse_1_are_written_down() -> None:
    imported = one_step(
        NOOP,
        nftBan={"nft": ["/usr/bin/nft"]},
        ipsetBan={"ipset": ["/usr/bin/ipset", "-exist", "-quiet"]},
    )
    del imported.settings["chains"]
    assert imported.settings == {
        "journal": {"legacy_encoding": "iso-8859-1"},
        "email": {"to": ["hostmaster"]},
    }
    assert imported.notes == []


# Chains


def jump(target: str) -> dict[str, Any]:
    return {"filter": "filter_userExists", "args": {"field": "u"}, "then": target}


def jumps(imported: pyruse1.Imported) -> dict[str, list[str | None]]:
    chains = imported.settings["chains"]
    return {name: [step.get("then") for step in steps] for name, steps in chains.items()}


def test_a_chain_declared_below_its_first_use_is_a_jump_chain() -> None:
    imported = pyruse1.convert({"actions": {"a": [jump("b")], "b": [NOOP], "c": [jump("b")]}})
    assert jumps(imported) == {"a": ["b"], "b": [None], "c": ["b"]}
    assert imported.notes == []


def test_a_chain_declared_above_its_first_use_is_doubled() -> None:
    imported = pyruse1.convert({"actions": {"b": [NOOP], "a": [jump("b")]}})
    assert jumps(imported) == {"b": [None], "b (jump)": [None], "a": ["b (jump)"]}
    assert list(imported.settings["chains"]) == ["b", "b (jump)", "a"]
    assert imported.notes == [
        'actions."b": declared above its first use, so it also was in the main sequence; jumps go '
        'to its copy "b (jump)"'
    ]


def test_copies_jump_to_copies() -> None:
    config = {"actions": {"c": [NOOP], "b": [jump("c")], "a": [jump("b")], "b (jump)": [NOOP]}}
    assert jumps(pyruse1.convert(config)) == {
        "c": [None],
        "c (jump)": [None],
        "b": ["c (jump)"],
        "b (jump 2)": ["c (jump)"],
        "a": ["b (jump 2)"],
        "b (jump)": [None],
    }


def test_a_chain_first_used_through_another_jump_chain_is_no_main_chain() -> None:
    # "c" is used by "b" already where "a" jumps to it, although "b" is declared below "c".
    config = {"actions": {"a": [jump("b")], "c": [NOOP], "b": [jump("c")]}}
    assert jumps(pyruse1.convert(config)) == {"a": ["b"], "c": [None], "b": ["c"]}


def test_steps_after_a_then_do_not_count() -> None:
    unknown = {"action": "action_unknown", "then": "nowhere"}
    imported = pyruse1.convert(
        {"actions": {"a": [jump("b"), jump("c"), unknown], "b": [NOOP], "c": [NOOP]}}
    )
    assert jumps(imported) == {"a": ["b"], "b": [None], "c": [None]}
    assert imported.notes == ['actions."a"[1…]: never ran, after the then of step 0; left out']


def test_the_last_step_after_a_then_has_an_address_of_its_own() -> None:
    imported = pyruse1.convert({"actions": {"a": [NOOP | {"then": "b"}, NOOP], "b": [NOOP]}})
    assert imported.notes == [
        'actions."a"[0]: did nothing but jump; it is a filter that every entry passes now',
        'actions."a"[1]: never ran, after the then of step 0; left out',
    ]
    assert imported.settings["chains"]["a"] == [
        {"filter": "exists", "field": "__REALTIME_TIMESTAMP", "then": "b"}
    ]


def test_a_noop_before_other_steps_did_nothing() -> None:
    imported = pyruse1.convert({"actions": {"a": [NOOP, jump("b")], "b": [NOOP]}})
    assert jumps(imported) == {"a": ["b"], "b": [None]}
    assert imported.notes == ['actions."a"[0]: did nothing before the next step; left out']


def test_an_empty_chain_ends_the_journey() -> None:
    config = {"actions": {"a": [jump("d")], "b": [], "c": [NOOP], "d": [], "e": [NOOP]}}
    imported = pyruse1.convert(config)
    discard = [{"action": "discard"}]
    chains = imported.settings["chains"]
    assert [chains["b"], chains["d"]] == [discard, discard]
    assert imported.notes == [
        'actions."b": empty, which ended an entry\'s journey; it discards the entry now; '
        'never reached after it: "c", "e"',
        'actions."d": empty, which ended an entry\'s journey; it discards the entry now',
    ]


def test_a_loop_is_left_to_check() -> None:
    assert jumps(pyruse1.convert({"actions": {"a": [jump("b")], "b": [jump("a")]}})) == {
        "a": ["b"],
        "a (jump)": ["b"],
        "b": ["a (jump)"],
    }


def test_an_action_has_no_else_and_a_filter_wins_over_an_action() -> None:
    config = {
        "actions": {
            "a": [
                {**jump("b"), "action": "action_log", "comment": "hello"},
            ],
            "b": [{**NOOP, "else": "nowhere"}],
        }
    }
    imported = pyruse1.convert(config)
    assert jumps(imported) == {"a": ["b"], "b": [None]}
    assert imported.notes == [
        'actions."a"[0].action: the step also has a filter, which won; left out',
        'actions."a"[0].comment: unknown to Pyruse 1; left out',
        'actions."b"[0].else: an action has no else, it was ignored; left out',
    ]


# Notes

NOTES: list[tuple[dict[str, Any], list[str]]] = [
    (
        {"action": "action_dailyReport", "args": {"level": "WARNING", "message": "", "details": 1}},
        [
            'args.level: "WARNING" is no level; it went to OTHER, so the section is other',
            "args.details: 1 is none of the details; it was taken for ALL, and still is",
        ],
    ),
    (
        {"filter": "filter_pcre", "args": {"field": "F", "re": r"\d*"}},
        [r'args.re: "\\d*" matches empty text: an entry without F passed, and does not now'],
    ),
    (
        {"filter": "filter_pcreAny", "args": {"field": "F", "re": ["a", "^$", "(", "b|"]}},
        [
            'args.re: "^$" matches empty text: an entry without F passed, and does not now',
            'args.re: "b|" matches empty text: an entry without F passed, and does not now',
        ],
    ),
    (
        {"filter": "filter_pcre", "args": {"field": "F", "re": "(?P<a>.)(.)", "save": ["b"]}},
        ["args.save: names the unnamed groups only: the pattern also has named ones"],
    ),
    (
        {"filter": "filter_in", "args": {"field": "user", "values": [None, "root"]}},
        ["args.values: null is left out: it let entries without the field pass"],
    ),
    (
        {"filter": "filter_equals", "args": {"field": "PRIORITY", "value": "3"}},
        ['args.value: "3" is not text any more: PRIORITY never is text, so it could not match'],
    ),
    (
        {"filter": "filter_in", "args": {"field": "_UID", "values": [0, "1", "root"]}},
        ['args.values: "1" is not text any more: _UID never is text, so it could not match'],
    ),
    (
        {"action": "action_dnatCapture", "args": {"saddr": "a", "addr": "b"}},
        [
            "args.keepSeconds: kept for exactly 63s now; it was rounded up, and up to four times "
            "that"
        ],
    ),
    (
        {"action": "action_dnatReplace", "args": {"addr": "a", "saddrInto": "ip"}},
        ["args: where several connections fit, the newest one counts now; it was the oldest"],
    ),
    (
        {"filter": "filter_userExists", "args": {"field": "user", "keepSeconds": 3}},
        ["args.keepSeconds: unknown to Pyruse 1; left out"],
    ),
]


@pytest.mark.parametrize(("step", "notes"), NOTES)
def test_what_changed_is_noted(step: dict[str, Any], notes: list[str]) -> None:
    assert one_step(step).notes == [f'actions."a"[0].{note}' for note in notes]


def test_wrong_levels_and_details_do_what_they_did() -> None:
    imported = one_step(NOTES[0][0])
    assert imported.settings["chains"]["a"] == [
        {"action": "report", "section": "other", "message": "", "details": "ALL"}
    ]


def test_null_is_left_out_of_values() -> None:
    assert one_step(NOTES[4][0]).settings["chains"]["a"][0]["values"] == ["root"]


def test_settings_that_are_not_taken_over_are_noted() -> None:
    imported = one_step(
        {"action": "action_nftBan", "args": {"IP": "ip", **SETS}},
        debug=False,
        email={"cc": "x"},
        geoBan={"db": "/x"},
    )
    assert imported.notes == [
        "geoBan: unknown to Pyruse 1; left out",
        "email.cc: unknown to Pyruse 1; left out",
        "debug: dropped: faults always tell chain and step now",
        "storage: the bans stored there are not taken over; the firewall keeps them until they "
        "end, or until it is restarted",
    ]


# Faults

LEVELS = "EMERG, ALERT, CRIT, ERR, WARNING, NOTICE, INFO, DEBUG"
STEP_FAULTS: list[tuple[Any, list[str]]] = [
    ("x", ['[0]: "x" is not usable here (expected an object with a filter or an action)']),
    ({}, ['[0]: neither a filter nor an action (expected a "filter" or an "action")']),
    ({"filter": 3}, ["[0].filter: 3 is not usable here (expected the name of the filter)"]),
    (
        {"filter": "filter_equal", "args": {}},
        [
            '[0].filter: "filter_equal" is unknown (expected one of Pyruse 1\'s own filters; for a '
            "custom one, write a plugin of this name and import with --keep-unknown; did you mean "
            '"filter_equals"?)'
        ],
    ),
    (
        {"action": "geoBan"},
        [
            '[0].action: "geoBan" is unknown (expected one of Pyruse 1\'s own actions; for a '
            "custom one, write a plugin of this name and import with --keep-unknown)"
        ],
    ),
    ({**NOOP, "args": []}, ["[0].args: [] is not usable here (expected an object)"]),
    ({**NOOP, "then": 1}, ["[0].then: 1 is not usable here (expected the name of a chain)"]),
    ({**NOOP, "then": "x"}, ['[0].then: there is no chain "x" (expected the name of a chain)']),
    (
        {"filter": "filter_userExists", "args": {"field": "u"}, "else": "a "},
        ['[0].else: there is no chain "a " (expected the name of a chain; did you mean "a"?)'],
    ),
    (
        {"filter": "filter_equals"},
        [
            "[0].args.field: missing (expected the name of a field)",
            "[0].args.value: missing (expected text, a number, true or false)",
        ],
    ),
    (
        {"filter": "filter_equals", "args": {"field": "", "value": ["x"]}},
        [
            '[0].args.field: "" is not usable here (expected the name of a field)',
            '[0].args.value: ["x"] is not usable here (expected text, a number, true or false)',
        ],
    ),
    (
        {"filter": "filter_lowerOrEquals", "args": {"field": "f", "value": True}},
        ["[0].args.value: true is not usable here (expected text or a number)"],
    ),
    (
        {"filter": "filter_in", "args": {"field": "f", "values": "x"}},
        ['[0].args.values: "x" is not usable here (expected a list of texts and numbers)'],
    ),
    (
        {"filter": "filter_inNetworks", "args": {"field": "f", "nets": [1]}},
        ["[0].args.nets: [1] is not usable here (expected a list of texts)"],
    ),
    (
        {"filter": "filter_pcre", "args": {"field": "f", "re": ["x"], "save": "ip"}},
        [
            '[0].args.re: ["x"] is not usable here (expected text)',
            '[0].args.save: "ip" is not usable here (expected a list of names)',
        ],
    ),
    (
        {"filter": "filter_pcreAny", "args": {"field": "f", "re": "x"}},
        ['[0].args.re: "x" is not usable here (expected a list of texts)'],
    ),
    (
        {"action": "action_log", "args": {"level": "WARN"}},
        [
            "[0].args.message: missing (expected text)",
            f'[0].args.level: "WARN" is not usable here (expected one of {LEVELS})',
        ],
    ),
    (
        {"action": "action_counterRaise", "args": {"counter": "c", "for": "f", "keepSeconds": -1}},
        [
            "[0].args.keepSeconds: -1 is not usable here (expected a number of seconds, 0 for no "
            "limit)"
        ],
    ),
    (
        {"action": "action_counterReset", "args": {"for": "f", "graceSeconds": "1m"}},
        [
            "[0].args.counter: missing (expected text)",
            '[0].args.graceSeconds: "1m" is not usable here (expected a number of seconds, 0 for '
            "none)",
        ],
    ),
    (
        {"action": "action_dailyReport", "args": {"message": "m"}},
        ["[0].args.level: missing (expected WARN, INFO or OTHER)"],
    ),
    (
        {"action": "action_nftBan", "args": {"nftSetIPv4": "ip f s"}},
        [
            "[0].args.IP: missing (expected the name of a field)",
            "[0].args.nftSetIPv6: missing (expected text)",
        ],
    ),
    (
        {"action": "action_dnatCapture", "args": {"keepSeconds": 0, "portValue": "x", "dport": 1}},
        [
            "[0].args.saddr: missing (expected the name of a field)",
            '[0].args.portValue: "x" is not usable here (expected the number of a port)',
            "[0].args.dport: 1 is not usable here (expected the name of a field)",
            "[0].args.keepSeconds: 0 is not usable here (expected a number of seconds above 0)",
            "[0].args: no addr and no addrValue (expected at least one of them)",
        ],
    ),
    (
        {"action": "action_dnatReplace"},
        [
            "[0].args: no addr and no port and no daddr and no dport (expected at least one of "
            "them)",
            "[0].args: no saddrInto and no sportInto (expected at least one of them)",
        ],
    ),
]


@pytest.mark.parametrize(("step", "expected"), STEP_FAULTS)
def test_a_fault_of_a_step_says_where_and_what(step: Any, expected: list[str]) -> None:
    assert chain_faults(step) == [f'actions."a"{fault}' for fault in expected]


def test_all_the_faults_of_a_file_come_at_once() -> None:
    config = {
        "8bit-message-encoding": "klingon",
        "storage": "var",
        "email": {"from": 1, "to": "a@example.org"},
        "nftBan": [],
        "ipsetBan": {"ipset": []},
        "actions": {'a "b"': {}, "c": [{}]},
    }
    assert faults(config) == [
        '8bit-message-encoding: "klingon" is not usable here (expected the name of an encoding)',
        'storage: "var" is not usable here (expected an absolute path)',
        "email.from: 1 is not usable here (expected text)",
        'email.to: "a@example.org" is not usable here (expected a list of texts)',
        "nftBan: [] is not usable here (expected an object)",
        "ipsetBan.ipset: [] is not usable here (expected a command with its arguments)",
        'actions."a \\"b\\"": {} is not usable here (expected a list of steps)',
        'actions."c"[0]: neither a filter nor an action (expected a "filter" or an "action")',
    ]


@pytest.mark.parametrize("config", [{}, {"actions": []}])
def test_without_chains_there_is_nothing_to_import(config: dict[str, Any]) -> None:
    assert faults(config) == [
        "actions: no chains (expected an object with a list of steps for each chain)"
    ]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b'{"actions":\n ]', "line 2, column 2: Expecting value (expected JSON)"),
        (b"", "line 1, column 1: Expecting value (expected JSON)"),
        (b"[1]", "whole file: [1] is no configuration (expected an object)"),
        (
            b"9" * 5000,
            "whole file: Exceeds the limit (4300 digits) for integer string conversion: value has "
            "5000 digits; use sys.set_int_max_str_digits() to increase the limit (expected JSON)",
        ),
        (b"[" * 100_000, "whole file: nested too deeply (expected JSON)"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(data: bytes, fault: str) -> None:
    with pytest.raises(ConfigError) as error:
        pyruse1.read(data)
    assert error.value.faults == [fault]


@pytest.mark.parametrize("data", [b'{"storage": "\xe9"}', b'{"storage": "\\ud800"}'])
def test_a_file_that_is_no_utf_8_is_refused(data: bytes) -> None:
    with pytest.raises(ConfigError, match=r"^whole file: .* \(expected text in UTF-8\)$"):
        pyruse1.read(data)


def test_a_name_that_occurs_twice_is_noted() -> None:
    twice = b'{"actions": {"a": [], "a": [{"action": "action_noop", "args": null}]}}'
    imported = pyruse1.read(twice)
    assert imported.settings["chains"] == {"a": [{"action": "discard"}]}
    assert imported.notes == ['"a": named twice in one object; the last one counts']


# Custom modules


def test_custom_modules_can_be_kept() -> None:
    step = {
        "filter": "filter_geo",
        "args": {"field": "ip", "in": ["FR"], "name": "x", "db": None, "deep": {"a": [None]}},
        "else": "a",
    }
    config = {"actions": {"b": [step], "a": [NOOP]}}
    imported = pyruse1.convert(config, keep_unknown=True)
    assert imported.settings["chains"]["b"] == [
        {"filter": "filter_geo", "field": "ip", "in": ["FR"], "name_": "x", "else": "a"}
    ]
    assert imported.notes == [
        'actions."b"[0]: "filter_geo" is a custom module; it needs a plugin of this name and '
        "options",
        'actions."b"[0].args.name: "name_" now: a step has a "name" of its own',
        'actions."b"[0].args.db: left out: TOML has no null',
        'actions."b"[0].args.deep: left out: TOML has no null',
    ]


# TOML


BY_HAND = r"""# Imported from pyruse.json: chains: 2, steps: 7.
# "pyruse check" tells whether it is complete, "pyruse replay" what it would have done.
#
# To know or to look at (places are those of the old file; steps count from 0):
# - nftBan.nft: ["nft", "-n"] is kept; see whether these arguments are still wanted
# - actions."b"[0]: "filter_geo" is a custom module; it needs a plugin of this name and options

[journal]
legacy_encoding = "iso-8859-1"

[state]
url = "sqlite:///srv/pyruse/state.sqlite"

[email]
to = ["hostmaster"]

[bans.nftables]
command = ["nft", "-n"]

[chains]
"it's \"ssh\"" = [
  { filter = "regex", field = "MESSAGE", pattern = '^a (\S+)' },
  { filter = "regex", field = "MESSAGE", pattern = '''isn't''' },
  { filter = "regex", field = "MESSAGE", pattern = "'\n" },
  { filter = "regex", field = "MESSAGE", pattern = ['a', "b'"] },
  { action = "log", message = 'a "quoted" word' },
  { action = "ban", ip = "ip", sets = { ipv4 = "s4", ipv6 = "s6" }, backend = "ipset", then = "b" },
]
"b" = [
  { filter = "filter_geo", "a key" = { x = [] }, none = {}, on = true },
]
"""


def test_the_file_looks_as_if_written_by_hand() -> None:
    config = {
        "storage": "/srv/pyruse",
        "nftBan": {"nft": ["nft", "-n"]},
        "actions": {
            'it\'s "ssh"': [
                {"filter": "filter_pcre", "args": {"field": "MESSAGE", "re": r"^a (\S+)"}},
                {"filter": "filter_pcre", "args": {"field": "MESSAGE", "re": "isn't"}},
                {"filter": "filter_pcre", "args": {"field": "MESSAGE", "re": "'\n"}},
                {"filter": "filter_pcreAny", "args": {"field": "MESSAGE", "re": ["a", "b'"]}},
                {"action": "action_log", "args": {"message": 'a "quoted" word'}},
                {"action": "action_ipsetBan", "args": {"IP": "ip", **IPSETS}, "then": "b"},
            ],
            "b": [{"filter": "filter_geo", "args": {"a key": {"x": []}, "none": {}, "on": True}}],
        },
    }
    imported = pyruse1.convert(config, keep_unknown=True)
    imported.notes.pop()  # on bans: a long line
    assert pyruse1.to_toml(imported, "pyruse.json") == BY_HAND


TEXTS = [
    *("", "'", "''", "'''", "a'''b", '"', "\\", "\\'", "\\'''", "'a\\", "a\\''"),
    *("\t\\", "\n\\", "\r", "\x00", "\x7f\\", "é\u2028\\", "#"),
]


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_reads_back_as_it_was(text: str) -> None:
    config = {
        "actions": {
            text: [
                {"filter": "filter_pcreAny", "args": {"field": "f", "re": [text, text]}},
                {"filter": "custom", "args": {text: text}},
            ]
        }
    }
    imported = pyruse1.convert(config, keep_unknown=True)
    imported.notes.append(text)
    assert tomllib.loads(pyruse1.to_toml(imported, text)) == imported.settings


def test_a_configuration_that_uses_everything_reads_back_as_it_was() -> None:
    imported = pyruse1.read(FULL.read_bytes())
    assert imported == pyruse1.convert(json.loads(FULL.read_bytes()))
    assert tomllib.loads(pyruse1.to_toml(imported)) == imported.settings
    assert list(tomllib.loads(pyruse1.to_toml(imported))["chains"]) == list(
        imported.settings["chains"]
    )
