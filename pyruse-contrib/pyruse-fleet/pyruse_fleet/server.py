"""A PostgreSQL of one's own, in a folder, with a port of its own: for demo, tests and bench."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import psycopg

_BINARIES = ("/usr/lib/postgresql/*/bin/postgres", "/usr/pgsql-*/bin/postgres")
_USER = "postgres"
_SETTINGS = {
    "fsync": "off",  # of a trial, nothing has to outlive the machine
    "max_connections": "100",
    "shared_buffers": "32MB",
    "timezone": "UTC",
    "log_line_prefix": "%m [%p] %u ",
}
_LONGEST_S = 60.0
_WITH_ITS_PARENT = "--pdeathsig=QUIT"
"""Nothing is left of a trial that is killed."""


def binaries() -> Path | None:
    """The folder with PostgreSQL's programs, of the newest version; None: it is not installed."""
    found = [one for pattern in _BINARIES for one in Path("/").glob(pattern.lstrip("/"))]
    by_version = sorted(
        found, key=lambda one: [int(n) for n in one.parts[-3].split(".") if n.isdigit()]
    )
    if by_version:
        return by_version[-1].parent
    program = shutil.which("postgres")
    return Path(program).resolve().parent if program else None


class Server:
    """A cluster in a new folder, as context manager; its owner logs in as ``postgres``.

    Whoever may open the socket's folder may log in as anybody: it is for trials alone.
    """

    def __init__(  # noqa: PLR0913 -- all but the first are named by the caller
        self,
        port: int = 5432,
        *,
        prefix: Sequence[str] = (),
        listen: str = "",
        settings: dict[str, str] | None = None,
        data: Path | None = None,
        hba: str = "local all all trust\nhost all all all trust\n",
    ) -> None:
        """Make a cluster; start nothing yet.

        :param port: its port; that of the socket, too.
        :param prefix: stands before the command, such as the prefix of a network namespace.
        :param listen: addresses to listen at; none: the socket alone.
        :param settings: more of them.
        :param hba: who may log in, and how.
        :param data: the folder of the data, such as on a small disk; None: one beside the socket.
        """
        found = binaries()
        assert found is not None, "PostgreSQL is not installed (Debian: postgresql)"
        self._programs = found
        self.port = port
        self.folder = Path(tempfile.mkdtemp(prefix="pyruse-pg-"))
        self.data = data or self.folder / "data"
        self._prefix = list(prefix)
        self._listen = listen
        self._settings = _SETTINGS | (settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        self.own(self.folder)
        if data is not None:
            self.own(data)
        self._run(
            "initdb", "-D", str(self.data), "-A", "trust", "-U", _USER, "-E", "UTF8", "--no-sync"
        )
        (self.data / "pg_hba.conf").write_text(hba)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def url(self, user: str = _USER, database: str = "postgres") -> str:
        """Where it is, over its socket."""
        return f"postgresql://{user}@/{database}?host={self.folder}&port={self.port}"

    @property
    def pid(self) -> int:
        """Of the server's first process."""
        return int((self.data / "postmaster.pid").read_text().split()[0])

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.poll() is None

    def processes(self) -> list[int]:
        """The first process, and those that it has started."""
        return [self.pid, *_children(self.pid)]

    @property
    def log(self) -> Path:
        """What it says."""
        return self.folder / "log"

    def start(self) -> None:
        """Start it, if it does not run, and wait until it takes connections.

        :raises RuntimeError: it does not.
        """
        if self.runs:
            return
        settings = self._settings | {
            "port": str(self.port),
            "listen_addresses": self._listen,
            "unix_socket_directories": str(self.folder),
        }
        command = [*self._prefix, *_as_user(_WITH_ITS_PARENT), str(self._programs / "postgres")]
        command += ["-D", str(self.data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/",
                start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + _LONGEST_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"PostgreSQL has not started: {self.log.read_text()[-2000:]}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: at once, by default; SIGKILL is a crash."""
        if self._process is None or not self.runs:
            return
        first, *others = self.processes()
        os.kill(first, how)
        if how == signal.SIGKILL:
            for one in others:
                with suppress(ProcessLookupError):
                    os.kill(one, how)
        self._process.wait(_LONGEST_S)

    def close(self) -> None:
        """Stop it, and remove the folder."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def connection(
        self, user: str = _USER, database: str = "postgres"
    ) -> Iterator[psycopg.Connection]:
        """A connection, each statement of which is a transaction."""
        with psycopg.connect(self.url(user, database), autocommit=True) as connection:
            yield connection

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*_as_user(), str(self._programs / program), *arguments],
            capture_output=True, text=True, check=False, cwd="/",
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr}")

    def own(self, path: Path) -> None:
        """Give a folder to the server's user."""
        if os.geteuid() == 0:
            user = pwd.getpwnam(_USER)
            os.chown(path, user.pw_uid, user.pw_gid)
        path.chmod(0o755)


def _as_user(*options: str) -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() == 0:
        options = (f"--reuid={_USER}", f"--regid={_USER}", "--init-groups", *options)
    return ["setpriv", *options] if options else []


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(one) for one in text.split()]
