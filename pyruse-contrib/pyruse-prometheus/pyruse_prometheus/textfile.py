"""The file that the textfile collector of node_exporter reads."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

from prometheus_client import CollectorRegistry, generate_latest


class Textfile:
    """Writes the metrics to a file again and again, in a thread of its own."""

    def __init__(self, file: Path, every: float, metrics: CollectorRegistry) -> None:
        """Write it for the first time.

        :param every: in seconds.
        :raises ValueError: it cannot be written.
        """
        self._file = file
        self._every = every
        self._metrics = metrics
        self._closed = Event()
        try:
            self._write()
        except OSError as fault:
            raise ValueError(
                f"{file}: cannot be written: {fault.strerror} (expected a folder that the user of "
                "the service may write to, and ReadWritePaths= for it in the unit)"
            ) from None
        self._thread = Thread(target=self._keep_writing, name="pyruse textfile", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write no more, and remove the file."""
        self._closed.set()
        self._thread.join()
        with suppress(OSError):
            self._file.unlink()

    def _keep_writing(self) -> None:
        while not self._closed.wait(self._every):
            with suppress(OSError):  # a full disk; node_exporter tells how old the file is
                self._write()

    def _write(self) -> None:
        """Put the file in its place as a whole: rename(2) replaces it in one step."""
        # Not "….prom": node_exporter does not read it, also where a crash has left it behind.
        new = self._file.with_name(f".{self._file.name}.new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with open(os.open(new, flags, 0o644), "wb") as stream:
                os.fchmod(stream.fileno(), 0o644)  # whatever the umask: it is for another user
                stream.write(generate_latest(self._metrics))
            new.replace(self._file)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
