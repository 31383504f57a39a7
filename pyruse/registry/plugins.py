"""Finding and loading plugins. What is broken is named in one line, and never fatal."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import (
    Distribution,
    EntryPoint,
    distributions,
    entry_points,
    version,
)
from typing import Any, NamedTuple

import pluggy

from pyruse import hookspecs
from pyruse.errors import UserError, did_you_mean
from pyruse.options.build import options_of, unwritable
from pyruse.text import one_line, shortened, shown

FILTERS = "pyruse.filters"
ACTIONS = "pyruse.actions"
PROGRAMS = "pyruse"

#: The hook that makes a class a filter or an action.
MAIN_HOOK = {FILTERS: "match_entry", ACTIONS: "act_on_entry"}

_KIND = {FILTERS: "filter", ACTIONS: "action", PROGRAMS: "plugin"}
_WITH_ARTICLE = {FILTERS: "a filter", ACTIONS: "an action", PROGRAMS: "a whole-program plugin"}
_OF_EVERY_STEP = ("filter", "action", "then", "else", "name", "invert")
_OWN = "pyruse"  # the distribution whose names nobody else can claim


class PluginError(UserError):
    """A plugin that cannot be used: names its distribution and what to do."""


class Found(NamedTuple):
    """A plugin that some installed distribution registers; not imported yet."""

    group: str
    name: str
    entry_point: EntryPoint
    distribution: str
    version: str
    checker: pluggy.PluginManager
    """Knows the hooks, and of the plugins the one alone that is just being checked."""

    @property
    def described(self) -> str:
        """Such as ``filter "geoip" of pyruse-geoip 1.0``."""
        return f'{_KIND[self.group]} "{self.name}" of {self.distribution} {self.version}'

    def load(self) -> Any:
        """Import the class (or, for whole-program plugins, class or module), and check its hooks.

        :raises PluginError: it cannot be imported, or it is no plugin of its kind.
        """
        self._check_requirement()
        if not self.entry_point.pattern.match(self.entry_point.value):
            raise self.error(f"its entry point is no MODULE:CLASS: {self.entry_point.value}")
        try:
            loaded = self.entry_point.load()
        except (Exception, SystemExit) as fault:  # whatever happens while somebody's module runs
            raise self.error(f"cannot be imported: {_in_words(fault)}") from fault
        if not inspect.isclass(loaded) and (self.group != PROGRAMS or not inspect.ismodule(loaded)):
            raise self.error(f"{self.entry_point.value} is no class")
        self._check_hooks(loaded)
        if inspect.isclass(loaded):
            self._check_options(loaded)
        return loaded

    def error(self, fault: str) -> PluginError:
        """An error about this plugin."""
        return PluginError(
            f"{self.described}: {fault} (expected a working plugin: upgrade or remove "
            f"{self.distribution})"
        )

    def _check_requirement(self) -> None:
        """See that the package is made for this Pyruse: else its own errors would say less."""
        if self.distribution == _OWN or self.entry_point.dist is None:
            return
        from pyruse.registry.requirement import unfit

        why = unfit(self.entry_point.dist, version(_OWN))
        if why is not None:
            raise PluginError(f"{self.described}: {why}")

    def _check_hooks(self, plugin: Any) -> None:
        implemented = self._implemented(plugin)
        if any(one.hookwrapper or one.wrapper for each in implemented.values() for one in each):
            raise self.error("its hooks are wrong: wrappers are not called by Pyruse")
        for name in sorted(implemented):
            if name not in hooks_of(plugin):  # pluggy's specname: Pyruse calls hooks by their names
                raise self.error(f"its hooks are wrong: {name} is a function of another name")
            # What they return would count as true, and nothing of them would have run.
            if _is_no_plain_function(getattr(plugin, name)):
                raise self.error(f"its hooks are wrong: {name} is async, or has a yield")
        wanted = MAIN_HOOK.get(self.group)
        if wanted is not None and wanted not in implemented:
            raise self.error(f"{plugin.__name__} has no @hookimpl {wanted}")
        if not implemented:
            raise self.error(f"{self.entry_point.value} implements no hook")

    def _implemented(self, plugin: Any) -> dict[str, list[pluggy.HookImpl]]:
        """The hooks of a class or module, after pluggy has found nothing wrong with them."""
        try:
            self.checker.register(plugin)
            self.checker.check_pending()
            callers = self.checker.get_hookcallers(plugin) or []
            return {caller.name: caller.get_hookimpls() for caller in callers}
        except Exception as fault:  # pluggy says it in several ways; getattr may run any code
            misspelled = re.search(r"unknown hook '(\w+)'", str(fault))
            hint = did_you_mean(misspelled[1], HOOKS) if misspelled else ""
            text = one_line(f"{fault}{hint}".replace("Argument(s) {", "argument(s) {"))
            raise self.error(f"its hooks are wrong: {text}") from fault
        finally:
            if self.checker.is_registered(plugin):
                self.checker.unregister(plugin)

    def _check_options(self, cls: type) -> None:
        try:
            options = options_of(cls)
        except Exception as fault:  # the annotations are anybody's expressions
            raise self.error(f"its options cannot be read: {_in_words(fault)}") from fault
        taken = [option.name for option in options if option.name in _OF_EVERY_STEP]
        if taken and self.group != PROGRAMS:
            raise self.error(f"its option {taken[0]} cannot be given: every step has its own")
        for option in options:
            strange = unwritable(option.type)
            if strange is not None:
                raise self.error(
                    f"its option {option.name} is of a type that no text can become: "
                    f"{getattr(strange, '__name__', strange)} has no class method parse"
                )


def _is_no_plain_function(hook: Any) -> bool:
    kinds = inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction
    return any(is_kind(hook) for is_kind in kinds)


def _in_words(fault: BaseException) -> str:
    return shortened(one_line(f"{type(fault).__name__}: {fault}"), 300)


class Registry:
    """The plugins that are installed."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        """What is wrong with the installed packages themselves: one line each."""
        self._claimed: dict[tuple[str, str], str] = {}
        self._found: dict[str, dict[str, Found]] = {group: {} for group in _KIND}
        for (group, name), claimants in self._by_name().items():
            if self._unclaimed(claimants):
                self._found[group][name] = claimants[0]

    def _points(self) -> list[EntryPoint]:
        """The entry points of what is installed; a distribution that is broken is left out."""
        try:
            installed = entry_points()
            return [point for group in _KIND for point in installed.select(group=group)]
        except Exception:  # noqa: BLE001 -- which one is broken is seen by looking at each of them
            found: list[EntryPoint] = []
        seen: set[str] = set()
        for distribution in distributions():
            name, release = _named(distribution)
            if name in seen:  # of two versions, the first one on the path counts
                continue
            seen.add(name)
            try:
                points = distribution.entry_points
                found += [point for point in points if point.group in _KIND]
            except Exception as fault:  # noqa: BLE001 -- it depends on what is wrong with its files
                self.faults.append(
                    f"distribution {name} {release}: its entry points cannot be read: "
                    f"{_in_words(fault)} (expected a working package: upgrade or remove {name})"
                )
        return found

    def _by_name(self) -> dict[tuple[str, str], list[Found]]:
        """What is installed, by group and name; of a name that several claim, all of them."""
        named = cache(_named)  # a distribution's files are read once
        checker = HookManager()
        by_name: dict[tuple[str, str], dict[tuple[str, str], Found]] = {}
        for point in self._points():
            found = Found(point.group, point.name, point, *named(point.dist), checker)
            claimants = by_name.setdefault((found.group, found.name), {})
            # An editable install may be found twice.
            claimants.setdefault((found.distribution.lower(), point.value), found)
        return {at: list(claimants.values()) for at, claimants in by_name.items()}

    def _unclaimed(self, found: list[Found]) -> bool:
        """Whether a name is usable: the built-in ones stay, what two others claim is nobody's."""
        if len(found) == 1:
            return True
        found.sort(key=lambda one: (one.distribution != _OWN, one.distribution))
        built_in = found[0].distribution == _OWN
        claimants = found[1:] if built_in else found
        names = " and ".join(f"{one.distribution} {one.version}" for one in claimants)
        also = ", though it is Pyruse's own" if built_in else ""
        fault = (
            f'{_KIND[found[0].group]} "{found[0].name}" is claimed by {names}{also} '
            "(expected one claimant: remove a distribution)"
        )
        self.faults.append(fault)
        if not built_in:
            self._claimed[found[0].group, found[0].name] = fault
        return built_in

    def all(self) -> Iterator[Found]:
        """Every plugin, by group and name."""
        for group in _KIND:
            yield from sorted(self._found[group].values(), key=lambda found: found.name)

    def names(self, group: str) -> list[str]:
        """The names of a group."""
        return sorted(self._found[group])

    def find(self, group: str, name: str) -> Found:
        """The plugin of a name.

        :raises PluginError: there is none.
        """
        try:
            return self._found[group][name]
        except KeyError:
            if (group, name) in self._claimed:
                raise PluginError(self._claimed[group, name]) from None
            others = [kind for other, kind in _WITH_ARTICLE.items() if name in self._found[other]]
            hint = "".join(f"; {shown(name)} is {kind}" for kind in others)
            raise PluginError(
                f"there is no {_KIND[group]} {shown(name)} (expected one that is installed: see "
                f"`pyruse plugins`{hint or did_you_mean(name, self._found[group])})"
            ) from None


def _named(distribution: Distribution | None) -> tuple[str, str]:
    """Name and version, as far as they can be told."""
    if distribution is None:
        return "an unknown distribution", "?"
    try:
        metadata = distribution.metadata
        return metadata["Name"] or "unnamed", metadata["Version"] or "?"
    except Exception:  # noqa: BLE001 -- METADATA is missing or no text: Python's errors vary
        return str(getattr(distribution, "_path", "an unknown distribution")), "?"


def hook_of(plugin: Any, hook: str) -> Callable[..., Any] | None:
    """What a plugin (an object, class or module) has for a hook; None: it has no such hook."""
    function: Callable[..., Any] | None = getattr(plugin, hook, None)
    return function if hasattr(function, "pyruse_impl") else None


def hooks_of(plugin: Any) -> list[str]:
    """The hooks that a plugin implements."""
    return [name for name in HOOKS if hook_of(plugin, name) is not None]


def has_firewall(plugin: Any) -> bool:
    """Whether a whole-program plugin gives a firewall: its options are in ``[bans.NAME]`` then."""
    return hook_of(plugin, "open_firewall") is not None


class HookManager(pluggy.PluginManager):
    """Knows the hooks of `pyruse.hookspecs`, and no plugin yet."""

    def __init__(self) -> None:
        super().__init__("pyruse")
        self.add_hookspecs(hookspecs)

    def parse_hookimpl_opts(self, plugin: Any, name: str) -> pluggy.HookimplOpts | None:
        """As pluggy does it, but for the names of Python's own, of which every class has 30."""
        return None if name.startswith("__") else super().parse_hookimpl_opts(plugin, name)


HOOKS = tuple(
    name for name, function in vars(hookspecs).items() if hasattr(function, "pyruse_spec")
)
"""The names of all hooks, in the order of `pyruse.hookspecs`."""
