"""More files than there are descriptors for: a machine's are read in stages, in their order."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from pyruse.journal.files import Header, JournalFile
from pyruse.journal.position import Position

_LEAST = 2
"""The file of the position, by which the next one is found, and another one to read."""


class Stage(Struct, frozen=True):
    """The files that are open at the same time, and how far they are read."""

    files: list[JournalFile]
    before: int
    """The other files begin at this instant (µs since the epoch): up to there, these are read."""


class Stages:
    """Chooses the files that are read next where not all can be open, and knows which are read."""

    def __init__(self) -> None:
        self.now: Stage | None = None
        """What is open; None: all that may have something unread."""
        self._read: set[tuple[JournalFile, Header | None]] = set()
        """Files that are complete, and were read to their ends; by their headers, too, as an inode
        is used again."""

    @property
    def before(self) -> int | None:
        """Up to when is read now; None: to the end."""
        return None if self.now is None else self.now.before

    def is_read(self, file: JournalFile, said: Header | None) -> bool:
        """Whether a file was read in an earlier stage."""
        return (file, said) in self._read

    def end(self, files: Sequence[tuple[JournalFile, Header | None]]) -> None:
        """Note that all is read that this stage has.

        :param files: those that are there, with what their headers say.
        """
        if self.now is not None:
            before, of_stage = self.now.before, {file.identity for file in self.now.files}
            self._read &= set(files)
            self._read |= {
                (file, said)
                for file, said in files
                if file.identity in of_stage and _ends_before(file, said, before)
            }

    def leave_out(self, files: Sequence[tuple[JournalFile, Header | None]]) -> None:
        """Take all files that are complete as read: only what comes from now on is wanted."""
        self._read |= {(file, said) for file, said in files if file.archived}

    def choose(
        self,
        files: Sequence[tuple[JournalFile, Header | None]],
        most: float,
        position: Position | None,
    ) -> bool:
        """Choose what is open next: the files that begin first, and that of the position.

        :param files: those that may have something unread.
        :param most: how many may be open.
        :param position: the last entry that was handled.
        :return: False: there are too few descriptors to read on in the order of entries, as too
            many files have entries of the same time.
        """
        self.now = None
        if most < _LEAST:
            return False
        ordered = sorted(_with_begins(files), key=lambda one: one[0])
        held = [one for one in ordered if holds(one[2], position)]
        rest = [one for one in ordered if one not in held]
        first = [*held, *rest][: int(most)]
        before = min((begin for begin, _, _ in [*held, *rest][int(most) :]), default=0)
        if not any(_ends_before(file, said, before) for _, file, said in first[len(held) :]):
            return False
        self.now = Stage([file for _, file, _ in first], before)
        return True


def _with_begins(
    files: Sequence[tuple[JournalFile, Header | None]],
) -> list[tuple[int, JournalFile, Header | None]]:
    """When each file begins. Of one writer, the numbers tell the order, whatever its clock did."""
    latest: dict[str, int] = {}
    found: list[tuple[int, JournalFile, Header | None]] = []
    numbered = sorted(files, key=lambda one: one[1].head_seqnum if one[1] else 0)
    for file, said in numbered:
        if said is None:  # nobody knows: it is open in each stage
            found.append((0, file, said))
            continue
        begin = max(said.head_at, latest.get(said.seqnum_id, 0))
        latest[said.seqnum_id] = begin
        found.append((begin, file, said))
    return found


def _ends_before(file: JournalFile, said: Header | None, time_us: int) -> bool:
    return file.archived and said is not None and said.tail_at < time_us


def holds(said: Header | None, position: Position | None) -> bool:
    """Whether a file has the entry of a position, by its sequence number."""
    return (
        said is not None
        and position is not None
        and said.seqnum_id == position.seqnum_id
        and said.head_seqnum <= position.seqnum <= said.tail_seqnum
    )
