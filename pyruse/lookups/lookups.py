"""Owns what lists of networks stand for that changes, and keeps it current."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from msgspec import Struct

from pyruse.addresses import Network, network_text
from pyruse.lookups import host_names, list_files
from pyruse.lookups.host_names import NameAnswer
from pyruse.lookups.list_files import FileAnswer, Signature
from pyruse.options.networks import HostName, ListFile, Networks
from pyruse.state.tables import Table
from pyruse.system.workers import Worker
from pyruse.times import Clock

if TYPE_CHECKING:
    from pyruse.lookups.list_watch import ListWatch

_AGAIN_US = 300_000_000
"""So old an answer may become. Nobody tells of a change, and getaddrinfo(3) tells no lifetime."""
_RETRY_US = 15_000_000
"""The same for the first answer that failed; twice as long for each further one."""
_TOGETHER_US = 30_000_000
"""What is due within this time is asked for in one go: a quiet machine is woken once."""
_LOOK_S = 60.0
"""So often files are looked at where the kernel does not notify; elsewhere while entries come."""
_SETTLE_S = 0.2
"""So long a file that has changed is left alone: whoever writes it may not be done."""
_SHOWN = 5

_STOPPED_S = 0.05
"""So often whoever waits looks whether to go on."""

ANSWERS_S = 5.0
"""So long a command waits for the addresses of host names, at most."""

Tell = Callable[[str, str], object]


class _Name(Struct):
    """How a host name is doing."""

    due: int = 0
    """When it is asked for again, in microseconds since the epoch."""
    failures: int = 0
    asked: bool = False
    """An answer is awaited."""


def _do(job: Callable[[], None]) -> None:
    job()


class Lookups:
    """The host names and files of lists of networks.

    What a host name stood for last outlives restarts, in a table of the state.
    """

    def __init__(
        self,
        lists: Iterable[Networks],
        memory: Table,
        tell: Tell,
        clock: Clock,
        ask: Callable[[str], NameAnswer] = host_names.ask,
    ) -> None:
        """Take what is known: the last answers, and the files as they are now, or were.

        :param lists: of the configuration.
        :param memory: keeps the answers for the next start.
        :param tell: told of each fault, once until it is over: of which source, and the fault.
        :param clock: the machine's.
        :param ask: asks for the addresses of a host name, in a thread.
        """
        self._lists: dict[HostName | ListFile, list[Networks]] = {}
        for one in lists:
            for source in one.sources:
                self._lists.setdefault(source, []).append(one)
        self._memory = memory
        self._tell = tell
        self._clock = clock
        self._ask_for = ask
        self._names = {one: _Name() for one in self._lists if isinstance(one, HostName)}
        self._files: dict[ListFile, Signature | None] = {
            one: None for one in self._lists if isinstance(one, ListFile)
        }
        self.faults: dict[str, str] = {}
        """What is wrong now, by source."""
        self._answers: SimpleQueue[tuple[HostName, NameAnswer] | tuple[ListFile, FileAnswer]]
        self._answers = SimpleQueue()
        self._wake: Callable[[], object] = lambda: None
        self._asking: Worker[Callable[[], None]] = Worker("pyruse host names", _do)
        self._reading: Worker[Callable[[], None]] = Worker("pyruse lists", _do)
        self._is_closed = False
        self._watch: ListWatch | None = None
        self._looked = time.monotonic()
        self._look_at: float | None = None
        for source in self._lists:
            self._recall(source)
        for stale in [key for key in memory if key not in self._lists]:
            memory.remove(stale)
        for file in self._files:
            self._take_file(file, list_files.read(file))

    def __bool__(self) -> bool:
        """Whether there is anything to look up."""
        return bool(self._lists)

    def start(self, wake: Callable[[], object]) -> None:
        """Notice from now on what changes, and ask for all host names.

        :param wake: called, in another thread, when there is something for `update`.
        """
        self._wake = wake
        if self._files:
            from pyruse.lookups.list_watch import ListWatch  # with ctypes

            self._watch = ListWatch(self._files)
        self._ask_due(self._clock())

    def succeed(self, old: Lookups) -> None:
        """Take over the threads of those of an earlier configuration, which are closed with that.

        One that hangs is waited for: so reloads leave no threads behind, be there ever so many.
        """
        self._asking, self._reading = old._asking, old._reading
        old._let_go()

    def settle(
        self, seconds: float, *, known: bool = True, stopped: Callable[[], bool] = bool
    ) -> None:
        """Ask for host names, and wait for their answers.

        :param seconds: at most so long.
        :param known: also of those that are known from before.
        :param stopped: whether nobody waits any longer.
        """
        names = [name for name in self._names if known or not self._is_known(name)]
        self._hand_over([name for name in names if not self._names[name].asked])
        deadline = time.monotonic() + seconds
        while any(self._names[name].asked for name in names) and not stopped():
            left = deadline - time.monotonic()
            if left <= 0:
                break
            with suppress(Empty):
                self._take(*self._answers.get(timeout=min(left, _STOPPED_S)))
        for name in names:
            if self._names[name].asked and not self._is_known(name):
                self._fault(name, f"no answer within {seconds:g} s; {_NOBODY}")

    def update(self) -> bool:
        """Take in what was found out, and have looked up again what is due; it does not wait.

        :return: whether some list stands for something else now.
        """
        if not self._lists:
            return False
        changed = False
        while not self._answers.empty():
            changed |= self._take(*self._answers.get())
        self._ask_due(self._clock())
        self._look_due()
        return changed

    def next_due(self) -> int | None:
        """When `update` is to be called at the latest (µs since the epoch); None: any time."""
        dues = [one.due for one in self._names.values() if not one.asked]
        if (look_at := self._next_look()) is not None:
            dues.append(self._clock() + round(max(0.0, look_at - time.monotonic()) * 1e6))
        return min(dues, default=None)

    def descriptors(self) -> Sequence[int]:
        """Descriptors that are readable when `update` is to be called."""
        fd = None if self._watch is None else self._watch.fileno()
        return () if fd is None else (fd,)

    def close(self) -> None:
        """Look nothing up any more; a question that nobody answers is left alone."""
        self._asking.close(0)
        self._reading.close(0)
        self._let_go()

    def _let_go(self) -> None:
        self._wake = lambda: None
        self._is_closed = True
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    # -- Host names

    def _ask_due(self, now: int) -> None:
        waiting = {name: one for name, one in self._names.items() if not one.asked}
        # An instant that the clock will not reach for long is of a clock that was wrong.
        if any(one.due <= now or one.due > now + _AGAIN_US for one in waiting.values()):
            self._hand_over(
                [
                    name
                    for name, one in waiting.items()
                    if not now + _TOGETHER_US < one.due <= now + _AGAIN_US
                ]
            )

    def _hand_over(self, names: list[HostName]) -> None:
        if names:
            for name in names:
                self._names[name].asked = True
            try:
                self._asking.hand_over(lambda: self._ask(names))
            except RuntimeError as fault:  # no room for a thread
                for name in names:
                    self._answers.put((name, NameAnswer(fault=str(fault))))

    def _ask(self, names: list[HostName]) -> None:
        """In a thread: ask for names, one after the other."""
        for name in names:
            if self._is_closed:
                return
            self._answers.put((name, self._ask_for(name)))
            self._wake()

    def _take(self, source: HostName | ListFile, answer: NameAnswer | FileAnswer) -> bool:
        if isinstance(answer, NameAnswer):
            assert isinstance(source, HostName)
            return self._take_name(source, answer)
        assert isinstance(source, ListFile)
        return self._take_file(source, answer)

    def _take_name(self, name: HostName, answer: NameAnswer) -> bool:
        one = self._names[name]
        one.asked = False
        if answer.fault is not None:
            one.due = self._clock() + min(_AGAIN_US, _RETRY_US << min(one.failures, 10))
            one.failures += 1
            last = ", ".join(map(network_text, self._known(name)[:_SHOWN]))
            kept = f"what it was last still counts: {last}" if last else _NOBODY
            self._fault(name, f"cannot be resolved: {answer.fault}; {kept}")
            return False
        one.due, one.failures = self._clock() + _AGAIN_US, 0
        known = self._known(name)
        # Of a family that could not be asked for, the last answer counts.
        kept_ones = [net for net in known if net.version not in answer.found]
        networks = [*kept_ones, *(net for nets in answer.found.values() for net in nets)]
        if answer.more:
            self._fault(name, f"has {answer.more:,} addresses more than count (expected a few)")
        else:
            self.faults.pop(name, None)
        if set(networks) == set(known):
            return False
        self._learn(name, networks)
        self._memory.put(name, [network_text(one) for one in networks])
        return True

    def _recall(self, source: HostName | ListFile) -> None:
        texts = self._memory.get(source, at=self._clock())
        if isinstance(texts, list):
            self._learn(source, [ipaddress.ip_network(text) for text in texts])

    def _known(self, source: HostName | ListFile) -> Sequence[Network]:
        return self._lists[source][0].learned(source)

    def _is_known(self, name: HostName) -> bool:
        return bool(self._known(name))

    # -- Files

    def _look_due(self) -> None:
        if not self._files:
            return
        now = time.monotonic()
        if self._watch is not None and self._watch.changed() and self._look_at is None:
            self._look_at = now + _SETTLE_S
        if now >= (self._looked + _LOOK_S if self._look_at is None else self._look_at):
            self._looked, self._look_at = now, None
            for file, before in self._files.items():
                if list_files.signature(file) != before:
                    with suppress(RuntimeError):  # no room for a thread: with the next look
                        self._reading.hand_over(partial(self._read, file))

    def _next_look(self) -> float | None:
        if self._look_at is not None:
            return self._look_at
        notified = self._watch is None or self._watch.fault is None
        return None if notified else self._looked + _LOOK_S

    def _read(self, file: ListFile) -> None:
        """In a thread: read a file."""
        if self._is_closed:
            return
        self._answers.put((file, list_files.read(file)))
        self._wake()

    def _take_file(self, file: ListFile, answer: FileAnswer) -> bool:
        self._files[file] = answer.signature
        if answer.fault is None:
            self.faults.pop(f"file:{file}", None)
        else:
            kept = "; what it held last still counts" if self._known(file) else ""
            self._fault(f"file:{file}", answer.fault + (kept if answer.networks is None else ""))
        if answer.networks is None or list(answer.networks) == list(self._known(file)):
            return False
        self._learn(file, answer.networks)
        self._memory.remove(file)
        if len(answer.networks) <= _REMEMBERED:
            with suppress(ValueError):  # a path that is longer than a table's key may be
                self._memory.put(file, [network_text(one) for one in answer.networks])
        return True

    # -- Both

    def _learn(self, source: HostName | ListFile, networks: Sequence[Network]) -> None:
        for one in self._lists[source]:
            one.learn(source, networks)

    def _fault(self, source: str, text: str) -> None:
        if self.faults.get(source) != text:
            is_new = source not in self.faults
            self.faults[source] = text
            if is_new:
                self._tell(source, text)


_REMEMBERED = 1_000
"""Networks: what a file with no more of them held counts after a reload or a restart, too, should
it be gone by then. Longer ones are lists of strangers."""
_NOBODY = "it stands for nobody until it can be (expected a host name that is known)"
