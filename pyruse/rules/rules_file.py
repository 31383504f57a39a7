"""A file of rules: what it has to look like. The steps in it are checked where they are used."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from pyruse.api.declared import DeclaredSummary
from pyruse.errors import ConfigError, did_you_mean
from pyruse.options.faults import ConfigFaults
from pyruse.rules.parsed import parsed
from pyruse.rules.summaries import read_summaries
from pyruse.text import late_pattern, shown, toml_key

_KEYS = (
    "title", "programs", "lines", "shared", "options", "chains", "own", "samples", "summaries",
)  # fmt: skip
_OPTION_KEYS = ("default", "help")
_SAMPLE_KEYS = ("entry", "before", "event", "fields")


class RuleOption(Struct, frozen=True):
    """An option of rules."""

    default: Any
    """As TOML has it."""
    help: str = ""


CONTAINER_OPTIONS = {
    "containers": RuleOption(
        [],
        "Names of containers that this program runs in, such as web-*.",
    ),
    "container_users": RuleOption(
        [0], "The numbers of the users whose containers are believed: 0 is root, who runs Docker."
    ),
}
"""What rules have that say which of their chains takes lines; they are set for one of them only."""


class Sample(Struct, frozen=True):
    """An entry, and what the rules are to say of it."""

    entry: Mapping[str, Any]
    """Its fields."""
    event: str | None
    """The event that it is; None: the rules must not recognise it."""
    fields: Mapping[str, str]
    """Fields that it has then, with their values as text."""
    before: tuple[Mapping[str, Any], ...] = ()
    """Entries that come before it, such as the first lines of the same session."""
    address: str = ""
    """Where it stands: ``sshd.toml: samples[3]``."""


class RulesFile(Struct, frozen=True, dict=True):
    """The rules of one program, or a policy: what becomes of events, whoever writes them."""

    name: str
    """By which ``use`` names them."""
    file: str
    origin: str
    """Where they come from: a distribution with its version, or the file."""
    title: str
    programs: tuple[str, ...]
    """SYSLOG_IDENTIFIERs by which a machine shows that it has the program; of a policy, none."""
    options: Mapping[str, RuleOption]
    chains: Mapping[str, list[Any]]
    """The chains as TOML has them: lists of tables."""
    read_samples: Callable[[], tuple[Sample, ...]] = tuple
    own: tuple[str, ...] = ()
    """The groups of patterns that hold what the program itself has written, and no stranger can."""
    main: tuple[str, ...] = field(default=())
    """The names of the chains that no other chain of the file jumps to."""
    jumps: tuple[str, ...] = ()
    """The names of the chains that steps jump to."""
    summaries: tuple[DeclaredSummary, ...] = ()
    """What the report is to sum up of their events."""
    lines: str | None = None
    """The chain that takes lines whose writer is known: those of containers, too."""
    shared: bool = False
    """Whether a policy is at work once for all rules that have the same options for it."""
    tested: bool = False
    """Whether tests have seen that its patterns are valid."""

    @cached_property
    def samples(self) -> tuple[Sample, ...]:
        """Its samples, which nobody needs who is no test."""
        return self.read_samples()

    @cached_property
    def plugins(self) -> frozenset[tuple[str, str]]:
        """The filters and actions of the steps: pairs of ``filter`` or ``action``, and the name."""
        tables = [table for chain in self.chains.values() for table in chain]
        return frozenset(
            (kind, str(table[kind]))
            for table in tables
            for kind in ("filter", "action")
            if isinstance(table, dict) and kind in table
        )

    @property
    def is_policy(self) -> bool:
        """Whether these rules are for others to jump to: no program is named."""
        return not self.programs


def chains_prefix(name: str) -> str:
    """What the names of all chains of these rules begin with: "everything else"."""
    return name.replace("_", " ")


def belongs_to(chain: str, name: str) -> bool:
    """Whether a chain may be one of the rules of this name: "sshd", or "sshd …"."""
    prefix = chains_prefix(name)
    return chain == prefix or chain.startswith(f"{prefix} ")


def read_rules(name: str, file: Path, origin: str, *, tested: bool = False) -> RulesFile:
    """Read a file of rules.

    :param name: of the rules.
    :param file: the file.
    :param origin: where they come from.
    :param tested: whether tests have seen that it is valid: then its samples are read when somebody
        asks for them.
    :raises ConfigError: with all the faults of the file.
    """
    faults = ConfigFaults(str(file))
    rules = _Reader(name, file, origin, faults, tested).read()
    if rules is None or faults.texts:
        raise ConfigError(faults.texts)
    return rules


def jumps_of(tables: Any) -> Iterator[str]:
    """The names of the chains that a chain's steps jump to, whatever else is wrong with it."""
    for table in tables if isinstance(tables, list) else ():
        for link in ("then", "else"):
            target = table.get(link) if isinstance(table, dict) else None
            if isinstance(target, str):
                yield target


class _Reader:
    def __init__(
        self, name: str, file: Path, origin: str, faults: ConfigFaults, tested: bool
    ) -> None:
        self._name = name
        self._file = file
        self._origin = origin
        self._faults = faults
        self._tested = tested

    def read(self) -> RulesFile | None:
        content = self._content()
        if content is None:
            return None
        for key in content:
            if key not in _KEYS:
                self._at(key).add(
                    f"unknown (expected one of: {', '.join(_KEYS)}{did_you_mean(key, _KEYS)})"
                )
        title = content.get("title")
        if not isinstance(title, str) or not title.strip():
            self._at("title").add('missing (expected text, such as "OpenSSH: logins")')
        programs = self._texts(content, "programs", "SYSLOG_IDENTIFIERs")
        chains = self._chains(content.get("chains"))
        # In the order of the steps, each once.
        jumps = dict.fromkeys(name for tables in chains.values() for name in jumps_of(tables))
        if chains and jumps.keys() >= chains.keys():
            self._at("chains").add(
                "each is jumped to by another one, so entries get to none (expected one that no "
                "other chain of the file jumps to)"
            )
        if not isinstance(content.get("shared", False), bool):
            self._at("shared").add("is of the wrong type (expected true or false)")
        options = self._options(content.get("options", {}))
        lines = self._lines(content, chains)
        return RulesFile(
            self._name, str(self._file), self._origin, str(title), programs,
            options if lines is None else {**CONTAINER_OPTIONS, **options}, chains,
            self._sample_reader(content),
            self._texts(content, "own", "names of groups"),
            tuple(name for name in chains if name not in jumps),
            tuple(jumps),
            tuple(
                read_summaries(
                    content.get("summaries", []), self._name, chains, self._at("summaries")
                )
            ),
            lines, content.get("shared") is True, self._tested,
        )  # fmt: skip

    def _texts(self, content: dict[str, Any], key: str, what: str) -> tuple[str, ...]:
        texts = content.get(key, [])
        if _is_list_of_text(texts):
            return tuple(texts)
        self._at(key).add(f"{shown(texts)} is of the wrong type (expected a list of {what})")
        return ()

    def _lines(self, content: dict[str, Any], chains: dict[str, list[Any]]) -> str | None:
        name = content.get("lines")
        if name is None:
            return None
        if not isinstance(name, str) or name not in chains:
            self._at("lines").add(
                f"{shown(name)} is no chain of these rules (expected one of: "
                f"{', '.join(map(shown, chains))}{did_you_mean(str(name), chains)})"
            )
            return None
        return name

    def _sample_reader(self, content: dict[str, Any]) -> Callable[[], tuple[Sample, ...]]:
        if self._tested:
            return lambda: read_rules(self._name, self._file, self._origin).samples
        samples = tuple(self._samples(content.get("samples", [])))
        return lambda: samples

    def _at(self, key: str) -> ConfigFaults:
        return ConfigFaults(f"{self._file}: {toml_key(key)}", self._faults.texts)

    def _content(self) -> dict[str, Any] | None:
        try:
            text = self._file.read_bytes()
            if not self._tested:
                return tomllib.loads(text.decode())
            known = parsed(self._file, text)
            return tomllib.loads(_without_samples(text.decode())) if known is None else known
        except OSError as fault:
            self._faults.add(f"cannot be read: {fault.strerror} (expected a file of rules)")
        except (ValueError, RecursionError) as fault:  # not TOML, or not UTF-8
            self._faults.add(f"{fault} (expected a file of rules, in TOML: see https://toml.io)")
        return None

    def _chains(self, chains: Any) -> dict[str, list[Any]]:
        here = self._at("chains")
        if not isinstance(chains, dict) or not chains:
            here.add("there are none (expected at least one)")
            return {}
        prefix = chains_prefix(self._name)
        for name, tables in chains.items():
            if not belongs_to(name, self._name):
                here.add(
                    f"{shown(name)} cannot be the name of a chain of these rules (expected "
                    f'"{prefix}", or a name that begins with "{prefix} ")'
                )
            elif not isinstance(tables, list):
                here.at(name).add(f"{shown(tables)} is no chain (expected a list of steps)")
        return {name: tables for name, tables in chains.items() if isinstance(tables, list)}

    def _options(self, options: Any) -> dict[str, RuleOption]:
        here = self._at("options")
        if not isinstance(options, dict):
            here.add(f"{shown(options)} is no table (expected options with their defaults)")
            return {}
        found: dict[str, RuleOption] = {}
        for name, value in options.items():
            if not isinstance(value, dict) or "default" not in value:
                found[name] = RuleOption(value)
                continue
            found[name] = RuleOption(value["default"], str(value.get("help", "")))
            for key in value:
                if key not in _OPTION_KEYS:
                    here.at(name).at(key).add(
                        f"unknown (expected default, help{did_you_mean(key, _OPTION_KEYS)})"
                    )
        return found

    def _samples(self, samples: Any) -> Iterator[Sample]:
        here = self._at("samples")
        if not isinstance(samples, list):
            here.add(f"{shown(samples)} is no list (expected [[samples]])")
            return
        for index, table in enumerate(samples):
            at = here.at(index)
            if not isinstance(table, dict) or not isinstance(table.get("entry"), dict):
                at.add('has no entry (expected entry = { MESSAGE = "…", … })')
                continue
            for key in table:
                if key not in _SAMPLE_KEYS:
                    at.at(key).add(
                        f"unknown (expected one of: {', '.join(_SAMPLE_KEYS)}"
                        f"{did_you_mean(key, _SAMPLE_KEYS)})"
                    )
            event, fields, before = table.get("event"), table.get("fields"), table.get("before")
            if event is not None and not isinstance(event, str):
                at.at("event").add(f"{shown(event)} is no name (expected text)")
            elif fields is not None and not isinstance(fields, dict):
                at.at("fields").add(f"{shown(fields)} is no table (expected fields as text)")
            elif before is not None and not _is_list_of_tables(before):
                at.at("before").add(f"{shown(before)} is no list of entries (expected tables)")
            else:
                wanted = {name: str(value) for name, value in (fields or {}).items()}
                yield Sample(table["entry"], event, wanted, tuple(before or ()), at.address)


def _without_samples(text: str) -> str:
    """The part of a file that is before its samples, if nothing else comes behind them."""
    before, _, samples = text.partition("\n[[samples]]\n")
    return text if _OTHER_TABLE.search(samples) else before


_OTHER_TABLE = late_pattern(r"^\[(?!\[samples\]\]$)", re.MULTILINE)


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_list_of_tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)
