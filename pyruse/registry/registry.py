"""All plugins, by kind and name. A broken plugin costs one line, and is never fatal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pyruse.errors import did_you_mean
from pyruse.registry import beside
from pyruse.registry.checks import Checker
from pyruse.registry.found import Found, PluginError
from pyruse.registry.kinds import KIND, KIND_WITH_ARTICLE, PLUGINS, RULES
from pyruse.registry.packages import OWN, installed
from pyruse.text import shown

Source = Callable[[Checker, list[str]], Iterable[Found]]
"""Where plugins come from: gives them, and adds what is wrong there, a line each."""


class Registry:
    """The plugins of the packages that are installed, and of other sources."""

    def __init__(self, *sources: Source) -> None:
        """Find nothing yet.

        :param sources: sources of plugins, beside the packages.
        """
        self.faults: list[str] = []
        """What is wrong where plugins come from, so that their names are not even known."""
        self._found: dict[str, dict[str, Found]] = {group: {} for group in KIND}
        self._claimed: dict[tuple[str, str], str] = {}
        """What is wrong with a name that several claim."""
        claimants: dict[tuple[str, str], list[Found]] = {}
        checker = Checker()
        for source in (installed, beside.told, *sources):
            for found in source(checker, self.faults):
                claimants.setdefault((found.group, found.name), []).append(found)
        for (group, name), several in claimants.items():
            if len(several) == 1 or self._is_built_in(several):
                self._found[group][name] = several[0]

    def _is_built_in(self, several: list[Found]) -> bool:
        """Tell that several claim a name: the built-in plugin keeps its own, others get none."""
        several.sort(key=lambda one: (one.distribution != OWN, one.origin))
        built_in = several[0].distribution == OWN
        claimants = several[1:] if built_in else several
        names = " and ".join(one.origin for one in claimants)
        also = ", though it is Pyruse's own" if built_in else ""
        in_file = any(one.file for one in claimants)
        todo = "give a class another `name`" if in_file else "remove a distribution"
        if in_file and several[0].group == RULES:
            todo = "rename the file"
        verb = "are" if several[0].group == RULES else "is"
        fault = (
            f'{several[0].kind} "{several[0].name}" {verb} claimed by {names}{also} '
            f"(expected one claimant: {todo})"
        )
        self.faults.append(fault)
        if not built_in:
            self._claimed[several[0].group, several[0].name] = fault
        return built_in

    def all(self) -> Iterator[Found]:
        """Every plugin, by group and name; rules are none: they are data."""
        for group in PLUGINS:
            yield from sorted(self._found[group].values(), key=lambda found: found.name)

    def names(self, group: str) -> list[str]:
        """The names of a group."""
        return sorted(self._found[group])

    def find(self, group: str, name: str) -> Found:
        """The plugin of a name.

        :raises PluginError: there is none.
        """
        try:
            return self._found[group][name]
        except KeyError:
            if (group, name) in self._claimed:
                raise PluginError(self._claimed[group, name]) from None
            others = [
                kind for other, kind in KIND_WITH_ARTICLE.items() if name in self._found[other]
            ]
            hint = "".join(f"; {shown(name)} is {kind}" for kind in others)
            hint = hint or did_you_mean(name, self._found[group])
            what, where = f"is no {KIND[group]}", "one that is installed: see `pyruse plugins`"
            if group == RULES:
                what, where = "are no rules", "rules that are installed: see `pyruse rules`"
            raise PluginError(f"there {what} {shown(name)} (expected {where}{hint})") from None
