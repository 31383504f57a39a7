"""Which steps take an entry's word against somebody, though anybody could have written the entry.

Anybody may log in the name of sshd: ``logger -t sshd`` is enough. journald itself says who has
written an entry, in fields that begin with an underscore. A filter that looks for a value of such a
field is a *guard*: what passes it is of a known writer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pyruse.api.traits import traits_of
from pyruse.chains.link import Node, link
from pyruse.chains.model import Chain, Step
from pyruse.chains.values import equality_test_of, fields_of, values_of
from pyruse.options.fields import Field

_OF_NOBODY = frozenset(
    {
        "_BOOT_ID", "_HOSTNAME", "_LINE_BREAK", "_MACHINE_ID", "_PID", "_RUNTIME_SCOPE",
        "_SOURCE_BOOTTIME_TIMESTAMP", "_SOURCE_MONOTONIC_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP",
        "_STREAM_ID", "_SYSTEMD_INVOCATION_ID",
    }
)  # fmt: skip
"""systemd.journal-fields(7): these are true, but do not tell the writer."""
_CHOSEN = frozenset({"_CMDLINE", "_COMM", "_SYSTEMD_USER_SLICE", "_SYSTEMD_USER_UNIT"})
"""These are what the writer calls himself: a process names itself, and users name their units."""
_TRUE_TRANSPORTS = frozenset({"audit", "driver", "kernel"})
"""Through the others, anybody may write."""
_BANNED = {"ban": "banned"}


def doubts(chains: Mapping[str, Chain]) -> Iterator[str]:
    """A warning for each step that accuses, and that an entry of an unknown writer may come to.

    :param chains: all chains by name, which form no loop.
    """
    reached = unguarded(chains)
    named = any(field in _CHOSEN for step in reached for field in fields_of(step, Field))
    also = "; _COMM and the like are not enough, as the writer chooses them" if named else ""
    for step in reached:
        if step.kind == "action" and traits_of(step.instance).accuses:
            yield (
                f"{step.address}: anybody who may log can have anybody "
                f"{_BANNED.get(step.plugin, 'accused')} (expected a filter of a field that begins "
                f"with _, such as _UID or _SYSTEMD_UNIT{also})"
            )


def unguarded(chains: Mapping[str, Chain]) -> list[Step]:
    """The steps that an entry may come to without having passed a guard, in the order of the file.

    :param chains: all chains by name.
    :raises ConfigError: a step jumps to a chain that is not there, or chains form a loop.
    """
    entrance = link(chains, lambda _: bool).entrance
    seen: set[Node] = set()
    to_follow = [entrance] if entrance is not None else []
    while to_follow:
        node = to_follow.pop()
        if node in seen:
            continue
        seen.add(node)
        # A step that raises leads nowhere that it would not lead to otherwise.
        ways = (node.failed,) if is_guard(node.step) else (node.passed, node.failed)
        to_follow += [way for way in ways if way is not None]
    reached = {node.step for node in seen}
    return [step for chain in chains.values() for step in chain.steps if step in reached]


def is_guard(step: Step) -> bool:
    """Whether entries that a filter matches are of a writer that it knows.

    :param step: a filter that only asks whether a field is there knows nobody; nor does one whose
        field tells nothing of the writer, or what the writer has chosen.
    """
    fields = set(fields_of(step, Field))
    if step.kind != "filter" or not any(map(_tells, fields)):
        return False
    if all(value is None or isinstance(value, Field | bool) for value in values_of(step)):
        return False
    if fields == {"_TRANSPORT"}:
        test = equality_test_of(step.instance)
        return test is not None and test[1] <= _TRUE_TRANSPORTS
    return True


def _tells(field: Field) -> bool:
    own = field.startswith("_") and not field.startswith("__")
    return own and field not in _OF_NOBODY and field not in _CHOSEN
