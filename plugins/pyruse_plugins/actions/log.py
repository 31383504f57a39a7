"""The action ``log``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pyruse import Context, Duration, Entry, Template, hookimpl

Level = Literal["EMERG", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG"]


@dataclass(eq=False, repr=False)
class Log:
    """Write a line to the journal.

    The line is an entry like any other, with the identifier `pyruse` and the fields `PYRUSE_CHAIN`
    and `PYRUSE_STEP`. So chains can see it: that is how to find who comes back after a ban. When a
    line causes a line that causes a line …, the fifth is the last one.

    With `every`, this step writes at most one line in that time: the first one at once; what comes
    meanwhile becomes one line, the newest, which says how many there were.

    ```toml
    { action = "log", message = "banned {ip} after {failures} failures", level = "NOTICE" }
    ```
    """

    message: Template
    """What is logged."""
    level: Level = "INFO"
    """The priority: `EMERG`, `ALERT`, `CRIT`, `ERR`, `WARNING`, `NOTICE`, `INFO` or `DEBUG`."""
    every: Duration | None = None
    """At most one line in this time."""

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        context.log(entry, self.message.render(entry), self.level, every=self.every)
