"""The windows of one counter, and what of them is yet to be written."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Protocol

from pyruse.api.memory import Raised
from pyruse.state.due import Due
from pyruse.state.plain_windows import MOST, PlainWindows, beyond, counting
from pyruse.state.window import Event, Window
from pyruse.times import FOREVER

_LONGEST_KEY = 1_000
"""Characters of a key, or of a distinct value: strangers must not fill the memory with them."""

Row = tuple[str, str, int, int, str | None]
"""A raise as the database has it: counter, key, expiry, amount, value."""


class Store(Protocol):
    """What the windows of all counters have in common."""

    left_until: int
    """Until then, some windows may be in the database alone; 0: all are in memory."""
    raised: list[Raised] | None

    def fetched(self, counter: str, key: str) -> Window:
        """A window that is not in memory, with what the database holds of it."""


class Windows:
    """The windows of one counter, by key: each key has a plain one or another one, or none."""

    __slots__ = (
        "_events", "_risen", "_store", "due", "gone", "gone_for_ever", "name", "others", "plain",
        "resets",
    )  # fmt: skip

    def __init__(self, name: str, store: Store) -> None:
        """Hold nothing yet.

        :param name: of the counter.
        :param store: has the windows that are not in memory, and wants to know what is raised.
        """
        self.name = name
        self._store = store
        self.plain = PlainWindows()
        self.others: dict[str, Window] = {}
        """Those that are not plain, in the order in which they got here."""
        self.due: Due[str] = Due()
        """When something is to be dropped from each of the others."""
        self._events: dict[str, list[Event]] = {}
        """What has come into each of the others since the last commit."""
        self._risen: dict[str, None] = {}
        """Those whose part that never expires has changed: kept as one row, not one a raise."""
        self.resets: dict[str, int] = {}
        """The resets since the last commit that the database is to know of: the key, and the end of
        its grace, or 0."""
        self.gone: list[tuple[int, str, str]] = []
        """The raises of these windows that the database may have: when each expires, and its key.
        By that they are found, as an index of keys would cost each raise twice as much."""
        self.gone_for_ever: list[tuple[str, str]] = []
        """The windows of which it may have something that never expires."""

    def count(
        self, key: str, at: int, within: int | None, by: int = 1, distinct: str | None = None
    ) -> int:
        """Raise a window; see `pyruse.api.memory.Counters`."""
        if type(key) is not str or len(key) > _LONGEST_KEY:
            key = _checked(key)
        plain = self.plain
        known = plain.windows.get(key)
        if known is None:
            window = self.others.get(key)
            if window is not None:
                if at < window.grace_until:
                    return 0
                return self._raise(key, window, at, within, by, distinct)
            if self._store.left_until:
                window = self._fetched(key)
                return self._raise(key, window, at, within, by, distinct)
            known = ()
        if by == 1 and distinct is None and within is not None and len(known) < MOST:
            expires = at + within
            held = plain.add(key, expires, known)
            if self._store.raised is not None:
                self._store.raised.append(Raised(self.name, key, expires, 1))
            return len(held) if held[0] > at else counting(held, at)
        return self._raise(key, self._made(key), at, within, by, distinct)

    def _raise(  # noqa: PLR0913 -- the options of one counting
        self,
        key: str,
        window: Window,
        at: int,
        within: int | None,
        by: int,
        distinct: str | None,
    ) -> int:
        """The same for a window that is not plain."""
        if at < window.grace_until:
            return 0
        window.turn_to(at)
        expires = FOREVER if within is None else at + within
        if distinct is not None:
            value = distinct if len(distinct) <= _LONGEST_KEY else _short(distinct)
            event = window.see(value, expires, at)
            if event is not None:
                self._note(key, window, event)
            return window.different
        event = window.raise_by(by, expires)
        if event is None:
            self._risen[key] = None
        else:
            self._note(key, window, event)
            if self._store.raised is not None:
                self._store.raised.append(Raised(self.name, key, expires, by))
        return window.total

    def _note(self, key: str, window: Window, event: Event) -> None:
        """Have an event written at the next commit, and dropped in time."""
        self._events.setdefault(key, []).append(event)
        if window.events[0] is event:  # most come behind others, and change nothing
            self._drop_later(key, window)

    def _drop_later(self, key: str, window: Window) -> None:
        if (due := window.next_due()) < FOREVER:
            self.due.set(key, due)

    def _made(self, key: str) -> Window:
        """The window of a key that has none, or a plain one."""
        window = self.others[key] = Window()
        held, written = self.plain.pop(key)
        for expires in held:
            window.take(expires, 1, None)
        if new := beyond(held, written):
            self._events[key] = [(expires, 1, None) for expires in new]
        self._drop_later(key, window)
        return window

    def _fetched(self, key: str) -> Window:
        window = self.others[key] = self._store.fetched(self.name, key)
        self._drop_later(key, window)
        return window

    def held(self, key: str, at: int, *, distinct: bool) -> int:
        """What a window holds; see `pyruse.api.memory.Counters`."""
        key = _checked(key)
        plain = self.plain.windows.get(key)
        if plain is not None:
            return 0 if distinct else counting(plain, at)
        window = self.others.get(key)
        if window is None and self._store.left_until:
            window = self._fetched(key)
            if window.is_empty():
                del self.others[key]  # whoever asks for what is not there must not fill the memory
        if window is None or at < window.grace_until:
            return 0
        window.turn_to(at)
        return window.different if distinct else window.total

    def reset(self, key: str, at: int, grace: int | None) -> None:
        """Forget a window; see `pyruse.api.memory.Counters`."""
        key = _checked(key)
        until = 0 if grace is None else at + grace
        held = key in self.plain.windows or key in self.others
        if not (held or until or self._store.left_until):
            return  # who logs in has seldom failed: there is nothing, in the database neither
        _, written = self.plain.pop(key)
        window = self.others.pop(key, None)
        known = bool(written) or bool(self._store.left_until)
        self.gone += [(expires, self.name, key) for expires in written]
        if window is not None:
            known |= self._forget(key, window)
        if until:
            window = self.others[key] = Window()
            window.grace_until = until
            self.due.set(key, until)
        if known or until:
            self.resets[key] = until

    def _forget(self, key: str, window: Window) -> bool:
        """Forget what is not plain; whether the database may know of it."""
        self.due.discard(key)
        self._risen.pop(key, None)
        new = self._events.pop(key, [])
        if len(new) == len(window.events) and not window.forever and not window.grace_until:
            return False
        self.gone += [(end, self.name, key) for end, _, _ in window.events if end < FOREVER]
        if window.holds_for_ever:
            self.gone_for_ever.append((self.name, key))
        return True

    def drop(self, at: int) -> None:
        """Drop what no longer counts at an instant."""
        for key in self.due.pop_until(at):
            window = self.others[key]
            window.drop(at)
            if key in self._events:
                self._events[key] = [event for event in self._events[key] if event[0] > at]
            if 0 < self.resets.get(key, 0) <= at:
                self.resets[key] = 0
            if window.is_empty():
                del self.others[key]
            else:
                self._drop_later(key, window)
        self.plain.drop(at)

    def take(self, key: str, expires: int, amount: int, value: str | None) -> None:
        """Take over what the database holds, in the order in which it expires."""
        known = self.plain.windows.get(key)
        if (
            value is None
            and amount == 1
            and expires < FOREVER
            and (known is None or len(known) < MOST)
            and (known is not None or key not in self.others)
        ):
            self.plain.take(key, expires)
            return
        window = self.others.get(key) or self._made(key)
        window.take(expires, amount, value)
        self._drop_later(key, window)

    def take_grace(self, key: str, until: int) -> None:
        """Take over the grace of a window of which nothing else is taken over yet."""
        window = self.others[key] = Window()
        window.grace_until = until
        self._drop_later(key, window)

    def rows(self) -> Iterator[Row]:
        """What has come since the last commit, and counts for a time, or is a value."""
        for key, expires in self.plain.unwritten():
            yield self.name, key, expires, 1, None
        for key, events in self._events.items():
            for event in events:
                yield self.name, key, *event

    def risen_for_ever(self) -> Iterator[tuple[str, int]]:
        """The keys whose sum that never expires has changed since the last commit, with it."""
        for key in self._risen:
            yield key, self.others[key].forever

    def saved(self) -> None:
        """Forget what is written."""
        self.plain.saved()
        self._events.clear()
        self._risen.clear()
        self.resets.clear()
        self.gone.clear()
        self.gone_for_ever.clear()

    def leave(self, number: int) -> None:
        """Leave to the database the plain windows, and so many of the others that came first."""
        self.plain.clear()
        for key in list(itertools.islice(self.others, number)):
            del self.others[key]
            self.due.discard(key)


def _checked(key: object) -> str:
    if not isinstance(key, str):  # the database would refuse it, and with it the whole batch
        raise TypeError(f"{key!r} is no key of a counter (expected text)")
    return key if len(key) <= _LONGEST_KEY else _short(key)


def _short(text: str) -> str:
    """A text that strangers made long, by its beginning and a number that tells it from others."""
    import hashlib  # it loads OpenSSL, 4 MB, and few keys are long

    digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]
    return f"{text[:_LONGEST_KEY]}… {digest}"
