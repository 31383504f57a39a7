"""What a thread has freed is no longer in memory, also beside something that stays."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

SCRIPT = """
import sys, threading
from pyruse.system.allocator import give_back, share_one_heap

def resident(name):  # proc_pid_smaps(5)
    total, counts = 0, False
    for line in open("/proc/self/smaps"):
        first, *rest = line.split()
        if not first.endswith(":"):
            counts = line.rstrip().endswith(name)
        elif first == "Rss:" and counts:
            total += int(rest[0]) * 1024
    return total

def work():
    global kept
    before = resident("[heap]")
    blocks = [bytearray(2_000) for _ in range(10_000)]
    print(resident("[heap]") - before)
    kept = bytearray(2_000)

share_one_heap()
thread = threading.Thread(target=work)
thread.start()
thread.join()
before = resident("")
give_back()
print(before - resident(""))
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="not glibc")
def test_what_a_thread_has_freed_is_given_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    on_the_heap, given_back = map(int, done.stdout.split())
    assert on_the_heap > 15_000_000
    assert given_back > 15_000_000
