"""The whole configuration, from the files to steps and settings; all its faults at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from pyruse.chains.link import jump_order
from pyruse.chains.model import Chain, Step
from pyruse.config.extensions import Extensions
from pyruse.config.files import Document, chosen, plugin_files, read
from pyruse.config.sections import settings_of, sound_parts
from pyruse.config.settings import EngineSettings, Settings
from pyruse.config.steps import StepMaker, chains_of
from pyruse.errors import ConfigError, did_you_mean
from pyruse.options.faults import ConfigFaults
from pyruse.registry.registry import Registry
from pyruse.rules.library import Library
from pyruse.rules.rules_file import RulesFile
from pyruse.rules.use import Expansion, expand
from pyruse.text import shown


class Configuration(Struct):
    """A configuration without faults."""

    settings: Settings
    chains: dict[str, Chain]
    extensions: dict[str, Any] = field(default_factory=dict)
    """The extensions that are switched on, with their options, by name."""
    files: list[Path] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    """What is wrong with installed plugins that no chain uses, and with options of rules."""
    used: list[RulesFile] = field(default_factory=list)
    """The rules that ``use`` names; their chains are among the others."""

    def all_chains(self) -> dict[str, Chain]:
        """The chains, with those of rules that no entry has come to yet; in any thread."""
        chains: dict[str, Chain] = {}
        for name, chain in self.chains.items():
            chains |= {name: chain} if chain.later is None else chain.later()
        return chains

    @property
    def steps(self) -> list[Step]:
        """The steps of all chains, in their order."""
        return [step for chain in self.chains.values() for step in chain.steps]


def registry_of(path: str | Path | None) -> Registry:
    """The plugins that a configuration may name: those of packages, and those in files beside it.

    :param path: as for `load`.
    """
    return Registry(*plugin_files(chosen(path)))


def load(
    path: str | Path | None, registry: Registry | None = None, *, whole: bool = True
) -> Configuration:
    """Read and check the configuration.

    :param path: a file or folder; None: the one of PYRUSE_CONFIG, or /etc/pyruse.
    :param registry: of the plugins; None: `registry_of` the path.
    :param whole: as of `configure`.
    :raises ConfigError: with every fault that there is.
    """
    document = read(chosen(path))
    return configure(document, registry or registry_of(path), whole=whole)


def load_sound(path: str | Path | None) -> Configuration:
    """What is sound of a faulty configuration, without any chains: enough to look, and to lift.

    :param path: as of `load`.
    :return: the configuration; its settings have all faults.
    :raises ConfigError: there is none, or nobody can tell which state it is about.
    """
    document, settings = sound_parts(path)
    try:
        load(path)
    except ConfigError as fault:
        settings.faults = list(dict.fromkeys([*fault.faults, *settings.faults]))
    extensions = Extensions(document, settings, registry_of(path), [])
    return Configuration(settings, {}, extensions.at_work, document.files)


def configure(document: Document, registry: Registry, *, whole: bool = True) -> Configuration:
    """Check a document and make objects of it.

    :param document: of all the files.
    :param registry: of the plugins.
    :param whole: make all chains; else, those of most rules are made when an entry first comes to
        them (`Chain.later`), unless short cuts are not wanted, or all steps are to be counted.
    :raises ConfigError: with every fault that there is.
    """
    try:
        return _configured(replace(document), registry, whole=whole)
    except ConfigError:
        if whole:
            raise
        return _configured(document, registry, whole=True)  # names all that could have been meant


def _configured(document: Document, registry: Registry, *, whole: bool) -> Configuration:
    faults = list(document.faults)
    settings = settings_of(document, faults)
    extensions = Extensions(document, settings, registry, faults)
    engine = settings.engine
    rules = expand(
        document.use, document.sections.get("rules", {}), document.chains, Library(registry),
        partial(document.source, "rules"), faults,
        whole=whole or not engine.optimize or engine.counters or bool(engine.simulate),
    )  # fmt: skip
    steps_of = StepMaker(registry)
    chains = chains_of(_with_rules(document, rules), steps_of, faults)
    for kind, name in rules.later_plugins:
        steps_of.load(kind, name)
    for name, bring in rules.later.items():
        chains[name].later = partial(_chains_later, bring, steps_of)
    _check_simulated(engine, chains, document.section("engine", faults).at("simulate"))
    # Links are looked at also when steps are faulty: an administrator wants all faults at once.
    try:
        jump_order(chains)
    except ConfigError as fault:
        faults += fault.faults
    if faults:
        # Who misses a plugin wants to know of the broken file that it is in: the cause comes first.
        told = "\n".join(faults)
        causes = [fault for fault in registry.faults if fault not in told]
        raise ConfigError(dict.fromkeys([*causes, *faults]))
    notices = dict.fromkeys([*registry.faults, *extensions.broken.values(), *rules.notices])
    return Configuration(
        settings, chains, extensions.at_work, document.files, [*notices], rules.used
    )


def _with_rules(document: Document, rules: Expansion) -> Document:
    document.chains, document.origins, document.tested = rules.chains, rules.origins, rules.tested
    document.sources |= {("chains", name): file for name, file in rules.sources.items()}
    return document


def _chains_later(bring: Callable[[], Expansion], steps_of: StepMaker) -> dict[str, Chain]:
    """The chains of some rules that are used.

    :raises ConfigError: they have faults, for all that their tests have seen.
    """
    faults: list[str] = []
    chains = chains_of(_with_rules(Document([]), bring()), steps_of, faults)
    if faults:
        raise ConfigError(faults)
    return chains


def _check_simulated(engine: EngineSettings, chains: Iterable[str], faults: ConfigFaults) -> None:
    """See that there are the chains that are to be simulated."""
    for index, name in enumerate(engine.simulate):
        if not any(chain == name or chain.startswith(f"{name} ") for chain in chains):
            hint = did_you_mean(name, chains)
            faults.at(index).add(
                f"there is no chain {shown(name)} (expected the name of a chain{hint})"
            )
