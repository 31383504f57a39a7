"""A filter or an action with its parameters: every ``<name>`` is put in that is known."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pyruse.importers.fail2ban.faults import Unreadable
from pyruse.importers.fail2ban.values import Values

_TAG = re.compile(r"<([^ <>]+)>")
_MOST = 2000
"""Tags that are put into one value."""
_LONGEST = 1 << 20
_DEFINITION, _INIT = "Definition", "Init"


class Definition:
    """The options of [Definition], with those of [Init] and what a jail gives.

    What the jail gives (``filter = NAME[option=value]``) counts over [Init], and [Init] over
    [Definition]; ``<SECTION/name>`` and ``<known/name>`` are looked up as ``%()s`` would be.
    """

    def __init__(
        self, values: Values, given: Mapping[str, str], jail: Mapping[str, str] | None = None
    ) -> None:
        """Take what the files and the jail say.

        :param given: the parameters.
        :param jail: options of the jail, for ``%(name)s``.
        :raises Unreadable: an option of [Init] cannot be read.
        """
        self.values = values
        self._params = {**(jail or {}), **given}
        self._own = dict(given)
        for option in values.options(_INIT):
            value = values.get(_INIT, option) or ""
            self._own[f"known/{option}"] = value
            self._own.setdefault(option, value)

    def options(self) -> list[str]:
        """The names of all options."""
        own = [name for name in self._own if not name.startswith("known/")]
        return list(dict.fromkeys([*self.values.options(_DEFINITION), *own]))

    def get(self, option: str) -> str | None:
        """An option with everything put in, or None where nobody says it.

        :raises Unreadable: it refers to itself, or to what is missing.
        """
        value = self._plain(option)
        return None if value is None else self.expanded(value, self.address(option))

    def section(self, section: str, option: str) -> str | None:
        """The option of another section with everything put in, or None."""
        value = self.values.get(section, option)
        if value is None:
            return None
        return self.expanded(value, self.values.address(section, option))

    def address(self, option: str) -> str:
        """File, section and option."""
        return self.values.address(_DEFINITION, option)

    def expanded(self, text: str, address: str) -> str:
        """A text with every ``<name>`` put in that is known, also ``<a-<b>>``.

        :raises Unreadable: it never ends.
        """
        at = replaced = 0
        while (tag := _TAG.search(text, at)) is not None:
            value = self._plain(tag[1])
            if value is None:
                at = tag.start() + 1
                continue
            replaced += 1
            text = text[: tag.start()] + value + text[tag.end() :]
            if replaced > _MOST or len(text) > _LONGEST:
                raise Unreadable(address, f"<{tag[1]}> is put in for ever, or becomes too long")
            # A tag around this one is known by its whole name only now.
            at = text.rfind("<", 0, tag.start()) if "<" in text[: tag.start()] else tag.start()
            if ">" in text[at : tag.start()]:
                at = tag.start()
        return text

    def _plain(self, option: str) -> str | None:
        if option in self._own:
            return self._own[option]
        section, slash, name = option.partition("/")
        if slash and section != "known":
            return self.values.get(section, name)
        return self.values.get(_DEFINITION, option, self._params)
