"""Limits the time that a step may take for one entry: a regular expression can take for ever.

A slow step is interrupted, and not left out: docs/decisions/0021-slow-steps-are-interrupted.md.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Hashable
from types import FrameType, TracebackType
from typing import Self

_LONGEST_S = 1.0
_SHORTEST_S = 0.005
_MOST_STOPS = 8  # halve the longest time to less than the shortest one
_FORGIVEN_S = 60.0


class StepTooSlow(Exception):
    """A step took too long with one entry; raised inside the step."""


class Patience:
    """While its ``with`` block runs, a step that is busy with one entry for a second is stopped.

    Who can write one such line can write thousands. So each interruption halves the time that the
    step has, down to 5 ms, and each minute without an interruption doubles it again. The lines that
    the step was made for do not take that long, so the step does not miss them.

    A timer checks now and then whether the same step is still busy, so other steps lose no time.
    CPython's ``re`` looks for signals while it matches, so it can be interrupted.
    Outside the main thread, where no signal arrives, there is no limit.
    """

    def __init__(
        self,
        position: Callable[[], int],
        at_work: Callable[[FrameType | None], Hashable | None],
        busy_with: str = " with this entry",
    ) -> None:
        """Arm no timer yet.

        :param position: gives a number that rises with each entry, or whatever there is to do.
        :param at_work: gives the step that is at work (see `Travel.at_work`), or the plugin.
        :param busy_with: what takes too long, in words.
        """
        self._position = position
        self._at_work = at_work
        self._busy_with = busy_with
        self._stops: dict[Hashable, tuple[int, float]] = {}
        """Steps that were stopped: how often, and when they were last."""
        self._seen: tuple[int, Hashable] | None = None
        """The entry and the step that were at work at the last tick …"""
        self._since = self._since_cpu = 0.0
        """… and since when, by the clock and by the time of the processor: half a tick before."""
        self._tick_s = 0.0
        self._before: Callable[[int, FrameType | None], object] | int | None = None
        self._active = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> Self:
        if self._active:
            self._seen = None
            self._before = signal.signal(signal.SIGALRM, self._tick)
            self._set_timer()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._active:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before)

    def _set_timer(self) -> None:
        """Tick twice in the time of the step that has least."""
        now = time.monotonic()
        self._stops = {step: stop for step, stop in self._stops.items() if self._count(step, now)}
        most = max((self._count(step, now) for step in self._stops), default=0)
        self._tick_s = _limit(most) / 2
        signal.setitimer(signal.ITIMER_REAL, self._tick_s, self._tick_s)

    def _count(self, step: Hashable, now: float) -> int:
        """How many of a step's stops are not forgiven yet."""
        stops, last = self._stops.get(step, (0, now))
        return max(0, stops - int((now - last) / _FORGIVEN_S))

    def _tick(self, number: int, frame: FrameType | None) -> None:
        step = self._at_work(frame)
        now, cpu = time.monotonic(), time.thread_time()
        if step is None or self._seen != (self._position(), step):
            self._seen = None if step is None else (self._position(), step)
            self._since, self._since_cpu = now - self._tick_s / 2, cpu - self._tick_s / 2
            return
        stops = self._count(step, now)
        # On a busy machine, milliseconds pass without any fault of the step's.
        if cpu - self._since_cpu >= _limit(stops) or now - self._since >= _LONGEST_S:
            self._stops[step] = (min(stops + 1, _MOST_STOPS), now)
            self._seen = None
            self._set_timer()
            raise StepTooSlow(f"took too long{self._busy_with} (over {_limit(stops):.3g} s)")


def _limit(stops: int) -> float:
    """How long a step may take that was stopped so often, in seconds."""
    return max(_SHORTEST_S, _LONGEST_S * 0.5**stops)
