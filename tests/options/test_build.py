"""A table of options becomes an object, or every fault of it is told."""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import pytest

from pyruse.options.build import build, converted, described, options_of, unwritable
from pyruse.options.durations import Duration
from pyruse.options.faults import ConfigFaults, SectionFaults
from pyruse.options.fields import Field, NewField
from pyruse.options.networks import Networks
from pyruse.options.templates import Template
from pyruse.text import toml_key

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class Inner:
    depth: int
    colour: Literal["red", "green"] = "red"


@dataclass
class Some:
    """Options of all kinds."""

    number: int
    from_: str = "me"
    """An option that Python has a word of its own for."""
    share: float = 0.5
    switch: bool = False
    path: Path | None = None
    span: Duration | None = None
    fields: list[Field] = field(default_factory=list)
    either: str | int | float | bool = ""
    one_or_many: Field | list[Field] = Field("a")
    wait: int | Duration = 0
    inner: Inner | None = None
    inners: list[Inner] = field(default_factory=list)
    anything: Any = None
    words: dict[str, int] = field(default_factory=dict)
    own: list[str] = field(init=False, default_factory=list)
    """No option: the class makes it itself."""
    LIMIT: ClassVar[int] = 3


class Refused:
    pass


def built(**table: Any) -> Some:
    faults = ConfigFaults("here")
    made = build(Some, {"number": 1} | table, faults)
    assert faults.texts == []
    assert made is not None
    return made


def faults_of(cls: type = Some, /, **table: Any) -> list[str]:
    faults = ConfigFaults("here")
    assert build(cls, {"number": 1} | table if cls is Some else table, faults) is None
    return faults.texts


def test_options_left_out_have_their_defaults() -> None:
    assert built() == Some(1)


def test_values_become_what_the_annotations_say() -> None:
    made = built(
        **{"from": "you"}, share=1, switch=True, path="/tmp/x", span="1m", fields=["a", "b"],
        anything=[1, "a"], words={"a": 1},
    )  # fmt: skip
    assert made.from_ == "you"
    assert isinstance(made.share, float)
    assert (made.switch, made.path) == (True, Path("/tmp/x"))
    assert made.span is not None
    assert made.span.us == 60_000_000
    assert [type(name) for name in made.fields] == [Field, Field]
    assert (made.anything, made.words) == ([1, "a"], {"a": 1})


@pytest.mark.parametrize("value", ["5", 5, 5.0, True])
def test_of_several_types_a_value_keeps_its_own(value: object) -> None:
    either = built(either=value).either
    assert (either, type(either)) == (value, type(value))


def test_one_or_many_of_a_type() -> None:
    assert built(one_or_many="x").one_or_many == Field("x")
    assert built(one_or_many=["x", "y"]).one_or_many == [Field("x"), Field("y")]
    assert faults_of(one_or_many=["x", "y z"])[0].startswith('here.one_or_many[1]: "y z" is no')
    assert faults_of(one_or_many=5) == [
        "here.one_or_many: 5 is of the wrong type (expected the name of a field or a list, each "
        "item the name of a field)"
    ]
    assert built(wait="1m").wait == Duration(minutes=1)
    assert built(wait=60).wait == 60


def test_a_dataclass_may_have_a_table_of_its_own() -> None:
    assert built(inner={"depth": 3}).inner == Inner(3)
    assert built(inners=[{"depth": 3}, {"depth": 4, "colour": "green"}]).inners[1].depth == 4
    assert faults_of(inner={"colour": "blue", "dept": 1}) == [
        'here.inner.colour: "blue" is unknown (expected one of: "red", "green")',
        'here.inner.dept: unknown option (expected one of: depth, colour; did you mean "depth"?)',
        "here.inner.depth: missing (expected a whole number)",
    ]
    assert faults_of(inners=[{"depth": 1}, {"depth": "2"}, 3]) == [
        'here.inners[1].depth: "2" is of the wrong type (expected a whole number)',
        "here.inners[2]: 3 is of the wrong type (expected an inner)",
    ]


def test_a_table_of_values_has_each_of_them_looked_at() -> None:
    assert built(words={"a": 1, "b c": 2}).words == {"a": 1, "b c": 2}
    assert faults_of(words={"a": "b", "b c": 1.5}) == [
        'here.words.a: "b" is of the wrong type (expected a whole number)',
        'here.words."b c": 1.5 is of the wrong type (expected a whole number)',
    ]


@dataclass
class Strange:
    depth: list[complex]


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        (int, None), (Path | None, None), (Any, None), (Literal["a"], None), (Field, None),
        (list, None), (list[Field | int], None), (dict[str, Template], None), (set[int], None),
        (Inner, None), (datetime, None), (complex, complex), (list[complex], complex),
        (int | dict[str, Refused], Refused), (Strange, complex), (set[Refused], set[Refused]),
    ],
)  # fmt: skip
def test_types_that_nothing_in_toml_can_become_are_known(wanted: Any, part: Any) -> None:
    assert unwritable(wanted) == part


def test_all_faults_are_told_in_the_order_of_the_table() -> None:
    assert faults_of(switch=1, numbre=5, number="x", share=True, own=[]) == [
        'here.number: "x" is of the wrong type (expected a whole number)',
        "here.switch: 1 is of the wrong type (expected true or false)",
        "here.numbre: unknown option (expected one of: number, from, share, switch, path, span, "
        "fields, either, one_or_many, wait, inner, inners, anything, words; did you mean "
        '"number"?)',
        "here.share: true is of the wrong type (expected a number)",
        "here.own: unknown option (expected one of: number, from, share, switch, path, span, "
        "fields, either, one_or_many, wait, inner, inners, anything, words)",
    ]


@pytest.mark.parametrize(
    ("option", "value", "fault"),
    [
        ("number", 2**63, "9223372036854775808 is too large a number (expected at most"),
        ("number", -(2**70), "-1180591620717411303424 is too large a number (expected at most"),
        ("number", 1.0, "1.0 is of the wrong type (expected a whole number)"),
        ("share", float("nan"), "nan is no number to compare with (expected another)"),
        ("either", float("nan"), "nan is no number to compare with (expected another)"),
        ("either", None, "None is of the wrong type (expected text, a number, true or false)"),
        ("path", "", '"" is no path (expected one such as "/var/lib/pyruse")'),
        ("path", "a\0b", "'a\\x00b' is no path (expected one such as \"/var/lib/pyruse\")"),
        ("path", 5, "5 is of the wrong type (expected a path)"),
        ("words", [], "[] is of the wrong type (expected a table)"),
        ("fields", "a", '"a" is of the wrong type (expected a list, each item the name of a'),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit(option: str, value: object, fault: str) -> None:
    assert faults_of(**{option: value})[0].startswith(f"here.{option}: {fault}")


def test_a_number_that_python_does_not_write_is_not_written() -> None:
    assert faults_of(number=16**9000)[0].startswith("here.number: that is too large a number")


def test_infinity_is_a_number_and_so_is_the_largest_of_64_bits() -> None:
    assert built(share=float("inf")).share == float("inf")
    assert built(number=2**63 - 1).number == 2**63 - 1


@dataclass
class Refusing:
    least: int = 0
    most: int = 0

    def __post_init__(self) -> None:
        if self.least > self.most:
            raise ValueError("least is above most (expected the other way round)")
        if self.most == 13:
            raise ValueError("unlucky")
        if self.most == 14:
            raise ValueError


def test_a_class_may_refuse_options_that_do_not_go_together() -> None:
    assert faults_of(Refusing, least=1) == [
        "here: least is above most (expected the other way round)"
    ]
    assert faults_of(Refusing, most=13) == ["here: unlucky (expected another value)"]
    assert faults_of(Refusing, most=14) == ["here: cannot be used (expected another value)"]


class Even(int):
    IN_WORDS = "an even number"

    @classmethod
    def parse(cls, value: Any) -> Self:
        if value % 2:
            raise ValueError(f"{value} is odd")
        return cls(value)


class Evens(tuple[Even, ...]):
    parse_item = Even.parse

    @classmethod
    def parse(cls, value: Any) -> Self:
        if len(value) > 3:
            raise ValueError("there are more than three (expected three at most)")
        return cls(map(Even.parse, value))


@dataclass
class WithEvens:
    even: Even
    evens: Evens = Evens()


def test_a_type_of_a_plugins_own() -> None:
    faults = ConfigFaults("x")
    assert build(WithEvens, {"even": 2, "evens": [4, 6]}, faults) == WithEvens(
        Even(2), Evens((Even(4), Even(6)))
    )
    assert faults.texts == []
    assert faults_of(WithEvens) == ["here.even: missing (expected an even number)"]
    assert faults_of(WithEvens, even=3) == ["here.even: 3 is odd (expected another value)"]
    assert faults_of(WithEvens, even=2, evens=[1, 2, 3]) == [
        "here.evens[0]: 1 is odd (expected another value)",
        "here.evens[2]: 3 is odd (expected another value)",
    ]
    assert faults_of(WithEvens, even=2, evens=[2, 4, 6, 8]) == [
        "here.evens: there are more than three (expected three at most)"
    ]


def test_each_option_may_stand_in_a_file_of_its_own() -> None:
    faults: list[str] = []
    table = {"number": "a", "from": 5, "x y": 1}
    build(Some, table, SectionFaults("sec", lambda name: f"/{name}", faults), others=["then"])
    assert [fault.partition(" is ")[0] for fault in faults[:2]] == [
        '/number: sec.number: "a"', "/from: sec.from: 5",
    ]  # fmt: skip
    assert faults[2].startswith('/x y: sec."x y": unknown option (expected one of: number, from, ')
    assert faults[2].endswith("words, then)")


def test_a_class_without_options_takes_none() -> None:
    class Plain:
        """Nothing to choose."""

        limit: ClassVar[int] = 5

    assert options_of(Plain) == []
    assert faults_of(Plain, limit=5) == ["here.limit: unknown option (expected none)"]


class Forgotten:
    field: Field
    limit: ClassVar[int] = 5


class ForgottenAgain(Some):
    more: str


def test_annotations_without_dataclass_are_a_fault_of_the_author() -> None:
    with pytest.raises(TypeError, match=r"^Forgotten has annotated attributes \(field\), but is "):
        options_of(Forgotten)
    with pytest.raises(TypeError, match=r"^ForgottenAgain has annotated attributes \(more\)"):
        options_of(ForgottenAgain)


def test_a_plain_subclass_of_a_dataclass_has_its_options() -> None:
    class Same(Inner):
        """The same again."""

    assert [option.name for option in options_of(Same)] == ["depth", "colour"]


@dataclass
class Unreadable:
    names: Sequence[str]  # imported for type checkers only


def test_annotations_that_cannot_be_read_raise_what_python_raises() -> None:
    with pytest.raises(NameError, match="Sequence"):
        options_of(Unreadable)


def test_options_tell_names_and_defaults() -> None:
    options = {option.name: option for option in options_of(Some)}
    assert list(options)[:3] == ["number", "from", "share"]
    assert options["number"].required
    assert options["from"].attribute == "from_"
    assert (options["from"].required, options["from"].default) == (False, "me")
    assert options["fields"].default == []
    assert "own" not in options
    assert "LIMIT" not in options


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (str, "text"),
        (int | None, "a whole number"),
        (int | float, "a number"),
        (str | int | float | bool, "text, a number, true or false"),
        (list[str], "a list, each item text"),
        (list[Duration] | None, "a list, each item a duration"),
        (dict[str, int], "a table"),
        (Literal["a", 1], 'one of: "a", 1'),
        (Field, "a field"),
        (NewField, "a new field"),
        (Networks, "networks"),
        (Even, "an even"),
        (Any, "anything"),
    ],
)  # fmt: skip
def test_a_type_in_words(wanted: Any, words: str) -> None:
    assert described(wanted) == words


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Field, "the name of a field"),
        (list[Even] | str, "a list, each item an even number or text"),
        (Template | None, "text, with fields such as {MESSAGE} in it"),
        (Duration, "a duration"),
    ],
)  # fmt: skip
def test_a_type_at_length(wanted: Any, words: str) -> None:
    assert described(wanted, at_length=True) == words


def test_keys_are_quoted_where_toml_needs_it() -> None:
    assert toml_key("password_file") == "password_file"
    assert toml_key("two words") == '"two words"'
    assert toml_key("") == '""'
    assert toml_key('a"b') == "'a\"b'"
    assert toml_key("a\nb") == "'a\\nb'"


def test_a_value_alone_is_converted() -> None:
    faults = ConfigFaults("x")
    assert converted("5m", Duration, faults) == Duration(minutes=5)
    assert converted(["ssh"], list[str], faults) == ["ssh"]
    assert converted([1], Literal["a", "b"], faults) is None
    assert converted(True, Literal[1, 2], faults.at("y")) is None
    assert faults.texts == [
        'x: [1] is unknown (expected one of: "a", "b")',
        "x.y: true is unknown (expected one of: 1, 2)",
    ]


def test_initvars_are_no_trouble() -> None:
    @dataclass
    class WithInitVar:
        number: int
        seed: InitVar[int] = 0

    assert [option.name for option in options_of(WithInitVar)] == ["number"]
