"""Finding, loading and calling plugins. What is broken is named in one line, and never fatal."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import (
    Distribution,
    EntryPoint,
    distributions,
    entry_points,
    version,
)
from typing import Any

import pluggy

from pyruse import hookspecs
from pyruse.building import options_of, unwritable
from pyruse.errors import UserError, did_you_mean
from pyruse.options import shown
from pyruse.text import one_line, shortened

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


@dataclass(frozen=True)
class Found:
    """A plugin that some installed distribution registers; not imported yet."""

    group: str
    name: str
    entry_point: EntryPoint
    distribution: str
    version: str

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
        from pyruse.interface import unfit

        why = unfit(self.entry_point.dist, version(_OWN))
        if why is not None:
            raise PluginError(f"{self.described}: {why}")

    def _check_hooks(self, plugin: Any) -> None:
        manager = _new_manager()
        try:
            manager.register(plugin)
            manager.check_pending()
        except Exception as fault:  # pluggy says it in several ways; getattr may run any code
            misspelled = re.search(r"unknown hook '(\w+)'", str(fault))
            hint = did_you_mean(misspelled[1], HOOKS) if misspelled else ""
            text = one_line(f"{fault}{hint}".replace("Argument(s) {", "argument(s) {"))
            raise self.error(f"its hooks are wrong: {text}") from fault
        callers = manager.get_hookcallers(plugin) or []
        if any(impl.hookwrapper or impl.wrapper for one in callers for impl in one.get_hookimpls()):
            raise self.error("its hooks are wrong: wrappers are not called by Pyruse")
        implemented = {caller.name for caller in callers}
        for name in sorted(implemented):
            # What they return would count as true, and nothing of them would have run.
            if _is_no_plain_function(getattr(plugin, name)):
                raise self.error(f"its hooks are wrong: {name} is async, or has a yield")
        wanted = MAIN_HOOK.get(self.group)
        if wanted is not None and wanted not in implemented:
            raise self.error(f"{plugin.__name__} has no @hookimpl {wanted}")
        if not implemented:
            raise self.error(f"{self.entry_point.value} implements no hook")

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
        points = self._points()
        self._found = {
            group: self._find(group, [point for point in points if point.group == group])
            for group in _KIND
        }

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
                found += distribution.entry_points
            except Exception as fault:  # noqa: BLE001 -- it depends on what is wrong with its files
                self.faults.append(
                    f"distribution {name} {release}: its entry points cannot be read: "
                    f"{_in_words(fault)} (expected a working package: upgrade or remove {name})"
                )
        return found

    def _find(self, group: str, points: list[EntryPoint]) -> dict[str, Found]:
        by_name: dict[str, list[Found]] = {}
        seen: set[tuple[str, str, str]] = set()
        named: dict[int, tuple[str, str]] = {}  # a distribution's files are read once
        for point in points:
            if id(point.dist) not in named:
                named[id(point.dist)] = _named(point.dist)
            distribution, release = named[id(point.dist)]
            key = (point.name, distribution.lower(), point.value)
            if key not in seen:  # an editable install may be found twice
                seen.add(key)
                found = Found(group, point.name, point, distribution, release)
                by_name.setdefault(point.name, []).append(found)
        return {name: found[0] for name, found in by_name.items() if self._unclaimed(found)}

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
        return distribution.name or "unnamed", distribution.version or "?"
    except Exception:  # noqa: BLE001 -- METADATA is missing or no text: Python's errors vary
        return str(getattr(distribution, "_path", "an unknown distribution")), "?"


def hooks_of(plugin: Any) -> list[str]:
    """The hooks that a plugin implements."""
    return [name for name in HOOKS if hasattr(getattr(plugin, name, None), "pyruse_impl")]


def has_firewall(plugin: Any) -> bool:
    """Whether a whole-program plugin gives a firewall: its options are in ``[bans.NAME]`` then."""
    return "open_firewall" in hooks_of(plugin)


class Broadcasts:
    """The plugins that hear of what concerns all: start, stop, reports, the end of a day."""

    def __init__(self, on_fault: Callable[[str, str, Exception], None]) -> None:
        """:param on_fault: told of an implementation that raised: (plugin, hook, exception)."""
        self._manager = _new_manager()
        self._on_fault = on_fault

    def register(self, plugin: Any, name: str, context: Any) -> None:
        """Let a plugin, or a step, hear of what it has hooks for."""
        # pluggy refuses a plugin that is equal to one it has, as two steps with the same options
        # are: so each gets a listener of its own, which is equal to itself alone.
        listener = _Listener(name, context)
        for hook in _BROADCAST:
            method = getattr(plugin, hook, None)
            if hasattr(method, "pyruse_impl"):
                setattr(listener, hook, method)
        if any(hook in vars(listener) for hook in _BROADCAST):
            self._manager.register(listener, name=f"{name} {id(listener)}")

    def call(self, hook: str, **arguments: Any) -> list[Any]:
        """Call a hook of every plugin that has it; one that raises does not disturb the others."""
        results = []
        for implementation in reversed(getattr(self._manager.hook, hook).get_hookimpls()):
            listener = implementation.plugin
            known = {"context": listener.context, **arguments}
            try:
                results.append(
                    implementation.function(*[known[name] for name in implementation.argnames])
                )
            except Exception as fault:  # noqa: BLE001 -- contained to this call, whatever it is
                self._on_fault(listener.name, hook, fault)
        return results

    def first(self, hook: str, **arguments: Any) -> Any:
        """The first answer that is not None, of a hook that only one plugin answers; else None.

        :raises ValueError: a plugin refused the arguments.
        """
        for implementation in reversed(getattr(self._manager.hook, hook).get_hookimpls()):
            try:
                answer = implementation.function(
                    *[arguments[name] for name in implementation.argnames]
                )
            except ValueError:
                raise
            except Exception as fault:  # noqa: BLE001 -- contained to this call, whatever it is
                self._on_fault(implementation.plugin.name, hook, fault)
                continue
            if answer is not None:
                return answer
        return None


class _Listener:
    """Carries the bound hook methods of one step or plugin."""

    def __init__(self, name: str, context: Any) -> None:
        self.name = name
        self.context = context


def bound(instance: Any, hook: str, context: Any) -> Callable[[Any], Any]:
    """The main hook of a step as a function of the entry alone, ready for the entry's way.

    No lookup and no hook machinery is left: the method itself where it takes just the entry.
    """
    method: Callable[..., Any] = getattr(instance, hook)
    parameters = inspect.signature(method).parameters.values()
    # As in pluggy, an argument with a default is the implementation's own affair.
    match [one.name for one in parameters if one.default is one.empty and one.kind in _NAMED]:
        case ["entry"]:
            return method
        case ["entry", "context"]:
            return lambda entry: method(entry, context)
        case ["context", "entry"]:
            return lambda entry: method(context, entry)
        case ["context"]:
            return lambda _: method(context)
        case _:
            return lambda _: method()


_NAMED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _new_manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager("pyruse")
    manager.add_hookspecs(hookspecs)
    return manager


HOOKS = tuple(
    name for name, function in vars(hookspecs).items() if hasattr(function, "pyruse_spec")
)
"""The names of all hooks, in the order of `pyruse.hookspecs`."""
_BROADCAST = tuple(name for name in HOOKS if name not in (*MAIN_HOOK.values(), "check_options"))
