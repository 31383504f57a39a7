"""Calls plugins: listeners one after another, and a step with nothing in between."""

from __future__ import annotations

import inspect
from bisect import insort_left
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from types import FrameType, MethodType, ModuleType
from typing import Any

from msgspec import Struct

from pyruse.hookspecs import hook_of
from pyruse.registry.hooks import HOOKS

_NAMED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class _Call(Struct, frozen=True):
    """A hook of one plugin or step, ready to be called."""

    name: str
    """Of the plugin, or the step's place."""
    context: Any
    function: Callable[..., Any]
    arguments: Sequence[str]
    """The names of those that the function wants."""


class Broadcasts:
    """The plugins that listen to hooks for all: start, stop, reports, the end of a day.

    The plugin that was registered last is called first, as in pluggy; ``tryfirst`` and ``trylast``
    count.
    """

    def __init__(self, on_fault: Callable[[str, str, BaseException], None]) -> None:
        """Begin without plugins.

        :param on_fault: told of an implementation that raised: (plugin, hook, exception).
        """
        self._calls: dict[str, list[_Call]] = {hook: [] for hook in HOOKS}
        self._on_fault = on_fault
        self._calling: _Call | None = None

    def at_work(self, frame: FrameType | None) -> tuple[str, str] | None:
        """The plugin, and its hook, that is at work, for whoever interrupts the program.

        :param frame: the frame that was interrupted.
        :return: None: Pyruse itself is at work, and would not expect an exception.
        """
        call = self._calling
        if call is None or frame is None or frame.f_code is Broadcasts._answers.__code__:
            return None
        return call.name, call.function.__name__

    def register(self, plugin: Any, name: str, context: Any) -> None:
        """Let a plugin, or a step, hear of what it has hooks for."""
        for hook in _hooks_that_may_be_of(plugin):
            calls = self._calls[hook]
            function = hook_of(plugin, hook)
            if function is not None:
                call = _Call(name, context, function, _arguments_of(function))
                if _rank(call) == _LAST:
                    calls.append(call)
                else:
                    insort_left(calls, call, key=_rank)

    def listens(self, *hooks: str) -> bool:
        """Whether any plugin has one of these hooks."""
        return any(self._calls[hook] for hook in hooks)

    def call(self, hook: str, **arguments: Any) -> list[Any]:
        """Call a hook of every plugin that has it; one that raises does not disturb the others."""
        return list(self._answers(hook, arguments))

    def call_some(self, places: Collection[str], hook: str) -> None:
        """Call a hook, without arguments of its own, of those plugins that have it.

        :param places: of the plugins and steps, as they were registered.
        :param hook: its name.
        """
        if places:
            list(self._answers(hook, {}, places=places))

    def first(self, hook: str, **arguments: Any) -> Any:
        """The first answer that is not None, of a hook that only one plugin answers; else None.

        :raises ValueError: a plugin refused the arguments.
        """
        answers = self._answers(hook, arguments, refusal=ValueError)
        return next((answer for answer in answers if answer is not None), None)

    def _answers(
        self,
        hook: str,
        arguments: dict[str, Any],
        refusal: type[Exception] | tuple[()] = (),
        places: Collection[str] | None = None,
    ) -> Iterator[Any]:
        """Call the plugins one after another, as the answers are asked for.

        :param refusal: what a plugin may raise; anything else is a fault of its own.
        :param places: of those that are called; None: all of them.
        """
        for call in self._calls[hook]:
            if places is not None and call.name not in places:
                continue
            known = {"context": call.context, **arguments}
            try:
                self._calling = call
                try:
                    answer = call.function(*[known[name] for name in call.arguments])
                finally:
                    self._calling = None
            except refusal:
                raise
            except KeyboardInterrupt:
                raise
            except BaseException as fault:  # noqa: BLE001 -- contained to this call, even SystemExit
                self._on_fault(call.name, hook, fault)
            else:
                yield answer


_LAST = 2


def _rank(call: _Call) -> int:
    """Who is called before others: 0, 1 or `_LAST`, as the marker ``@hookimpl`` says."""
    marked = call.function.pyruse_impl  # type: ignore[attr-defined]  # set by pluggy's marker
    return 0 if marked["tryfirst"] else _LAST if marked["trylast"] else 1


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


def delivering(plugin: Any) -> Callable[..., None] | None:
    """The hook `deliver` of a step or extension, taking ``parcel=…``; None: it has none."""
    method = hook_of(plugin, "deliver")
    if method is None:
        return None
    wanted = _arguments_of(method)
    return lambda **known: method(*[known[name] for name in wanted])


def _arguments_of(method: Callable[..., Any]) -> Sequence[str]:
    """The names of the arguments that a hook wants to be given."""
    if isinstance(method, MethodType):
        return _named_arguments(method.__func__)[1:]
    return _named_arguments(method)


@lru_cache  # many steps are of one class
def _named_arguments(function: Callable[..., Any]) -> Sequence[str]:
    """As in pluggy, an argument with a default is the implementation's own affair."""
    parameters = inspect.signature(function).parameters.values()
    return [one.name for one in parameters if one.default is one.empty and one.kind in _NAMED]


def _hooks_that_may_be_of(plugin: Any) -> Iterable[str]:
    """The hooks to ask an object for: of thousands of steps, few classes have more than one."""
    cls = type(plugin)
    if isinstance(plugin, type | ModuleType) or hasattr(cls, "__getattr__"):
        return HOOKS
    of_class = _hooks_of_class(cls)  # type: ignore[arg-type]
    own = getattr(plugin, "__dict__", {})
    return [*of_class, *(name for name in own if name in HOOKS and name not in of_class)]


@lru_cache(maxsize=256)
def _hooks_of_class(cls: type) -> tuple[str, ...]:
    return tuple(hook for hook in HOOKS if hasattr(cls, hook))
