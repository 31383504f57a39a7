import pytest


def test_disk_errors(pipeline):
    chains = pipeline("""
        [chains]
        "disk" = [
          { filter = "contains", text = "I/O error" },
          { action = "report", section = "important", message = "{MESSAGE}" },
        ]
    """)
    chains.feed(MESSAGE="blk_update_request: I/O error, dev sda, sector 1234")
    chains.feed(MESSAGE="EXT4-fs (sda1): mounted filesystem")
    rows = [row.message for row in chains.report.important]
    assert rows == ["blk_update_request: I/O error, dev sda, sector 1234"]


def test_nothing_in_the_text_is_special(passes):
    step = r"filter = 'contains', text = '^.*(a|b)\d+$'"
    assert passes(step, MESSAGE=r"see ^.*(a|b)\d+$ there")
    assert not passes(step, MESSAGE="a1")


def test_upper_and_lower_case_differ(passes):
    assert not passes('filter = "contains", text = "error"', MESSAGE="Error")


def test_another_field(passes):
    step = 'filter = "contains", field = "_CMDLINE", text = "--no-preserve-root"'
    assert passes(step, _CMDLINE="rm -rf --no-preserve-root /", MESSAGE="x")
    assert not passes(step, MESSAGE="--no-preserve-root")


@pytest.mark.parametrize(("field", "value"), [("_PID", "1234"), ("n", 1234), ("n", 12.34)])
def test_numbers_contain_their_digits(passes, field, value):
    assert passes(f'filter = "contains", field = "{field}", text = "34"', **{field: value})


def test_a_message_of_several_lines_and_of_old_bytes(passes):
    step = 'filter = "contains", text = "café\\nfermé"'
    assert passes(step, MESSAGE=b"le caf\xe9\nferm\xe9")


def test_a_missing_field_contains_nothing(passes):
    assert not passes('filter = "contains", text = ""')
    assert passes('filter = "contains", text = ""', MESSAGE="")
