import pytest


def test_the_entries_of_one_program(pipeline):
    chains = pipeline("""
        [chains]
        "ssh" = [
          { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "sshd" },
          { action = "report", section = "interesting", message = "{MESSAGE}" },
        ]
    """)
    chains.feed(SYSLOG_IDENTIFIER="sshd", MESSAGE="Server listening on 0.0.0.0 port 22.")
    chains.feed(SYSLOG_IDENTIFIER="sudo", MESSAGE="pam_unix(sudo:session): session opened")
    chains.feed(MESSAGE="from nobody in particular")
    rows = [row.message for row in chains.report.interesting]
    assert rows == ["Server listening on 0.0.0.0 port 22."]


@pytest.mark.parametrize("value", ["3", '"3"', "3.0"])
@pytest.mark.parametrize("priority", [3, "3", b"3"])
def test_a_number_is_a_number_however_it_is_written(passes, value, priority):
    step = f'filter = "equals", field = "PRIORITY", value = {value}'
    assert passes(step, PRIORITY=priority)
    assert not passes(step, PRIORITY="4")


MESSAGE_ID = "8d45620c1a4348dbb17410da57c60c66"


@pytest.mark.parametrize("value", [MESSAGE_ID, "8d45620c-1a43-48db-b174-10da57c60c66"])
def test_a_message_id_is_written_as_journalctl_writes_it(passes, value):
    step = f'filter = "equals", field = "MESSAGE_ID", value = "{value}"'
    assert passes(step, MESSAGE_ID=MESSAGE_ID)
    assert not passes(step, MESSAGE_ID=MESSAGE_ID.replace("8", "9"))
    assert not passes(step, MESSAGE_ID="whatever somebody logs")


@pytest.mark.parametrize("field", ["_SYSTEMD_SESSION", "SESSION_ID"])
@pytest.mark.parametrize("session", ["c1", "42"])
def test_a_session_is_a_number_or_not(passes, field, session):
    step = f'filter = "equals", field = "{field}", value = "{session}"'
    assert passes(step, **{field: session})
    assert not passes(step, **{field: "c2"})


def test_a_missing_field_equals_nothing(passes):
    for value in ('""', "0", "false", '"None"'):
        assert not passes(f'filter = "equals", field = "user", value = {value}')


@pytest.mark.parametrize("value", ["401", '"401"', "401.0"])
@pytest.mark.parametrize("status", [401, "401", 401.0])
@pytest.mark.parametrize("optimize", ["true", "false"])
def test_what_a_pattern_took_out_of_a_message_equals_a_number(pipeline, value, status, optimize):
    chains = pipeline(f"""
        [engine]
        optimize = {optimize}
        [chains]
        "test" = [
          {{ filter = "equals", field = "status", value = {value} }},
          {{ action = "set", field = "passed", value = "yes" }},
        ]
        "next" = [
          {{ filter = "equals", field = "status", value = 200 }},
          {{ action = "set", field = "passed", value = "no" }},
        ]
    """)
    assert chains.feed(status=status)["passed"] == "yes"
    assert "passed" not in chains.feed(status="404")


@pytest.mark.parametrize(
    ("value", "equal", "other"),
    [
        ("22", ["22", 22], ["022", "22.0", "+22", " 22", "２２", "22 ", "", "220"]),
        ('"022"', ["022"], ["22", 22]),
        ("-1", ["-1", -1], ["1", "−1"]),
        ("0.5", ["0.5", 0.5], [".5", "0.50", "1"]),
        ("true", ["true", True], ["True", "yes", "false", ""]),
        ("false", ["false", False], ["False", "", "no"]),
        ('"nan"', ["nan"], [float("nan")]),
        ("inf", ["inf", float("inf")], ["1e999"]),
        (f'"{"9" * 5000}"', ["9" * 5000], ["9" * 4999]),
        ("9007199254740993", ["9007199254740993"], ["9007199254740992"]),
    ],
)
def test_they_are_equal_where_they_are_written_alike(passes, value, equal, other):
    step = f'filter = "equals", field = "what", value = {value}'
    for what in equal:
        assert passes(step, what=what), what
    for what in other:
        assert not passes(step, what=what), what


def test_junk_in_a_field_that_is_a_number_elsewhere(passes):
    step = 'filter = "equals", field = "PRIORITY", value = 3'
    for junk in ("high", "", "3x", b"\xff"):
        assert not passes(step, PRIORITY=junk)


def test_what_is_not_utf8_is_text_of_the_legacy_encoding(passes):
    assert passes('filter = "equals", field = "MESSAGE", value = "café"', MESSAGE=b"caf\xe9")


def test_of_several_values_the_first_one_counts_as_in_a_journal(passes):
    assert passes('filter = "equals", field = "N", value = "one"', N=["one", "two"])
    assert not passes('filter = "equals", field = "N", value = "two"', N=["one", "two"])


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("PRIORITY", '"high"', 'PRIORITY is never "high" (expected a whole number)'),
        ("PRIORITY", "true", "PRIORITY is never true (expected a whole number)"),
        (
            "MESSAGE_ID",
            '"start"',
            'MESSAGE_ID is never "start" (expected a 128-bit identifier in hexadecimal)',
        ),
    ],
)
def test_a_value_that_the_field_never_has(refusal, field, value, fault):
    said = refusal(f'filter = "equals", field = "{field}", value = {value}')
    assert said == f'pyruse.toml: chains."test"[0]: {fault}'
