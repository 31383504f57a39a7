"""The errors that a user may see: one line each, never a traceback."""

from __future__ import annotations

from collections.abc import Iterable

from pyruse.text import one_line


class UserError(Exception):
    """Something that the user can mend; its text is shown as it is.

    Every such text reads *address: fault (expected …)*, or says what to try next.
    Exit code of the commands: 1 (the work failed).
    """


class FaultsError(UserError):
    """All the faults of what a user gave, one line each."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = [one_line(fault) for fault in faults]
        super().__init__("\n".join(self.faults))


class ConfigError(FaultsError):
    """All the faults of a configuration. Exit code of the commands: 2."""


def in_words(fault: BaseException, *plain: type[BaseException]) -> str:
    """What anybody's code raised: ``KeyError: 'x'``. Raises nothing, whatever that code does.

    :param fault: what was raised.
    :param plain: kinds whose text says enough without the name of the kind.
    """
    kind = type(fault)
    name: str = type.__getattribute__(kind, "__name__")
    try:
        text = str(fault)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 -- the text of an exception is made by its own code
        return f"{name} (its text cannot be told)"
    return text if text and issubclass(kind, plain) else f"{name}: {text}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint such as ``; did you mean "regex"?``, or nothing when no known word is near."""
    import difflib

    names = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), names, n=1)
    return f'; did you mean "{names[near[0]]}"?' if near else ""
