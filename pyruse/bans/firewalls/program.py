"""Running the programs that change a firewall."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pyruse.api.firewall import FirewallError
from pyruse.bans.firewalls.changes import Change
from pyruse.system.interruption import Interruption
from pyruse.text import one_line, shortened, shown

if TYPE_CHECKING:
    from pyruse.system.programs import Standby

_SYSTEM_PATH = ("/usr/sbin", "/sbin", "/usr/bin", "/bin")
_KEPT = 1 << 18  # bytes of what it says
_PER_SECOND = 200_000  # bytes: a longer text gives a program more time


class ProgramRefusal(Exception):
    """The program ran and refused; the text is what it wrote."""

    def __init__(self, text: str, refused: Sequence[tuple[Change[Any], str]] | None = None) -> None:
        """Tell what was refused.

        :param text: what the program wrote.
        :param refused: changes that were not made, each with the reason, while all others were;
            None: that is not known.
        """
        super().__init__(text)
        self.refused = refused


@dataclass(eq=False, repr=False)
class FirewallProgram:
    """A program that changes the firewall."""

    command: tuple[str, ...]
    """The program, and arguments that come before all others."""
    time_limit: float = 30.0
    """In seconds: the program is killed then. A long text gives it more, 1 s for each 200 kB."""
    noise: re.Pattern[str] | None = None
    """What is left out of its messages, such as places in an input that nobody sees."""
    pids: deque[int] = field(default_factory=lambda: deque(maxlen=1000))
    """The processes that it has had: what they change is no news."""
    interruption: Interruption = field(default_factory=Interruption)
    """Ends its run, and all that would follow."""
    _standby: Standby | None = None
    """Its next run, started ahead."""

    def run(self, arguments: Sequence[str], text: str = "", *, kept: int = _KEPT) -> str:
        """Run the program with a text on its standard input.

        :param arguments: follow those that the program always gets.
        :param text: the program's standard input.
        :param kept: how many bytes of the output are kept.
        :return: the standard output.
        :raises ProgramRefusal: the exit code is not 0.
        :raises FirewallError: the program could not be run, did not end in time, or said too much.
        """
        # Imported when it is needed: start-up time counts.
        from pyruse.system.programs import run_program

        name, stdin = self.command[0], text.encode()
        argv = self._argv(arguments)
        limit = self.time_limit + len(stdin) // _PER_SECOND
        interrupted = f"{name}: was ended, as Pyruse has waited for it for long enough"
        if self.interruption.happened:
            raise FirewallError(interrupted)
        done = None
        if self._standby is not None and self._standby.argv == argv:
            done = self._standby.run(
                stdin, timeout=limit, kept=kept, interruption=self.interruption
            )
            self._standby = None
        try:
            done = done or run_program(
                argv, timeout=limit, stdin=stdin, environment=_environment(), kept=kept,
                interruption=self.interruption,
            )  # fmt: skip
        except OSError as fault:
            raise FirewallError(
                f"{name}: {fault.strerror} (expected the firewall's program: install it, or tell "
                "where it is by the option command)"
            ) from None
        self.pids.append(done.pid)
        if done.status is None and self.interruption.happened:
            raise FirewallError(interrupted)
        if done.status is None:
            raise FirewallError(
                f"{name}: no answer in {limit:.3g} s, so it was killed (expected it to end; see "
                "what keeps it busy)"
            )
        if done.status != 0:
            said = _said(done.errors.strip() or done.output, self.noise)
            raise ProgramRefusal(said or str(done.fault))
        if len(done.output) >= kept:
            raise FirewallError(f"{name}: answered with {kept} bytes or more (expected fewer)")
        return done.output

    def prepare(self, arguments: Sequence[str]) -> None:
        """Start the program ahead of its next run with these arguments (see `Standby`)."""
        from pyruse.system.programs import Standby

        if self._standby is None or not self._standby.waits():
            self.close()
            with suppress(OSError):  # a run will tell
                self._standby = Standby(self._argv(arguments), _environment())

    def close(self) -> None:
        """End what was started ahead."""
        if self._standby is not None:
            self._standby.close()
            self._standby = None

    def _argv(self, arguments: Sequence[str]) -> list[str]:
        return [_found(self.command[0]), *self.command[1:], *arguments]


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C"}


def _said(text: str, noise: re.Pattern[str] | None) -> str:
    """What a program said, in one line, without what only repeats or quotes its input."""
    lines = [line.strip() for line in text.splitlines()]
    # nft quotes the command under each error, and says the same of each one that is alike.
    lines = [line for line in lines if "Error: " in line] or lines
    if noise is not None:
        lines = [noise.sub("", line) for line in lines]
    distinct = dict.fromkeys(lines)
    return shortened(one_line(" ".join(filter(None, distinct))), 500)


def _found(program: str) -> str:
    """Where a program is, also when PATH leaves out the folders for administrators."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_SYSTEM_PATH))
    import shutil  # with four modules of compression

    return shutil.which(program, path=path) or program


class CommandLine(tuple[str, ...]):
    """An option: a program, and arguments that come before all others."""

    IN_WORDS: ClassVar[str] = "a list: the program and its first arguments"
    SCHEMA: ClassVar[dict[str, Any]] = {
        "type": "array",
        "items": {"type": "string", "minLength": 1},
        "minItems": 1,
    }

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a program and its first arguments.

        :raises ValueError: it is no list of texts.
        """
        if isinstance(value, list) and value and all(map(_is_word, value)):
            return cls(value)
        raise ValueError(
            f"{shown(value)} is no program (expected {cls.IN_WORDS}, such as "
            '["/usr/local/sbin/program", "--option"])'
        )


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and value != "" and "\0" not in value
