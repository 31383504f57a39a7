"""The kinds of plugins: a filter, an action, an extension of the whole program."""

from __future__ import annotations

FILTERS = "pyruse.filters"
ACTIONS = "pyruse.actions"
EXTENSIONS = "pyruse"
"""The groups of entry points, as packages name them."""

MAIN_HOOK = {FILTERS: "match_entry", ACTIONS: "act_on_entry"}
"""The hook that makes a class a filter or an action."""

KIND = {FILTERS: "filter", ACTIONS: "action", EXTENSIONS: "extension"}
"""The word for a plugin of each group. Plugins are listed in the order of these groups."""

KIND_WITH_ARTICLE = {FILTERS: "a filter", ACTIONS: "an action", EXTENSIONS: "an extension"}
