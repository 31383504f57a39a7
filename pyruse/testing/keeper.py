"""Tidies up when a test ends, also when its process is killed."""

from __future__ import annotations

import os
import subprocess
import tempfile

from pyruse.testing.waiting import TIME_LIMIT

_SCRIPT = "cat > /dev/null; {}"
"""An end of its input tells the shell that who has started it has ended."""


class Keeper:
    """Runs a script of the shell at the end of a test, or once the test's process is killed."""

    def __init__(self, script: str, *arguments: object) -> None:
        """Start a shell that waits.

        :param script: does no harm where there is nothing left to be removed.
        :param arguments: its ``$1`` and so on.
        """
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT.format(script), "sh", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={"PATH": os.environ.get("PATH", os.defpath)},  # without any `Mark`
            start_new_session=True,  # Ctrl-C does not reach it
        )

    def close(self) -> None:
        """Run the script, and wait for its end.

        :raises subprocess.TimeoutExpired: it has not ended within two minutes.
        """
        assert self._shell.stdin is not None
        self._shell.stdin.close()
        self._shell.wait(TIME_LIMIT)

    def dismiss(self) -> None:
        """Run nothing: another one keeps what is there."""
        assert self._shell.stdin is not None
        self._shell.kill()
        self._shell.wait(TIME_LIMIT)
        self._shell.stdin.close()


class ShortFolder:
    """A folder with a short name: that of a socket may have 107 bytes only (unix(7))."""

    def __init__(self) -> None:
        """Make it."""
        self.path = tempfile.mkdtemp(prefix="pyruse-")
        self._keeper = Keeper('rm -rf "$1"', self.path)

    def close(self) -> None:
        """Remove it, with all that is in it."""
        self._keeper.close()
