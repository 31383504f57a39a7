"""The kinds of plugins: a filter, an action, an extension of the whole program; and rules."""

from __future__ import annotations

FILTERS = "pyruse.filters"
ACTIONS = "pyruse.actions"
EXTENSIONS = "pyruse"
RULES = "pyruse.rules"
"""The groups of entry points, as packages name them."""

MAIN_HOOK = {FILTERS: "match_entry", ACTIONS: "act_on_entry"}
"""The hook that makes a class a filter or an action."""

PLUGINS = (FILTERS, ACTIONS, EXTENSIONS)
"""The groups of what is written in Python, in the order in which they are listed."""

KIND = {FILTERS: "filter", ACTIONS: "action", EXTENSIONS: "extension", RULES: "rules"}
"""The word for what is in each group."""

KIND_WITH_ARTICLE = {FILTERS: "a filter", ACTIONS: "an action", EXTENSIONS: "an extension"}
"""A word that a message can go on with."""
