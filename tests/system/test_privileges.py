"""What programs that Pyruse starts may do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pyruse.config.settings import EmailSettings
from pyruse.delivery.mail.transport import check
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


CHECK = """
import sys
from pyruse.config.settings import EmailSettings
from pyruse.delivery.mail.transport import check
print(*check(EmailSettings(to=["root"], sendmail=[sys.argv[1]])), sep="\\n")
"""


@needs_setpriv
@pytest.mark.parametrize("name", ["sendmail", "postdrop"])
def test_a_sendmail_that_the_sandbox_keeps_from_its_rights_is_told_of(
    tmp_path: Path, name: str
) -> None:
    python = setpriv("--no-new-privs")
    for file in ("sendmail", "postdrop"):
        (tmp_path / file).write_text("#!/bin/sh\n")
        (tmp_path / file).chmod(0o755)
    sendmail = str(tmp_path / "sendmail")
    arguments = [*python, CHECK, sendmail]
    fine = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert fine.stdout == "\n"
    (tmp_path / name).chmod(0o2755)
    told = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert told.stdout == (
        f'[email] sendmail: "{sendmail}" needs rights that this service must not get (expected '
        'smtp = "smtp://localhost" in [email], or the drop-in sendmail.conf that comes with '
        "pyruse.service)\n"
    )
    assert check(EmailSettings(to=["root"], sendmail=[sendmail])) == []  # type: ignore[list-item]
