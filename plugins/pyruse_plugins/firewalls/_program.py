"""Running the program that changes a firewall."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyruse import FirewallError, one_line, printable, shortened

_SYSTEM_PATH = ("/usr/sbin", "/sbin", "/usr/bin", "/bin")


class Refused(Exception):
    """The program ran, and said no; the text is what it said."""


@dataclass(frozen=True)
class Program:
    """A program that changes the firewall."""

    command: tuple[str, ...]
    """The program, and arguments that come before all others."""
    time_limit: float = 30.0
    """In seconds: the program is killed then. A long text gives it more, 1 s for each 200 kB."""

    def run(self, arguments: Sequence[str], text: str = "") -> str:
        """Run the program with a text on its standard input.

        :return: its standard output.
        :raises Refused: it ended with an exit code other than 0.
        :raises FirewallError: it could not be run, or did not end in time.
        """
        try:
            process = subprocess.Popen(
                [_found(self.command[0]), *self.command[1:], *arguments],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True, errors="replace", env={**os.environ, "LC_ALL": "C"},
                start_new_session=True,
            )  # fmt: skip
        except OSError as fault:
            raise FirewallError(
                f"{self.command[0]}: {fault.strerror} (expected the firewall's program: install "
                "it, or tell where it is by the option command)"
            ) from None
        limit = self.time_limit + len(text) // 200_000
        with process:
            try:
                output, errors = process.communicate(text, timeout=limit)
            except BaseException as fault:
                # The whole session: a wrapper such as sudo would leave the program itself behind.
                os.killpg(process.pid, signal.SIGKILL)
                if not isinstance(fault, subprocess.TimeoutExpired):
                    raise
                raise FirewallError(
                    f"{self.command[0]}: no answer in {limit:g} s, so it was killed "
                    "(expected it to end; see what keeps it busy)"
                ) from None
        if process.returncode != 0:
            # nft says the same of each command that names a missing set, for instance.
            lines = dict.fromkeys(map(str.strip, (errors.strip() or output).splitlines()))
            said = one_line(" ".join(filter(None, lines))) or f"exit code {process.returncode}"
            raise Refused(shortened(said, 500))
        return output


def _found(program: str) -> str:
    """Where a program is, also when PATH leaves out the folders for administrators."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_SYSTEM_PATH))
    return shutil.which(program, path=path) or program


def check_names(options: Mapping[str, Any], known: Sequence[str]) -> None:
    """See that a firewall is given no other options than it knows.

    :raises ValueError: it is.
    """
    for name in options:
        if name not in known:
            raise ValueError(f"unknown option {shown(name)} (expected one of: {', '.join(known)})")


def program_of(options: Mapping[str, Any], default: str) -> Program:
    """The program that the option ``command`` names.

    :raises ValueError: it is no list of texts.
    """
    command = options.get("command", [default])
    if isinstance(command, list) and command and all(map(_is_word, command)):
        return Program(tuple(command))
    raise ValueError(
        f"command = {shown(command)} is no program (expected a list: the program and its first "
        f'arguments, such as ["{default}"])'
    )


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and value != "" and "\0" not in value


def shown(value: Any) -> str:
    """A configured value as error messages show it."""
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return shortened(printable(text), 80)
