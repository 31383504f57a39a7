"""The action ``run``."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyruse import Context, Duration, Entry, Program, Template, hookimpl, shortened

_LONGEST = 30_000
"""No argument of a program may be longer: 32 pages of 4 KiB (execve(2), MAX_ARG_STRLEN). What is
left out is told, and no character takes more than 4 bytes."""
_LONGEST_COMMAND = 400_000
"""The same for all arguments together, of which there are 2 MiB, with the environment."""


@dataclass(eq=False, repr=False)
class Run:
    """Run a program.

    Never through a shell: each item of the list is one argument, whatever an entry's fields put
    into it. What no argument can be (longer than 30,000 characters, or with a NUL in it) is cut, or
    has the NUL escaped. The programs of a step run one after the other, once what caused them is
    committed; what they print on standard error is logged when they fail. After a crash, a program
    may be run again.

    With `every`, this step runs its program at most once in that time: for the first entry at once;
    for those that come meanwhile once, at the end of that time, with the arguments of the newest
    one. The environment variable `PYRUSE_COUNT` says how many entries a run is for. Without it,
    10,000 runs of a step may wait; where there are more, the oldest are given up, and the log and
    the report say so.

    ```toml
    { action = "run", command = ["/usr/local/bin/tell", "--user={user}", "{ip}"], timeout = "10s" }
    { action = "run", command = ["smartctl", "--test=short", "/dev/sda"], every = "1d" }
    ```
    """

    command: list[Template]
    """The program and its arguments; the program's name itself is fixed."""
    timeout: Duration = field(default_factory=lambda: Duration(seconds=30))
    """After this time, the program is killed."""
    every: Duration | None = None
    """At most one run in this time."""

    def __post_init__(self) -> None:
        if not self.command or not self.command[0].text:
            raise ValueError('command names no program (expected ["/path/to/program", …])')
        if self.command[0].fields:
            raise ValueError(
                f'the program "{self.command[0]}" would be chosen by the entry (expected a fixed '
                "program, fields in its arguments only)"
            )

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        longest = min(_LONGEST, _LONGEST_COMMAND // len(self.command))
        command = [_argument(part, entry, longest) for part in self.command]
        context.run(entry, Program(command, self.timeout, every=self.every))


def _argument(part: Template, entry: Entry, longest: int) -> str:
    """What a program can be given: otherwise, a hostile line could keep it from being run."""
    return shortened(part.render(entry).replace("\0", "\\x00"), longest)
