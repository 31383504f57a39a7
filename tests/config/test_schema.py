"""The JSON schema of the configuration, with which editors complete and check as one types."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import pyruse
from pyruse.config.files import KNOWN_SECTIONS, USE
from pyruse.config.schema import _object, schema
from pyruse.options.fields import Field
from pyruse.registry.kinds import ACTIONS, FILTERS
from pyruse.registry.registry import Registry
from tests.docs.site import install_package

INVALID = Path(__file__).parent / "invalid"
DEMO = Path(pyruse.__file__).parent / "demo" / "demo.toml"

BEYOND = {
    # how options go together
    "ban-with-duration-and-escalate", "count-distinct-with-by", "dnat-capture-without-address",
    "dnat-replace-without-anything", "expect-without-a-name", "remember-with-field-and-value",
    "save-with-a-list-of-patterns", "save-with-too-many-names",
    "pattern-with-two-addresses", "json-with-prefix-and-fields",
    # the other chains, files and plugins
    "ban-backend-unknown", "ban-protocol-of-ipset", "ban-protocol-with-sets",
    "ban-protocol-without-ports", "ban-sets-of-the-wrong-family", "bans-backend-unknown",
    "chains-empty",
    "chains-missing", "else-to-unknown-chain", "empty-file", "loop-of-one-chain",
    "loop-of-three-chains", "loop-of-two-chains", "loops-two-of-them", "then-to-unknown-chain",
    # what is inside of a text
    "ban-label-empty", "ban-label-too-long", "ban-sets-with-no-name", "duration-too-long",
    "duration-zero",
    "encoding-not-of-all-bytes", "encoding-not-of-text", "encoding-unknown",
    "field-value-never-there", "key-without-a-field",
    "mail-address-from", "mail-address-in-two-forms", "mail-address-with-line-break",
    "pattern-unbalanced", "pattern-very-long", "pattern-with-field-of-the-journal",
    "pattern-with-flags-inside", "report-subject-brace", "run-with-a-program-from-a-field",
    "smtp-url-path", "smtp-url-port", "smtp-url-with-password",
    "smtp-url-with-password-and-port-unknown", "state-url-folder", "state-url-query",
    "template-very-long", "template-with-attribute", "template-with-empty-braces",
    "template-with-field-in-format", "template-with-index", "template-with-number",
    "template-with-unclosed-brace", "template-with-unknown-conversion",
    "template-with-unopened-brace", "time-zone-in-lower-case", "time-zone-unknown",
    # what a class says of its numbers and lists when it is made
    "ban-escalate-empty", "ban-sets-empty", "count-by-zero", "plugins-option-refused",
    "report-limit-too-large", "run-without-a-program", "value-nan",
    # 1e3 is a whole number in JSON
    "report-limit-is-float",
}  # fmt: skip
"""What no schema of a single file can know; `pyruse check` does."""


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry()


@pytest.fixture(scope="module")
def made(registry: Registry) -> dict[str, Any]:
    return schema(registry)


@pytest.fixture(scope="module")
def validator(made: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(made)


def parsed(file: Path) -> dict[str, Any] | None:
    try:
        return tomllib.loads(file.read_text())
    except (ValueError, RecursionError):
        return None  # no TOML: an editor says so itself


def test_it_is_a_json_schema(made: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(made)
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_it_has_all_sections_and_all_plugins(made: dict[str, Any], registry: Registry) -> None:
    assert set(made["properties"]) == {*KNOWN_SECTIONS, USE}
    steps = made["$defs"]["step"]["oneOf"]
    for kind, group in (("filter", FILTERS), ("action", ACTIONS)):
        found = [one["properties"][kind]["const"] for one in steps if kind in one["properties"]]
        assert found == registry.names(group)


def test_every_option_of_the_built_ins_is_explained(made: dict[str, Any]) -> None:
    for step in made["$defs"]["step"]["oneOf"]:
        assert step["description"]
        for name, option in step["properties"].items():
            assert name in ("filter", "action") or option["description"], step
    for section in ("journal", "state", "email", "report", "bans", "engine"):
        for name, option in made["properties"][section]["properties"].items():
            assert option.get("description"), f"{section}.{name}"


def test_the_options_of_firewalls_are_in_their_tables_of_bans(made: dict[str, Any]) -> None:
    bans = made["properties"]["bans"]
    assert {"command", "ipset", "nftables"} <= set(bans["properties"])
    assert bans["additionalProperties"] is False
    command = bans["properties"]["command"]
    assert command["required"] == ["ban", "unban"]
    assert all(option["description"] for option in command["properties"].values())
    assert not {"command", "ipset", "nftables"} & set(made["properties"]["plugins"]["properties"])


def test_an_installed_package_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyruse_geo.py").write_text(GEO)
    points = {
        "pyruse.filters": {"geo": "pyruse_geo:Geo"},
        "pyruse": {"geo_wall": "pyruse_geo:Wall", "geo_module": "pyruse_geo"},
    }
    install_package({"name": "pyruse-geo", "version": "1.0", "entry-points": points}, tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    validator = Draft202012Validator(schema(Registry()))
    good = """
        [bans.geo_wall]
        height = 3
        [plugins.geo_module]
        [chains]
        a = [{ filter = "geo", country = "FR", invert = true }]
        """
    assert [error.message for error in validator.iter_errors(tomllib.loads(good))] == []
    for right, wrong in (
        ("height = 3", 'height = "3"'), ("height", "hight"), ("[bans.", "[plugins."),
        ("country", "contry"), ("[plugins.geo_module]", "[plugins.geo_module]\na = 1"),
    ):  # fmt: skip
        assert not validator.is_valid(tomllib.loads(good.replace(right, wrong)))


GEO = """
from dataclasses import dataclass
from pyruse import hookimpl

@dataclass
class Geo:
    country: str
    @hookimpl
    def match_entry(self): return True

@dataclass
class Wall:
    height: int
    @hookimpl
    def open_firewall(self, name): return None

@hookimpl
def on_start(): pass
"""


def test_the_demonstration_is_valid(validator: Draft202012Validator) -> None:
    assert list(validator.iter_errors(tomllib.loads(DEMO.read_text()))) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[chains]",
        '[email]\nfrom = "root"\nsmtp = "smtps://user@mail.example.org"\ntimeout = 90',
        '[report]\nat = "23:59"\ntimezone = "Europe/Paris"',
        '[bans]\nnever = ["192.0.2.0/24"]\n[bans.nftables]\ntable = "x"',
        '[plugins]\ndisable = ["ban_summary"]\n[plugins.mail_report]\n',
        '[chains]\na = [ { filter = "regex", pattern = "x", then = "b", else = "c", name = "n", '
        "invert = true } ]",
        '[chains]\na = [ { filter = "regex", pattern = ["x", "y"] } ]',
        '[chains]\na = [ { filter = "in", field = "_UID", values = [0, "root", 1.5, true] } ]',
        '[chains]\na = [ { action = "ban", ip = "ip", escalate = ["1h", 60], prefix6 = 64, '
        'ports = [22], sets = { ipv4 = "ip a b" } } ]',
        '[chains]\na = [ { action = "count", counter = "c", key = "k", within = "1h30m" } ]',
    ],
)
def test_what_is_valid(text: str, validator: Draft202012Validator) -> None:
    assert [error.message for error in validator.iter_errors(tomllib.loads(text))] == []


@pytest.mark.parametrize("file", sorted(INVALID.glob("*.toml")), ids=lambda file: file.stem)
def test_what_is_invalid_is_seen_as_far_as_a_schema_can(
    file: Path, validator: Draft202012Validator
) -> None:
    content = parsed(file)
    if content is None:
        assert file.stem.startswith(("toml-", "not-utf-8"))
    else:
        assert validator.is_valid(content) == (file.stem in BEYOND)


@dataclass
class Inner:
    """Nested."""

    depth: int


@dataclass
class Author:
    """What authors of plugins may write as annotations."""

    inner: Inner
    anything: Any
    fields: dict[str, Field] = field(default_factory=dict)
    inners: dict[str, Inner] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    either: int | list[Inner] | None = None


def test_annotations_of_all_kinds_have_a_schema() -> None:
    made = _object(Author, "Author")
    Draft202012Validator.check_schema(made)
    validator = Draft202012Validator(made)
    good = {"inner": {"depth": 1}, "anything": [1], "fields": {"a": "b"}, "numbers": {"a": 1}}
    assert validator.is_valid(good)
    assert validator.is_valid(good | {"inners": {"a": {"depth": 1}}, "either": [{"depth": 1}]})
    assert not validator.is_valid(good | {"inner": {"dept": 1}})
    assert not validator.is_valid(good | {"numbers": {"a": "b"}})
    assert not validator.is_valid(good | {"either": "x"})
