"""Rows of tests for equality become switches: one look-up, however many chains there are.

Chains often begin with a filter of the same field: ``SYSLOG_IDENTIFIER`` is "sshd", or else
"dovecot", or else "nginx", …. An entry that does not pass one filter comes to the next. A row of
such nodes, each the `failed` of the node before, shares one `Switch`. An entry goes the same way
with the switch as without, since these filters do nothing but test.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from pyruse.hookspecs import hook_of

Test = tuple[str, frozenset[Hashable]]
"""A filter passes if, and only if, this field has one of these values."""


def equality_test_of(instance: Any) -> Test | None:
    """What a filter says of itself by the hook ``tested_values``.

    :raises Exception: whatever a faulty plugin raises, or TypeError where it says something else.
    """
    hook = hook_of(instance, "tested_values")
    if hook is None:
        return None
    said = hook()
    if not isinstance(said, tuple) or len(said) != 2 or not isinstance(said[0], str):
        raise TypeError("not a field with its values")
    field, values = said
    # A value that does not even equal itself (NaN) would be found by its identity.
    return str(field), frozenset(value for value in values if value == value)  # noqa: PLR0124
