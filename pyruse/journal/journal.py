"""A journal of one machine or of many: each has a reader and a position of its own.

libsystemd has one position in all the files of a reader, and never gives an entry that arrives
behind it. So Pyruse would not see a machine whose clock is half a second late, or whose entries
come late. Therefore the files of each machine are read alone. Entries that are there already are
merged by time; new entries come as they arrive, and no machine waits for another one
(docs/decisions/0047-a-reader-for-each-machine.md).
"""

from __future__ import annotations

import heapq
import re
import select
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from pyruse.entry.entry import Entry
from pyruse.journal.machine import Machine
from pyruse.journal.matches import has
from pyruse.journal.position import Gap, Position
from pyruse.journal.whereabouts import Whereabouts
from pyruse.system.descriptors import SHORT
from pyruse.system.native import native
from pyruse.times import FOREVER

if TYPE_CHECKING:
    from pyruse.journal.watch import Watch

_ALL = "*"  # of what is short: no machine's name
_POLL_MS = 2_000
"""How often journals are looked at where the kernel does not notify."""
_MADE_MS = 250
"""How often it is looked whether journald has made a file whose header it was writing."""

_SKIPPED = 5
"""So many entries are read at most for each that is given, where they are skipped: these may have
been counted, so they are to be committed now and then."""

_Head = tuple[int, str, Machine, Entry]


class Journal:
    """Gives the entries of all machines, each valid until the next one is asked for."""

    def __init__(
        self, whereabouts: Whereabouts, make: Callable[[str], Machine], *, follow: bool = False
    ) -> None:
        """Open what is there.

        :param whereabouts: where the files are.
        :param make: gives a machine of a name, which has no files yet.
        :param follow: watch for what is added; else, what is there now is all.
        """
        self._whereabouts = whereabouts
        self._make = make
        self.machines: dict[str, Machine] = {}
        """By name; this machine's own name is empty where its folder has none."""
        self._ready: dict[str, Machine] = {}
        """Those that may have more entries."""
        self._heads: list[_Head] = []
        """A heap: the machines of which the next entry is known, by its instant."""
        self._handled: dict[str, Machine] = {}
        """Those that have a new position."""
        self._missed: list[Machine] = []
        """Those that have passed over entries that are there."""
        self._took_news = False
        """What the watch has noticed was taken in before it was waited for."""
        self._only: Mapping[str, Collection[str]] = {}
        self._skipping: tuple[object, ...] = ()
        self._directly = True
        self.keeps_positions = True
        """Somebody asks for `positions`, or changes what is left out on the way; set to False by
        whoever reads once, from the beginning to the end."""
        self._known: Mapping[str, Position] = {}
        """Where the last run ended."""
        self._began = False
        """Where to read is decided: what comes from now on is read from its beginning."""
        self.grep: re.Pattern[str] | None = None
        """What messages have to hold; other entries are left out."""
        self.gaps: list[Gap] = []
        """What was removed before it was read, to be told and taken out."""
        self.broken: dict[str, OSError] = {}
        """The machines none of whose files can be opened; they are tried again as files change."""
        self.short: set[str] = set()
        """What is not open as there are too few descriptors, and is tried again every few seconds:
        machines, by name."""
        self.watch: Watch | None = None
        if follow:
            from pyruse.journal.watch import Watch  # with ctypes

            self.watch = Watch()
        self._look()

    # -- Reading

    def entries(self, limit: int) -> Iterator[Entry]:
        """The next entries, at most so many, until there is none (for now)."""
        return self._all(limit) if self.grep is None else self._matching(self.grep, limit)

    def _matching(self, grep: re.Pattern[str], limit: int) -> Iterator[Entry]:
        is_over = False
        while limit and not is_over:
            is_over = True
            for entry in self._all(limit):
                is_over = False
                if has(grep, entry):
                    limit -= 1
                    yield entry

    def _all(self, limit: int) -> Iterator[Entry]:
        if self._is_one:  # nothing to merge: nothing stands between
            (machine,) = self.machines.values()
            self._handled = self.machines
            self._ready.clear()
            machine.reader.no_later = FOREVER
            return machine.reader.entries(limit)
        return self._merged(limit)

    @property
    def _is_one(self) -> bool:
        """All is of one machine, in files that are all open."""
        if len(self.machines) != 1 or self._heads:
            return False
        return not any(machine.holds_back for machine in self.machines.values())

    def _merged(self, limit: int) -> Iterator[Entry]:
        heads = self._heads
        self._push_ready()
        most = _SKIPPED * limit
        while limit > 0 and most > 0 and heads:
            time_us, name, machine, entry = heads[0]
            reader = machine.reader
            end = reader.position + most
            yield entry
            limit -= 1
            entry_: Entry | None = None
            if self.keeps_positions:
                machine.note(time_us)
                self._handled[name] = machine
            elif machine.holds_back:  # what is opened next is read on behind it
                machine.note(time_us)
            else:  # the machine's own entries come one after another, or may be skipped, up to …
                before = min(heads[1:3])[0] if len(heads) > 1 else FOREVER  # … one of the others
                reader.no_later = before
                for entry_ in reader.following():
                    if limit <= 0 or entry_.time_us >= before or reader.position > end:
                        break
                    yield entry_
                    limit -= 1
                else:
                    entry_ = None
            if entry_ is None:
                entry_ = reader.advance()
            most = end - reader.position
            if entry_ is not None:
                heapq.heapreplace(heads, (entry_.time_us, name, machine, entry_))
                continue
            heapq.heappop(heads)
            self._push_or_end(machine)

    def _push_ready(self) -> None:
        known = {name for _, name, _, _ in self._heads}
        for name, machine in list(self._ready.items()):
            if name not in known:
                self._push(machine)

    def _push_or_end(self, machine: Machine) -> None:
        """Go on with the next files of a machine whose open ones are read."""
        if machine.holds_back:
            self._push(machine)
        else:
            self._ready.pop(machine.name, None)

    def _push(self, machine: Machine) -> None:
        machine.reader.no_later = 0
        entry = machine.reader.advance()
        while entry is None and machine.holds_back:
            machine.next_stage()
            if not self._reopen(machine):
                break
            entry = machine.reader.advance()
        if entry is None:
            self._ready.pop(machine.name, None)
        else:
            heapq.heappush(self._heads, (entry.time_us, machine.name, machine, entry))

    def positions(self, last_time: int) -> dict[str, Position]:
        """How far each machine is handled of which entries were read since the last call.

        :param last_time: the instant of the entry that was handled last, in µs since the epoch.
        """
        handled, self._handled = self._handled, {}
        if handled is self.machines:
            (machine,) = handled.values()
            machine.note(last_time)
        catching_up = self.watch is not None and [
            machine for machine in handled.values() if not machine.reader.was_at_end
        ]
        if catching_up:  # else, files that begin are noticed while it waits
            self._take_news()
        for machine in handled.values():
            self._take_in(machine, machine.look_for_missed())
        for machine in catching_up or ():
            if machine.is_stale:
                self._heads = [head for head in self._heads if head[2] is not machine]
                heapq.heapify(self._heads)
                self._reopen(machine)
        return {
            name: machine.position
            for name, machine in handled.items()
            if machine.position is not None
        }

    def _take_in(self, machine: Machine, gap: Gap | None) -> None:
        if gap is not None:
            self.gaps.append(gap)
        if machine.passed.is_waiting and machine not in self._missed:
            self._missed.append(machine)

    @property
    def has_missed(self) -> bool:
        """Entries from before the positions were passed over, and may be given by `missed`."""
        return bool(self._missed)

    def missed(self) -> Iterator[Entry]:
        """What libsystemd had passed over; to be handled before the positions are kept."""
        while self._missed:
            machine = self._missed.pop()
            yield from machine.passed.entries()
            if machine.passed.lost is not None:
                self.gaps.append(machine.passed.lost)

    @property
    def position(self) -> int:
        """Rises with each entry that is read."""
        return sum(one.reader.position + one.passed.found for one in self.machines.values())

    @property
    def damaged(self) -> int:
        """How many entries could not be read because a journal file is damaged."""
        return sum(machine.reader.damaged for machine in self.machines.values())

    @property
    def unread_fields(self) -> int:
        """How many fields of entries could not be read because a journal file is damaged."""
        return sum(machine.reader.unread_fields for machine in self.machines.values())

    def faults(self) -> list[str]:
        """Why files are left out: one line each."""
        broken = [
            f"the journal of {name or 'this machine'}: no file of it can be read: {why.strerror}"
            for name, why in self.broken.items()
            if self.watch is None or name not in self.short  # else they are tried again
        ]
        denied = set() if self.watch is None else self.watch.denied
        broken += [
            f"{path}: this user may not read it (expected a folder of the group systemd-journal); "
            "it is tried again every 2 s"
            for path in sorted(denied)
        ]
        broken += [
            f"the journal of {name or 'this machine'}: its index of values is damaged, so all "
            "entries are read (expected a file that `journalctl --verify` accepts)"
            for name, machine in self.machines.items()
            if machine.reader.index_is_damaged
        ]
        return [*broken, *(one for machine in self.machines.values() for one in machine.faults)]

    def take_only(self, values: Mapping[str, Collection[str]]) -> None:
        """Leave out the entries that have none of these values, from here on.

        :param values: of fields; none: no entry is left out. See `pyruse.chains.pushdown`.
        """
        self._only = values
        for _, name, machine, _ in self._heads:  # they are not handled yet
            machine.go_back()
            self._ready[name] = machine
        self._heads.clear()
        for machine in self.machines.values():
            machine.take_only(values)

    @property
    def skips(self) -> bool:
        """The readers see by themselves which entries go nowhere, and count them: see `skip`.

        They do not know `grep`.
        """
        return native() is not None and self.grep is None

    def skip(self, lead: Callable[[Entry], None], hour: object) -> None:
        """Leave out the entries for which no step has to be asked in Python; see `skips`.

        :param lead: leads entries through the chains (`Travel.lead` of `pyruse.chains.travel`); the
            reader leads them itself, as far as no step is in Python, and `lead` goes on from there.
        :param hour: of the engine: where the entries are counted that are not given.
        """
        self._skipping = (getattr(lead, "__self__", None), hour)
        for machine in self.machines.values():
            machine.reader.skipping = self._skipping

    def read_by_libsystemd(self) -> None:
        """Read no file without libsystemd (see `pyruse.journal.archive`).

        To be called where short cuts are not wanted.
        """
        self._directly = False
        for machine in self.machines.values():
            machine.reader.read_by_libsystemd()

    def measure(self, moving: Callable[..., Any], reading: Callable[..., Any]) -> None:
        """Have the calls into libsystemd wrapped that move to an entry, and that read its fields.

        To be called before the first entry is read.
        """
        for machine in self.machines.values():
            machine.reader.measure(moving, reading)

    # -- Where to read

    def take_last(self, number: int, since: int) -> None:
        """Go before the newest entries: so many of all machines together.

        :param number: how many, at most.
        :param since: of those that are not older than this instant, in µs since the epoch.
        """
        newest = heapq.merge(
            *(self._backwards(name, machine, since) for name, machine in self.machines.items()),
            reverse=True,
        )
        back = dict.fromkeys(self.machines, 0)
        for _, name, steps in islice(newest, number):
            back[name] = steps
        for name, steps in back.items():
            self.machines[name].reader.seek_last(steps)

    def _backwards(self, name: str, machine: Machine, since: int) -> Iterator[tuple[int, str, int]]:
        """The instants of a machine's entries, the newest first, and how far back they are."""
        for steps, entry in enumerate(machine.reader.backwards(), 1):
            if entry.time_us < since:
                return
            if self.grep is None or has(self.grep, entry):
                yield entry.time_us, name, steps

    def resume(
        self, positions: Mapping[str, Position], otherwise: Callable[[Machine], None]
    ) -> None:
        """Go where the last run ended.

        :param positions: by machine; also of those that are not there, or cannot be opened now.
        :param otherwise: seeks where to begin with a machine that has no position.
        """
        self._known = positions
        for name, machine in self.machines.items():
            if name in positions:
                if gap := machine.resume(positions[name]):
                    self.gaps.append(gap)
            else:
                otherwise(machine)
        self._began = True
        if self.short:  # fewer files are needed behind a position
            self._look()

    def missing(self) -> list[str]:
        """What was chosen and is not there: one line each."""
        try:
            return self._whereabouts.missing()
        except OSError:  # no descriptor is left to look
            return []

    def at(self, cursor: str) -> Entry | None:
        """The entry of a cursor, or None when no machine has it."""
        found = (machine.reader.at(cursor) for machine in self.machines.values())
        return next((entry for entry in found if entry is not None), None)

    def last(self) -> Entry | None:
        """The newest entry to read, or None where there is none."""
        found = [
            entry
            for machine in self.machines.values()
            if (entry := machine.reader.last()) is not None
        ]
        return max(found, key=lambda entry: entry.time_us, default=None)

    def span(self) -> tuple[int, int] | None:
        """The instants of the first and the last entry, µs since the epoch; None: no entry."""
        spans = [span for machine in self.machines.values() if (span := machine.span()) is not None]
        if not spans:
            return None
        return min(first for first, _ in spans), max(last for _, last in spans)

    # -- Following

    def wait(self, timeout_ms: int | None, *others: int) -> None:
        """Sleep until there may be more entries, another descriptor is readable, or time is over.

        To be called when there are no more entries.

        :param timeout_ms: at most so long; None: without end.
        :param others: more file descriptors to wait for.
        """
        assert self.watch is not None, "the journal was not opened to be followed"
        if self._renew() or self._took_news:
            self._took_news = False
            return
        poll = select.poll()
        for fd in (self.watch.fileno(), *others):
            if fd is not None:
                poll.register(fd, select.POLLIN)
        waits = [] if timeout_ms is None else [timeout_ms]
        if self.watch.polls or self.short:
            waits.append(_POLL_MS)
        for machine in self.machines.values():
            if machine.is_being_made:
                waits.append(_MADE_MS)
            if machine.passed.is_due:
                waits.append(_POLL_MS)
            if (seconds := machine.reader.split_lines.wait_s()) is not None:
                waits.append(round(seconds * 1000) + 1)
                self._ready[machine.name] = machine
        poll.poll(min(waits, default=None))
        self._take_news()
        self._took_news = False
        for machine in self.machines.values():
            machine.is_stale = machine.is_stale or machine.is_being_made
            if machine.passed.is_due:
                self._take_in(machine, machine.look_for_missed())

    def _take_news(self) -> None:
        """Take in what was noticed, without waiting."""
        assert self.watch is not None
        self._took_news = True
        news = self.watch.news()
        for folder, file in news.written:
            name = self._whereabouts.machine_of(folder, file)
            if name in self.machines:
                self._ready[name] = self.machines[name]
        if news.files or self.short:
            self._ready.update(self.machines)
            self._look()

    def _look(self) -> None:
        """See which files there are, and take in the machines that are new."""
        self.short.discard(_ALL)
        try:
            if self.watch is not None:  # first: nothing may come between the look and the watch
                self.watch.follow(*self._whereabouts.folders())
            by_machine = self._whereabouts.files()
        except OSError:
            self.short.add(_ALL)
            return
        for machine_ in self.machines.values():
            machine_.may_be_gone = machine_.name not in by_machine
        for name, files in by_machine.items():
            machine = self.machines.get(name)
            if machine is not None:
                machine.offer(files)
            elif (machine := self._opened(name)) is not None:
                self.machines[name] = self._ready[name] = machine
        self.broken = {name: why for name, why in self.broken.items() if name in by_machine}
        self.short &= {*by_machine, _ALL}

    def _opened(self, name: str) -> Machine | None:
        machine = self._make(name)
        if self._began:  # so that no more files are opened than have something unread
            machine.position = self._known.get(name)
        try:
            machine.renew()
        except OSError as fault:
            self.broken[name] = fault
            if fault.errno in SHORT:
                self.short.add(name)
            return None
        self.broken.pop(name, None)
        self.short.discard(name)
        machine.take_only(self._only)
        machine.reader.skipping = self._skipping
        if not self._directly:
            machine.reader.read_by_libsystemd()
        if self._began and name not in self._known:
            machine.reader.seek_head()
        elif self._began and (gap := machine.resume(self._known[name])) is not None:
            self.gaps.append(gap)
        return machine

    def _renew(self) -> bool:
        """Take in the files that have come, and let go those that are gone or wholly read."""
        if self._handled is self.machines:
            self._handled = dict(self.machines)
            for machine in self._handled.values():
                if machine.is_ahead and (last_time := machine.reader.time_us()) is not None:
                    machine.note(last_time)
        for machine in [one for one in self.machines.values() if one.may_be_gone]:
            if machine.name not in self._ready and machine.is_gone:
                self._let_go(machine)
        renewed = False
        for machine in self.machines.values():
            if machine.is_stale or machine.reader.is_bloated:
                renewed = self._reopen(machine) or renewed
        return renewed or self.has_missed

    def _reopen(self, machine: Machine) -> bool:
        """Open a machine's files as they are now.

        :return: whether they are open, and may have more.
        """
        self.short.discard(machine.name)
        try:
            gap = machine.renew()
        except OSError as fault:  # its files are gone, or unreadable: with the next notice
            if fault.errno in SHORT:
                self.short.add(machine.name)
            return False
        self._take_in(machine, gap)
        self._ready[machine.name] = machine
        return True

    def _let_go(self, machine: Machine) -> None:
        """Close what nobody else has any more; should it come back, it goes on where it was."""
        machine.reader.close()
        del self.machines[machine.name]
        self.short.discard(machine.name)
        if machine.position is not None:
            self._known = {**self._known, machine.name: machine.position}

    def close(self) -> None:
        """Close the journal."""
        if self.watch is not None:
            self.watch.close()
        for machine in self.machines.values():
            machine.reader.close()
