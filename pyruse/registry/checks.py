"""Checks whether a class or module is a plugin: its hooks, traits and options. Calls no hook."""

from __future__ import annotations

import inspect
import re
from functools import cached_property
from typing import Any

import pluggy

from pyruse import errors
from pyruse.api.traits import Traits, misdeclared
from pyruse.errors import did_you_mean
from pyruse.options.build import options_of, unwritable
from pyruse.registry.found import Found, in_words
from pyruse.registry.hooks import HOOKS, HookManager, hooks_of
from pyruse.registry.kinds import ACTIONS, EXTENSIONS, MAIN_HOOK
from pyruse.text import one_line, shown

_OF_EVERY_STEP = ("filter", "action", "then", "else", "invert")
"""An option `name` may be a plugin's, too: it is the step's label then."""


class Checker:
    """Checks plugins one by one."""

    @cached_property
    def _manager(self) -> HookManager:
        """Knows the hooks, which takes pluggy its time: most have no plugins but Pyruse's own."""
        return HookManager()

    def check(self, found: Found, loaded: Any) -> None:
        """See that a class or module is a plugin of its kind.

        :raises PluginError: it is not.
        """
        if isinstance(loaded, type):
            _check_metaclass(found, loaded)
        self._check_hooks(found, loaded)
        if inspect.isclass(loaded):
            _check_traits(found, loaded)
            _check_options(found, loaded)

    def _check_hooks(self, found: Found, plugin: Any) -> None:
        implemented = self._implemented(found, plugin)
        for name in sorted(implemented):
            if any(one.hookwrapper or one.wrapper for one in implemented[name]):
                raise found.error("its hooks are wrong: wrappers are not called by Pyruse", name)
        for name in sorted(implemented):
            if name not in hooks_of(plugin):  # pluggy's specname: Pyruse calls hooks by their names
                raise found.error(f"its hooks are wrong: {name} is a function of another name")
            # What they return would count as true, and nothing of them would have run.
            if _is_no_plain_function(getattr(plugin, name)):
                raise found.error(f"its hooks are wrong: {name} is async, or has a yield", name)
        wanted = MAIN_HOOK.get(found.group)
        if wanted is not None and wanted not in implemented:
            raise found.error(f"{plugin.__name__} has no @hookimpl {wanted}")
        if not implemented:
            raise found.error(f"{plugin.__name__} implements no hook")
        for name in HOOKS:
            if name not in implemented and callable(getattr(plugin, name, None)):
                raise found.error(f"its hooks are wrong: {name} is not marked with @hookimpl", name)

    def _implemented(self, found: Found, plugin: Any) -> dict[str, list[pluggy.HookImpl]]:
        """The hooks of a class or module, after pluggy has found nothing wrong with them."""
        manager = self._manager
        try:
            manager.register(plugin)
            manager.check_pending()
            callers = manager.get_hookcallers(plugin) or []
            return {caller.name: caller.get_hookimpls() for caller in callers}
        except KeyboardInterrupt:
            raise
        except BaseException as fault:  # pluggy says it in several ways; getattr may run any code
            words = errors.in_words(fault, Exception)
            misspelled = re.search(r"unknown hook '(\w+)'", words)
            named = misspelled or re.search(r"for hook '(\w+)'", words)
            if misspelled:
                said = words.partition(" in plugin ")[0]
                text = f"{said}{did_you_mean(misspelled[1], HOOKS)}"
            else:
                text = (named and self._strange_argument(plugin, named[1])) or words
            raise found.error(
                f"its hooks are wrong: {one_line(text)}", named[1] if named else None
            ) from fault
        finally:
            if manager.is_registered(plugin):
                manager.unregister(plugin)

    def _strange_argument(self, plugin: Any, name: str) -> str | None:
        """The first argument of an implementation that the hook has not; None: there is none."""
        options = self._manager.parse_hookimpl_opts(plugin, name)
        hook = getattr(self._manager.hook, name, None)
        if options is None or hook is None or hook.spec is None:
            return None
        known = hook.spec.argnames
        arguments = pluggy.HookImpl(plugin, name, getattr(plugin, name), options).argnames
        strange = next((one for one in arguments if one not in known), None)
        if strange is None:
            return None
        expected = ", ".join(known) or "none"
        return (
            f"{name} has an argument {strange} (expected {expected}{did_you_mean(strange, known)})"
        )


def _check_metaclass(found: Found, cls: type) -> None:
    """See that a class can be compared and looked up: pluggy does so with those of others, too."""
    for name in ("__eq__", "__hash__"):
        if getattr(type(cls), name) is not getattr(type, name):
            raise found.error(f"its metaclass has {name} of its own")


def _is_no_plain_function(hook: Any) -> bool:
    kinds = inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction
    return any(is_kind(hook) for is_kind in kinds)


def _check_traits(found: Found, cls: type) -> None:
    try:
        fault = misdeclared(cls)
    except KeyboardInterrupt:
        raise
    except BaseException as raised:  # the annotations are anybody's expressions
        raise found.error(f"its traits cannot be read: {in_words(raised)}") from raised
    if fault is not None:
        raise found.error(f"its traits are wrong: {fault.text}", fault.attribute)
    traits = getattr(cls, "traits", Traits())
    for trait in Traits.__struct_fields__:
        value = getattr(traits, trait)
        if type(value) is not bool:  # [] would be False, and the step act in a dry run
            raise found.error(
                f"its traits are wrong: {trait} = {shown(value)} (expected True or False)", "traits"
            )
    for trait in ("final", "leaves"):
        if getattr(traits, trait) and found.group != ACTIONS:
            raise found.error(f"its traits are wrong: {trait} is for actions", "traits")
    if traits.outside_effects and found.group == EXTENSIONS:
        raise found.error("its traits are wrong: outside_effects is for steps", "traits")


def _check_options(found: Found, cls: type) -> None:
    try:
        options = options_of(cls)
    except KeyboardInterrupt:
        raise
    except BaseException as fault:  # the annotations are anybody's expressions
        raise found.error(f"its options cannot be read: {in_words(fault)}") from fault
    taken = [option for option in options if option.name in _OF_EVERY_STEP]
    if taken and found.group != EXTENSIONS:
        raise found.error(
            f"its option {taken[0].name} cannot be given: every step has its own",
            taken[0].attribute,
        )
    for option in options:
        strange = unwritable(option.type)
        if strange is not None:
            raise found.error(
                f"its option {option.name} is of a type that no text can become: "
                f"{getattr(strange, '__name__', strange)} has no class method parse",
                option.attribute,
            )
