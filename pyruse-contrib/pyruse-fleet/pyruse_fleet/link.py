"""The thread that has the connection to the database: the only one that ever waits for it."""

from __future__ import annotations

import os
import random
import select
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import Any, Protocol, TypeVar

import psycopg
from psycopg import errors
from psycopg.conninfo import make_conninfo

from pyruse_fleet.faults import UnfitDatabase

T = TypeVar("T")
Connection = psycopg.Connection[tuple[Any, ...]]
Job = Callable[[Connection], T]

CHANNEL = "pyruse_fleet"
UNFIT = (psycopg.DataError, errors.CheckViolation, errors.ProgramLimitExceeded)
"""The database does not take this, however often it is told: it is too long, or odd."""
_SOONEST_S, _LATEST_S = 0.5, 60.0
"""So long after a failure the next connection is tried: at first, and at last."""
_STOP_S = 0.5


class Away(Exception):
    """The database is not to be had now."""


class Session(Protocol):
    """What is done over a connection."""

    def begin(self, connection: Connection) -> None:
        """A connection is made."""

    def turn(self, connection: Connection) -> float:
        """Do what there is to do now; gives the seconds until there is something again."""

    def end(self, connection: Connection) -> None:
        """The connection is closed now, as Pyruse stops."""

    def lost(self, fault: Exception) -> None:
        """There is no connection; called for each attempt that fails."""


class Link:
    """Connects, again and again; runs a session, and jobs of other threads between its turns."""

    def __init__(self, connect: Callable[[], Connection], session: Session) -> None:
        """Start the thread.

        :param connect: makes a connection (`connect` below).
        :param session: is called in that thread alone.
        """
        self._connect = connect
        self._session = session
        self._jobs: SimpleQueue[tuple[Job[Any], Future[Any]]] = SimpleQueue()
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._pipe_lock = Lock()
        self._ended = False
        self._closed = Event()
        self._connection: Connection | None = None
        self._hinted = False
        self._thread = Thread(target=self._run, name="pyruse fleet", daemon=True)
        self._thread.start()

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._connection is not None

    def rouse(self) -> None:
        """Have the session's turn come now; in any thread."""
        with self._pipe_lock, suppress(BlockingIOError):  # it is full: it is roused
            if not self._ended:
                os.write(self._write, b".")

    def call(self, job: Job[T], timeout: float) -> T:
        """Have something done over the connection; in any other thread.

        :param timeout: seconds; then the connection is cut, as it seems to hang.
        :raises Away: it is not done, or nobody knows whether it is.
        :raises psycopg.Error: one of `UNFIT`: it never will be.
        """
        if self._connection is None:
            raise Away
        future: Future[T] = Future()
        self._jobs.put((job, future))
        self.rouse()
        try:
            return future.result(timeout)
        except FutureTimeout:
            self._cut()
            raise Away from None
        except UNFIT:
            raise
        except psycopg.Error as fault:
            raise Away(str(fault)) from None

    def close(self) -> None:
        """End the thread, whatever it waits for."""
        self._closed.set()
        self.rouse()
        self._thread.join(_STOP_S)
        if self._thread.is_alive():
            self._cut()
            self._thread.join(_STOP_S)

    def _cut(self) -> None:
        """End the wait for an answer that does not come: the other thread sees a closed socket."""
        connection = self._connection
        with suppress(OSError, psycopg.Error):
            if connection is not None:
                with socket.socket(fileno=os.dup(connection.fileno())) as cut:
                    cut.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        failures = 0
        while not self._closed.is_set():
            began = time.monotonic()
            try:
                with self._connect() as connection:
                    self._session.begin(connection)
                    self._connection = connection
                    connection.add_notify_handler(self._note_hint)
                    while not self._closed.is_set():
                        self._do_jobs(connection)
                        self._hinted = False
                        seconds = self._session.turn(connection)
                        # A hint that came with the answer to a query is no news of the socket.
                        self._wait(connection, 0.0 if self._hinted else seconds)
                    self._session.end(connection)
            except Exception as fault:  # noqa: BLE001 -- the thread is to outlive whatever it meets
                self._connection = None
                self._refuse_jobs()
                self._session.lost(fault)
            finally:
                self._connection = None
                self._refuse_jobs()
            failures = 0 if time.monotonic() - began > _LATEST_S else failures + 1
            latest = min(_LATEST_S, _SOONEST_S * 2 ** min(failures, 10))
            # Of many hosts that have lost it together, each comes back at a time of its own.
            self._sleep(random.uniform(_SOONEST_S / 2, latest))
        with self._pipe_lock:  # the numbers of descriptors are given to others
            self._ended = True
            os.close(self._read)
            os.close(self._write)

    def _do_jobs(self, connection: Connection) -> None:
        while True:
            try:
                job, future = self._jobs.get_nowait()
            except Empty:
                return
            try:
                result = job(connection)
            except BaseException as fault:
                future.set_exception(fault)
                if connection.broken or not isinstance(fault, psycopg.Error):
                    raise
            else:
                future.set_result(result)

    def _refuse_jobs(self) -> None:
        while True:
            try:
                _, future = self._jobs.get_nowait()
            except Empty:
                return
            future.set_exception(Away())

    def _wait(self, connection: Connection, seconds: float) -> None:
        """Wait for a hint, for whoever rouses, or for so long."""
        ready, _, _ = select.select([connection.fileno(), self._read], [], [], max(0.0, seconds))
        if self._read in ready:
            self._clear()
        if connection.fileno() in ready:
            connection.pgconn.consume_input()
            while connection.pgconn.notifies():
                pass  # a hint, as good as any: anybody may send one

    def _note_hint(self, hint: psycopg.Notify) -> None:
        self._hinted = True

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._closed.is_set() and (left := end - time.monotonic()) > 0:
            select.select([self._read], [], [], left)
            self._clear()

    def _clear(self) -> None:
        with suppress(BlockingIOError):
            while os.read(self._read, 4096):
                pass


def connect(url: str, password: str | None) -> Connection:
    """A connection that notices within half a minute that the other end is gone.

    :param url: as libpq has it.
    :param password: of a file of secrets; None: as libpq finds it, or none.
    :raises psycopg.Error: there is none to be had.
    :raises UnfitDatabase: nothing can be shared over it.
    """
    made = psycopg.connect(
        url if password is None else make_conninfo(url, password=password),
        autocommit=True,
        prepare_threshold=None,  # a pooler in front of the database may not know of them
        connect_timeout=10,
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        tcp_user_timeout=15_000,
        application_name="pyruse-fleet",
    )
    encoding = made.info.parameter_status("server_encoding")
    if encoding not in (None, "UTF8"):  # none: of a pooler that does not say
        made.close()
        raise UnfitDatabase(
            f"the database is in {encoding} (expected UTF8: "
            "`createdb --encoding UTF8 --template template0`, then `pyruse-fleet init`)"
        )
    return made
