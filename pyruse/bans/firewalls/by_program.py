"""How a firewall that is a program takes changes: all at once, else all that it does take."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Generic, TypeVar

from pyruse.api.firewall import Element, Firewall, FirewallError
from pyruse.bans.firewalls.changes import Change, Changes
from pyruse.bans.firewalls.program import FirewallProgram, ProgramRefusal

W = TypeVar("W", bound=Hashable)

_MAX_RUNS = 100  # in search of what is refused


class ProgramFirewall(Firewall, Generic[W]):
    """A firewall that is changed by a program: all at once, else all that the program does take.

    A class derived from it says where an element goes (`set_of`), and has the program make changes
    (`run`). What several targets want of one set is joined to one change for each network. What is
    refused is looked for by halves, and told with the program's reason.
    """

    name: str
    """Of the firewall, for messages."""
    reading: tuple[str, ...] | None = None
    """Arguments with which the program makes the changes that its standard input asks for: it is
    started with them ahead of its next run, while the daemon waits. None: it is not."""
    general: tuple[str, ...] = ()
    """Words of a refusal that is about the set, or about everything, not about some element."""

    def __init__(self, program: FirewallProgram) -> None:
        """Begin with nothing made ready.

        :param program: changes the firewall.
        """
        self.program = program

    def prepare(self) -> None:
        """See `pyruse.Firewall`."""
        if self.reading is not None:
            self.program.prepare(self.reading)

    def close(self) -> None:
        """See `pyruse.Firewall`."""
        self.program.close()

    def interrupt(self) -> None:
        """See `pyruse.Firewall`."""
        self.program.interruption()

    @abstractmethod
    def set_of(self, element: Element) -> W:
        """Where an element goes to.

        :raises ValueError: nowhere, and why.
        """

    @abstractmethod
    def run(self, groups: Sequence[Changes[W]]) -> None:
        """Make changes, those of each set together.

        It may be asked to make a change that is made already.

        :raises ProgramRefusal: not all of them were made.
        """

    def refill(self, groups: Sequence[Changes[W]]) -> None:
        """Make changes, after which Pyruse's own sets hold nothing else.

        Unless overridden, it is the same as `run`, which is right where nothing is held at a start.

        :raises ProgramRefusal: not all of it was done. Pyruse's own sets hold nothing else all the
            same, unless they are at fault.
        """
        self.run(groups)

    def forget(self) -> bool:
        """A run was refused: take nothing for granted that was there before.

        :return: whether what was there before is gone; unless overridden, it is not.
        """
        return False

    def named(self, where: W | None, *, adds: bool) -> str:
        """Where a change that was refused was to be made, in words; empty: nowhere.

        :param where: what `set_of` gave; None: that was refused.
        :param adds: whether a network was to be added.
        """
        return "" if where is None else str(where)

    def explained(self, reason: str) -> str:
        """What the program said, in words that help."""
        return reason

    def apply(self, add: Sequence[Element], remove: Sequence[Element]) -> None:
        """See `pyruse.Firewall`."""
        if add or remove:
            self._make(add, remove, self.run)

    def reconcile(self, bans: Sequence[Element], remove: Sequence[Element]) -> None:
        """See `pyruse.Firewall`."""
        self._make(bans, remove, self.refill)

    def _make(
        self,
        add: Sequence[Element],
        remove: Sequence[Element],
        run: Callable[[Sequence[Changes[W]]], None],
    ) -> None:
        """Make all the changes at once; if they are refused, those that can be made."""
        groups, faults = self._collected(add, remove)
        emptied = False
        try:
            run(groups)
        except ProgramRefusal as refusal:
            emptied = self.forget()
            if not groups and refusal.refused is None:
                raise FirewallError(f"{self.name}: {self.explained(str(refusal))}") from None
            refused = self._refused(groups) if refusal.refused is None else refusal.refused
            for change, reason in refused:
                text = self.explained(reason)
                where = self.named(change.where, adds=change.adds)
                faults += [(element, where, text) for element in change.asked_by]
        if faults or emptied:
            raise FirewallError(
                f"{self.name}: {summary(faults, emptied=emptied)}",
                [element for element, _, _ in faults],
                emptied=emptied,
            )

    def _collected(
        self, add: Sequence[Element], remove: Sequence[Element]
    ) -> tuple[list[Changes[W]], list[Fault]]:
        """The changes of each set, at most one for a network, so that their order is free."""
        sets: dict[W, dict[str, Change[W]]] = {}
        alike: dict[tuple[int, bool, str], tuple[W, dict[str, Change[W]]]] = {}
        """By target, of which there are a few among thousands of elements, and kind of network."""
        faults: list[Fault] = []
        for elements, adds in ((remove, False), (add, True)):
            for element in elements:
                address, target, seconds = element
                kind = (id(target), ":" in address, address.partition("/")[2])
                if kind not in alike:
                    try:
                        where = self.set_of(element)
                    except ValueError as fault:
                        faults.append((element, self.named(None, adds=adds), str(fault)))
                        continue
                    alike[kind] = (where, sets.setdefault(where, {}))
                where, inside = alike[kind]
                if address in inside:
                    inside[address].join(element, adds)
                else:
                    inside[address] = Change(where, address, [element], adds, seconds)
        return [list(inside.values()) for inside in sets.values()], faults

    def _refused(self, groups: Iterable[Changes[W]]) -> list[tuple[Change[W], str]]:
        """Make all the changes that can be made; a group that is refused is tried in two halves.

        The number of runs is limited: what is left of very many faults counts as refused.
        """
        waiting = deque(groups)
        refused: list[tuple[Change[W], str]] = []
        reason = ""
        for _ in range(_MAX_RUNS):
            if not waiting:
                break
            group = waiting.popleft()  # breadth first: each has its turn before the limit
            try:
                self.run([group])
            except ProgramRefusal as fault:
                reason = str(fault)
                if len(group) == 1 or any(words in reason for words in self.general):
                    refused += [(change, reason) for change in group]
                else:
                    half = len(group) // 2
                    waiting += (group[:half], group[half:])
        return refused + [(change, reason) for group in waiting for change in group]


Fault = tuple[Element, str, str]
"""What was not done, in which set (if in any), and why."""


def summary(faults: list[Fault], *, emptied: bool = False) -> str:
    """One line, however many faults there are."""
    alike: dict[tuple[str, str], list[str]] = {}
    for element, where, reason in faults:
        alike.setdefault((where, reason), []).append(element.address)
    parts = ["somebody removed its sets, so all bans are put there again"] if emptied else []
    parts += [
        f"{where and where + ': '}{networks[0]}{_and_more(len(networks) - 1)}: {reason}"
        for (where, reason), networks in alike.items()
    ]
    return "; ".join(parts[:5]) + _and_more(len(parts) - 5)


def _and_more(number: int) -> str:
    return f" and {number} more" if number > 0 else ""
