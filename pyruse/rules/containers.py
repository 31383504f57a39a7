"""What programs write inside of containers, and Docker or Podman hand on to journald.

journald sees the runtime as the writer of such lines: that one says in ``CONTAINER_NAME`` whose
they are, and what the program calls itself does not count.
"""

from __future__ import annotations

import re
from typing import Any

from pyruse.rules.rules_file import CONTAINER_OPTIONS, RulesFile
from pyruse.rules.values import RuleTables
from pyruse.text import shown

RUNTIMES = ("conmon", "dockerd", "podman")
"""What the runtimes are called that hand on lines, in ``_COMM``."""


def container_chain(
    rules: RulesFile, tables: RuleTables, faults: list[str]
) -> list[dict[str, Any]] | None:
    """A chain that leads lines of containers to where the lines of a program are understood.

    :param rules: of the program.
    :param tables: what is given: names of containers, with ``*`` and ``?``.
    :param faults: what is wrong is added.
    :return: its steps; None: no container is named.
    """
    if rules.lines is None:
        return None
    given = tables.given(rules.name, "containers", CONTAINER_OPTIONS["containers"].default)
    if given is None or not isinstance(given.value, list):
        return None
    for index, name in enumerate(given.value):
        if not isinstance(name, str) or not name:
            faults.append(
                f"{given.address}[{index}]: {shown(name)} is no name of a container (expected "
                "text, such as web-*)"
            )
            return None
    if not given.value:
        return None
    users = tables.given(
        rules.name, "container_users", CONTAINER_OPTIONS["container_users"].default
    )
    return [
        {"filter": "regex", "field": "CONTAINER_NAME", "pattern": _either(given.value)},
        {"filter": "in", "field": "_COMM", "values": list(RUNTIMES), "else": "forged"},
        {
            "filter": "in",
            "field": "_UID",
            "values": CONTAINER_OPTIONS["container_users"].default
            if users is None
            else users.value,
            "then": rules.lines,
        },
    ]


def _either(names: list[str]) -> str:
    """A pattern for names in which ``*`` is any text, and ``?`` a character."""
    wild = {"*": ".*", "?": "."}
    patterns = ("".join(wild.get(sign, re.escape(sign)) for sign in name) for name in names)
    return rf"^(?:{'|'.join(patterns)})\Z"
