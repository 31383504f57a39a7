"""The faults of a configuration: collected, so that all of them are told at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pyruse.text import toml_key


class ConfigFaults:
    """Collects faults, each with its address: *FILE: place: fault (expected …)*.

    A collector stands at one address, such as ``pyruse.toml: chains."ssh"[3]``. It gives collectors
    for the addresses inside, which add to the same list.
    """

    def __init__(self, address: str, texts: list[str] | None = None) -> None:
        """Stand at an address.

        :param address: such as ``pyruse.toml: chains."ssh"[3]``.
        :param texts: what faults are added to, in their order; None: a list of its own.
        """
        self._address: str | tuple[ConfigFaults, str | int] = address
        self.texts: list[str] = [] if texts is None else texts

    @property
    def address(self) -> str:
        """Where it stands. It is put together when somebody asks: most have no faults."""
        if not isinstance(self._address, str):
            outer, part = self._address
            inside = f"[{part}]" if isinstance(part, int) else f".{toml_key(part)}"
            self._address = f"{outer.address}{inside}"
        return self._address

    def add(self, fault: str) -> None:
        """Add a fault at this address: ``"fault (expected …)"``."""
        self.texts.append(f"{self.address}: {fault}")

    def at(self, part: str | int) -> ConfigFaults:
        """The collector for an option, or for an item of a list (by its index, from 0 on)."""
        found = ConfigFaults("", self.texts)
        found._address = self, part
        return found


class SectionFaults(ConfigFaults):
    """Collects the faults of a section, whose keys may stand in several files."""

    def __init__(
        self,
        name: str,
        file_of: Callable[[str | None], str],
        texts: list[str],
        parts: Mapping[str, Sequence[tuple[str, int]]] = {},
    ) -> None:
        """Stand for the section.

        :param name: of the section.
        :param file_of: the file that a key stands in; of None: the section itself.
        :param texts: what faults are added to.
        :param parts: of each list that is joined of several files: the files, and how many items
            each has.
        """
        super().__init__(f"{file_of(None)}: {name}", texts)
        self._name = name
        self._file_of = file_of
        self._parts = parts

    def at(self, part: str | int) -> ConfigFaults:
        """The collector for a key of the section."""
        key = str(part)
        inside = f"{self._name}.{toml_key(key)}"
        if len(parts := self._parts.get(key, ())) > 1:
            return _JoinedFaults(inside, self.texts, parts)
        return ConfigFaults(f"{self._file_of(key)}: {inside}", self.texts)


class _JoinedFaults(ConfigFaults):
    """Collects the faults of a list that several files have a part of."""

    def __init__(self, inside: str, texts: list[str], parts: Sequence[tuple[str, int]]) -> None:
        super().__init__(f"{parts[0][0]}: {inside}", texts)
        self._inside = inside
        self._parts = parts

    def at(self, part: str | int) -> ConfigFaults:
        """The collector for an item: in its file, by its place there."""
        index = int(part)
        for file, number in self._parts:
            if index < number:
                return ConfigFaults(f"{file}: {self._inside}", self.texts).at(index)
            index -= number
        return super().at(part)


class RedirectedFaults(ConfigFaults):
    """Collects the faults of a step, some of whose options were written somewhere else."""

    def __init__(self, faults: ConfigFaults, origins: Mapping[str, str]) -> None:
        """Stand at the same address.

        :param faults: of the step.
        :param origins: by option, where its value was written.
        """
        super().__init__("", faults.texts)
        self._address = faults._address
        self._origins = origins

    def at(self, part: str | int) -> ConfigFaults:
        """The collector for an option: it stands where the option's value was written."""
        origin = self._origins.get(str(part))
        return super().at(part) if origin is None else ConfigFaults(origin, self.texts)
