"""A whole daemon for a test: ``pyruse run`` in a process of its own, and commands that ask it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

from pyruse.testing.journald import Journald
from pyruse.testing.processes import Mark
from pyruse.testing.service_manager import ServiceManager
from pyruse.testing.waiting import TIME_LIMIT, wait_until

T = TypeVar("T")

_LONGEST_END = 10.0  # seconds, for one that nobody has stopped
_SHOWN = 2000  # characters of the log, in a message

# What Pyruse says goes to standard error, as on a machine without a journald: not into the journal
# of the machine that runs the tests, where a Pyruse at work may read it.
_PROGRAM = (
    "from pyruse import cli; from pyruse.system import log; "
    "log.to_journal = log.to_stderr; cli.main()"
)

_READY = "READY=1"

_SURROUNDINGS = """
[journal]
{journal}
start = "head"
[state]
url = "sqlite://{state}"
[email]
to = ["root"]
sendmail = ["true"]
[bans]
log = false
[bans.nftables]
command = ["true"]
"""


class Daemon:
    """``pyruse run``, and other commands, on the configuration of a folder; as context manager.

    The daemon runs from `start` to `stop`, once or several times on the same state. At the end of
    the ``with`` block, none of its processes is left, whatever has happened.
    """

    _program = _PROGRAM

    def __init__(
        self,
        folder: Path,
        prefix: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start nothing yet.

        :param folder: has the configuration, as ``pyruse -c`` takes it (see `surround`).
        :param prefix: stands before each command, such as the prefix of a network namespace; a
            program that replaces itself by the command (execve(2)).
        :param environment: variables that are added to those of the test.
        """
        self.folder = folder
        self.state = folder / "state.sqlite"
        """The database, where the configuration has it there, as that of `surround`."""
        self.prefix = list(prefix)
        self.prelude = ""
        """Python code that each process runs before anything else, such as for another clock."""
        self.told: list[str] = []
        """What the daemon has told the service manager, from the first start on (sd_notify(3))."""
        self._mark = Mark()
        self._environment = {**(environment or {}), **self._mark.environment}
        self._log = folder / "log"
        self._manager: ServiceManager | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def surround(self, journal: Journald | Path) -> None:
        """Write what a configuration needs besides chains: a journal, read from its head, a state.

        Nothing leaves the test unless `configure` says how: mails and the changes for nftables go
        to `true`(1). Bans and starts have no lines in its log (`[bans] log = false`).

        :param journal: a journald, or a journal's file, or a folder with such files.
        """
        if isinstance(journal, Journald):
            source = f'namespace = "{journal.namespace}"'
        else:
            source = f'directory = "{journal}"' if journal.is_dir() else f'files = ["{journal}"]'
        text = _SURROUNDINGS.format(journal=source, state=self.state)
        (self.folder / "pyruse.toml").write_text(text)

    def configure(self, toml: str) -> None:
        """Write the rest of the configuration, for the next start or `reload`."""
        file = self.folder / "conf.d" / "test.toml"  # after pyruse.toml: so what it sets counts
        file.parent.mkdir(exist_ok=True)
        file.write_text(toml)

    def __enter__(self) -> Self:
        self._mark.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the daemon and the programs that it has left behind, as systemd ends a unit."""
        self._end()
        self._mark.close()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process of the last start."""
        assert self._process is not None, "it was not started"
        return self._process

    @property
    def log(self) -> str:
        """What the daemon has written to standard error and output, from the first start on."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def start(self, *options: str) -> Self:
        """Start the daemon, and wait until it is ready: bans are restored, reading begins.

        :param options: of ``pyruse run``.
        :raises AssertionError: the daemon has ended, or is not ready within two minutes.
        """
        self._end()
        self._manager = ServiceManager(self._hear)
        with self._ready_again(), self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command("run", *options),
                env=self._variables(NOTIFY_SOCKET=self._manager.address),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return self

    def reload(self) -> None:
        """Have the daemon read the configuration again, and wait until it has.

        :raises AssertionError: the daemon has ended, or has not done so within two minutes.
        """
        with self._ready_again():
            self.process.send_signal(signal.SIGHUP)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End the daemon by a signal.

        :return: the exit code; of a process that was killed, the negative number of the signal.
        :raises subprocess.TimeoutExpired: the daemon has not ended within two minutes.
        """
        self.process.send_signal(number)
        code = self.process.wait(TIME_LIMIT)
        self._end()
        return code

    def command(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of ``pyruse`` on the same configuration, to its end.

        ``command("run", "--once")`` handles all that is in the journal.

        :return: with ``.returncode``, ``.stdout`` and ``.stderr``.
        :raises subprocess.TimeoutExpired: it has not ended within two minutes, and was killed.
        """
        return subprocess.run(
            self._command(name, *arguments), env=self._variables(), capture_output=True,
            text=True, errors="replace", timeout=TIME_LIMIT, check=False,
        )  # fmt: skip

    def ask(self, name: str, *arguments: str) -> Any:
        """What a command says with ``--format json``: ``ask("bans")``, ``ask("report", "today")``.

        :raises AssertionError: it did not say anything; with what it said on standard error.
        """
        done = self.command(name, "--format", "json", *arguments)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def wait_until(self, look: Callable[[], T], enough: Callable[[T], object] = bool) -> T:
        """Look again and again, until there is enough; by default, until there is anything.

        :return: what there is then.
        :raises AssertionError: there is not, and the daemon does not run, or two minutes are over.
        """
        return wait_until(
            look,
            enough,
            hopeless=lambda: "the daemon does not run" if self._ended() else "",
            said=lambda: f" (the daemon said: {self.log[-_SHOWN:]})",
        )

    def wait_for_line(self, text: str) -> str:
        """The first line of the log that has this text in it, as soon as there is one.

        :raises AssertionError: see `wait_until`.
        """
        return self.wait_until(lambda: [line for line in self.log.splitlines() if text in line])[0]

    def _command(self, name: str, *arguments: str) -> list[str]:
        program = f"{self.prelude}\n{self._program}"
        python = [*self.prefix, sys.executable, "-c", program]
        return [*python, name, "-c", str(self.folder), *arguments]

    def _variables(self, **added: str) -> dict[str, str]:
        return {**os.environ, **self._environment, **added}

    def _hear(self, told: str) -> None:
        self.told.append(told)

    @contextmanager
    def _ready_again(self) -> Iterator[None]:
        before = self.told.count(_READY)
        yield
        self.wait_until(lambda: self.told, lambda told: told.count(_READY) > before)

    def _end(self) -> None:
        if not self._ended():
            self.process.terminate()
            try:
                self.process.wait(_LONGEST_END)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self._ended()

    def _ended(self) -> bool:
        """Whether it does not run; then, all that it has told is heard."""
        if self._process is not None and self._process.poll() is None:
            return False
        if self._manager is not None:
            self._manager.close()
            self._manager = None
        return True


MakeDaemon = Callable[..., Daemon]
"""What the fixture ``daemon`` is."""
