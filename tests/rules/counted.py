"""What an entry costs an engine, in operations."""

from __future__ import annotations

import gc
from typing import Any

from bench.operations import Counts
from pyruse.engine.engine import Engine
from pyruse.entry.made import make_entry


def cost_of_entry(engine: Engine, fields: dict[str, Any]) -> tuple[int, int]:
    """Opcodes and calls into C for an entry, once the patterns that it needs are compiled."""
    counts = Counts()
    entries = [make_entry(fields, engine.decoder) for _ in range(3)]
    engine.handle([entries[0]])
    gc.collect()
    gc.disable()  # finalizers of what other tests have left come when they come
    try:
        with counts.opcodes():
            engine.handle([entries[1]])
        with counts.calls():
            engine.handle([entries[2]])
    finally:
        gc.enable()
    return counts.functions.total(), counts.called.total()
