"""Plugins whose own threads have something for the main thread."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue


class Woken:
    """The plugins that have asked to be called, in any thread; the main thread calls them."""

    def __init__(self) -> None:
        self._places: SimpleQueue[str] = SimpleQueue()
        self._rouse: Callable[[], object] = lambda: None

    def beside(self, rouse: Callable[[], object]) -> None:
        """Have the main loop woken, by a function that any thread may call."""
        self._rouse = rouse

    def ask(self, place: str) -> None:
        """Have the plugin of this place called soon; in any thread."""
        self._places.put(place)
        self._rouse()

    def take(self) -> set[str]:
        """The places of those that are to be called now."""
        places = set()
        while True:
            try:
                places.add(self._places.get_nowait())
            except Empty:
                return places
