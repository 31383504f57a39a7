"""What an action works out of an entry's texts, as a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class WorkedOut(NamedTuple):
    """What an action does with each entry, as a function of texts (see the hook `worked_out`)."""

    fields: tuple[str, ...]
    """The fields whose texts it is given, four at most; `act_on_entry` is called for an entry that
    lacks one of them."""
    function: Callable[..., tuple[Any, ...] | None]
    """Is given these texts and the entry's instant, in microseconds since the epoch; gives a tuple
    with the values of `into`, or None: nothing is set. A value that is None leaves its field as it
    is. Without `into`, it may give anything."""
    into: tuple[str, ...] = ()
    """The fields that are set."""
