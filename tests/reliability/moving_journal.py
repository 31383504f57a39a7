"""A machine's journal that moves from memory to disk beneath a daemon; prints what it handled.

To be run in a mount namespace of its own: /run and /var/log become empty.
"""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

from pyruse.testing import Daemon, wait_until

CHAINS = """
[chains]
"x" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "test" },
  { action = "report", section = "other", message = "{MESSAGE}" },
]
"""


def log(first: int, last: int) -> None:
    """Log entries with these numbers to the machine's journald."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect("/run/systemd/journal/socket")
        for number in range(first, last):
            sender.send(f"MESSAGE={number}\nSYSLOG_IDENTIFIER=test\n".encode())


def handled(daemon: Daemon) -> Counter[str]:
    """The messages that the daemon has handled, and how often."""
    if not daemon.state.exists():
        return Counter()
    with closing(sqlite3.connect(daemon.state)) as db:
        return Counter(message for (message,) in db.execute("SELECT message FROM events"))


def main(folder: Path) -> None:
    """Log before, while and after the journal moves."""
    for place in ("/run", "/var/log"):
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=True)
    Path("/run/systemd/journal").mkdir(parents=True)
    journald = subprocess.Popen(["/lib/systemd/systemd-journald"], stderr=subprocess.DEVNULL)
    daemon = Daemon(folder)
    (folder / "pyruse.toml").write_text(
        f'[journal]\nstart = "head"\n[state]\nurl = "sqlite://{daemon.state}"\n{CHAINS}'
    )
    try:
        with daemon:
            wait_until(lambda: Path("/run/systemd/journal/socket").exists())
            log(0, 10)
            daemon.start()
            log(10, 20)
            daemon.wait_until(lambda: handled(daemon), lambda found: len(found) == 20)
            machine = Path("/etc/machine-id").read_text().strip()
            Path("/var/log/journal", machine).mkdir(parents=True)
            journald.send_signal(signal.SIGUSR1)  # as journalctl --flush does
            log(20, 40)
            daemon.wait_until(lambda: handled(daemon), lambda found: len(found) == 40)
            daemon.stop()
            log(40, 50)
            daemon.start()
            daemon.wait_until(lambda: handled(daemon), lambda found: len(found) == 50)
            daemon.stop()
            there = any(Path("/var/log/journal", machine).glob("*.journal"))
            print(json.dumps({"handled": handled(daemon), "moved": there}))
    finally:
        journald.terminate()
        journald.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
