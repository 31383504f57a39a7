import pytest


def test_what_is_worse_than_a_warning(pipeline):
    chains = pipeline("""
        [chains]
        "errors" = [
          { filter = "in", field = "PRIORITY", values = [0, 1, 2, 3] },
          { action = "report", section = "important", message = "{MESSAGE}" },
        ]
    """)
    chains.feed(PRIORITY=3, MESSAGE="I/O error, dev sda, sector 1234")
    chains.feed(PRIORITY=4, MESSAGE="clocksource: timekeeping watchdog")
    chains.feed(MESSAGE="without a priority")
    assert [row.message for row in chains.report.important] == ["I/O error, dev sda, sector 1234"]


@pytest.mark.parametrize("values", ["[2, 3]", '["2", "3"]', '[2, "3"]'])
def test_numbers_are_numbers_however_they_are_written(passes, values):
    step = f'filter = "in", field = "PRIORITY", values = {values}'
    assert passes(step, PRIORITY="3")
    assert passes(step, PRIORITY=2)
    assert not passes(step, PRIORITY="6")


def test_message_ids(passes):
    ids = ["8d45620c1a4348dbb17410da57c60c66", "fc2e22bc6ee647b6b90729ab34a250b1"]
    step = f'filter = "in", field = "MESSAGE_ID", values = {ids}'
    assert passes(step, MESSAGE_ID=ids[1])
    assert not passes(step, MESSAGE_ID="00000000000000000000000000000000")


def test_a_missing_field_is_never_among_them(passes):
    assert not passes('filter = "in", field = "user", values = ["", "None"]')


def test_nothing_is_among_no_values(passes):
    assert not passes('filter = "in", field = "user", values = []', user="root")


def test_a_number_equals_the_same_number_as_text(passes):
    assert passes('filter = "in", field = "port", values = [22, 2222]', port="22")
    assert passes('filter = "in", field = "failures", values = ["5"]', failures=5)
    assert not passes('filter = "in", field = "port", values = [22, 2222]', port="022")


@pytest.mark.parametrize("optimize", ["true", "false"])
@pytest.mark.parametrize(("invert", "way"), [("false", "does not pass"), ("true", "passes")])
def test_a_list_or_table_is_none_of_the_values(pipeline, optimize, invert, way):
    chains = pipeline(f"""
        [engine]
        optimize = {optimize}
        [chains]
        "test" = [
          {{ filter = "in", field = "geo", values = ["FR"], invert = {invert}, else = "no" }},
          {{ action = "set", field = "way", value = "passes" }},
        ]
        "no" = [ {{ action = "set", field = "way", value = "does not pass" }} ]
    """)
    for value in ({"country": "FR"}, [["FR"]], ["FR", {}]):
        entry = chains.feed(geo=value) if isinstance(value, dict) else chains.feed(geo=[value])
        assert entry["way"] == way
    assert chains.faults == []


def test_a_value_that_the_field_never_has(refusal):
    assert refusal('filter = "in", field = "PRIORITY", values = [3, "warn"]') == (
        'pyruse.toml: chains."test"[0]: PRIORITY is never "warn" (expected a whole number)'
    )
