"""This machine's clock; nothing of it leaves the machine (see `wire`)."""

from __future__ import annotations

import time


def now_us() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1_000
