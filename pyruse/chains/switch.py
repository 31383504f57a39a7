"""Rows of tests for equality become switches: one look-up, however many chains there are.

Chains often begin with a filter of the same field: ``SYSLOG_IDENTIFIER`` is "sshd", or else
"dovecot", or else "nginx", …. An entry that does not pass one filter comes to the next. A row of
such nodes, each the `failed` of the node before, shares one `Switch`. An entry goes the same way
with the switch as without, since these filters do nothing but test.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from pyruse.chains.link import Graph, Node, Switch
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


def add_switches(graph: Graph) -> None:
    """Give the nodes of each row of tests their switch; a row may have one test only.

    The time grows with the number of nodes and values: a node is in one row only.
    """
    tests = {node: test for node in graph.nodes if (test := equality_test_of(node.step.instance))}
    inside = {
        node.failed for node in tests if node.failed in tests and _alike(node, node.failed, tests)
    }
    # A row is found from its beginning, but where two rows join, the second one ends.
    for first in sorted(tests, key=inside.__contains__):
        if first.switch is None:
            _join(first, tests)


def _alike(one: Node, other: Node, tests: dict[Node, Test]) -> bool:
    return tests[one][0] == tests[other][0]


def _join(first: Node, tests: dict[Node, Test]) -> None:
    """Make one switch of the row that begins with a node."""
    row = []
    end: Node | None = first
    while end in tests and end.switch is None and _alike(first, end, tests):
        row.append(end)
        end = end.failed
    switch = Switch(tests[first][0], default=end)
    for position, node in enumerate(row):
        node.switch, node.position = switch, position
        for value in tests[node][1]:
            positions, ways = switch.ways.setdefault(value, ([], []))
            positions.append(position)
            ways.append(node.passed)
    for _, ways in switch.ways.values():
        ways.append(end)
