"""A limit to the time that one entry may take: a regular expression can take for ever."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

from pyruse.chains.travel import ON_FAULT, travel

_TICK_S = 0.5


class StepTooSlow(Exception):
    """A step took too long with one entry; raised inside the step."""


class Patience:
    """While its ``with`` block runs, a step that is busy with one entry for a second is stopped.

    A timer looks now and then whether the entry is still the same one: so the others are not slowed
    down. CPython's ``re`` looks for signals while it matches, so that it can be interrupted.
    Outside the main thread, where no signal arrives, there is no limit.
    """

    def __init__(self, position: Callable[[], int]) -> None:
        """:param position: gives a number that rises with each entry."""
        self._position = position
        self._seen = -1
        self._before: Callable[[int, FrameType | None], object] | int | None = None
        self._active = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> Self:
        if self._active:
            self._seen = -1
            self._before = signal.signal(signal.SIGALRM, self._tick)
            signal.setitimer(signal.ITIMER_REAL, _TICK_S, _TICK_S)
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

    def _tick(self, number: int, frame: FrameType | None) -> None:
        position = self._position()
        if position == self._seen and _in_step(frame):
            self._seen = -1
            raise StepTooSlow("took too long with this entry")
        self._seen = position


def _in_step(frame: FrameType | None) -> bool:
    """Whether a step is at work, and not Pyruse itself, which would not expect the exception."""
    callee: FrameType | None = None
    while frame is not None and frame.f_code is not travel.__code__:
        callee, frame = frame, frame.f_back
    return frame is not None and callee is not None and callee.f_code.co_name != ON_FAULT
