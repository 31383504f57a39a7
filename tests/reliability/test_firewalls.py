"""A firewall that hangs, is missing or ends its caller costs its bans time, and nothing else."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from pyruse.testing.daemon import Daemon
from pyruse.testing.journald import Journald
from pyruse.testing.namespace import NetworkNamespace, unavailable
from pyruse.testing.plugin import need
from pyruse.testing.processes import has_ended

pytestmark = pytest.mark.realparts

CHAINS = """
[email]
to = ["root"]
sendmail = ["{folder}/sendmail"]
[bans]
backend = "{backend}"
[bans.nftables]
command = ["{folder}/nft"]
[chains]
"ban" = [
  {{ filter = "regex", pattern = '^BAN (?P<ip>.*)$' }},
  {{ action = "ban", ip = "ip", duration = "1h" }},
]
"mail" = [
  {{ filter = "exists", field = "MAIL" }},
  {{ action = "email", message = "{{MESSAGE}}" }},
]
"""

NFT = """#!/bin/sh
if [ -e {folder}/hang ]; then echo $$ > {folder}/pid; exec sleep 1000; fi
case "$*" in *list*) ;; *) cat >> {folder}/told ;; esac
"""
"""In the place of nft: it hangs where a file says so, and writes down what it is told."""

HANGING = """
import time
from pathlib import Path
from pyruse import Firewall, hookimpl

class Wall:
    @hookimpl
    def open_firewall(self, name):
        return Hanging() if name == "wall" else None

class Hanging(Firewall):
    def apply(self, add, remove):
        Path({folder!r}, "asked").touch()
        {does}
"""


@pytest.fixture
def attacked(journald: Journald, tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    """``attacked(backend)``: a daemon with a firewall, whose configuration is written."""
    daemon = Daemon(tmp_path)

    def make(backend: str = "nftables") -> Daemon:
        for name, script in (("nft", NFT), ("sendmail", "#!/bin/sh\ncat >> {folder}/mails\n")):
            (tmp_path / name).write_text(script.format(folder=tmp_path))
            (tmp_path / name).chmod(0o755)
        daemon.surround(journald)
        daemon.configure(CHAINS.format(folder=tmp_path, backend=backend))
        return daemon

    with daemon:
        yield make


def read(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def states(daemon: Daemon) -> dict[str, str]:
    return {ban["ip"]: ban["state"] for ban in daemon.ask("bans")}


def test_while_nft_hangs_entries_are_read_mails_leave_and_a_stop_is_a_stop(
    attacked: Callable[..., Daemon], journald: Journald, tmp_path: Path
) -> None:
    daemon = attacked()
    daemon.start()
    (tmp_path / "hang").touch()
    journald.send(MESSAGE="BAN 203.0.113.1")
    daemon.wait_until((tmp_path / "pid").exists)
    journald.send(MESSAGE="BAN 203.0.113.2")
    journald.send(MESSAGE="while it hangs", MAIL="1")
    daemon.wait_until(lambda: "while it hangs" in read(tmp_path / "mails"))
    daemon.wait_until(lambda: len(states(daemon)) == 2)
    assert set(states(daemon).values()) == {"waiting for the firewall"}

    daemon.wait_for_line("nftables: has not answered for")
    status = daemon.command("status")
    assert status.returncode == 1
    assert "Firewall 2 changes waiting for nftables since" in status.stdout
    assert "has not answered for" in status.stdout
    asked = daemon.command("ban", "203.0.113.3")
    assert asked.returncode == 1
    assert "203.0.113.3: not in force yet: nftables: has not answered for" in asked.stderr

    began = time.monotonic()
    assert daemon.stop() == 0
    assert time.monotonic() - began < 15, "nft itself would have been killed after 30 s"
    assert has_ended(int(read(tmp_path / "pid")))
    assert "3 changes wait for nftables: the next start tells it of them" in daemon.log

    (tmp_path / "hang").unlink()
    daemon.start()
    assert all(f"203.0.113.{last}" in read(tmp_path / "told") for last in (1, 2, 3))
    assert set(states(daemon).values()) == {"in force"}
    assert daemon.command("status").returncode == 0


def test_a_firewall_that_hangs_at_the_start_holds_up_nobody(
    attacked: Callable[..., Daemon], journald: Journald, tmp_path: Path
) -> None:
    daemon = attacked()
    (tmp_path / "hang").touch()
    journald.send(MESSAGE="at the start", MAIL="1")
    daemon.start()
    daemon.wait_until(lambda: "at the start" in read(tmp_path / "mails"))
    assert daemon.stop() == 0


_NO_ANSWER = """
import socket, threading
socket.getaddrinfo = lambda *_: threading.Event().wait()
"""


def test_reloads_while_nft_and_the_resolver_hang_leave_no_threads_behind(
    attacked: Callable[..., Daemon], journald: Journald, tmp_path: Path
) -> None:
    daemon = attacked()
    (tmp_path / "conf.d" / "never.toml").write_text('[bans]\nnever = ["home.example.org"]\n')
    daemon.prelude = _NO_ANSWER
    daemon.start()
    (tmp_path / "hang").touch()
    journald.send(MESSAGE="BAN 203.0.113.1")
    daemon.wait_until((tmp_path / "pid").exists)
    tasks = Path(f"/proc/{daemon.process.pid}/task")
    daemon.reload()
    before = len(list(tasks.iterdir()))
    for _ in range(12):
        daemon.reload()
    assert len(list(tasks.iterdir())) <= before + 2, "one that waits, one that is just ending"
    (tmp_path / "hang").unlink()
    os.kill(int(read(tmp_path / "pid")), signal.SIGKILL)
    daemon.wait_until(lambda: states(daemon) == {"203.0.113.1": "in force"})
    assert daemon.stop() == 0


def test_a_reload_takes_a_firewall_that_hangs_away(
    attacked: Callable[..., Daemon], journald: Journald, tmp_path: Path
) -> None:
    daemon = attacked()
    daemon.start()
    (tmp_path / "hang").touch()
    journald.send(MESSAGE="BAN 203.0.113.1")
    daemon.wait_for_line("nftables: has not answered for")
    (tmp_path / "hang").unlink()
    daemon.reload()
    daemon.wait_until(lambda: states(daemon) == {"203.0.113.1": "in force"})
    assert "203.0.113.1" in read(tmp_path / "told")


@pytest.mark.parametrize(
    "does", ["time.sleep(1000)", "raise SystemExit('a bug')", "raise BaseException('a bug')"]
)
def test_a_plugins_firewall_costs_its_bans_alone(
    attacked: Callable[..., Daemon], journald: Journald, tmp_path: Path, does: str
) -> None:
    daemon = attacked("wall")
    (tmp_path / "plugins").mkdir()
    plugin = HANGING.format(folder=str(tmp_path), does=does)
    (tmp_path / "plugins" / "wall.py").write_text(plugin)
    daemon.start()
    journald.send(MESSAGE="BAN 203.0.113.1")
    daemon.wait_until((tmp_path / "asked").exists)
    journald.send(MESSAGE="it goes on", MAIL="1")
    daemon.wait_until(lambda: "it goes on" in read(tmp_path / "mails"))
    daemon.wait_for_line("a bug (a fault of the plugin)" if "bug" in does else "has not answered")
    said = "refused" if "bug" in does else "waiting for the firewall"
    daemon.wait_until(lambda: states(daemon) == {"203.0.113.1": said})
    assert daemon.stop() == 0


NOBODY_THERE = ("nosuch: No such file or directory", {"203.0.113.1": "refused"})
NOT_ALLOWED = ("Operation not permitted (expected the capability", {"203.0.113.1": "refused"})


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["/nosuch"], NOBODY_THERE),
        (["setpriv", "--bounding-set=-net_admin", "nft"], NOT_ALLOWED),
    ],
)
def test_what_no_firewall_holds_is_not_shown_as_in_force(
    attacked: Callable[..., Daemon],
    journald: Journald,
    command: list[str],
    said: tuple[str, dict[str, str]],
) -> None:
    daemon = attacked()
    file = daemon.folder / "conf.d" / "test.toml"
    file.write_text(
        re.sub("command = .*nft.*", lambda _: f"command = {json.dumps(command)}", file.read_text())
    )
    daemon.start()
    journald.send(MESSAGE="BAN 203.0.113.1")
    daemon.wait_until(lambda: states(daemon) == said[1])
    (ban,) = daemon.ask("bans")
    assert said[0] in ban["fault"]
    assert ban["waiting_since"] >= ban["since"]
    status = daemon.command("status")
    assert status.returncode == 1
    assert "Bans     0 in force; 1 change that the firewall has not taken yet" in status.stdout
    assert said[0] in status.stdout


def test_after_a_start_of_the_machine_nothing_is_in_force_before_pyruse_has_told_the_firewall(
    attacked: Callable[..., Daemon], journald: Journald
) -> None:
    daemon = attacked()
    daemon.start()
    journald.send(MESSAGE="BAN 203.0.113.1")
    daemon.wait_until(lambda: states(daemon) == {"203.0.113.1": "in force"})
    assert daemon.stop() == 0
    assert states(daemon) == {"203.0.113.1": "in force"}, "bans last while Pyruse is stopped"
    with closing(sqlite3.connect(daemon.state)) as db, db:
        db.execute("UPDATE firewalls SET boot = 'another run of the kernel'")
    assert states(daemon) == {"203.0.113.1": "waiting for the firewall"}
    daemon.start()
    assert states(daemon) == {"203.0.113.1": "in force"}


def test_what_is_banned_in_a_single_pass_is_in_force_at_its_end(
    attacked: Callable[..., Daemon], journald: Journald, tmp_path: Path
) -> None:
    daemon = attacked()
    journald.send(MESSAGE="BAN 203.0.113.1")
    journald.sync()
    assert daemon.command("run", "--once").returncode == 0
    assert "203.0.113.1" in read(tmp_path / "told")
    assert states(daemon) == {"203.0.113.1": "in force"}


REAL = """
[bans.nftables]
command = ["nft"]
[chains]
"ban" = [
  {{ filter = "equals", field = "SYSLOG_IDENTIFIER", value = "{name}" }},
  {{ filter = "regex", pattern = '^BAN (?P<ip>.*)$' }},
  {{ action = "ban", ip = "ip", duration = "1h"{more} }},
]
"""


@pytest.fixture
def network() -> Iterator[NetworkNamespace]:
    need(unavailable("nft"))
    with NetworkNamespace() as made:
        yield made


def test_two_daemons_on_one_machine_do_not_take_each_others_bans(
    journald: Journald, network: NetworkNamespace, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        both = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            daemon = stack.enter_context(Daemon(tmp_path / name, network.prefix))
            daemon.surround(journald)
            daemon.configure(REAL.format(name=name, more=""))
            both.append(daemon)
        one, two = both
        for daemon, name, address in ((one, "one", "203.0.113.1"), (two, "two", "203.0.113.2")):
            daemon.start()
            journald.send(MESSAGE=f"BAN {address}", SYSLOG_IDENTIFIER=name)
            daemon.wait_until(lambda: set(states(daemon).values()) == {"in force"})  # noqa: B023
        one.reload()
        one.stop()
        one.start()
        ruleset = network.run(["nft", "list", "ruleset"])
        assert "203.0.113.1 " in ruleset
        assert "203.0.113.2 " in ruleset
        two.wait_for_line("the table inet pyruse belongs to another Pyruse that runs")


def test_networks_do_not_grow_into_sets_of_the_administrators_and_check_says_so(
    journald: Journald, network: NetworkNamespace, tmp_path: Path
) -> None:
    network.run(["nft", "add table inet myfw"])
    network.run(["nft", "add set inet myfw blk { type ipv4_addr; flags timeout; }"])
    with Daemon(tmp_path, network.prefix) as daemon:
        daemon.surround(journald)
        sets = ', prefix4 = 24, sets = { ipv4 = "inet myfw blk" }'
        grow = "[bans]\naggregate = { ipv4 = { prefix = 24, at = 3 } }\n"
        daemon.configure(grow + REAL.format(name="net", more=sets))
        said = daemon.command("check").stderr
        assert "[bans] aggregate is of no effect for bans into sets of yours" in said
        assert "the set inet myfw blk: it takes no networks, as prefix4 and prefix6 ban" in said
        daemon.configure(grow + REAL.format(name="net", more=sets.replace("prefix4 = 24, ", "")))
        assert "takes no networks" not in daemon.command("check").stderr
        daemon.start()
        for last in range(1, 5):
            journald.send(MESSAGE=f"BAN 203.0.113.{last}", SYSLOG_IDENTIFIER="net")
        wanted = {f"203.0.113.{last}": "in force" for last in range(1, 5)}
        daemon.wait_until(lambda: states(daemon) == wanted)
        status = daemon.command("status")
        assert (status.returncode, "Bans     4 in force (ban 4)" in status.stdout) == (0, True)
