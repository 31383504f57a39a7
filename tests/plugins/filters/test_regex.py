import pytest


def test_who_failed_to_log_in_from_where(pipeline):
    chains = pipeline(r"""
        [chains]
        "ssh" = [
          { filter = "regex", field = "MESSAGE", pattern = '^Failed password for (?P<user>.*) from (?P<ip>\S+) port' },
          { action = "report", section = "important", message = "{ip} is not {user}" },
        ]
    """)  # noqa: E501 -- a step is one line
    chains.feed(MESSAGE="Failed password for root from 192.0.2.7 port 4711 ssh2")
    chains.feed(MESSAGE="Failed password for invalid user a from b from 192.0.2.8 port 1 ssh2")
    chains.feed(MESSAGE="Accepted password for root from 192.0.2.9 port 4711 ssh2")
    assert [row.message for row in chains.report.important] == [
        "192.0.2.7 is not root",
        "192.0.2.8 is not invalid user a from b",
    ]


def fed(pipeline, options, **fields):
    """The fields of an entry after a step, or None when it did not pass."""
    chains = pipeline(f"""
        [chains]
        "test" = [
          {{ filter = "regex", {options} }},
          {{ action = "set", field = "passed", value = "yes" }},
        ]
    """)
    found = chains.feed(**fields)
    assert chains.faults == []
    return found if found.pop("passed", None) else None


def test_of_many_patterns_the_first_that_is_found_wins(pipeline):
    options = r"pattern = ['^a (?P<what>\d+)', '^a (?P<what>\S+)(?P<more>.*)', '(?P<what>b)']"
    assert fed(pipeline, options, MESSAGE="a 1 b")["what"] == "1"
    assert "more" not in fed(pipeline, options, MESSAGE="a 1 b")
    found = fed(pipeline, options, MESSAGE="a x b")
    assert (found["what"], found["more"]) == ("x", " b")
    assert fed(pipeline, options, MESSAGE="c b")["what"] == "b"
    assert fed(pipeline, options, MESSAGE="c") is None


def test_save_names_the_groups_without_a_name(pipeline):
    options = r"pattern = '^(\w+) (?P<how>\w+) (\w+)( \w+)?$', save = ['who', 'whom', 'when']"
    found = fed(pipeline, options, MESSAGE="alice greets bob")
    assert (found["who"], found["how"], found["whom"]) == ("alice", "greets", "bob")
    assert "when" not in found
    assert fed(pipeline, options, MESSAGE="alice greets bob twice")["when"] == " twice"


def test_fewer_names_than_groups(pipeline):
    found = fed(pipeline, r"pattern = '(a)(b)(c)', save = ['first']", MESSAGE="abc")
    assert found["first"] == "a"


def test_a_group_that_took_no_part_sets_nothing(pipeline):
    options = r"pattern = '^x(?P<port> \d+)?(?P<rest>.*)$'"
    found = fed(pipeline, options, MESSAGE="x", port="as it was")
    assert (found["port"], found["rest"]) == ("as it was", "")


def test_an_address_is_taken_without_its_port(pipeline):
    """And so twelve failures of one address are twelve of one, not one of twelve."""
    chains = pipeline(r"""
        [chains]
        "gitea" = [
          { filter = "regex", pattern = '^Failed login of (?P<user>.*) from {address}: nobody$' },
          { action = "count", counter = "gitea", key = "ip", within = "10m", into = "failures" },
          { filter = "at_least", field = "failures", value = 12 },
          { action = "ban", ip = "ip", duration = "1h" },
        ]
    """)
    for port in range(51000, 51012):
        chains.feed(MESSAGE=f"Failed login of a from b: from 203.0.113.7:{port}: nobody")
        chains.feed(MESSAGE="Failed login of a from unknown: nobody")
    assert [ban.ip for ban in chains.bans] == ["203.0.113.7"]
    assert chains.faults == []


def test_where_there_is_no_address_the_next_pattern_is_tried(pipeline):
    options = "pattern = ['^from {address:client}', '^(?P<rest>from .*)']"
    found = fed(pipeline, options, MESSAGE="from ::ffff:192.0.2.1")
    assert (found["client"], "rest" in found, "client_port" in found) == ("192.0.2.1", False, False)
    found = fed(pipeline, options, MESSAGE="from 192.0.2.1.example.com")
    assert (found["rest"], "client" in found) == ("from 192.0.2.1.example.com", False)
    assert not [name for name in found if "bracket" in name]


def test_addresses_go_with_groups_that_are_saved(pipeline):
    options = r"pattern = '^(\w+) {address} (\w+)$', save = ['who', 'what']"
    found = fed(pipeline, options, MESSAGE="alice [192.0.2.1]:80 knocks")
    assert [found[name] for name in ("who", "ip", "ip_port", "what")] == [
        "alice", "192.0.2.1", "80", "knocks"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "passed"),
    [("error", True), ("^error", False), ("error$", False), ("(?i)DISK", True), ("d.sk", True)],
)
def test_it_is_found_anywhere_unless_it_is_anchored(passes, pattern, passed):
    step = f'filter = "regex", pattern = "{pattern}"'
    assert passes(step, MESSAGE="disk error!") is passed


def test_a_missing_field_never_matches(passes):
    assert not passes("filter = 'regex', pattern = '.*'")
    assert not passes("filter = 'regex', field = 'user', pattern = '^$'", MESSAGE="")
    assert passes("filter = 'regex', pattern = '^$'", MESSAGE="")


def test_what_is_no_text_is_matched_as_text(passes):
    assert passes("filter = 'regex', field = 'PRIORITY', pattern = '^[0-3]$'", PRIORITY="3")
    assert passes("filter = 'regex', pattern = 'caf. closed'", MESSAGE=b"caf\xe9 closed")
    assert passes(
        "filter = 'regex', field = 'MESSAGE_ID', pattern = '^8d45620c1a43'",
        MESSAGE_ID="8d45620c1a4348dbb17410da57c60c66",
    )


def test_inverted_it_passes_what_it_does_not_find(pipeline):
    options = "pattern = '(?P<word>secret)', invert = true"
    assert fed(pipeline, options, MESSAGE="a secret") is None
    found = fed(pipeline, options, MESSAGE="hello")
    assert found is not None
    assert "word" not in found


def test_a_value_that_looks_like_a_template_stays_what_it_is(pipeline):
    chains = pipeline("""
        [chains]
        "test" = [
          { filter = "regex", pattern = '^user (?P<user>.*)$' },
          { action = "log", message = "hello {user}" },
        ]
    """)
    chains.feed(MESSAGE="user {MESSAGE} {0} {", SECRET="s")
    assert [line.message for line in chains.logs] == ["hello {MESSAGE} {0} {"]


@pytest.mark.parametrize("name", ["_UID", "__REALTIME_TIMESTAMP", "_"])
def test_the_journals_own_fields_are_never_overwritten(refusal, name):
    reason = (
        f'"{name}" cannot be set (expected a name that does not begin with an underscore: '
        "those are the journal's own)"
    )
    said = refusal(f"filter = 'regex', pattern = 'uid=(?P<{name}>.*)'")
    assert said == f'pyruse.toml: chains."test"[0].pattern: group {reason}'
    said = refusal(f"filter = 'regex', pattern = 'uid=(.*)', save = ['{name}']")
    assert said == f'pyruse.toml: chains."test"[0].save[0]: {reason}'


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (
            "pattern = []",
            ".pattern: the list is empty (expected at least one regular expression)",
        ),
        (
            "pattern = '(a)(?P<b>b)', save = ['a', 'b']",
            ": save has more names, 2, than the pattern has unnamed groups, 1 (expected at "
            "most one name a group)",
        ),
        (
            "pattern = ['(a)', '(b)'], save = ['a']",
            ": save goes with a single pattern (expected named groups, such as (?P<user>…))",
        ),
    ],
)
def test_faulty_options(refusal, options, fault):
    assert refusal(f"filter = 'regex', {options}") == f'pyruse.toml: chains."test"[0]{fault}'
