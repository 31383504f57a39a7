"""What programs that Pyruse starts may do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from pyruse.testing.plugin import need

LOOK = """
import subprocess, threading
from queue import SimpleQueue
from pyruse.system.workers import Worker

def look(who):
    status = subprocess.run(["/bin/cat", "/proc/self/status"], capture_output=True, text=True)
    effective = next(line for line in status.stdout.splitlines() if line.startswith("CapEff:"))
    print(who, int(effective.split()[1], 16), flush=True)
    done.put(None)

done = SimpleQueue()
look("main")
worker = Worker("test", look)
worker.hand_over("worker")
done.get(); done.get()
look("main")
"""

NET_ADMIN = 1 << 12  # capability.h

needs_setpriv = pytest.mark.realparts


def setpriv(*options: str) -> list[str]:
    """Runs Python with other rights (setpriv(1))."""
    missing = None if os.geteuid() == 0 and shutil.which("setpriv") else "needs root, setpriv"
    need(missing)
    return ["setpriv", *options, sys.executable, "-c"]


@needs_setpriv
def test_programs_of_workers_have_no_rights_to_the_firewall() -> None:
    """As in the unit: the one capability, for Pyruse itself and for nft, which it starts."""
    python = setpriv(
        "--securebits=+noroot", "--inh-caps=-all,+net_admin", "--ambient-caps=-all,+net_admin"
    )
    done = subprocess.run([*python, LOOK], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["main", str(NET_ADMIN), "worker", "0", "main", str(NET_ADMIN)]
