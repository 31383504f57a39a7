"""Reading on from where the last run ended, and telling what could not be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pyruse.chains.pushdown import Wanted
from pyruse.config.settings import JournalSettings
from pyruse.daemon.at_work import SteppedOver
from pyruse.daemon.lags import Lags
from pyruse.engine.engine import Engine
from pyruse.entry.decoding import Decoder
from pyruse.journal.journal import Journal
from pyruse.journal.machine import Machine
from pyruse.journal.position import Gap, Position
from pyruse.journal.selection import Selection
from pyruse.options.sizes import Size
from pyruse.state.positions import Positions
from pyruse.system.bus_errors import bus_errors
from pyruse.text import shortened

_TOO_FEW = (
    "too few file descriptors: not all of the journal's files are open; they are tried again every "
    "2 s (expected a higher LimitNOFILE= of the unit, and of fs.file-max)"
)


class Reading:
    """The journal of a daemon: every entry of every machine, once."""

    def __init__(
        self, settings: JournalSettings, decoder: Decoder, positions: Positions,
        tell: Callable[[str, str, bool], None],
    ) -> None:  # fmt: skip
        """Open the journal, and notice from now on what is added to it.

        :param tell: told of what is not read: whose it is, or of what kind; the fault; and whether
            entries are missed by it.
        :raises JournalError: the journal cannot be read.
        """
        self._start = settings.start
        self._selection = Selection.of(settings)
        self._decoder = decoder
        self._positions = positions
        self._tell = tell
        self._unread_fields = 0
        """How many fields that could not be read were told of."""
        self._told: set[str] = set()
        self.lags = Lags()
        """How late the entries of the machines come."""
        self._followed: set[str] = set()
        """The machines whose entries were all read, so that further ones are new."""
        self._pages = 0
        """How many pages of files that could not be read were told of."""
        self.last_time = positions.latest() or 0
        """The instant of the last entry handled, in microseconds since the epoch."""
        self.skimming = False
        """libsystemd leaves out the entries that the chains would do nothing with."""
        self.journal: Journal = self._selection.open(decoder, follow=True)

    def resume(self) -> None:
        """Go where the last run ended; the very first run begins where `[journal] start` says.

        In a journal that was followed before, a machine without a position is new: all of it is
        read. The positions are to be committed before the first entry is handled.
        """
        known = {
            name: Position(*position, self._positions.held(name))
            for name in {*self.journal.machines, *self._positions.machines()}
            if (position := self._positions.get(name)) is not None
        }
        self.journal.resume(known, self._begin)
        self._positions.follow(self._selection.sources())
        self._update(
            {
                name: machine.position
                for name, machine in self.journal.machines.items()
                if machine.position is not None
            }
        )
        self.tell()

    def _begin(self, machine: Machine) -> None:
        if self._positions.follows(self._selection.source_of(machine.name)):
            machine.reader.seek_head()
        elif self._start == "tail":
            machine.begin_at_tail()
        elif self._start == "boot":
            machine.reader.seek_boot()
        else:
            machine.reader.seek_head()

    def handled(self, last_time: int, now: int) -> None:
        """Note how far entries are handled, to be committed with what they caused.

        :param last_time: the instant of the last one, in microseconds since the epoch.
        :param now: by the clock, in microseconds since the epoch.
        """
        self.last_time = last_time
        positions = self.journal.positions(last_time)
        self._update(positions)
        for name, position in positions.items():
            if name in self._followed:  # what lay there before says nothing of how late it came
                self.lags.hear(name, position.time_us, now)
        machines = self.journal.machines.values()
        self._followed = {machine.name for machine in machines if machine.reader.was_at_end}

    def step_over(self, over: SteppedOver) -> None:
        """Count an entry as handled that is not, and tell of it."""
        self.last_time = max(self.last_time, over.time_us)
        positions = self.journal.positions(over.time_us)
        self._update(positions)
        machine = f" of {next(iter(positions))}" if len(self.journal.machines) > 1 else ""
        text = (
            f"the entry{machine} from {self._decoder.time(over.time_us):%F %T} is stepped over: "
            f"{over.deaths} times Pyruse has died over it (see it: journalctl "
            f"--cursor='{over.cursor}' -n 1)"
        )
        self._tell(text, text, True)

    def _update(self, positions: Mapping[str, Position]) -> None:
        self._positions.update(
            {name: (one.cursor, one.time_us) for name, one in positions.items()},
            {name: one.held for name, one in positions.items() if one.held},
        )

    def leave_out(self, engine: Engine) -> None:
        """Leave out, from here on, entries that nothing would come of.

        :param engine: knows which they are.
        """
        if not engine.settings.engine.optimize:
            self.journal.read_by_libsystemd()
        if self.journal.skips:
            self.journal.skip(engine.travel.lead, engine.hour)
        else:
            self.take_only(engine.wanted)

    def take_only(self, wanted: Wanted) -> None:
        """Have libsystemd leave out, from here on, the entries that are not wanted.

        That is for catching up. An entry that journald is just writing is in the journal a moment
        before it is in its index of values, and whoever looks for values in this moment is not
        shown it until the next one has come: too late for a ban.

        :param wanted: what the chains want; `Wanted()`: every entry.
        """
        self.skimming = bool(wanted)
        self.journal.take_only(wanted.values)

    def tell(self) -> None:
        """Tell what was not read, and what keeps entries from being noticed."""
        for gap in self.journal.gaps:
            self._tell("damaged" if gap.damaged else "removed", self._in_words(gap), True)
        self.journal.gaps.clear()
        if (pages := bus_errors().pages) > self._pages:
            number = "1 page" if pages == self._pages + 1 else f"{pages - self._pages:,} pages"
            self._tell(
                "unreadable",
                f"{number} of the journal's files cannot be read, and count as empty (expected a "
                "sound disk, and files that nobody cuts: see `journalctl --verify`)",
                True,
            )
            self._pages = pages
        if (fields := self.journal.unread_fields) > self._unread_fields:
            new = fields - self._unread_fields
            self._tell(
                "fields",
                f"{'a field' if new == 1 else f'{new:,} fields'} of entries cannot be read, as if "
                "not there: damaged (expected files that `journalctl --verify` accepts)",
                True,
            )
        self._unread_fields = fields
        for field in self._decoder.cuts:
            self._tell("longest", cut_in_words(field, self._decoder), False)
        self._decoder.cuts.clear()
        faults = {*self.journal.missing(), *self.journal.faults()}
        if self.journal.short:
            faults.add(_TOO_FEW)
        assert self.journal.watch is not None
        if self.journal.watch.fault is not None:
            faults.add(
                f"{self.journal.watch.fault}: the kernel gives no notice of new entries, which are "
                "looked for every 2 s instead (expected more of fs.inotify.max_user_watches and "
                "max_user_instances)"
            )
        for fault in sorted(faults - self._told):
            self._tell(fault, fault, False)
        self._told = faults

    def _in_words(self, gap: Gap) -> str:
        machine = f" of {gap.machine}" if len(self.journal.machines) > 1 else ""
        since = f"{self._decoder.time(gap.since):%F %T}"
        until = "now" if gap.until is None else f"{self._decoder.time(gap.until):%F %T}"
        if gap.damaged:
            number = _entries(gap.entries or 0)
            return f"{number}{machine} between {since} and {until} cannot be read: damaged"
        if gap.entries is None:
            return (
                f"the journal{machine} no longer has the entry of {since} at which the last run "
                f"ended: entries from then until {until} may have been removed unread"
            )
        number, was = _entries(gap.entries), "was" if gap.entries == 1 else "were"
        return (
            f"{number}{machine} from {since} until {until} {was} removed unread "
            "(expected a journal that keeps more: SystemMaxUse= in journald.conf)"
        )

    def close(self) -> None:
        """Close the journal."""
        self.journal.close()


def cut_in_words(field: str, decoder: Decoder) -> str:
    """What to tell of a field that was cut."""
    name = shortened(field, 64)
    return (
        f"a field {name} is longer than {Size(decoder.longest)}, and was cut (expected shorter "
        "ones, or a larger [journal] longest)"
    )


def _entries(number: int) -> str:
    return "1 entry" if number == 1 else f"{number:,} entries"
