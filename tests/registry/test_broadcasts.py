"""How hooks are called: bound to a step, or broadcast to all who have them."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

from pyruse import hookimpl
from pyruse.registry.broadcasts import Broadcasts, bound
from pyruse.registry.hooks import HookManager

# ---- The main hook of a step, as a function of the entry


class Plain:
    def entry(self, entry: Any) -> Any:
        return entry

    def both(self, entry: Any, context: Any) -> Any:
        return entry, context

    def reversed(self, context: Any, entry: Any) -> Any:
        return entry, context

    def context(self, context: Any) -> Any:
        return context

    def nothing(self) -> Any:
        return "called"

    def with_default(self, entry: Any, slack: int = 5) -> Any:
        return entry, slack

    def with_rest(self, entry: Any, *rest: Any, **more: Any) -> Any:
        return entry, rest, more

    @staticmethod
    def static(entry: Any) -> Any:
        return entry

    @classmethod
    def of_class(cls, entry: Any, context: Any) -> Any:
        return cls.__name__, entry, context


@pytest.mark.parametrize(
    ("hook", "answer"),
    [
        ("entry", "E"),
        ("both", ("E", "C")),
        ("reversed", ("E", "C")),
        ("context", "C"),
        ("nothing", "called"),
        ("with_default", ("E", 5)),
        ("with_rest", ("E", (), {})),
        ("static", "E"),
        ("of_class", ("Plain", "E", "C")),
    ],
)
def test_a_hook_gets_the_arguments_that_it_wants(hook: str, answer: object) -> None:
    assert bound(Plain(), hook, "C")("E") == answer


def test_each_step_of_a_class_has_a_context_of_its_own() -> None:
    steps = [bound(Plain(), "both", context) for context in "CD"]
    assert [step("E") for step in steps] == [("E", "C"), ("E", "D")]


def test_a_hook_that_takes_just_the_entry_is_called_without_detour() -> None:
    plain = Plain()
    assert bound(plain, "entry", None) == plain.entry


# ---- Broadcasts


@dataclass
class Listening:
    heard: list[Any]
    answer: Any = None

    @hookimpl
    def on_start(self, context: Any) -> None:
        self.heard.append(("start", context))

    @hookimpl
    def on_day_end(self, report: Any) -> None:
        self.heard.append(("day", report))

    @hookimpl
    def open_firewall(self, name: str) -> Any:
        self.heard.append(name)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@dataclass
class Failing:
    fault: BaseException

    @hookimpl
    def on_start(self) -> None:
        raise self.fault


class NoHook:
    def on_start(self, context: Any) -> None:
        raise AssertionError("it is not marked as a hook")


Faults = list[tuple[str, str, BaseException]]


@pytest.fixture
def faults() -> Faults:
    return []


@pytest.fixture
def broadcasts(faults: Faults) -> Broadcasts:
    return Broadcasts(lambda *fault: faults.append(fault))


def test_everybody_hears_with_a_context_of_their_own(broadcasts: Broadcasts) -> None:
    heard: list[Any] = []
    # Two steps with the same options are equal, and yet two.
    for name in ("one", "two"):
        broadcasts.register(Listening(heard), name, f"context of {name}")
    broadcasts.call("on_start")
    assert heard == [("start", "context of two"), ("start", "context of one")]
    broadcasts.call("on_day_end", report="report")
    assert heard[2:] == [("day", "report")] * 2
    broadcasts.call("on_stop")  # nobody has it


def test_one_that_fails_does_not_disturb_the_others(broadcasts: Broadcasts, faults: Faults) -> None:
    heard: list[Any] = []
    fault = KeyError("x")
    broadcasts.register(Listening(heard), "first", None)
    broadcasts.register(Failing(fault), "bad", None)
    broadcasts.register(NoHook(), "none", None)
    broadcasts.register(Listening(heard), "last", None)
    broadcasts.call("on_start")
    assert len(heard) == 2
    assert faults == [("bad", "on_start", fault)]


def test_the_first_answer_counts_and_a_bug_is_no_answer(
    broadcasts: Broadcasts, faults: Faults
) -> None:
    heard: list[Any] = []
    fault = RuntimeError("bug")
    for name, answer in (("a", None), ("b", "wall"), ("c", fault)):
        broadcasts.register(Listening(heard, answer), name, None)
    assert broadcasts.first("open_firewall", name="nft") == "wall"
    assert faults == [("c", "open_firewall", fault)]
    assert heard == ["nft", "nft"], "c and b; nobody asks a"


class Marked:
    """Listens before or after others, as the marker says."""

    def __init__(self, heard: list[str], name: str) -> None:
        self.heard, self.name = heard, name

    @hookimpl(tryfirst=True)
    def on_start(self) -> None:
        self.heard.append(self.name)

    @hookimpl(trylast=True)
    def on_stop(self) -> None:
        self.heard.append(self.name)


class Unmarked(Marked):
    @hookimpl
    def on_start(self) -> None:
        super().on_start()

    @hookimpl
    def on_stop(self) -> None:
        super().on_stop()


def test_the_order_is_the_one_of_pluggy(broadcasts: Broadcasts) -> None:
    heard: list[str] = []
    manager = HookManager()
    for at, cls in enumerate([Unmarked, Marked, Unmarked, Marked, Unmarked]):
        plugin = cls(heard, f"{cls.__name__} {at}")
        broadcasts.register(plugin, plugin.name, None)
        manager.register(plugin)
    for hook in ("on_start", "on_stop"):
        getattr(manager.hook, hook)(context=None)
        expected, heard[:] = [*heard], []
        broadcasts.call(hook)
        ours, heard[:] = [*heard], []
        assert len(ours) == 5
        assert ours == expected


def test_the_first_answer_may_be_found_with_a_context(broadcasts: Broadcasts) -> None:
    class WithContext:
        @hookimpl
        def open_firewall(self, name: str, context: Any) -> Any:
            return name, context

    broadcasts.register(WithContext(), "a", "context of a")
    assert broadcasts.first("open_firewall", name="nft") == ("nft", "context of a")


def test_a_hook_that_there_is_not_cannot_be_called(broadcasts: Broadcasts) -> None:
    with pytest.raises(KeyError, match="on_strat"):
        broadcasts.call("on_strat")


def test_nobody_answers(broadcasts: Broadcasts) -> None:
    broadcasts.register(Listening([]), "a", None)
    assert broadcasts.first("open_firewall", name="nft") is None


def test_who_refuses_is_heard(broadcasts: Broadcasts) -> None:
    broadcasts.register(Listening([], ValueError("no (expected yes)")), "a", None)
    with pytest.raises(ValueError, match="no"):
        broadcasts.first("open_firewall", name="nft")


def test_functions_of_a_module_are_hooks_as_well(broadcasts: Broadcasts) -> None:
    heard: list[Any] = []

    @hookimpl
    def on_start(context: Any) -> None:
        heard.append(context)

    module = ModuleType("module")
    vars(module)["on_start"] = on_start
    broadcasts.register(module, "module", "context")
    broadcasts.call("on_start")
    assert heard == ["context"]
