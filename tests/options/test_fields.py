"""The names of fields."""

from __future__ import annotations

import pytest

from pyruse.options.fields import Field, NewField


@pytest.mark.parametrize("name", ["MESSAGE", "ip", "_UID", "__REALTIME_TIMESTAMP", "a1", "_"])
def test_a_field_has_a_name(name: str) -> None:
    assert Field.parse(name) == name


@pytest.mark.parametrize(
    "name", ["", "1a", "a b", "a-b", "a.", ".a", "a..b", "été", "a\n", "{a}", None, 5, ["a"]]
)
def test_anything_else_names_no_field(name: object) -> None:
    with pytest.raises(ValueError, match=r"is no field name \(expected letters, digits"):
        Field.parse(name)


def test_the_journals_own_fields_cannot_be_set() -> None:
    assert NewField.parse("ip") == "ip"
    with pytest.raises(ValueError, match=r'^"_UID" cannot be set \(expected a name that'):
        NewField.parse("_UID")


def test_a_configured_value_has_the_type_that_entries_have() -> None:
    assert Field("PRIORITY").typed("3") == 3
    assert Field("PRIORITY").typed(3) == 3
    assert Field("status").typed("404") == "404"
    with pytest.raises(ValueError, match=r'^PRIORITY is never "high" \(expected a whole number\)'):
        Field("PRIORITY").typed("high")


@pytest.mark.parametrize("name", ["json.user", "json.a.0", "a._b"])
def test_a_part_of_a_value_is_read_and_never_set(name: str) -> None:
    assert Field.parse(name) == name
    with pytest.raises(ValueError, match="cannot be set"):
        NewField.parse(name)
