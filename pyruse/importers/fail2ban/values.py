"""What a row of files says, the later ones over the earlier ones, with ``%(name)s`` put in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pyruse.importers.fail2ban.faults import Unreadable

_DEEPEST = 20
"""Values that are put into each other."""
_LONGEST = 1 << 20
"""Characters of a value."""
_MOST = 20_000
"""Values that are put into one."""
_DEFAULT = "DEFAULT"
_MARK = re.compile(r"%(?:(?P<percent>%)|\((?P<name>[^()]*)\)s)?")
_CONDITIONAL = re.compile(r"(?P<section>\w+)(?P<condition>\?.+)")
"""``[Init?family=inet6]``: options of [Init] in some cases."""


class Values:
    """The sections of several files.

    A name is looked for in the section, then in [DEFAULT]; ``known/NAME`` is what an earlier file
    said, and ``SECTION/NAME`` what another section says (jail.conf(5)).
    """

    def __init__(self, name: str) -> None:
        """Begin with nothing.

        :param name: of the files, in messages.
        """
        self.name = name
        self.files: list[str] = []
        self._sections: dict[str, dict[str, str]] = {}
        self._known: dict[str, dict[str, str]] = {}
        self._origins: dict[tuple[str, str], str] = {}

    def merge(self, content: Mapping[str, Mapping[str, str]], file: str) -> None:
        """Let a file count over those before it."""
        self.files.append(file)
        for name, options in content.items():
            section, added = name, dict(options)
            condition = _CONDITIONAL.fullmatch(name)
            if condition is not None:
                section = condition["section"]
                added = {option + condition["condition"]: v for option, v in options.items()}
            old = self._sections.setdefault(section, {})
            if section != _DEFAULT:
                self._known.setdefault(section, {}).update(
                    (option, old[option]) for option in added if option in old
                )
            old.update(added)
            self._origins.update(((section, option), file) for option in added)

    def set_defaults(self, options: Mapping[str, str]) -> None:
        """Put options into [DEFAULT] where the files do not say them."""
        default = self._sections.setdefault(_DEFAULT, {})
        for option, value in options.items():
            default.setdefault(option, value)

    @property
    def sections(self) -> list[str]:
        """All but [DEFAULT], in the order of the files."""
        return [name for name in self._sections if name not in (_DEFAULT, "INCLUDES")]

    def options(self, section: str) -> list[str]:
        """What a section says itself."""
        return list(self._sections.get(section, {}))

    def origin(self, section: str, option: str) -> str:
        """The file that says what an option is."""
        return self._origins.get((section, option)) or self._origins.get(
            (_DEFAULT, option), self.files[-1] if self.files else self.name
        )

    def address(self, section: str, option: str) -> str:
        """File, section and option, as messages name them."""
        where = section if (section, option) in self._origins else _DEFAULT
        if (where, option) not in self._origins:
            where = section
        return f"{self.origin(section, option)}: [{where}].{option}"

    def get(self, section: str, option: str, given: Mapping[str, str] | None = None) -> str | None:
        """The value of an option, or None where nobody says it.

        :param section: its name.
        :param option: its name.
        :param given: what counts over the files: it is taken as it is.
        :raises Unreadable: what it refers to is missing, or refers to itself.
        """
        option = option.lower()
        if given is not None and option in given:
            return given[option]
        raw = self._raw(section, option)
        if raw is None:
            return None
        place = _Place(section, given or {}, self.address(section, option))
        return self._filled(raw, place, 0)

    def _raw(self, section: str, name: str) -> str | None:
        """What stands there for a name, before anything is put in."""
        prefix, slash, option = name.partition("/")
        if slash:
            if prefix.lower() == "known":
                known = self._known.get(section, {}).get(option)
                return self._default(option) if known is None else known
            if prefix.lower() == "default":
                return self._default(option)
            found = self._sections.get(prefix)
            if found is not None:
                return found.get(option, self._default(option))
        found = self._sections.get(section, {})
        return found.get(name, self._default(name))

    def _default(self, option: str) -> str | None:
        return self._sections.get(_DEFAULT, {}).get(option)

    def _filled(self, text: str, place: _Place, depth: int) -> str:
        if depth > _DEEPEST:
            raise Unreadable(place.address, "a value is put into itself, or too deep into others")
        parts: list[str] = []
        end = size = 0
        for mark in _MARK.finditer(text):
            parts.append(text[end : mark.start()])
            end = mark.end()
            if mark["percent"]:
                parts.append("%")
            elif mark["name"] is None:
                raise Unreadable(place.address, '"%" is followed by neither "%" nor "(NAME)s"')
            else:
                parts.append(self._named(mark["name"], place, depth))
            size += len(parts[-1])
            place.count += 1
            if size > _LONGEST or place.count > _MOST:
                raise Unreadable(place.address, f"becomes longer than {_LONGEST:,} characters")
        return "".join([*parts, text[end:]])

    def _named(self, name: str, place: _Place, depth: int) -> str:
        if name == "__name__":
            return place.section
        # Names of sections may have capitals, those of options are written in small letters.
        prefix, slash, option = name.rpartition("/")
        name = prefix + slash + option.lower()
        if name in place.given:
            return place.given[name]
        raw = self._raw(place.section, name)
        if raw is None:
            raise Unreadable(place.address, f"%({name})s is said nowhere")
        return self._filled(raw, place, depth + 1)


@dataclass
class _Place:
    """Where values are put into each other."""

    section: str
    given: Mapping[str, str]
    address: str
    count: int = 0
