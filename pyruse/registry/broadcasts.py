"""Calling plugins: those that listen one after another, and a step with nothing in between."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import cache
from types import MethodType
from typing import Any

from pyruse.registry.plugins import HOOKS, MAIN_HOOK, HookManager

_BROADCAST = tuple(name for name in HOOKS if name not in (*MAIN_HOOK.values(), "check_options"))
_NAMED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Broadcasts:
    """The plugins that hear of what concerns all: start, stop, reports, the end of a day."""

    def __init__(self, on_fault: Callable[[str, str, Exception], None]) -> None:
        """:param on_fault: told of an implementation that raised: (plugin, hook, exception)."""
        self._manager = HookManager()
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
    match _arguments_of(method):
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


def _arguments_of(method: Callable[..., Any]) -> Sequence[str]:
    """The names of the arguments that a hook wants to be given."""
    if isinstance(method, MethodType):
        return _named_arguments(method.__func__)[1:]
    return _named_arguments(method)


@cache  # many steps are of one class
def _named_arguments(function: Callable[..., Any]) -> Sequence[str]:
    """As in pluggy, an argument with a default is the implementation's own affair."""
    parameters = inspect.signature(function).parameters.values()
    return [one.name for one in parameters if one.default is one.empty and one.kind in _NAMED]
