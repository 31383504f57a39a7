"""Measures where the time of a pass over the journal goes: to steps, and to reading fields."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

from msgspec import Struct

from pyruse.chains.model import Step
from pyruse.chains.traffic import Traffic

Call = Callable[..., Any]

_ROUNDS, _CALLS = 10, 1_000
"""So many times measuring is measured."""


class _Stopwatch(Struct):
    """Times in nanoseconds as measured, the time for measuring included."""

    calls: int = 0
    ns: int = 0
    reads: int = 0
    """How often fields were read from the journal during these calls …"""
    reading_ns: int = 0
    """… and how long that took."""


class Profile:
    """Measures a pass, by the clock: other work of the machine counts, too."""

    def __init__(self) -> None:
        self._steps: defaultdict[Step, _Stopwatch] = defaultdict(_Stopwatch)
        self._reading = _Stopwatch()
        self._moving = _Stopwatch()
        self._batches = _Stopwatch()
        self._inside, self._whole = self._cost()
        """What measuring a call takes, in nanoseconds: the part between the two looks at the
        clock, and all of it."""

    def steps(self, bind: Callable[[Step], Call]) -> Callable[[Step], Call]:
        """What gives the functions of steps, so that it gives measured ones."""
        return lambda step: self._measured(self._steps[step], bind(step))

    def reading(self, call: Call) -> Call:
        """A function that reads fields of the current entry, measured."""
        return self._measured(self._reading, call)

    def moving(self, call: Call) -> Call:
        """A function that moves to another entry, measured."""
        return self._measured(self._moving, call)

    def batches(self, call: Call) -> Call:
        """A function that leads many entries through the chains, measured."""
        return self._measured(self._batches, call)

    def data(self, traffic: Traffic, elapsed: float) -> dict[str, Any]:
        """What was found, in JSON types: times are seconds, without what measuring takes.

        :param traffic: what was counted on the same pass.
        :param elapsed: how long the pass took, in seconds.
        """
        inner = sum(one.calls for one in (self._reading, self._moving, *self._steps.values()))
        batches = max(0.0, self._batches.ns - inner * self._whole)
        steps = sum(self._net_ns(one) - self._net_reading_ns(one) for one in self._steps.values())
        reading, moving = self._net_ns(self._reading), self._net_ns(self._moving)
        between = max(0.0, batches - steps - reading - moving)
        others = max(0.0, elapsed * 1e9 - self._batches.ns)
        return {
            "seconds": {
                "steps": _seconds(steps),
                "reading": _seconds(reading),
                "moving": _seconds(moving),
                "between": _seconds(between),
                "others": _seconds(others),
                "total": _seconds(steps + reading + moving + between + others),
            },
            "chains": [
                {
                    **chain,
                    "seconds": _sum(chain["steps"], "seconds"),
                    "reading_seconds": _sum(chain["steps"], "reading_seconds"),
                }
                for chain in traffic.data(self._times)
            ],
        }

    def _times(self, step: Step) -> dict[str, Any]:
        watch = self._steps[step]
        return {
            "calls": watch.calls,
            "seconds": _seconds(self._net_ns(watch)),
            "reading_seconds": _seconds(self._net_reading_ns(watch)),
        }

    def _net_ns(self, watch: _Stopwatch) -> float:
        return max(0.0, watch.ns - watch.calls * self._inside - watch.reads * self._whole)

    def _net_reading_ns(self, watch: _Stopwatch) -> float:
        return max(0.0, watch.reading_ns - watch.reads * self._inside)

    def _measured(self, watch: _Stopwatch, call: Call) -> Call:
        reading = self._reading

        def measured(*arguments: Any) -> Any:
            reads, reading_ns = reading.calls, reading.ns
            begin = perf_counter_ns()
            try:
                return call(*arguments)
            finally:  # a step that raises, or is stopped, has taken its time, too
                watch.ns += perf_counter_ns() - begin
                watch.reads += reading.calls - reads
                watch.reading_ns += reading.ns - reading_ns
                watch.calls += 1

        return measured

    def _cost(self) -> tuple[float, float]:
        """The two parts of what measuring takes, seen where there is nothing to measure."""
        bare = min(_ns_a_call(_nothing) for _ in range(_ROUNDS))
        wholes, insides = [], []
        for _ in range(_ROUNDS):
            watch = _Stopwatch()
            wholes.append(_ns_a_call(self._measured(watch, _nothing)) - bare)
            insides.append(watch.ns / watch.calls - bare)
        return max(0.0, min(insides)), max(0.0, min(wholes))


def _nothing(_: object) -> None:
    pass


def _ns_a_call(call: Callable[[object], object]) -> float:
    begin = perf_counter_ns()
    for _ in range(_CALLS):
        call(None)
    return (perf_counter_ns() - begin) / _CALLS


def _seconds(ns: float) -> float:
    return round(ns / 1e9, 9)


def _sum(steps: list[dict[str, Any]], key: str) -> float:
    total: float = sum(step[key] for step in steps)
    return round(total, 9)
