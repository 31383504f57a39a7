"""Import of the JSON configuration of Pyruse 1.

Pyruse 1 linked chains by other rules in three points. The imported chains do what they did there:

* a chain that is jumped to also stood in the main sequence, if it was declared above its first use:
  it becomes two chains;
* an empty chain ended the journey of an entry: it discards the entry now;
* steps after a ``then`` were dropped without a word, and so was an ``else`` of an action.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pyruse.errors import ConfigError, did_you_mean
from pyruse.importers import write_toml
from pyruse.importers.findings import Findings, Imported, Location, as_json, quoted
from pyruse.importers.pyruse1_arguments import in_tables
from pyruse.importers.pyruse1_modules import ACTIONS, FILTERS, TOP

__all__ = ["Imported", "convert", "read", "to_toml"]

_MODULES = {"filter": FILTERS, "action": ACTIONS}
_STEP_KEYS = frozenset({"filter", "action", "args", "then", "else"})
_TAKEN = frozenset({"filter", "action", "then", "else", "name", "invert"})
"""Keys of a step of Pyruse 2 that are no options: no argument of a custom module can have them."""

_NOOP = {"action": "discard"}
"""As the last step of a chain, it discarded an entry; elsewhere it did nothing."""
_ALWAYS = {"filter": "exists", "field": "__REALTIME_TIMESTAMP"}


@dataclass
class _Step:
    """A step of Pyruse 1, translated."""

    location: Location
    options: dict[str, Any]
    jumps: dict[str, str] = field(default_factory=dict)
    """``then`` and ``else``, each with the name of the chain in Pyruse 1."""


def read(data: bytes, *, keep_unknown: bool = False) -> Imported:
    """Import the content of a ``pyruse.json``; see :func:`convert`.

    :raises ConfigError: it is no JSON, or :func:`convert` says so.
    """
    doubles: list[str] = []

    def noting_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        doubles.extend(dict.fromkeys(name for name in names if names.count(name) > 1))
        return dict(pairs)

    try:
        config = json.loads(data, object_pairs_hook=noting_doubles)
        json.dumps(config, ensure_ascii=False).encode()  # half a surrogate pair fits in no file
    except json.JSONDecodeError as fault:
        location = f"line {fault.lineno}, column {fault.colno}"
        raise ConfigError([f"{location}: {fault.msg} (expected JSON)"]) from None
    except UnicodeError as fault:
        raise ConfigError([f"whole file: {fault} (expected text in UTF-8)"]) from None
    except ValueError as fault:  # a number of thousands of digits
        raise ConfigError([f"whole file: {fault} (expected JSON)"]) from None
    except RecursionError:
        raise ConfigError(["whole file: nested too deeply (expected JSON)"]) from None
    imported = convert(config, keep_unknown=keep_unknown)
    notes = [f"{quoted(name)}: named twice in one object; the last one counts" for name in doubles]
    return Imported(imported.settings, [*notes, *imported.notes])


def convert(config: Mapping[str, object], *, keep_unknown: bool = False) -> Imported:
    """Turn a configuration of Pyruse 1 into one of Pyruse 2.

    :param config: the JSON document.
    :param keep_unknown: custom modules become steps of the same name, with a note; without it,
        they are faults.
    :raises ConfigError: what cannot be imported, all of it at once.
    """
    if not isinstance(config, Mapping):
        raise ConfigError(
            [f"whole file: {as_json(config)} is no configuration (expected an object)"]
        )
    findings = Findings()
    settings = _settings(config, findings)
    chains = config.get("actions")
    if not isinstance(chains, Mapping):
        findings.at("actions").fault("no chains", "an object with a list of steps for each chain")
        chains = {}
    steps = {
        name: _chain(chain, findings.at(f"actions.{quoted(name)}"), keep_unknown=keep_unknown)
        for name, chain in chains.items()
    }
    _check_jumps(steps)
    if findings.faults:
        raise ConfigError(findings.faults)
    settings["chains"] = _linked(steps, findings)
    if any(step.options.get("action") == "ban" for chain in steps.values() for step in chain):
        findings.at("storage").note(
            "the bans stored there are not taken over; the firewall keeps them until they end, "
            "or until it is restarted"
        )
    return Imported(settings, findings.notes)


def to_toml(imported: Imported, source: str = "a Pyruse 1 configuration") -> str:
    """The text of the new configuration file, with the notes as comments.

    :param imported: the new configuration.
    :param source: what was imported, such as the name of the file.
    """
    return write_toml.to_toml(imported, source)


def _settings(config: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    """All but the chains."""
    root = findings.at("")
    own = {key: value for key, value in config.items() if key not in ("actions", "debug", *TOP)}
    options = TOP[""].options(own, root)
    for key in ("email", "nftBan", "ipsetBan"):
        location = root.at(f".{key}")
        options |= TOP[key].options(_object(config.get(key), location), location)
    if "debug" in config:
        root.at(".debug").note("dropped: faults always tell chain and step now")
    return in_tables(options)


def _object(value: Any, location: Location) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    if value is not None:
        location.wrong(value, "an object")
    return {}


def _chain(chain: Any, location: Location, *, keep_unknown: bool) -> list[_Step]:
    """The steps of a chain that could run."""
    if not isinstance(chain, list):
        location.wrong(chain, "a list of steps")
        return []
    steps = []
    for number, raw in enumerate(chain):
        step = _step(raw, location.at(f"[{number}]"), keep_unknown=keep_unknown)
        if step is not None:
            if step.options != _NOOP or step.jumps or number + 1 == len(chain):
                steps.append(step)
            else:
                step.location.note("did nothing before the next step; left out")
            if "then" in step.jumps and number + 1 < len(chain):
                rest = f"[{number + 1}]" if number + 2 == len(chain) else f"[{number + 1}…]"
                location.at(rest).note(f"never ran, after the then of step {number}; left out")
                break
    return steps


def _step(raw: Any, location: Location, *, keep_unknown: bool) -> _Step | None:
    if not isinstance(raw, Mapping):
        location.wrong(raw, "an object with a filter or an action")
        return None
    kinds = [kind for kind in _MODULES if raw.get(kind) is not None]
    if not kinds:
        location.fault("neither a filter nor an action", 'a "filter" or an "action"')
        return None
    kind = kinds[0]
    if len(kinds) > 1:
        location.at(".action").note("the step also has a filter, which won; left out")
    for key in raw:
        if key not in _STEP_KEYS:
            location.at(f".{key}").note("unknown to Pyruse 1; left out")
    args = _object(raw.get("args"), location.at(".args"))
    step = _Step(location, _module(kind, raw[kind], args, location, keep_unknown=keep_unknown))
    for way in ("then", "else"):
        target = raw.get(way)
        if target is None:
            continue
        if way == "else" and kind == "action":
            location.at(".else").note("an action has no else, it was ignored; left out")
        elif isinstance(target, str):
            step.jumps[way] = target
        else:
            location.at(f".{way}").wrong(target, "the name of a chain")
    if step.jumps and step.options == _NOOP:
        location.note("did nothing but jump; it is a filter that every entry passes now")
        step.options = dict(_ALWAYS)
    return step


def _module(
    kind: str, name: Any, args: Mapping[str, Any], location: Location, *, keep_unknown: bool
) -> dict[str, Any]:
    """A step without its jumps."""
    modules = _MODULES[kind]
    if not isinstance(name, str):
        location.at(f".{kind}").wrong(name, f"the name of the {kind}")
        return {}
    if name in modules:
        options = modules[name].options(args, location.at(".args"))
        return {kind: modules[name].new, **in_tables(options)}
    if keep_unknown:
        return {kind: name, **_custom(name, args, location)}
    location.at(f".{kind}").fault(
        f"{as_json(name)} is unknown",
        f"one of Pyruse 1's own {kind}s; for a custom one, write a plugin of this name and import "
        f"with --keep-unknown{did_you_mean(name, modules)}",
    )
    return {}


def _custom(name: str, args: Mapping[str, Any], location: Location) -> dict[str, Any]:
    """The arguments of a custom module, as they are."""
    location.note(f"{as_json(name)} is a custom module; it needs a plugin of this name and options")
    options = {}
    for arg, value in args.items():
        option = f"{arg}_" if arg in _TAKEN else arg
        if option != arg:
            location.at(f".args.{arg}").note(f'"{option}" now: a step has a "{arg}" of its own')
        if _has_null(value):
            location.at(f".args.{arg}").note("left out: TOML has no null")
        else:
            options[option] = value
    return options


def _has_null(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_has_null(item) for item in value.values())
    return any(map(_has_null, value)) if isinstance(value, list) else value is None


def _check_jumps(chains: Mapping[str, list[_Step]]) -> None:
    for step in (step for steps in chains.values() for step in steps):
        for way, target in step.jumps.items():
            if target not in chains:
                step.location.at(f".{way}").fault(
                    f"there is no chain {quoted(target)}",
                    f"the name of a chain{did_you_mean(target, chains)}",
                )


def _linked(chains: Mapping[str, list[_Step]], findings: Findings) -> dict[str, Any]:
    """The chains of the new file.

    A chain that any step jumps to is reached by jumps only there. So one that Pyruse 1 also had in
    its main sequence gets a copy, and every jump to it goes to the copy, from within copies too.
    """
    main = _main_sequence(chains)
    steps = [step for chain in chains.values() for step in chain]
    targets = {target for step in steps for target in step.jumps.values()}
    copies: dict[str, str] = {}
    for name in main:
        if name in targets:
            copies[name] = _free(name, {*chains, *copies.values()})
            findings.at(f"actions.{quoted(name)}").note(
                "declared above its first use, so it also was in the main sequence; jumps go to "
                f"its copy {quoted(copies[name])}"
            )
    linked: dict[str, Any] = {}
    for name, chain in chains.items():
        linked[name] = [
            step.options | {way: copies.get(target, target) for way, target in step.jumps.items()}
            for step in chain
        ] or [{"action": "discard"}]
        if name in copies:
            linked[copies[name]] = [dict(step) for step in linked[name]]
    _note_empty_chains(chains, main, findings)
    return linked


def _main_sequence(chains: Mapping[str, list[_Step]]) -> list[str]:
    """The chains of the main sequence: no chain above jumped to them."""
    main: list[str] = []
    led_to: set[str] = set()
    for name in chains:
        if name in led_to:
            continue
        main.append(name)
        waiting = [name]
        while waiting:
            for step in chains[waiting.pop()]:
                waiting.extend(target for target in step.jumps.values() if target not in led_to)
                led_to.update(step.jumps.values())
    return main


def _free(name: str, taken: set[str]) -> str:
    copy, number = f"{name} (jump)", 2
    while copy in taken:
        copy, number = f"{name} (jump {number})", number + 1
    return copy


def _note_empty_chains(
    chains: Mapping[str, list[_Step]], main: list[str], findings: Findings
) -> None:
    cut = False
    for name, chain in chains.items():
        if not chain:
            after = main[main.index(name) + 1 :] if name in main and not cut else []
            cut = cut or name in main
            never = f"; never reached after it: {', '.join(map(quoted, after))}" if after else ""
            findings.at(f"actions.{quoted(name)}").note(
                f"empty, which ended an entry's journey; it discards the entry now{never}"
            )
