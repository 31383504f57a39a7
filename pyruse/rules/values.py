"""The options of rules: what ``"$name"`` stands for, and where that was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from pyruse.errors import did_you_mean
from pyruse.options.build import described
from pyruse.options.faults import ConfigFaults
from pyruse.rules.rules_file import CONTAINER_OPTIONS, RulesFile
from pyruse.text import late_pattern, shown, toml_key

_REFERENCE = late_pattern(r"\$(\$?[a-z_][a-z0-9_]*)\Z")
NAME_OF_RULES = "rules"
"""``"$rules"`` is the name of the rules that a chain is for."""


class Given(Struct, frozen=True):
    """What an administrator has written."""

    value: Any
    address: str
    """Where: ``pyruse.toml: [rules.sshd].failures``."""


class RuleTables(Struct):
    """``[rules]``, for all of them, and ``[rules.NAME]``, for one of them."""

    tables: Mapping[str, Any]
    names: list[str]
    """Of the rules that are installed."""
    file_of: Callable[[str], str]
    """The file that a key of ``[rules]`` stands in."""
    known: dict[str | None, dict[str, Any]] = field(default_factory=dict)
    """The options that rules have, with their defaults: those of the rules of a name, or (None) of
    all rules."""

    def given(self, name: str | None, option: str, default: Any) -> Given | None:
        """What is given for an option of some rules, or (None) of all.

        :param name: of the rules.
        :param option: its name.
        :param default: what holds where nothing is given.
        """
        self.known.setdefault(name, {}).setdefault(option, default)
        if name is None:
            value = self.tables.get(option)
            if option not in self.tables or isinstance(value, dict):
                return None
            return Given(value, f"{self.file_of(option)}: [rules].{toml_key(option)}")
        table = self.tables.get(name)
        if not isinstance(table, dict) or option not in table:
            return None
        return Given(
            table[option], f"{self.file_of(name)}: [rules.{toml_key(name)}].{toml_key(option)}"
        )

    def check(self, used: Mapping[str, RulesFile], faults: list[str]) -> Iterator[str]:
        """Tell of options that no rules have, once all have looked up theirs.

        :param used: the rules at work, by name; those of policies, too.
        :param faults: what is wrong is added.
        :return: what is doubtful: options of rules that are not used.
        """
        for key, value in self.tables.items():
            file = self.file_of(key)
            if isinstance(value, dict):
                if key in used:
                    here = ConfigFaults(f"{file}: [rules.{toml_key(key)}]", faults)
                    for option, given in value.items():
                        _check(option, given, self.known.get(key, {}), here)
                elif key in self.names:
                    yield (
                        f"{file}: [rules.{toml_key(key)}]: these rules are not used (expected "
                        f'"{key}" in use)'
                    )
                else:
                    faults.append(
                        f"{file}: [rules.{toml_key(key)}]: there are no such rules (expected rules "
                        f"that `pyruse rules` lists{did_you_mean(key, self.names)})"
                    )
            else:
                here = ConfigFaults(f"{file}: [rules]", faults)
                _check(key, value, self.known.get(None, {}), here)


def _check(option: str, value: Any, known: Mapping[str, Any], here: ConfigFaults) -> None:
    """See that there is an option of this name, and that its value is like the default.

    The steps that get the value check the rest: whether a text is a duration, say.
    """
    if option not in known:
        expected = f"one of: {', '.join(sorted(known))}" if known else "none"
        here.at(option).add(f"unknown option (expected {expected}{did_you_mean(option, known)})")
        return
    wanted = type(known[option])
    fits = isinstance(value, _LIKE.get(wanted, wanted))
    if not fits or (isinstance(value, bool) and wanted is not bool):
        here.at(option).add(
            f"{shown(value)} is of the wrong type (expected {described(wanted)}, such as "
            f"{shown(known[option])})"
        )
    elif wanted in (int, float) and value <= 0 < known[option]:
        # Whoever means "never" would get "at once".
        here.at(option).add(f"{shown(value)} is too small (expected more than 0)")


_LIKE: Mapping[type, tuple[type, ...]] = {float: (int, float), str: (int, float, str)}
"""By the type of a default, what else may be given: a duration may be a number of seconds."""


class Values:
    """The options that hold in the chains of a policy, or of a program's rules.

    Of what is given, the nearest counts: for the rules that a chain is for, for the policy, for all
    rules; then the defaults of the rules, and those of the policy.
    """

    def __init__(self, rules: RulesFile, policy: RulesFile, tables: RuleTables) -> None:
        """Look nothing up yet.

        :param rules: that a chain is for.
        :param policy: that the chain stands in; for a chain of their own, the rules.
        :param tables: what is given.
        """
        self._rules = rules
        self._policy = policy
        self._tables = tables
        self._origins: dict[str, str] = {}

    def look_up_all(self) -> None:
        """Take note of all the options that there are, also of those that no step has."""
        for name in {**self._policy.options, **self._rules.options}:
            self._value(name)

    def filled(self, table: Any, faults: ConfigFaults) -> tuple[Any, dict[str, str]]:
        """A step with values in place of references.

        :param table: the step as TOML has it.
        :param faults: of the step; references to nothing are added.
        :return: the table, and by option, where its value was written.
        """
        if not isinstance(table, dict):
            return table, {}
        origins: dict[str, str] = {}
        filled: dict[str, Any] = {}
        for key, value in table.items():
            self._origins.clear()
            if self._is_left_out(value):
                continue
            filled[key] = self._fill(value, faults.at(key))
            if len(self._origins) == 1:
                origins[key] = next(iter(self._origins.values()))
        return filled, origins

    def _is_left_out(self, value: Any) -> bool:
        """Whether a reference stands for nothing: an option that is empty by default, and still is.

        Then the step is as if its option was not written: a ban without ports closes all of them.
        """
        reference = _REFERENCE.match(value) if isinstance(value, str) else None
        if reference is None:
            return False
        options = {**self._policy.options, **self._rules.options}
        option = options.get(reference[1])
        return option is not None and option.default == [] and self._value(reference[1]) == []

    def _fill(self, value: Any, faults: ConfigFaults) -> Any:
        if isinstance(value, list):
            return [self._fill(item, faults) for item in value]
        if isinstance(value, dict):
            return {key: self._fill(item, faults) for key, item in value.items()}
        reference = _REFERENCE.match(value) if isinstance(value, str) else None
        if reference is None:
            return value
        name = reference[1]
        if name.startswith("$"):  # "$$name" is the text "$name"
            return name
        known = {NAME_OF_RULES, *self._policy.options, *self._rules.options}
        if name not in known:
            faults.add(
                f"{shown(value)} stands for no option (expected one of: "
                f"{', '.join(sorted(known))}{did_you_mean(name, known)})"
            )
            return value
        return self._value(name)

    def _value(self, name: str) -> Any:
        if name == NAME_OF_RULES:
            return self._rules.name
        rules, policy, tables = self._rules, self._policy, self._tables
        options = rules.options if name in rules.options else policy.options
        default = options[name].default
        asked = (rules.name,) if name in CONTAINER_OPTIONS else (rules.name, policy.name, None)
        given = [tables.given(one, name, default) for one in asked]
        nearest = next((one for one in given if one is not None), None)
        if nearest is None:
            return default
        self._origins[name] = nearest.address
        return nearest.value
