import pytest


def test_the_fifth_failure_is_one_too_many(pipeline):
    chains = pipeline("""
        [chains]
        "ssh" = [
          { action = "count", counter = "ssh", key = "ip", into = "failures" },
          { filter = "at_least", field = "failures", value = 5 },
          { action = "log", message = "{ip} has failed {failures} times" },
        ]
    """)
    for _ in range(5):
        chains.feed(ip="192.0.2.7")
    chains.feed(ip="192.0.2.8")
    assert [line.message for line in chains.logs] == ["192.0.2.7 has failed 5 times"]


@pytest.mark.parametrize(
    ("value", "passed"), [(4, False), (5, True), (6, True), (5.5, True), (-7, False)]
)
def test_numbers(passes, value, passed):
    step = 'filter = "at_least", field = "n", value = 5'
    assert passes(step, n=value) is passed
    assert passes(step, n=str(value)) is passed


def test_numbers_of_the_journal(passes):
    for value in ("4", '"4"'):
        step = f'filter = "at_least", field = "PRIORITY", value = {value}'
        assert passes(step, PRIORITY="4")
        assert not passes(step, PRIORITY="3")


def test_ten_is_above_nine_also_in_text(passes):
    assert passes('filter = "at_least", field = "attempts", value = 9', attempts="10")


def test_text_is_compared_with_text(passes):
    step = 'filter = "at_least", field = "version", value = "b"'
    assert passes(step, version="b")
    assert passes(step, version="ba")
    assert not passes(step, version="a")
    assert not passes(step, version=3)


@pytest.mark.parametrize("junk", ["", "many", "5 apples", "nan", "0x10", "9" * 5000, "\u00b2"])
def test_text_that_is_no_number_does_not_pass(passes, junk):
    assert not passes('filter = "at_least", field = "n", value = 5', n=junk)


def test_a_missing_field_does_not_pass(passes):
    assert not passes('filter = "at_least", field = "n", value = -1')


def test_a_value_that_the_field_never_has(refusal):
    assert refusal('filter = "at_least", field = "PRIORITY", value = "warning"') == (
        'pyruse.toml: chains."test"[0]: PRIORITY is never "warning" (expected a whole number)'
    )
