import pytest


def test_errors_and_worse(pipeline):
    chains = pipeline("""
        [chains]
        "errors" = [
          { filter = "at_most", field = "PRIORITY", value = 3 },
          { action = "report", section = "important", message = "{SYSLOG_IDENTIFIER}: {MESSAGE}" },
        ]
    """)
    chains.feed(PRIORITY=2, SYSLOG_IDENTIFIER="kernel", MESSAGE="Out of memory")
    chains.feed(PRIORITY=3, SYSLOG_IDENTIFIER="smartd", MESSAGE="SMART failure on /dev/sda")
    chains.feed(PRIORITY=6, SYSLOG_IDENTIFIER="systemd", MESSAGE="Started cron.service")
    assert [row.message for row in chains.report.important] == [
        "kernel: Out of memory",
        "smartd: SMART failure on /dev/sda",
    ]


@pytest.mark.parametrize(
    ("value", "passed"), [(4, True), (5, True), (6, False), (5.5, False), (-7, True)]
)
def test_numbers(passes, value, passed):
    step = 'filter = "at_most", field = "n", value = 5'
    assert passes(step, n=value) is passed
    assert passes(step, n=str(value)) is passed


def test_numbers_of_the_journal(passes):
    for value in ("3", '"3"', "3.5"):
        step = f'filter = "at_most", field = "PRIORITY", value = {value}'
        assert passes(step, PRIORITY="3")
        assert not passes(step, PRIORITY="4")


def test_nine_is_below_ten_also_in_text(passes):
    assert passes('filter = "at_most", field = "attempts", value = 10', attempts="9")


def test_text_is_compared_with_text(passes):
    step = 'filter = "at_most", field = "version", value = "b"'
    assert passes(step, version="b")
    assert passes(step, version="a")
    assert not passes(step, version="ba")
    assert not passes(step, version=1)


@pytest.mark.parametrize("junk", ["", "none", "nan", "-9" * 5000, b"\xff"])
def test_text_that_is_no_number_does_not_pass(passes, junk):
    assert not passes('filter = "at_most", field = "n", value = 5', n=junk)


def test_a_missing_field_does_not_pass(passes):
    assert not passes('filter = "at_most", field = "PRIORITY", value = 7')
