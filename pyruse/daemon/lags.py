"""How late the entries of other machines come, so that they count in their own day and window.

A log host gets entries of machines whose clocks are behind, or whose entries are long under way.
What expires at an instant, and the end of a day, therefore waits for the slowest machine that still
speaks: as long as its entries usually come late, and ten minutes at most. A machine that has been
silent for ten minutes holds up nothing; should it be back, its entries count as those of before
the daemon started do: in the day that is open.
"""

from __future__ import annotations

from typing import NamedTuple

LONGEST_US = 600_000_000
"""So late an entry may be, and so long after its last entry a machine still speaks."""


class _Heard(NamedTuple):
    late_us: int
    now: int


class Lags:
    """Of each machine: how late its last entry came, and when that was."""

    def __init__(self) -> None:
        self._heard: dict[str, _Heard] = {}

    def hear(self, machine: str, time_us: int, now: int) -> None:
        """An entry has come.

        :param machine: whose it is.
        :param time_us: its instant, in microseconds since the epoch.
        :param now: by the clock, in microseconds since the epoch.
        """
        self._heard[machine] = _Heard(min(max(0, now - time_us), LONGEST_US), now)

    def late_us(self, now: int) -> int:
        """How late the entries of the slowest machine come that still speaks, in microseconds."""
        self._heard = {
            name: one for name, one in self._heard.items() if abs(now - one.now) <= LONGEST_US
        }
        if len(self._heard) < 2:
            return 0  # nobody else's entries make something expire
        return max(one.late_us for one in self._heard.values())
