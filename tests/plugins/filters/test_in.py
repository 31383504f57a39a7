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


def test_text_is_not_a_number(passes):
    assert not passes('filter = "in", field = "port", values = [22, 2222]', port="22")
    assert not passes('filter = "in", field = "failures", values = ["5"]', failures=5)


def test_a_value_that_cannot_be_looked_up_is_a_fault_and_does_not_pass(pipeline):
    for invert in ("false", "true"):
        chains = pipeline(f"""
            [chains]
            "test" = [
              {{ filter = "in", field = "geo", values = ["FR"], invert = {invert}, else = "no" }},
              {{ action = "set", field = "way", value = "passed" }},
            ]
            "no" = [ {{ action = "set", field = "way", value = "did not pass" }} ]
        """)
        for _ in range(3):
            assert chains.feed(geo={"country": "FR"})["way"] == "did not pass"
        (fault,) = chains.faults
        assert (fault.place, fault.count) == ('chains."test"[0]', 3)
        assert fault.text == "filter in: TypeError: unhashable type: 'dict'"


def test_a_value_that_the_field_never_has(refusal):
    assert refusal('filter = "in", field = "PRIORITY", values = [3, "warn"]') == (
        'pyruse.toml: chains."test"[0]: PRIORITY is never "warn" (expected a whole number)'
    )
